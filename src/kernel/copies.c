// SPDX-License-Identifier: GPL-2.0-only
/*
 * copies.c - the copies of the superblock, when block 0 of a mounted volume has changed.
 *
 * Those of the first zones change with block 0, in one transaction, the others in as many as it
 * takes, each of which a journal of the least size can hold.  A crash in between leaves copies that
 * are behind, which fsck brings up to date and does not call damage.  Zones that are begun
 * meanwhile take theirs from block 0.
 */
#include "simplefs.h"

#include <linux/sched/signal.h>

/* Zones whose copies change in one transaction: of nearly all volumes it is all of them. */
#define SFS_COPIES_STEP		64

static u64 sfs_copies_left(struct super_block *sb, const struct sfs_copying *c)
{
	return smp_load_acquire(&SFS_SB(sb)->si_fs.f_zones) - c->c_zone;
}

unsigned int sfs_copies_ahead(struct super_block *sb, const struct sfs_copying *c)
{
	unsigned int n = min_t(u64, sfs_copies_left(sb, c), SFS_COPIES_STEP);

	sfs_copies_read(&SFS_SB(sb)->si_fs, c->c_zone, n);
	return n;
}

void sfs_copies_step(struct sfs_trans *t, struct super_block *sb, struct sfs_copying *c,
		     unsigned int n)
{
	if (sfs_copies_update(t, &SFS_SB(sb)->si_fs, c->c_zone, n))
		c->c_bad = true;
	c->c_zone += n;
	c->c_tid = sfs_trans_tid(t);
}

static int sfs_copies_next(struct super_block *sb, struct sfs_copying *c)
{
	unsigned int n = sfs_copies_ahead(sb, c);
	struct sfs_trans t;
	int err;

	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	err = sfs_trans_begin(sb, n, 0, &t);
	if (err)
		return err;
	sfs_copies_step(&t, sb, c, n);
	return sfs_trans_end(&t);
}

int sfs_copies_finish(struct super_block *sb, struct sfs_copying *c, const char *what)
{
	int err = 0;

	while (!err && sfs_copies_left(sb, c))
		err = sfs_copies_next(sb, c);
	if (err || c->c_bad)
		pr_warn_ratelimited("simplefs (%s): not all copies of the superblock have the new %s; fsck.simplefs -f gives it to them\n",
				    sb->s_id, what);
	return sfs_journal_wait(sb, c->c_tid);
}
