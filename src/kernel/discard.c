// SPDX-License-Identifier: GPL-2.0-only
/*
 * discard.c - the mount option of that name: what is freed is told to the device at once.
 *
 * A worker gets what has been noted (freed.c) when that has committed, and asks for each run as a
 * trim does (trim.c): what somebody has taken again meanwhile, or what a crash could bring back, is
 * left out, and nobody waits for the device but who finds nothing else to take.  A note may be
 * lost, for want of memory or in a crash: FITRIM finds the same.
 */
#include "freed.h"

#include <linux/blkdev.h>
#include <linux/sort.h>

/* So long an unmount waits for the device to be told of what there is: a trim finds the rest. */
#define SFS_DISCARD_SECONDS	30

static int sfs_freed_cmp(const void *a, const void *b)
{
	u64 blk1 = ((const struct sfs_freed *)a)->f_blk;
	u64 blk2 = ((const struct sfs_freed *)b)->f_blk;

	return blk1 < blk2 ? -1 : blk1 > blk2;
}

/* In order, so that what was freed bit by bit goes as one. */
static void sfs_freed_merge(struct sfs_freed_batch *batch)
{
	struct sfs_freed *run = batch->b_runs;
	u32 i, n = 0;

	sort(run, batch->b_count, sizeof(*run), sfs_freed_cmp, NULL);
	for (i = 1; i < batch->b_count; i++)
		if (sfs_freed_joins(&run[n], &run[i]))
			run[n].f_nblks += run[i].f_nblks;
		else
			run[++n] = run[i];
	batch->b_count = n + 1;
}

/*
 * What nobody has of @run.  -EAGAIN: the volume is frozen.  A freeze is asked with a try: it waits
 * for who is in between, and is waited for by nobody who could hold up an unmount.
 */
static int sfs_freed_tell(struct super_block *sb, const struct sfs_freed *run, u32 min)
{
	u32 bit = run->f_blk % SFS_GROUP_BLOCKS;
	u32 end = min_t(u32, bit + run->f_nblks, SFS_GROUP_BLOCKS);
	u64 nblks = 0;
	int err = 0;

	while (!err && bit < end) {
		cond_resched();
		if (!sb_start_write_trylock(sb))
			return -EAGAIN;
		err = sfs_trim_run(sb, run->f_blk / SFS_GROUP_BLOCKS, &bit, end, min, &nblks);
		sb_end_write(sb);
	}
	return err;
}

/*
 * From the last run on: what is left of the batch is what it counts.  A run that cannot be told, as
 * its group cannot be read or the device refuses, is passed over.  -EROFS, -EIO after a shutdown:
 * nothing can be told any more; -ETIME: nothing shall.
 */
static int sfs_freed_tell_batch(struct super_block *sb, struct sfs_freed_batch *batch, u32 min)
{
	struct sfs_discard *d = &SFS_SB(sb)->si_discard;
	unsigned long until;
	int err;

	sfs_freed_merge(batch);
	for (; batch->b_count; batch->b_count--) {
		until = READ_ONCE(d->q_until);
		if (until && time_after(jiffies, until))
			return -ETIME;
		err = sfs_freed_tell(sb, &batch->b_runs[batch->b_count - 1], min);
		if (err == -EAGAIN || err == -EROFS || sfs_is_shutdown(sb))
			return err;
		if (err)
			pr_warn_ratelimited("simplefs (%s): what was freed was not discarded: error %d\n",
					    sb->s_id, err);
	}
	return 0;
}

static int sfs_freed_tell_all(struct super_block *sb, struct list_head *batches)
{
	struct sfs_freed_batch *batch, *next;
	u64 min = sfs_trim_min(sb);
	LIST_HEAD(told);
	int err = 0;

	/* As the mount has said.  Or for devices that want more than any group has. */
	if (!bdev_max_discard_sectors(sb->s_bdev) || min > SFS_GROUP_BLOCKS)
		return -EOPNOTSUPP;
	list_for_each_entry_safe(batch, next, batches, b_list) {
		err = sfs_freed_tell_batch(sb, batch, min);
		if (err)
			break;
		list_move(&batch->b_list, &told);
	}
	sfs_freed_free(&SFS_SB(sb)->si_discard, &told);
	return err;
}

/* @all: also what no callback has handed over. */
static void sfs_discard_run(struct sfs_sb_info *si, bool all)
{
	struct sfs_discard *d = &si->si_discard;
	LIST_HEAD(batches);

	sfs_freed_take(d, &batches, all);
	if (sfs_freed_tell_all(si->si_sb, &batches) == -EAGAIN) {
		spin_lock(&d->q_lock);
		list_splice(&batches, &d->q_ready);
		spin_unlock(&d->q_lock);
		/* Frozen.  When a thaw calls, it is not over yet. */
		schedule_delayed_work(&d->q_work, HZ);
		return;
	}
	sfs_freed_free(d, &batches);
}

static void sfs_discard_work(struct work_struct *work)
{
	struct sfs_sb_info *si = container_of(to_delayed_work(work), struct sfs_sb_info,
					      si_discard.q_work);

	/* Taken away by a remount, or for good: then nothing else is there any more either. */
	if (test_bit(SFS_SI_DISCARD, &si->si_flags))
		sfs_discard_run(si, false);
}

/* ---- from mount to unmount ---- */

void sfs_discard_init(struct sfs_sb_info *si)
{
	struct sfs_discard *d = &si->si_discard;

	spin_lock_init(&d->q_lock);
	INIT_LIST_HEAD(&d->q_pending[0]);
	INIT_LIST_HEAD(&d->q_pending[1]);
	INIT_LIST_HEAD(&d->q_ready);
	INIT_DELAYED_WORK(&d->q_work, sfs_discard_work);
}

void sfs_discard_set(struct super_block *sb, bool on)
{
	struct sfs_sb_info *si = SFS_SB(sb);

	if (!on) {
		/* The callback of a commit that has looked before starts what looks again. */
		clear_bit(SFS_SI_DISCARD, &si->si_flags);
		cancel_delayed_work_sync(&si->si_discard.q_work);
		return;
	}
	/* What is freed is not so on the disk, and nothing tells when it will be. */
	if (!(si->si_fs.f_compat & SFS_COMPAT_JOURNAL)) {
		pr_warn("simplefs (%s): discard: not without a journal\n", sb->s_id);
		return;
	}
	if (!bdev_max_discard_sectors(sb->s_bdev))
		pr_warn("simplefs (%s): discard: the device cannot\n", sb->s_id);
	set_bit(SFS_SI_DISCARD, &si->si_flags);
}

void sfs_discard_finish(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	struct sfs_discard *d = &si->si_discard;
	unsigned long until = jiffies + SFS_DISCARD_SECONDS * HZ;

	if (!test_bit(SFS_SI_DISCARD, &si->si_flags))
		return;
	/*
	 * An error is told by whoever closes the journal, or has been.  Success may be said before
	 * the callback has run, so here is taken what that would hand over.
	 */
	(void)sfs_journal_commit(sb);
	WRITE_ONCE(d->q_until, until ? until : 1);
	cancel_delayed_work_sync(&d->q_work);
	sfs_discard_run(si, true);
	WRITE_ONCE(d->q_until, 0);
}

void sfs_discard_exit(struct sfs_sb_info *si)
{
	struct sfs_discard *d = &si->si_discard;

	cancel_delayed_work_sync(&d->q_work);
	sfs_freed_free(d, &d->q_pending[0]);
	sfs_freed_free(d, &d->q_pending[1]);
	sfs_freed_free(d, &d->q_ready);
	WARN_ON_ONCE(atomic_read(&d->q_batches));
}
