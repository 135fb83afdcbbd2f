// SPDX-License-Identifier: GPL-2.0-only
/*
 * discard.c - the mount option of that name: what is freed is told to the device at once.
 *
 * Runs are noted as they are freed, by the transaction that does it, and handed to a worker when
 * that has committed.  The worker asks for each as a trim does (trim.c), so what somebody has taken
 * again meanwhile, or what a crash could bring back, is left out, and nobody waits for the device
 * but who finds nothing else to take.  A note may be lost, for want of memory or in a crash: FITRIM
 * finds the same.
 */
#include "simplefs.h"

#include <linux/blkdev.h>
#include <linux/sort.h>

struct sfs_freed {
	u64 f_blk;
	u32 f_nblks;		/* all in one group */
};

#define SFS_FREED_RUNS	((PAGE_SIZE - sizeof(struct list_head) - sizeof(u64)) / \
			 sizeof(struct sfs_freed))

/* A page of notes. */
struct sfs_freed_batch {
	struct list_head b_list;
	u32 b_count;
	struct sfs_freed b_runs[SFS_FREED_RUNS];
};

static_assert(sizeof(struct sfs_freed_batch) <= PAGE_SIZE);

/* As many pages as there may be, 16 MiB of 4 KiB: for devices that are slower than who frees. */
#define SFS_FREED_MAX	4096

/* ---- notes ---- */

static bool sfs_freed_joins(const struct sfs_freed *a, const struct sfs_freed *b)
{
	return a->f_blk + a->f_nblks == b->f_blk &&
	       a->f_blk / SFS_GROUP_BLOCKS == b->f_blk / SFS_GROUP_BLOCKS;
}

/* False: there is no room.  q_lock held. */
static bool sfs_freed_add(struct list_head *pending, const struct sfs_freed *run)
{
	struct sfs_freed_batch *batch;
	struct sfs_freed *last;

	if (list_empty(pending))
		return false;
	batch = list_last_entry(pending, struct sfs_freed_batch, b_list);
	last = batch->b_count ? &batch->b_runs[batch->b_count - 1] : NULL;
	if (last && sfs_freed_joins(last, run))
		last->f_nblks += run->f_nblks;
	else if (batch->b_count < SFS_FREED_RUNS)
		batch->b_runs[batch->b_count++] = *run;
	else
		return false;
	return true;
}

static void sfs_freed_free(struct sfs_discard *d, struct list_head *batches)
{
	struct sfs_freed_batch *batch, *next;

	list_for_each_entry_safe(batch, next, batches, b_list) {
		list_del(&batch->b_list);
		kfree(batch);
		atomic_dec(&d->q_batches);
	}
}

static struct sfs_freed_batch *sfs_freed_batch(struct sfs_discard *d)
{
	struct sfs_freed_batch *batch = NULL;

	if (atomic_inc_return(&d->q_batches) <= SFS_FREED_MAX)
		batch = kzalloc(PAGE_SIZE, GFP_NOFS | __GFP_NOWARN);
	if (!batch)
		atomic_dec(&d->q_batches);
	return batch;
}

void sfs_freed(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, u32 nblks)
{
	struct sfs_sb_info *si = container_of(fs, struct sfs_sb_info, si_fs);
	struct sfs_discard *d = &si->si_discard;
	struct sfs_freed run = { .f_blk = blk, .f_nblks = nblks };
	struct sfs_freed_batch *batch;
	struct list_head *pending;
	bool added;

	if (!test_bit(SFS_SI_DISCARD, &si->si_flags))
		return;
	pending = &d->q_pending[sfs_trans_tid(t) & 1];
	spin_lock(&d->q_lock);
	added = sfs_freed_add(pending, &run);
	spin_unlock(&d->q_lock);
	if (!added) {
		batch = sfs_freed_batch(d);
		if (!batch)
			return;
		batch->b_runs[batch->b_count++] = run;
		spin_lock(&d->q_lock);
		list_add_tail(&batch->b_list, pending);
		spin_unlock(&d->q_lock);
	}
	if (!si->si_journal)
		sfs_discard_committed(si->si_sb, 0);
}

/* ---- to the device ---- */

static void sfs_discard_start(struct sfs_sb_info *si)
{
	queue_work(si->si_ioend_wq, &si->si_discard.q_work);
}

/*
 * While one transaction commits only the next one runs, so two lists are enough.  In the one case
 * in which sfs_trans_tid() says 1 for 0, a note comes one transaction late, or so early that its
 * blocks are passed over as still wanted.
 */
void sfs_discard_committed(struct super_block *sb, u32 tid)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	struct sfs_discard *d = &si->si_discard;
	struct list_head *pending = &d->q_pending[tid & 1];
	bool some;

	spin_lock(&d->q_lock);
	some = !list_empty(pending);
	list_splice_tail_init(pending, &d->q_ready);
	spin_unlock(&d->q_lock);
	if (some && test_bit(SFS_SI_DISCARD, &si->si_flags))
		sfs_discard_start(si);
}

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
		sfs_discard_start(SFS_SB(sb));
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
