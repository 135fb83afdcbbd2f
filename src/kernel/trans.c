// SPDX-License-Identifier: GPL-2.0-only
/*
 * trans.c - transactions: handles, waiting for what they changed to be on disk, and their end.
 *
 * A shutdown is final until the next mount: changes and fsyncs fail with EIO, the journal is
 * aborted, so nothing half-made commits.
 *
 * A struct sfs_trans has a jbd2 handle.  On a volume without a journal it is a plain one, which has
 * nothing but the saved allocation scope, and whom to sync at its end.  What a transaction does to
 * a block is in buf.c, where the log comes from in journal.c.
 */
#include "simplefs.h"

#include <linux/blkdev.h>
#include <linux/jbd2.h>
#include <linux/sched/mm.h>

#include "buf.h"

/* ---- handles ---- */

static int sfs_trans_start(struct super_block *sb, unsigned int nblks, unsigned int nrevokes,
			   struct sfs_trans *ret_trans)
{
	journal_t *log = sfs_log(sb);
	handle_t *handle;

	if (sfs_is_shutdown(sb))
		return -EIO;
	if (sb_rdonly(sb))
		return -EROFS;
	if (!log) {
		*ret_trans = (struct sfs_trans) { .t_nofs = memalloc_nofs_save(), .t_sb = sb };
		return 0;
	}
	if (test_bit(SFS_SI_READONLY, &SFS_SB(sb)->si_flags) && !current->journal_info)
		return -EROFS;
	/*
	 * Writeback, completion, eviction and times have nobody who would try again: what they do
	 * not write down is lost.  So nobody is told that there is no memory; there will be.
	 */
	while ((handle = jbd2__journal_start(log, nblks, 0, nrevokes, GFP_NOFS, 0, 0)) ==
	       ERR_PTR(-ENOMEM))
		memalloc_retry_wait(GFP_NOFS);
	if (IS_ERR(handle) && is_journal_aborted(log)) {
		/* jbd2 says "read-only" of it, as it knows no shutdown. */
		sfs_shutdown(&SFS_SB(sb)->si_fs, -EIO, "journal aborted");
		return -EIO;
	}
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	/* It may have waited behind the clean mark. */
	if (test_bit(SFS_SI_READONLY, &SFS_SB(sb)->si_flags) && handle->h_ref == 1) {
		jbd2_journal_stop(handle);
		return -EROFS;
	}
	/*
	 * What a transaction makes readable was written before, and may lie in the volume's cache.
	 * On the same device the commit's flush sees to that; from elsewhere it must be asked for.
	 */
	if (log->j_dev != log->j_fs_dev && !handle->h_transaction->t_need_data_flush)
		handle->h_transaction->t_need_data_flush = 1;
	*ret_trans = (struct sfs_trans) { .t_handle = handle };
	return 0;
}

int sfs_trans_begin(struct super_block *sb, unsigned int nblks, unsigned int nrevokes,
		    struct sfs_trans *ret_trans)
{
	/* An operation that is under way, and so may have changed something, is let through. */
	if (test_bit(SFS_SI_DAMAGED, &SFS_SB(sb)->si_flags) && !current->journal_info)
		return -EROFS;
	return sfs_trans_start(sb, nblks, nrevokes, ret_trans);
}

int sfs_trans_begin_error(struct super_block *sb, struct sfs_trans *ret_trans)
{
	return sfs_trans_start(sb, 1, 0, ret_trans);
}

int sfs_trans_end(struct sfs_trans *t)
{
	if (sfs_trans_is_plain(t)) {
		memalloc_nofs_restore(t->t_nofs);
		return t->t_sync ? sfs_journal_wait(t->t_sb, 0) : 0;
	}
	return jbd2_journal_stop(sfs_handle(t));
}

void sfs_trans_sync(struct sfs_trans *t)
{
	if (sfs_trans_is_plain(t))
		t->t_sync = true;
	else
		sfs_handle(t)->h_sync = 1;
}

/* 0 means "none": the one transaction in 2^32 that has it says 1, and sfs_journal_wait() knows. */
u32 sfs_trans_tid(struct sfs_trans *t)
{
	u32 tid;

	if (sfs_trans_is_plain(t))
		return 0;
	tid = sfs_handle(t)->h_transaction->t_tid;
	return tid ? tid : 1;
}

