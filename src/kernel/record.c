// SPDX-License-Identifier: GPL-2.0-only
/*
 * record.c - what error.c has noted of damage reaches the superblock.
 *
 * A work item, in a transaction of its own: the note was made under any lock.
 */
#include "simplefs.h"

static void sfs_error_work(struct work_struct *work)
{
	struct sfs_sb_info *si = container_of(work, struct sfs_sb_info, si_error_work);
	struct sfs_trans t;
	int err;

	/* Damage is found by readers too, also while frozen: then the note waits. */
	sb_start_intwrite(si->si_sb);
	err = sfs_trans_begin_error(si->si_sb, &t);
	if (err)
		goto end_write;	/* read-only or shut down: the log line is all there is */
	err = sfs_super_write(&t, &si->si_fs);
	if (sfs_trans_end(&t) || err)
		pr_err_ratelimited("simplefs (%s): cannot record the error\n", si->si_sb->s_id);
end_write:
	sb_end_intwrite(si->si_sb);
	if (si->si_errors != SFS_ERRORS_PANIC)
		return;
	/* Whether it got there or not: this is as far as it can be helped. */
	(void)sfs_journal_sync(si->si_sb, 1);
	sfs_error_panic(si->si_sb);
}

void sfs_error_init(struct sfs_sb_info *si)
{
	spin_lock_init(&si->si_error_lock);
	INIT_WORK(&si->si_error_work, sfs_error_work);
	/* Of its own: what one volume has to say must not silence another. */
	ratelimit_state_init(&si->si_error_rate, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
}
