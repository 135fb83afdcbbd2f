// SPDX-License-Identifier: GPL-2.0-only
/*
 * error.c - what happens when something is wrong: one reporter, one policy.
 *
 * Damage is told once in a line that says what, where and why, noted for the superblock, and then
 * errors= decides.  The note is written by a work item (record.c), since damage is found under any
 * lock.  With errors=remount-ro what is under way finishes and commits, but nothing new begins;
 * so it is with errors=panic, until the note is on disk.
 */
#include "simplefs.h"

static struct sfs_sb_info *sfs_fs_si(struct sfs_fs *fs)
{
	return container_of(fs, struct sfs_sb_info, si_fs);
}

unsigned long sfs_error_lock(struct sfs_fs *fs)
	__acquires(&sfs_fs_si(fs)->si_error_lock)
{
	unsigned long flags;

	spin_lock_irqsave(&sfs_fs_si(fs)->si_error_lock, flags);
	return flags;
}

void sfs_error_unlock(struct sfs_fs *fs, unsigned long flags)
	__releases(&sfs_fs_si(fs)->si_error_lock)
{
	spin_unlock_irqrestore(&sfs_fs_si(fs)->si_error_lock, flags);
}

static void sfs_error_note(struct sfs_sb_info *si, u64 blk, u64 ino, const char *why)
{
	struct sfs_fs *fs = &si->si_fs;
	unsigned long flags;

	spin_lock_irqsave(&si->si_error_lock, flags);
	fs->f_state |= SFS_STATE_ERROR;
	fs->f_error_time = sfs_time_now();
	fs->f_error_blk = blk;
	fs->f_error_ino = ino;
	fs->f_error_count++;
	strscpy_pad((char *)fs->f_error_why, why, sizeof(fs->f_error_why));
	spin_unlock_irqrestore(&si->si_error_lock, flags);
}

void sfs_error_panic(struct super_block *sb)
{
	if (SFS_SB(sb)->si_errors == SFS_ERRORS_PANIC)
		panic("simplefs (%s): panic on error, as mounted\n", sb->s_id);
}

/* Before and after, mount and unmount write the superblock themselves. */
static bool sfs_error_can_record(struct super_block *sb)
{
	return (sb->s_flags & SB_ACTIVE) && !sb_rdonly(sb);
}

int sfs_corrupt(struct sfs_fs *fs, u64 blk, u64 ino, const char *what, const char *why)
{
	struct sfs_sb_info *si = sfs_fs_si(fs);
	struct super_block *sb = si->si_sb;

	if (__ratelimit(&si->si_error_rate))
		pr_err("simplefs (%s): corrupt %s: blk=%llu ino=%llu, %s\n", sb->s_id, what, blk,
		       ino, why);
	sfs_error_note(si, blk, ino, why);
	switch (si->si_errors) {
	case SFS_ERRORS_PANIC:
		/* Frozen, the note would have to wait; read-only, there is none. */
		if (!sfs_error_can_record(sb) || sb->s_writers.frozen != SB_UNFROZEN)
			sfs_error_panic(sb);
		set_bit(SFS_SI_DAMAGED, &si->si_flags);
		break;
	case SFS_ERRORS_RO:
		/* A flag of our own: SB_RDONLY is set by the VFS alone, under its locks. */
		if (!sb_rdonly(sb) && !test_and_set_bit(SFS_SI_DAMAGED, &si->si_flags))
			pr_crit("simplefs (%s): no more changes, as errors=remount-ro asks\n",
				sb->s_id);
		break;
	default:
		break;
	}
	if (sfs_error_can_record(sb))
		queue_work(si->si_ioend_wq, &si->si_error_work);
	return -EFSCORRUPTED;
}