u32 sfs_journal_tid(struct super_block *sb)
{
	journal_t *log = sfs_log(sb);
	u32 tid;

	if (!log)
		return 0;
	read_lock(&log->j_state_lock);
	if (log->j_running_transaction)
		tid = log->j_running_transaction->t_tid;
	else if (log->j_committing_transaction)
		tid = log->j_committing_transaction->t_tid;
	else
		tid = log->j_commit_sequence;
	read_unlock(&log->j_state_lock);
	return tid ? tid : 1;
}

/* ---- waiting ---- */

/*
 * Without a journal: all metadata to the device, past its cache.  What has failed to get there is
 * lost, and with it the connection of what got there; the kernel tells it once, so it is remembered
 * here.
 */
int sfs_sync_plain(struct super_block *sb)
{
	int err = sync_blockdev(sb->s_bdev);

	if (!err)
		err = blkdev_issue_flush(sb->s_bdev);
	if (err)
		sfs_shutdown(&SFS_SB(sb)->si_fs, err, "metadata could not be written");
	return err;
}

int sfs_journal_wait(struct super_block *sb, u32 tid)
{
	journal_t *log = sfs_log(sb);
	bool flush = true;
	int err;

	if (!log)
		return sfs_sync_plain(sb);
	if (tid) {
		flush = !jbd2_trans_will_send_data_barrier(log, tid);
		err = tid == 1 ? jbd2_complete_transaction(log, 0) : 0;
		if (!err)
			err = jbd2_complete_transaction(log, tid);
		if (err)
			return err;
	}
	/* A transaction that failed to commit counts as completed, too. */
	if (is_journal_aborted(log))
		return -EIO;
	return flush ? blkdev_issue_flush(sb->s_bdev) : 0;
}

bool sfs_journal_has(struct super_block *sb, u32 tid)
{
	journal_t *log = sfs_log(sb);

	/* 1 may be 0, see sfs_trans_tid(). */
	return log && tid != 1 && (!tid || jbd2_transaction_committed(log, tid));
}

int sfs_journal_sync(struct super_block *sb, int wait)
{
	journal_t *log = sfs_log(sb);
	bool flush = wait;
	tid_t tid;
	int err = 0;

	if (!log)
		return wait ? sfs_journal_wait(sb, 0) : 0;
	if (jbd2_journal_start_commit(log, &tid) && wait) {
		flush = !jbd2_trans_will_send_data_barrier(log, tid);
		err = jbd2_log_wait_commit(log, tid);
	}
	if (!err && wait && is_journal_aborted(log))
		err = -EIO;
	/* Without a commit nobody has told the device about overwritten data. */
	if (!err && flush)
		err = blkdev_issue_flush(sb->s_bdev);
	return err;
}

int sfs_journal_freeze(struct super_block *sb, int (*mark)(struct super_block *sb))
{
	journal_t *log = sfs_log(sb);
	int err;

	if (!log) {
		err = sfs_sync_plain(sb);
		return err ? err : mark(sb);
	}
	jbd2_journal_lock_updates(log);
	err = jbd2_journal_flush(log, 0);
	if (!err)
		err = mark(sb);
	jbd2_journal_unlock_updates(log);
	return err;
}

/* An eighth is enough for what jbd2 writes beside the blocks themselves. */
bool sfs_journal_can_hold(struct super_block *sb, unsigned int nblks)
{
	journal_t *log = sfs_log(sb);

	return !log || nblks <= log->j_max_transaction_buffers / 8 * 7;
}

int sfs_journal_commit(struct super_block *sb)
{
	journal_t *log = sfs_log(sb);

	return log ? jbd2_journal_force_commit(log) : 0;
}

/* ---- the end ---- */

void sfs_shutdown(struct sfs_fs *fs, int err, const char *why)
{
	struct sfs_sb_info *si = container_of(fs, struct sfs_sb_info, si_fs);
	journal_t *log;

	if (test_and_set_bit(SFS_SI_SHUTDOWN, &si->si_flags))
		return;
	pr_crit("simplefs (%s): shut down: %s (error %d); unmount and mount again\n",
		si->si_sb->s_id, why, err);
	log = sfs_log(si->si_sb);
	if (log && !is_journal_aborted(log))
		jbd2_journal_abort(log, err);
}
