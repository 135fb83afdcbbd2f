// SPDX-License-Identifier: GPL-2.0-only
/*
 * inode.c - inodes between the VFS, the core and the journal.
 *
 * The VFS inode is the truth for owner, mode, links and times while it is in memory, the core's
 * record for everything else; sfs_inode_changed() copies the one into the other at the end of each
 * change.  Attributes that the VFS changes on its own arrive through ->dirty_inode, and go to the
 * journal there and then, so that ->write_inode has only to wait.
 */
#include "simplefs.h"

#include <linux/sched/mm.h>
#include <linux/writeback.h>

static s64 sfs_time_to_ns(struct timespec64 ts)
{
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

void sfs_inode_to_core(struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;

	in->i_mode = inode->i_mode;
	in->i_uid = i_uid_read(inode);
	in->i_gid = i_gid_read(inode);
	in->i_nlink = inode->i_nlink;
	in->i_rdev = new_encode_dev(inode->i_rdev);
	in->i_atime = sfs_time_to_ns(inode_get_atime(inode));
	in->i_mtime = sfs_time_to_ns(inode_get_mtime(inode));
	in->i_ctime = sfs_time_to_ns(inode_get_ctime(inode));
	in->i_change = inode_peek_iversion(inode);
}

static void sfs_inode_from_core(struct inode *inode)
{
	const struct sfs_inode *in = &SFS_I(inode)->ii_core;

	inode->i_mode = in->i_mode;
	i_uid_write(inode, in->i_uid);
	i_gid_write(inode, in->i_gid);
	set_nlink(inode, in->i_nlink);
	inode->i_rdev = new_decode_dev(in->i_rdev);
	inode->i_size = in->i_size;
	inode->i_blocks = in->i_blocks << (SFS_BLOCK_BITS - 9);
	inode->i_generation = in->i_generation;
	inode_set_atime_to_ts(inode, ns_to_timespec64(in->i_atime));
	inode_set_mtime_to_ts(inode, ns_to_timespec64(in->i_mtime));
	inode_set_ctime_to_ts(inode, ns_to_timespec64(in->i_ctime));
	/* As if somebody had seen this value: the next change counts in any case. */
	inode_set_iversion_queried(inode, in->i_change);
}

/* By type; rdev is known. */
void sfs_set_inode_ops(struct inode *inode)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &sfs_file_iops;
		inode->i_fop = &sfs_file_fops;
		inode->i_mapping->a_ops = &sfs_aops;
		mapping_set_large_folios(inode->i_mapping);
		break;
	case S_IFDIR:
		inode->i_op = &sfs_dir_iops;
		inode->i_fop = &sfs_dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = &sfs_symlink_iops;
		break;
	default:
		inode->i_op = &sfs_special_iops;
		init_special_inode(inode, inode->i_mode, inode->i_rdev);
	}
}

/* What changed the inode in an earlier life in memory may not have committed yet: fsync waits. */
static void sfs_inode_guess_tid(struct inode *inode)
{
	u32 tid = sfs_journal_tid(inode->i_sb);

	SFS_I(inode)->ii_sync_tid = tid;
	SFS_I(inode)->ii_datasync_tid = tid;
}

/*
 * An inode without links must not be had by name: putting it would delete it.  Only the orphans
 * that mount finishes have none.
 */
static int sfs_inode_check_links(const struct sfs_inode *in, bool orphan)
{
	if (in->i_nlink || (orphan && (in->i_flags & SFS_INODE_ORPHAN)))
		return 0;
	return sfs_corrupt(in->i_fs, sfs_ino_blk(in->i_ino), in->i_ino, "inode", "no links");
}

struct inode *sfs_iget(struct super_block *sb, u64 ino, bool orphan)
{
	struct inode *inode;
	int err;

	inode = iget_locked(sb, ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!sfs_inode_is_new(inode))
		return inode;
	err = sfs_inode_read(&SFS_SB(sb)->si_fs, ino, &SFS_I(inode)->ii_core);
	if (!err)
		err = sfs_inode_check_links(&SFS_I(inode)->ii_core, orphan);
	if (err) {
		iget_failed(inode);
		return ERR_PTR(err);
	}
	sfs_inode_from_core(inode);
	sfs_inode_guess_tid(inode);
	sfs_set_inode_ops(inode);
	unlock_new_inode(inode);
	return inode;
}

