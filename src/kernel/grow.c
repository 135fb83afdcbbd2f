// SPDX-License-Identifier: GPL-2.0-only
/*
 * grow.c - SFS_IOC_GROW: a mounted volume becomes as large as its device, or as it is told.
 *
 * What it takes is in core/grow.c.  Here: who may, how far, and the transaction, with the copies of
 * the superblock.  Writers go on all the time; on return the new size is on disk.
 */
#include "simplefs.h"

#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/uaccess.h>

/* 0, with how many blocks of the device may be used, or why not. */
static int sfs_grow_allowed(struct super_block *sb, u64 want, u64 *ret_blocks)
{
	const struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	u64 has = bdev_nr_bytes(sb->s_bdev) >> SFS_BLOCK_BITS;

	if (sfs_is_shutdown(sb))
		return -EIO;
	if (sfs_takes_no_change(sb))
		return -EROFS;
	if (READ_ONCE(fs->f_state) & SFS_STATE_ERROR)
		return -EFSCORRUPTED;
	/* The device may have become smaller; then it stays as it is. */
	if (want == SFS_GROW_DEVICE)
		want = max(has, fs->f_blocks);
	else if (want < fs->f_blocks || want > SFS_BLK_MAX)
		return -EINVAL;
	if (want > has && want > fs->f_blocks)
		return -ENOSPC;
	*ret_blocks = want;
	return 0;
}

/* -EAGAIN: once more, from the start. */
static int sfs_grow_once(struct super_block *sb, u64 blocks, struct sfs_copying *c)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	struct sfs_grow grow;
	struct sfs_trans t;
	unsigned int n;
	int err;
	int err2;

	err = sfs_grow_prepare(fs, blocks, &grow);
	/* What was there before this call may be in memory alone, its commit having failed. */
	if (!err && grow.g_blocks == fs->f_blocks)
		return sfs_journal_sync(sb, 1);
	if (err)
		return err;
	n = sfs_copies_ahead(sb, c);
	err = sfs_trans_begin(sb, SFS_CREDITS_GROW + n, 0, &t);
	if (err)
		return err;
	/* What is promised now can be had after the commit: who waits shall see that it moves. */
	atomic_inc(&SFS_SB(sb)->si_moves);
	err = sfs_grow(&t, fs, &grow);
	atomic_inc(&SFS_SB(sb)->si_moves);
	if (!err)
		sfs_copies_step(&t, sb, c, n);
	err2 = sfs_trans_end(&t);
	return err ? err : err2;
}

/* si_grow_lock held. */
static int sfs_grow_volume(struct super_block *sb, struct sfs_grow_args *args)
{
	const struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	struct sfs_copying c = { };
	u64 blocks;
	int err;

	args->g_was = fs->f_blocks;
	err = sfs_grow_allowed(sb, args->g_blocks, &blocks);
	if (err)
		return err;
	do
		err = sfs_grow_once(sb, blocks, &c);
	while (err == -EAGAIN);
	if (!err && fs->f_blocks != args->g_was)
		err = sfs_copies_finish(sb, &c, "size");
	if (err)
		return err;
	args->g_blocks = fs->f_blocks;
	if (args->g_blocks != args->g_was)
		pr_info("simplefs (%s): %llu blocks, were %llu\n", sb->s_id, args->g_blocks,
			args->g_was);
	return 0;
}

int sfs_ioc_grow(struct file *file, struct sfs_grow_args __user *arg)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct sfs_grow_args args;
	int err;

	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	err = mnt_want_write_file(file);
	if (err)
		return err;
	err = mutex_lock_killable(&SFS_SB(sb)->si_grow_lock);
	if (!err) {
		err = sfs_grow_volume(sb, &args);
		mutex_unlock(&SFS_SB(sb)->si_grow_lock);
	}
	mnt_drop_write_file(file);
	if (!err && copy_to_user(arg, &args, sizeof(args)))
		err = -EFAULT;
	return err;
}
