// SPDX-License-Identifier: GPL-2.0-only
/*
 * export.c - file handles: for NFS, and for open_by_handle_at(2).
 *
 * A handle is the number of an inode and the generation of its slot, and of a connectable one those
 * of a directory besides that has a name of it.  All of it comes from outside: what it leads to is
 * looked up as a number that nobody vouches for, and is stale, never damage, if there is none.
 */
#include "simplefs.h"

#include <linux/exportfs.h>

/* Little-endian, in words of 32 bits, as a handle has no better alignment. */
struct sfs_fid {
	__le32 f_ino[2];
	__le32 f_generation;
};
#define SFS_FID_WORDS		(sizeof(struct sfs_fid) / sizeof(u32))

static void sfs_fid_fill(struct sfs_fid *fid, const struct inode *inode)
{
	fid->f_ino[0] = cpu_to_le32(lower_32_bits(inode->i_ino));
	fid->f_ino[1] = cpu_to_le32(upper_32_bits(inode->i_ino));
	fid->f_generation = cpu_to_le32(inode->i_generation);
}

static int sfs_encode_fh(struct inode *inode, u32 *fh, int *max_len, struct inode *parent)
{
	struct sfs_fid *fid = (struct sfs_fid *)fh;
	int room = *max_len;

	*max_len = SFS_FID_WORDS * (parent ? 2 : 1);
	if (room < *max_len)
		return FILEID_INVALID;
	sfs_fid_fill(fid, inode);
	if (!parent)
		return FILEID_INO64_GEN;
	sfs_fid_fill(fid + 1, parent);
	return FILEID_INO64_GEN_PARENT;
}

/* An unlinked inode that is still in memory, as it is open, can be had; no other can. */
static struct inode *sfs_fid_inode(struct super_block *sb, const struct sfs_fid *fid)
{
	u64 ino = (u64)le32_to_cpu(fid->f_ino[1]) << 32 | le32_to_cpu(fid->f_ino[0]);
	struct inode *inode;

	if (sfs_inode_is_hidden(&SFS_SB(sb)->si_fs, ino))
		return ERR_PTR(-ESTALE);
	inode = sfs_iget(sb, ino, SFS_BY_HANDLE);
	if (IS_ERR(inode) || inode->i_generation == le32_to_cpu(fid->f_generation))
		return inode;
	iput(inode);
	return ERR_PTR(-ESTALE);
}

/* Only a directory can be above something. */
static struct dentry *sfs_obtain_dir(struct inode *inode)
{
	if (!IS_ERR(inode) && !S_ISDIR(inode->i_mode)) {
		iput(inode);
		inode = ERR_PTR(-ESTALE);
	}
	return d_obtain_alias(inode);
}

static struct dentry *sfs_fh_to_dentry(struct super_block *sb, struct fid *fid, int fh_len,
				       int fh_type)
{
	if ((fh_type != FILEID_INO64_GEN && fh_type != FILEID_INO64_GEN_PARENT) ||
	    fh_len < (int)SFS_FID_WORDS)
		return NULL;
	return d_obtain_alias(sfs_fid_inode(sb, (const struct sfs_fid *)fid->raw));
}

static struct dentry *sfs_fh_to_parent(struct super_block *sb, struct fid *fid, int fh_len,
				       int fh_type)
{
	if (fh_type != FILEID_INO64_GEN_PARENT || fh_len < 2 * (int)SFS_FID_WORDS)
		return NULL;
	return sfs_obtain_dir(sfs_fid_inode(sb, (const struct sfs_fid *)fid->raw + 1));
}

/*
 * A directory may be moved, and the one that it was in removed, as soon as its parent has been
 * read: what is not there any more is stale here as well.  fsck finds a parent that is none.
 */
static struct dentry *sfs_get_parent(struct dentry *child)
{
	struct sfs_inode_info *ii = SFS_I(d_inode(child));
	u64 ino;

	if (!S_ISDIR(ii->ii_vfs.i_mode))
		return ERR_PTR(-ESTALE);
	down_read(&ii->ii_tree_lock);
	ino = ii->ii_core.i_parent;
	up_read(&ii->ii_tree_lock);
	return sfs_obtain_dir(sfs_iget(child->d_sb, ino, SFS_BY_HANDLE));
}

/* What nfsd has answered must not be taken back by a crash. */
static int sfs_commit_metadata(struct inode *inode)
{
	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (sb_rdonly(inode->i_sb))
		return 0;
	return sfs_journal_wait(inode->i_sb, READ_ONCE(SFS_I(inode)->ii_sync_tid));
}

const struct export_operations sfs_export_ops = {
	.encode_fh = sfs_encode_fh,
	.fh_to_dentry = sfs_fh_to_dentry,
	.fh_to_parent = sfs_fh_to_parent,
	.get_parent = sfs_get_parent,
	.commit_metadata = sfs_commit_metadata,
};
