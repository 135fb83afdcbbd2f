// SPDX-License-Identifier: GPL-2.0-only
/*
 * trim.c - the device is told what nobody has.
 *
 * A run at a time: it is found, and made busy (busy.h), in a transaction that changes nothing, and
 * the device is waited for when that has ended and no lock is held but si_trim_lock, which only
 * other trims want, and who finds nothing else to take.
 */
#include "simplefs.h"

#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/freezer.h>
#include <linux/mount.h>
#include <linux/uaccess.h>

u64 sfs_trim_min(struct super_block *sb)
{
	u64 nbytes = bdev_discard_granularity(sb->s_bdev);

	return max_t(u64, DIV_ROUND_UP_ULL(nbytes, SFS_BLOCK_SIZE), 1);
}

/* Shall a trim end, for a signal or since the machine goes to sleep? */
static int sfs_trim_ends(void)
{
	cond_resched();
	return fatal_signal_pending(current) || freezing(current) ? -ERESTARTSYS : 0;
}

/* Reclaim may wait for si_trim_lock: as in a transaction no memory is asked for that needs it. */
int sfs_trim_run(struct super_block *sb, u64 group, u32 *bit, u32 end, u32 min, u64 *ret_nblks)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	struct sfs_trans t;
	u64 blk = 0;
	u32 n = 0;
	int err;
	int err2;

	mutex_lock(&SFS_SB(sb)->si_trim_lock);
	err = sfs_trans_begin(sb, 1, 0, &t);
	if (err)
		goto unlock;
	atomic_inc(&SFS_SB(sb)->si_moves);
	err = sfs_busy_begin(&t, fs, group, bit, end, min, &blk, &n);
	err2 = sfs_trans_end(&t);
	if (!err)
		err = err2;
	if (!err && n)
		err = sb_issue_discard(sb, blk, n, GFP_NOFS, 0);
	sfs_busy_end(fs);
	if (!err)
		*ret_nblks += n;
unlock:
	mutex_unlock(&SFS_SB(sb)->si_trim_lock);
	return err;
}

/* The same, with what it takes.  Each run by itself, so that a freeze waits for one of them. */
static int sfs_trim_step(struct file *file, u64 group, u32 *bit, u32 end, u32 min,
			 u64 *ret_nblks)
{
	struct super_block *sb = file_inode(file)->i_sb;
	int err;

	err = sfs_trim_ends();
	if (!err)
		err = mnt_want_write_file(file);
	if (err)
		return err;
	err = sfs_trim_run(sb, group, bit, end, min, ret_nblks);
	mnt_drop_write_file(file);
	return err;
}

/* The part of @group in [@blk, @end); what went is added to *@ret_nblks. */
static int sfs_trim_group(struct file *file, u64 group, u64 blk, u64 end, u32 min,
			  u64 *ret_nblks)
{
	u64 first = group * SFS_GROUP_BLOCKS;
	u32 bit = max(blk, first) - first;
	u32 nbits = min_t(u64, end - first, SFS_GROUP_BLOCKS);
	struct sfs_group *g;
	int err;

	/* Loaded here, not in the transaction.  -ENOSPC: of a zone that was not begun. */
	err = sfs_group_get(sfs_inode_fs(file_inode(file)), group, &g);
	if (!err && READ_ONCE(g->g_run) < min)
		return 0;
	if (err == -ENOSPC)
		err = 0;
	while (!err && bit < nbits)
		err = sfs_trim_step(file, group, &bit, nbits, min, ret_nblks);
	return err;
}

/* [@blk, @end) in runs of @min blocks or more; what went is added to *@ret_nblks, also on error. */
static int sfs_trim(struct file *file, u64 blk, u64 end, u32 min, u64 *ret_nblks)
{
	u64 group;
	int err = 0;

	for (group = blk / SFS_GROUP_BLOCKS; !err && group * SFS_GROUP_BLOCKS < end; group++) {
		err = sfs_trim_ends();
		if (!err)
			err = sfs_trim_group(file, group, blk, end, min, ret_nblks);
	}
	return err;
}

int sfs_ioc_trim(struct file *file, struct fstrim_range __user *arg)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	struct fstrim_range range;
	u64 blocks = READ_ONCE(fs->f_blocks);
	u64 blk, end, min;
	u64 nblks = 0;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!bdev_max_discard_sectors(sb->s_bdev))
		return -EOPNOTSUPP;
	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	/* First of all: the largest numbers would be 0 when they are rounded up. */
	if (range.start >> SFS_BLOCK_BITS >= blocks ||
	    range.minlen >> SFS_BLOCK_BITS > SFS_GROUP_BLOCKS)
		return -EINVAL;
	blk = DIV_ROUND_UP_ULL(range.start, SFS_BLOCK_SIZE);
	min = max_t(u64, DIV_ROUND_UP_ULL(range.minlen, SFS_BLOCK_SIZE), sfs_trim_min(sb));
	if (blk >= blocks || range.len < SFS_BLOCK_SIZE || min > SFS_GROUP_BLOCKS)
		return -EINVAL;
	end = min(range.len, U64_MAX - range.start) + range.start;
	end = min(end >> SFS_BLOCK_BITS, blocks);
	if (__mnt_is_readonly(file->f_path.mnt))
		return -EROFS;
	err = sfs_trim(file, blk, end, min, &nblks);
	range.len = nblks << SFS_BLOCK_BITS;
	if (!err && copy_to_user(arg, &range, sizeof(range)))
		err = -EFAULT;
	return err;
}
