/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * busy.h - the run that the device is being told of, as one that nobody has.  For who tells it, and
 * for alloc.c.
 *
 * A busy run is free on disk and in all counts, and stays so, as nobody takes a block of it: no
 * lock and no transaction has to last as long as the device may take.  There is one in a volume at
 * a time, so that it fits into one word, which is read whole without a lock.  It begins under the
 * lock without which nobody can take of it: g_lock, or f_zone_lock where no zone has been begun.
 */
#ifndef SFS_BUSY_H
#define SFS_BUSY_H

/* Of f_busy: its length; above these bits its first block. */
#define SFS_BUSY_BITS	16

/* How many of the @n blocks from @blk on, from the first on, are not busy. */
static inline u32 sfs_busy_before(const struct sfs_fs *fs, u64 blk, u32 n)
{
	u64 busy = smp_load_acquire(&fs->f_busy);
	u64 first = busy >> SFS_BUSY_BITS;
	u64 end = first + (busy & ((1U << SFS_BUSY_BITS) - 1));

	if (blk >= end || blk + n <= first)
		return n;
	return blk < first ? first - blk : 0;
}

/*
 * The first run of at least @min blocks among the bits [*@from, @to) of @group that is free by the
 * rule of reuse (port.h), so also after a crash, is busy from here on.  None in the head of a zone
 * that is not begun: it may be at any time.  *@from is where to go on, @to at the end, where
 * *@ret_nblks is 0.  The caller sees to it that there is one run at a time.  Credits: 1.
 */
int sfs_busy_begin(struct sfs_trans *t, struct sfs_fs *fs, u64 group, u32 *from, u32 to, u32 min,
		   u64 *ret_blk, u32 *ret_nblks);
/* Nothing is busy any more: the device is done with it, or never heard of it. */
void sfs_busy_end(struct sfs_fs *fs);

#endif
