// SPDX-License-Identifier: GPL-2.0-only
/*
 * space.c - the account of free blocks: the only one who says that there is none left.
 *
 * A block is free (its bit is clear, f_free) and perhaps promised, or lost, as it is in a group
 * whose map cannot be read; f_avail are the free ones that are neither.  It is below 0 while more
 * has been promised than was left when blocks were lost.  A promise is a number: it is made here,
 * given back here, and used up when blocks are taken.  Since one limited subtraction makes it, a
 * request that is too large takes nothing from anybody, not even for a moment.
 *
 * The last f_pool blocks are kept from ordinary promises.  They are for what must not fail:
 * completions, truncation, eviction (SFS_ALLOC_POOL).  Promises for what becomes of blocks that a
 * file has already may go half as deep (SFS_ALLOC_PROMISE).
 *
 * So ENOSPC comes from a promise that cannot be made.  Who holds one gets blocks, or -EAGAIN while
 * the freeing of those that are left has not committed, or they are busy: then a commit, and the
 * end of that, is all that it takes.
 */
#include "port.h"
#include "format.h"
#include "core.h"

#define SFS_POOL_SHARE		50
#define SFS_POOL_MAX		4096

static void sfs_pool_set(struct sfs_fs *fs)
{
	u64 pool = min_t(u64, fs->f_blocks / SFS_POOL_SHARE, SFS_POOL_MAX);

	smp_store_release(&fs->f_pool, pool);
}

void sfs_space_set(struct sfs_fs *fs, u64 nfree)
{
	sfs_counter_set(&fs->f_free, nfree);
	sfs_counter_set(&fs->f_avail, nfree);
	sfs_counter_set(&fs->f_lost, 0);
	sfs_pool_set(fs);
}

void sfs_space_grown(struct sfs_fs *fs, u64 nblks)
{
	sfs_space_found(fs, nblks);
	/* Last: until then more may be promised than later, which is no harm, and never less. */
	sfs_pool_set(fs);
}

void sfs_space_found(struct sfs_fs *fs, s64 nblks)
{
	sfs_counter_add(&fs->f_free, nblks);
	sfs_counter_add(&fs->f_avail, nblks);
}

/* How many blocks a claim leaves. */
static u64 sfs_space_floor(const struct sfs_fs *fs, unsigned int flags)
{
	u64 pool = smp_load_acquire(&fs->f_pool);

	if (flags & SFS_ALLOC_POOL)
		return 0;
	return flags & SFS_ALLOC_PROMISE ? pool / 2 : pool;
}

int sfs_space_claim(struct sfs_fs *fs, u64 nblks, unsigned int flags)
{
	if (nblks > READ_ONCE(fs->f_blocks))
		return -ENOSPC;
	return sfs_counter_take(&fs->f_avail, nblks, sfs_space_floor(fs, flags)) ? 0 : -ENOSPC;
}

int sfs_space_claim_some(struct sfs_fs *fs, u32 want, unsigned int flags, u32 *ret_nblks)
{
	s64 left;

	while (sfs_space_claim(fs, want, flags)) {
		left = sfs_counter_read(&fs->f_avail) - (s64)sfs_space_floor(fs, flags);
		if (left <= 0 || want == 1)
			return -ENOSPC;
		/* Another may have been faster since; then ask for less still. */
		want = left < want ? left : want / 2;
	}
	*ret_nblks = want;
	return 0;
}

void sfs_space_unclaim(struct sfs_fs *fs, u64 nblks)
{
	sfs_counter_add(&fs->f_avail, nblks);
}

void sfs_space_lost(struct sfs_fs *fs, s64 nblks)
{
	sfs_counter_add(&fs->f_lost, nblks);
	sfs_counter_add(&fs->f_avail, -nblks);
}

void sfs_space_taken(struct sfs_fs *fs, u32 nblks)
{
	sfs_counter_add(&fs->f_free, -(s64)nblks);
}

void sfs_space_freed(struct sfs_fs *fs, u32 nblks)
{
	sfs_counter_add(&fs->f_free, nblks);
	sfs_counter_add(&fs->f_avail, nblks);
}

u64 sfs_space_available(struct sfs_fs *fs)
{
	return max_t(s64, 0, sfs_counter_read(&fs->f_avail) - (s64)READ_ONCE(fs->f_pool));
}
