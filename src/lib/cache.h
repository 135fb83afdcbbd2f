/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache.h - an open device as those two see it who own it: dev.c the file, cache.c the blocks.
 */
#ifndef SFS_CACHE_H
#define SFS_CACHE_H

#include "lib.h"

#define SFS_HASH_BITS	14
#define SFS_HASH_SIZE	(1 << SFS_HASH_BITS)
#define SFS_CACHE_MAX	65536		/* blocks: 256 MiB */

struct sfs_buf {
	struct sfs_buf *b_next;		/* same hash */
	u64 b_blk;
	unsigned int b_refs;
	bool b_dirty;
	bool b_new;			/* made here, and not written yet */
	bool b_verified;
	bool b_asked;			/* since the table was last full */
	bool b_unread;			/* or the device did not give it: it is not asked again */
	const struct sfs_block_ops *b_bad;	/* it is none of these, which was told */
	u8 b_data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
};

struct sfs_dev {
	int d_fd;
	bool d_writable;
	bool d_shutdown;
	u64 d_nblks;
	u64 d_newest;			/* h_seq of what was read */
	unsigned int d_count;
	unsigned int d_changed;		/* dirty ones, block 0 not counted */
	unsigned int d_max;		/* blocks in the table before it counts as full */
	unsigned int d_full;		/* ... in spite of what cannot be dropped */
	bool d_early;			/* changed blocks may be written to make room */
	int d_err;			/* of such a write; nothing succeeds after it */
	sfs_guard_fn d_guard;		/* asked before each write, or NULL */
	void *d_guard_arg;
	int d_write_err;		/* of the first write that failed, whoever asked for it */
	struct sfs_buf *d_hash[SFS_HASH_SIZE];
};

#endif
