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

#include <linux/posix_acl.h>
#include <linux/sched/mm.h>
#include <linux/writeback.h>

#include "quota.h"

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

void sfs_flags_to_vfs(struct inode *inode)
{
	static const struct {
		u32 disk;
		unsigned int vfs;
	} flags[] = {
		{ SFS_INODE_APPEND, S_APPEND },
		{ SFS_INODE_IMMUTABLE, S_IMMUTABLE },
		{ SFS_INODE_NOATIME, S_NOATIME },
		{ SFS_INODE_SYNC, S_SYNC },
		{ SFS_INODE_DIRSYNC, S_DIRSYNC },
	};
	unsigned int set = 0, mask = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		mask |= flags[i].vfs;
		if (SFS_I(inode)->ii_core.i_flags & flags[i].disk)
			set |= flags[i].vfs;
	}
	inode_set_flags(inode, set, mask);
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
	sfs_flags_to_vfs(inode);
	inode_set_atime_to_ts(inode, ns_to_timespec64(in->i_atime));
	inode_set_mtime_to_ts(inode, ns_to_timespec64(in->i_mtime));
	inode_set_ctime_to_ts(inode, ns_to_timespec64(in->i_ctime));
	/* As if somebody had seen this value: the next change counts in any case. */
	inode_set_iversion_queried(inode, in->i_change);
}

void sfs_set_inode_ops(struct inode *inode)
{
	const struct sfs_type *type = &SFS_SB(inode->i_sb)->si_types[inode->i_mode >> 12 & 15];

	inode->i_op = type->t_iops;
	if (type->t_fops)
		inode->i_fop = type->t_fops;
	if (type->t_aops) {
		inode->i_mapping->a_ops = type->t_aops;
		mapping_set_large_folios(inode->i_mapping);
	}
	if (special_file(inode->i_mode))
		init_special_inode(inode, inode->i_mode, inode->i_rdev);
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
 * that mount finishes have none.  By a handle an orphan is not brought back, and a slot that is
 * just being taken looks like one.
 */
static int sfs_inode_check_links(const struct sfs_inode *in, enum sfs_namer by)
{
	if (in->i_nlink || (by == SFS_BY_ORPHAN_MAP && (in->i_flags & SFS_INODE_ORPHAN)))
		return 0;
	if (by == SFS_BY_HANDLE)
		return -ESTALE;
	return sfs_corrupt(in->i_fs, sfs_ino_blk(in->i_ino), in->i_ino, "inode", "no links");
}

/*
 * The record.  By a handle no inode in memory is in its way: while somebody makes one in the slot,
 * and has not hashed it, the record has no links; he waits for this one to be gone then.
 */
static int sfs_iget_read(struct super_block *sb, u64 ino, enum sfs_namer by, struct sfs_inode *in)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	int err;

	err = by == SFS_BY_HANDLE ? sfs_inode_find(fs, ino, in) : sfs_inode_read(fs, ino, in);
	return err ? err : sfs_inode_check_links(in, by);
}

/* iget_locked() has none to give also where one is just being made: of that no handle can be. */
static int sfs_iget_none(struct super_block *sb, u64 ino, enum sfs_namer by)
{
	bool made;

	rcu_read_lock();
	made = by == SFS_BY_HANDLE && find_inode_by_ino_rcu(sb, ino);
	rcu_read_unlock();
	return made ? -ESTALE : -ENOMEM;
}

struct inode *sfs_iget(struct super_block *sb, u64 ino, enum sfs_namer by)
{
	struct inode *inode;
	int err;

	inode = iget_locked(sb, ino);
	if (!inode)
		return ERR_PTR(sfs_iget_none(sb, ino, by));
	if (!sfs_inode_is_new(inode))
		return inode;
	err = sfs_iget_read(sb, ino, by, &SFS_I(inode)->ii_core);
	if (err) {
		iget_failed(inode);
		return ERR_PTR(err);
	}
	sfs_inode_from_core(inode);
	sfs_inode_guess_tid(inode);
	/* With links, that is what the mark says. */
	if (inode->i_nlink && (SFS_I(inode)->ii_core.i_flags & SFS_INODE_ORPHAN))
		set_bit(SFS_II_HALF_CUT, &SFS_I(inode)->ii_flags);
	sfs_set_inode_ops(inode);
	if (sfs_xattr_is_none(&SFS_I(inode)->ii_core)) {
		/* So nobody need ask: neither a walk under RCU nor a write that might drop some. */
		cache_no_acl(inode);
		inode_has_no_xattr(inode);
	}
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
	sfs_quota_follow(inode);
	if (!S_ISREG(inode->i_mode))
		i_size_write(inode, ii->ii_core.i_size);
	atomic64_inc(&ii->ii_seq);
	sfs_inode_end(t, &ii->ii_core);
	sfs_inode_note_tid(t, inode, !S_ISREG(inode->i_mode));
	up_write(&ii->ii_tree_lock);
}

int sfs_inode_change_begin(struct inode *inode, unsigned int nblks, unsigned int nrevokes,
			   struct sfs_trans *t)
{
	int err = 0;

	/* With less than that nobody changes what an inode holds. */
	if (nblks > SFS_CREDITS_INODE) {
		nblks += sfs_quota_credits(inode->i_sb, 1);
		err = sfs_quota_init(inode);
	}
	if (!err)
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

/* ---- attributes on their way to disk ---- */

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
	/* Shut down or read-only: whoever waits for it will be told.  Else an fsync tells it. */
	if (err && err != -EROFS && !sfs_is_shutdown(inode->i_sb)) {
		mapping_set_error(inode->i_mapping, err);
		pr_warn_ratelimited("simplefs (%s): cannot update inode %llu\n", inode->i_sb->s_id,
				    (unsigned long long)inode->i_ino);
	}
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

int sfs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	struct sfs_inode_info *ii = SFS_I(inode);
	int err;
	int err2;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	err = file_write_and_wait_range(file, start, end);
	if (!err && !sb_rdonly(inode->i_sb))
		err = sfs_journal_wait(inode->i_sb, datasync ? READ_ONCE(ii->ii_datasync_tid) :
							       READ_ONCE(ii->ii_sync_tid));
	sfs_unwritten_settle(inode);
	err2 = file_check_and_advance_wb_err(file);
	return err ? err : err2;
}