/* ---- changes ---- */

void sfs_inode_note_tid(struct sfs_trans *t, struct inode *inode, bool datasync)
{
	u32 tid = sfs_trans_tid(t);

	WRITE_ONCE(SFS_I(inode)->ii_sync_tid, tid);
	if (datasync)
		WRITE_ONCE(SFS_I(inode)->ii_datasync_tid, tid);
}

static int sfs_inode_change_nested(struct sfs_trans *t, struct inode *inode, int subclass)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	int err;

	down_write_nested(&ii->ii_tree_lock, subclass);
	err = sfs_inode_begin(t, &ii->ii_core);
	if (err)
		up_write(&ii->ii_tree_lock);
	return err;
}

int sfs_inode_change(struct sfs_trans *t, struct inode *inode)
{
	return sfs_inode_change_nested(t, inode, 0);
}

void sfs_inode_changed(struct sfs_trans *t, struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);

	sfs_inode_to_core(inode);
	inode->i_blocks = ii->ii_core.i_blocks << (SFS_BLOCK_BITS - 9);
	if (!S_ISREG(inode->i_mode))
		i_size_write(inode, ii->ii_core.i_size);
	WRITE_ONCE(ii->ii_seq, ii->ii_seq + 1);
	sfs_inode_end(t, &ii->ii_core);
	sfs_inode_note_tid(t, inode, !S_ISREG(inode->i_mode));
	up_write(&ii->ii_tree_lock);
}

int sfs_inode_change_begin(struct inode *inode, unsigned int nblks, unsigned int nrevokes,
			   struct sfs_trans *t)
{
	int err;

	err = sfs_trans_begin(inode->i_sb, nblks, nrevokes, t);
	if (err)
		return err;
	err = sfs_inode_change(t, inode);
	if (err)
		sfs_trans_end(t);
	return err;
}

int sfs_inode_change_end(struct sfs_trans *t, struct inode *inode, int err)
{
	int err2;

	sfs_inode_changed(t, inode);
	err2 = sfs_trans_end(t);
	return err ? err : err2;
}

/* Copies the distinct inodes, sorted by number, to @ret_sorted; returns how many. */
static int sfs_sort_inodes(struct inode *const inodes[SFS_CHANGE_MAX],
			   struct inode *ret_sorted[SFS_CHANGE_MAX])
{
	int count = 0;
	int i;
	int n;

	for (i = 0; i < SFS_CHANGE_MAX; i++) {
		struct inode *inode = inodes[i];

		if (!inode)
			continue;
		for (n = 0; n < count && ret_sorted[n]->i_ino < inode->i_ino; n++)
			;
		if (n < count && ret_sorted[n] == inode)
			continue;
		memmove(&ret_sorted[n + 1], &ret_sorted[n], (count - n) * sizeof(*ret_sorted));
		ret_sorted[n] = inode;
		count++;
	}
	return count;
}

int sfs_change_inodes(struct sfs_trans *t, struct inode *const inodes[SFS_CHANGE_MAX])
{
	struct inode *sorted[SFS_CHANGE_MAX + 1];
	int count = sfs_sort_inodes(inodes, sorted);
	int err = 0;
	int n;

	for (n = 0; n < count && !err; n++)
		err = sfs_inode_change_nested(t, sorted[n], n);
	if (err) {
		for (n -= 2; n >= 0; n--)
			sfs_inode_changed(t, sorted[n]);
	}
	return err;
}

void sfs_changed_inodes(struct sfs_trans *t, struct inode *const inodes[SFS_CHANGE_MAX])
{
	struct inode *sorted[SFS_CHANGE_MAX + 1];
	int n = sfs_sort_inodes(inodes, sorted);

	while (n--)
		sfs_inode_changed(t, sorted[n]);
}

/* ---- super operations ---- */

void sfs_dirty_inode(struct inode *inode, int flags)
{
	struct sfs_trans t;
	int err;

	/* Lazy times wait for a better occasion; without one they come back without this flag. */
	if (flags == I_DIRTY_TIME)
		return;
	err = sfs_inode_change_begin(inode, SFS_CREDITS_INODE, 0, &t);
	if (!err)
		err = sfs_inode_change_end(&t, inode, 0);
	/* Shut down or read-only: whoever waits for it will be told. */
	if (err && err != -EROFS && !sfs_is_shutdown(inode->i_sb))
		pr_warn_ratelimited("simplefs (%s): cannot update inode %llu\n", inode->i_sb->s_id,
				    (unsigned long long)inode->i_ino);
}

