// SPDX-License-Identifier: GPL-2.0-only
/*
 * attr.c - attributes as stat(2), chmod(2), truncate(2) and their like see and set them.
 */
#include "simplefs.h"

#include <linux/blkdev.h>
#include <linux/posix_acl.h>

#include "quota.h"
#include "xattrs.h"

/* What direct I/O asks of memory, and of positions and lengths: no more than the device does. */
static void sfs_fill_dioalign(struct inode *inode, struct kstat *stat)
{
	struct block_device *bdev = inode->i_sb->s_bdev;

	stat->dio_mem_align = bdev_dma_alignment(bdev) + 1;
	stat->dio_offset_align = bdev_logical_block_size(bdev);
	stat->result_mask |= STATX_DIOALIGN;
	sfs_fill_dio_read_align(stat);
}

int sfs_getattr(SFS_IDMAP_T *idmap, const struct path *path, struct kstat *stat, u32 request_mask,
		unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct sfs_inode_info *ii = SFS_I(inode);

	sfs_fillattr(idmap, request_mask, inode, stat);
	generic_fill_statx_attr(inode, stat);
	if (READ_ONCE(ii->ii_core.i_flags) & SFS_INODE_NODUMP)
		stat->attributes |= STATX_ATTR_NODUMP;
	stat->attributes_mask |= STATX_ATTR_NODUMP;
	/* Promised blocks count, so that a fresh file does not look sparse to those who copy it. */
	stat->blocks += READ_ONCE(ii->ii_delalloc_nblks) << (SFS_BLOCK_BITS - 9);
	stat->result_mask |= STATX_BTIME;
	stat->btime = ns_to_timespec64(ii->ii_core.i_btime);
	stat->blksize = SFS_BLOCK_SIZE;
	if (S_ISREG(inode->i_mode) && (request_mask & (STATX_DIOALIGN | STATX_DIO_READ_ALIGN)))
		sfs_fill_dioalign(inode, stat);
	return 0;
}

/* A cut to the size that a file has frees what lies past its end, and changes nothing else. */
static int sfs_setattr_size(struct inode *inode, struct iattr *attr)
{
	int err;

	if (attr->ia_size == i_size_read(inode)) {
		err = sfs_has_past_eof(inode);
		return err <= 0 ? err : sfs_setsize(inode, attr->ia_size);
	}
	err = sfs_setsize(inode, attr->ia_size);
	if (!err)
		attr->ia_valid |= ATTR_MTIME | ATTR_CTIME;
	return err;
}

int sfs_setattr(SFS_IDMAP_T *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct sfs_owners owners;
	struct sfs_trans t;
	int err;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	/* The VFS has looked, but without the lock, and not where the file was open before. */
	if (IS_IMMUTABLE(inode) || (IS_APPEND(inode) && (attr->ia_valid & ATTR_SIZE)))
		return -EPERM;
	/* The VFS lets it grow.  What is swapped to stays as it is to the last byte. */
	if (IS_SWAPFILE(inode) && (attr->ia_valid & ATTR_SIZE))
		return -ETXTBSY;
	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		err = sfs_setattr_size(inode, attr);
		if (err)
			return err;
	}
	err = sfs_owners_get(idmap, inode, attr, &owners);
	if (err)
		return err;
	err = sfs_inode_change_begin(inode, SFS_CREDITS_INODE +
				     sfs_quota_credits(inode->i_sb, 2), 0, &t);
	if (err)
		goto put_owners;
	err = sfs_owners_move(inode, &owners);
	if (!err) {
		setattr_copy(idmap, inode, attr);
		inode_inc_iversion(inode);
	}
	/* This transaction is the last: what a change of size did is in it or before it. */
	if (IS_SYNC(inode))
		sfs_trans_sync(&t);
	err = sfs_inode_change_end(&t, inode, err);
put_owners:
	sfs_owners_put(&owners);
	/* A list says what the mode does, and more. */
	if (!err && (attr->ia_valid & ATTR_MODE) && !S_ISLNK(inode->i_mode))
		err = sfs_acl_chmod(idmap, dentry, inode->i_mode);
	return err;
}
