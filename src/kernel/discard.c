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

/* From the last run on: what is left of the batch, after an error, is what it counts. */
static int sfs_freed_tell_batch(struct super_block *sb, struct sfs_freed_batch *batch, u32 min)
{
	int err = 0;

	sfs_freed_merge(batch);
	while (!err && batch->b_count) {
		err = sfs_freed_tell(sb, &batch->b_runs[batch->b_count - 1], min);
		if (!err)
			batch->b_count--;
	}
	return err;
}

static int sfs_freed_tell_all(struct super_block *sb, struct list_head *batches)
{
	struct sfs_freed_batch *batch, *next;
	u64 min = sfs_trim_min(sb);
	int err = 0;

	/* As the mount has said.  Or for devices that want more than any group has. */
	if (!bdev_max_discard_sectors(sb->s_bdev) || min > SFS_GROUP_BLOCKS) {
		sfs_freed_free(&SFS_SB(sb)->si_discard, batches);
		return 0;
	}
	list_for_each_entry_safe(batch, next, batches, b_list) {
		err = sfs_freed_tell_batch(sb, batch, min);
		if (err)
			break;
		list_del(&batch->b_list);
		kfree(batch);
		atomic_dec(&SFS_SB(sb)->si_discard.q_batches);
	}
	return err;
}

static void sfs_discard_work(struct work_struct *work)
{
	struct sfs_sb_info *si = container_of(work, struct sfs_sb_info, si_discard.q_work);
	struct sfs_discard *d = &si->si_discard;
	struct super_block *sb = si->si_sb;
	LIST_HEAD(batches);
	int err;

	spin_lock(&d->q_lock);
	list_splice_init(&d->q_ready, &batches);
	spin_unlock(&d->q_lock);
	err = sfs_freed_tell_all(sb, &batches);
	if (err == -EAGAIN) {
		/* Thawing starts it again. */
		spin_lock(&d->q_lock);
		list_splice(&batches, &d->q_ready);
		spin_unlock(&d->q_lock);
		return;
	}
	/* After a shutdown, or read-only, there is nothing to be told any more. */
	if (err && err != -EROFS && !sfs_is_shutdown(sb))
		pr_warn_ratelimited("simplefs (%s): what was freed was not discarded: error %d\n",
				    sb->s_id, err);
	sfs_freed_free(d, &batches);
}

/* ---- from mount to unmount ---- */

void sfs_discard_init(struct sfs_sb_info *si)
{
	struct sfs_discard *d = &si->si_discard;

	spin_lock_init(&d->q_lock);
	INIT_LIST_HEAD(&d->q_pending[0]);
	INIT_LIST_HEAD(&d->q_pending[1]);
	INIT_LIST_HEAD(&d->q_ready);
	INIT_WORK(&d->q_work, sfs_discard_work);
}

void sfs_discard_set(struct super_block *sb, bool on)
{
	struct sfs_sb_info *si = SFS_SB(sb);

	if (!on) {
		clear_bit(SFS_SI_DISCARD, &si->si_flags);
		return;
	}
	if (!bdev_max_discard_sectors(sb->s_bdev))
		pr_warn("simplefs (%s): discard: the device cannot\n", sb->s_id);
	set_bit(SFS_SI_DISCARD, &si->si_flags);
}

void sfs_discard_thawed(struct super_block *sb)
{
	if (test_bit(SFS_SI_DISCARD, &SFS_SB(sb)->si_flags))
		queue_work(SFS_SB(sb)->si_ioend_wq, &SFS_SB(sb)->si_discard.q_work);
}

void sfs_discard_finish(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);

	if (!test_bit(SFS_SI_DISCARD, &si->si_flags))
		return;
	/* An error is told by whoever closes the journal, or has been. */
	(void)sfs_journal_commit(sb);
	flush_work(&si->si_discard.q_work);
}

void sfs_discard_exit(struct sfs_sb_info *si)
{
	struct sfs_discard *d = &si->si_discard;

	sfs_freed_free(d, &d->q_pending[0]);
	sfs_freed_free(d, &d->q_pending[1]);
	sfs_freed_free(d, &d->q_ready);
	WARN_ON_ONCE(atomic_read(&d->q_batches));
}