int sfs_write_inode(struct inode *inode, struct writeback_control *wbc)
{
	u32 tid;

	if (current->flags & PF_MEMALLOC)
		return 0;
	/* sync(2) commits once for all; a single file's writeback waits for its own transaction. */
	if (wbc->sync_mode != WB_SYNC_ALL || wbc->for_sync)
		return 0;
	tid = READ_ONCE(SFS_I(inode)->ii_sync_tid);
	return tid ? sfs_journal_wait(inode->i_sb, tid) : 0;
}

/* The last of an unlinked inode: its symlink target and its slot. */
static int sfs_delete_record(struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_trans t;
	bool link = S_ISLNK(inode->i_mode);
	int err;
	int err2;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_IALLOC + SFS_CREDITS_INODE +
				     (link ? SFS_CREDITS_SYMLINK : 0),
				     SFS_REVOKES_IALLOC + (link ? 4 * SFS_REVOKES_TREE : 0), &t);
	if (err)
		return err;
	if (link)
		err = sfs_symlink_clear(&t, in);
	if (!err)
		err = sfs_inode_free(&t, in);	/* its orphan mark goes with it */
	/* When only the journal refused, the slot is gone all the same, and _end() with it. */
	if (in->i_buf)
		return sfs_inode_change_end(&t, inode, err);
	up_write(&SFS_I(inode)->ii_tree_lock);
	err2 = sfs_trans_end(&t);
	return err ? err : err2;
}

static void sfs_delete_inode(struct inode *inode)
{
	int err = 0;

	sb_start_intwrite(inode->i_sb);
	if (S_ISREG(inode->i_mode)) {
		i_size_write(inode, 0);
		err = sfs_free_extents(inode);
	}
	if (!err)
		err = sfs_delete_record(inode);
	sb_end_intwrite(inode->i_sb);
	if (!err)
		return;
	/* It is an orphan: the next mount tries again. */
	set_bit(SFS_SI_UNFINISHED, &SFS_SB(inode->i_sb)->si_flags);
	if (!sfs_is_shutdown(inode->i_sb))
		pr_warn_ratelimited("simplefs (%s): inode %llu stays an orphan: error %d\n",
				    inode->i_sb->s_id, (unsigned long long)inode->i_ino, err);
}

void sfs_evict_inode(struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);

	truncate_inode_pages_final(&inode->i_data);
	flush_work(&ii->ii_ioend_work);
	down_write(&ii->ii_tree_lock);
	sfs_promises_forget(inode);
	up_write(&ii->ii_tree_lock);
	if (!inode->i_nlink && !is_bad_inode(inode) && ii->ii_core.i_fs &&
	    !sb_rdonly(inode->i_sb) && !sfs_is_shutdown(inode->i_sb))
		sfs_delete_inode(inode);
	clear_inode(inode);
}

/* ---- attributes ---- */

int sfs_getattr(SFS_IDMAP_T *idmap, const struct path *path, struct kstat *stat, u32 request_mask,
		unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct sfs_inode_info *ii = SFS_I(inode);

	sfs_fillattr(idmap, request_mask, inode, stat);
	/* Promised blocks count, so that a fresh file does not look sparse to those who copy it. */
	stat->blocks += READ_ONCE(ii->ii_delalloc_nblks) << (SFS_BLOCK_BITS - 9);
	stat->result_mask |= STATX_BTIME;
	stat->btime = ns_to_timespec64(ii->ii_core.i_btime);
	stat->blksize = SFS_BLOCK_SIZE;
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
	struct sfs_trans t;
	int err;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		err = sfs_setattr_size(inode, attr);
		if (err)
			return err;
	}
	err = sfs_inode_change_begin(inode, SFS_CREDITS_INODE, 0, &t);
	if (err)
		return err;
	setattr_copy(idmap, inode, attr);
	inode_inc_iversion(inode);
	/* This transaction is the last: what a change of size did is in it or before it. */
	if (IS_SYNC(inode))
		sfs_trans_sync(&t);
	return sfs_inode_change_end(&t, inode, 0);
}
