// SPDX-License-Identifier: GPL-2.0-only
/*
 * state.c - the superblock of a mounted volume where no transaction writes it: in order or not.
 *
 * Before its first change a volume is marked unclean, after its last one clean again, with its
 * counters.  What these marks say of block 0 they say of the sequence as well.
 */
#include "simplefs.h"

#include "buf.h"

static int sfs_write_block_0(struct super_block *sb)
{
	int err = sfs_buf_write_now(SFS_SB(sb)->si_super);

	if (err)
		pr_err("simplefs (%s): cannot write the superblock: error %d\n", sb->s_id, err);
	return err;
}

/* Writes the superblock outside of any transaction. */
static int sfs_write_super_now(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);

	sfs_super_encode(&si->si_fs, sfs_buf_data(si->si_super));
	return sfs_write_block_0(sb);
}

/*
 * Clean: what a tool writes, under the number of the superblock, is newer than all that is there.
 * Else that number is one that a mount does not reach.
 */
static void sfs_set_clean(struct sfs_sb_info *si, bool clean)
{
	struct sfs_fs *fs = &si->si_fs;
	u64 ahead = SFS_SEQUENCE_AHEAD;
	unsigned long flags;

	spin_lock_irqsave(&si->si_error_lock, flags);
	/* With damage the next mount shall look at everything. */
	if (clean && !(fs->f_state & SFS_STATE_ERROR)) {
		fs->f_state |= SFS_STATE_CLEAN;
		ahead = 1;
	} else {
		fs->f_state &= ~SFS_STATE_CLEAN;
	}
	WRITE_ONCE(fs->f_sequence_max, READ_ONCE(fs->f_sequence) + ahead);
	spin_unlock_irqrestore(&si->si_error_lock, flags);
}

int sfs_sequence_begin(struct super_block *sb)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	u64 next = fs->f_sequence_max + 1;
	journal_t *log = sfs_log(sb);

	/* The low half is the journal's own number. */
	if (log)
		next += (u32)(log->j_transaction_sequence - (u32)next);
	if (next > SFS_SEQUENCE_MAX - SFS_SEQUENCE_AHEAD) {
		pr_err("simplefs (%s): its transactions have used up their numbers: mount read-only\n",
		       sb->s_id);
		return -EROFS;
	}
	WRITE_ONCE(fs->f_sequence, next);
	return 0;
}

int sfs_mark_unclean(struct super_block *sb)
{
	sfs_set_clean(SFS_SB(sb), false);
	return sfs_write_super_now(sb);
}

int sfs_change_state(struct super_block *sb, u32 set, u32 clear)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	struct sfs_super_disk *sup = sfs_buf_data(si->si_super);
	unsigned long flags;

	/* In a remount readers may find damage meanwhile. */
	spin_lock_irqsave(&si->si_error_lock, flags);
	si->si_fs.f_state = (si->si_fs.f_state | set) & ~clear;
	sup->s_state = cpu_to_le32(si->si_fs.f_state);
	spin_unlock_irqrestore(&si->si_error_lock, flags);
	return sfs_write_block_0(sb);
}

/* A file that is open without a name is an orphan: a mount must look. */
int sfs_mark_clean(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	int err;

	if (sfs_is_shutdown(sb))
		return 0;
	err = sync_blockdev(sb->s_bdev);
	if (err)
		return err;
	sfs_set_clean(si, !test_bit(SFS_SI_UNFINISHED, &si->si_flags) &&
		      !atomic_long_read(&sb->s_remove_count));
	err = sfs_write_super_now(sb);
	if (err) {
		/* It may have arrived all the same: a change after it would not be recovered. */
		sfs_set_clean(si, false);
		sfs_shutdown(&si->si_fs, err, "the clean mark could not be written");
	}
	return err;
}
