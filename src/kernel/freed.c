// SPDX-License-Identifier: GPL-2.0-only
/*
 * freed.c - notes of what is freed, for the worker of the mount option discard.
 *
 * Runs are noted as they are freed, by the transaction that does it, and are ready for the worker
 * when that has committed.  Below all that allocates, which tells it.
 */
#include "freed.h"

/* As many batches as there may be, 16 MiB: for devices that are slower than who frees. */
#define SFS_FREED_MAX	4096

bool sfs_freed_joins(const struct sfs_freed *a, const struct sfs_freed *b)
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

void sfs_freed_free(struct sfs_discard *d, struct list_head *batches)
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
		batch = kzalloc(sizeof(*batch), GFP_NOFS | __GFP_NOWARN);
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

	atomic_inc(&si->si_moves);
	if (!test_bit(SFS_SI_DISCARD, &si->si_flags))
		return;
	pending = &d->q_pending[sfs_trans_tid(t) & 1];
	spin_lock(&d->q_lock);
	added = sfs_freed_add(pending, &run);
	spin_unlock(&d->q_lock);
	if (added)
		return;
	batch = sfs_freed_batch(d);
	if (!batch)
		return;
	batch->b_runs[batch->b_count++] = run;
	spin_lock(&d->q_lock);
	list_add_tail(&batch->b_list, pending);
	spin_unlock(&d->q_lock);
}

void sfs_freed_take(struct sfs_discard *d, struct list_head *batches, bool all)
{
	spin_lock(&d->q_lock);
	list_splice_init(&d->q_ready, batches);
	if (all) {
		list_splice_tail_init(&d->q_pending[0], batches);
		list_splice_tail_init(&d->q_pending[1], batches);
	}
	spin_unlock(&d->q_lock);
}

/*
 * While one transaction commits only the next one runs, so two lists are enough.  In the one case
 * in which sfs_trans_tid() says 1 for 0, a note comes one transaction late, or so early that its
 * blocks are passed over as still wanted.
 */
void sfs_freed_committed(struct super_block *sb, u32 tid)
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
		schedule_delayed_work(&d->q_work, 0);
}
