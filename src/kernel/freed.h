/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * freed.h - what freed.c hands to discard.c.
 */
#ifndef SFS_FREED_H
#define SFS_FREED_H

#include "simplefs.h"

struct sfs_freed {
	u64 f_blk;
	u32 f_nblks;		/* all in one group */
};

#define SFS_FREED_BYTES	4096
#define SFS_FREED_RUNS	((SFS_FREED_BYTES - sizeof(struct list_head) - sizeof(u64)) / \
			 sizeof(struct sfs_freed))

struct sfs_freed_batch {
	struct list_head b_list;
	u32 b_count;
	struct sfs_freed b_runs[SFS_FREED_RUNS];
};

static_assert(sizeof(struct sfs_freed_batch) <= SFS_FREED_BYTES);

/* Does @b go on where @a ends, in the same group? */
bool sfs_freed_joins(const struct sfs_freed *a, const struct sfs_freed *b);
/* All that is for the worker; of transactions that have not committed as well, if @all. */
void sfs_freed_take(struct sfs_discard *d, struct list_head *batches, bool all);
void sfs_freed_free(struct sfs_discard *d, struct list_head *batches);

#endif
