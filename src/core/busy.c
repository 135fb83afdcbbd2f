// SPDX-License-Identifier: GPL-2.0-only
/*
 * busy.c - what nobody has, found for the device, one run after the other.
 *
 * In a group that is in use that is what its used map says, in all of its states; in one of a zone
 * that nobody has begun, all but the zone's head.
 */
#include "port.h"
#include "format.h"
#include "core.h"

static_assert(SFS_GROUP_BLOCKS < 1U << SFS_BUSY_BITS);
static_assert(SFS_BLK_BITS + SFS_BUSY_BITS <= 64);

static void sfs_busy_set(struct sfs_fs *fs, u64 blk, u32 n)
{
	sfs_assert(n && !fs->f_busy);
	WRITE_ONCE(fs->f_busy, blk << SFS_BUSY_BITS | n);
}

void sfs_busy_end(struct sfs_fs *fs)
{
	smp_store_release(&fs->f_busy, 0);
}

/* Bits that are asked about at once: each may be one that is wanted still. */
#define SFS_BUSY_PIECE	128

/* How many bits from @bit to @stop, from the first on, are free in all states of the map. */
static u32 sfs_busy_reusable(struct sfs_buf *used, u32 bit, u32 stop)
{
	u32 from = bit;
	u32 ask, n;

	do {
		ask = min(stop - bit, (u32)SFS_BUSY_PIECE);
		n = sfs_buf_reusable(used, bit, ask);
		bit += n;
	} while (n == ask && bit < stop);
	return bit - from;
}

/*
 * The first run of the used map, *@ret_bit; its length, or 0.  No bit is looked at more than a few
 * times, however much of what is free now is not in earlier states.
 */
static u32 sfs_busy_find(struct sfs_buf *used, u32 from, u32 end, u32 min, u32 *ret_bit)
{
	const u8 *bits = ((struct sfs_bitmap_disk *)sfs_buf_data(used))->b_bits;
	u32 bit = from;
	u32 stop = from;		/* the bits before it, from @bit on, are free now */
	u32 n;

	for (;;) {
		if (bit >= stop) {
			bit = sfs_bits_next_clear(bits, bit, end);
			if (bit >= end)
				return 0;
			stop = sfs_bits_next_set(bits, bit, end);
		}
		n = sfs_busy_reusable(used, bit, stop);
		if (n >= min) {
			*ret_bit = bit;
			return n;
		}
		bit += max(n, 1u);
	}
}

static int sfs_busy_used(struct sfs_trans *t, struct sfs_fs *fs, u64 group, u32 from, u32 to,
			 u32 min, u32 *ret_bit, u32 *ret_n)
{
	struct sfs_group *g;
	struct sfs_buf *used;
	int err;

	err = sfs_group_get(fs, group, &g);
	if (err)
		return err;
	err = sfs_used_lock(t, fs, group, g, &used);
	if (err)
		return err;
	*ret_n = sfs_busy_find(used, from, min(to, sfs_group_nblks(fs, group)), min, ret_bit);
	if (*ret_n)
		sfs_busy_set(fs, group * SFS_GROUP_BLOCKS + *ret_bit, *ret_n);
	sfs_used_unlock(g, used);
	return 0;
}

/* False: the zone has been begun. */
static bool sfs_busy_fresh(struct sfs_fs *fs, u64 group, u32 from, u32 to, u32 min, u32 *ret_bit,
			   u32 *ret_n)
{
	bool fresh;
	u32 bit, end;

	sfs_mutex_lock(&fs->f_zone_lock);
	fresh = group >= sfs_groups_ready(fs);
	if (fresh) {
		end = sfs_group_fresh(fs, group, &bit);
		end = min(to, bit + end);
		bit = max(from, bit);
		if (bit < end && end - bit >= min) {
			*ret_bit = bit;
			*ret_n = end - bit;
			sfs_busy_set(fs, group * SFS_GROUP_BLOCKS + bit, *ret_n);
		}
	}
	sfs_mutex_unlock(&fs->f_zone_lock);
	return fresh;
}

int sfs_busy_begin(struct sfs_trans *t, struct sfs_fs *fs, u64 group, u32 *from, u32 to, u32 min,
		   u64 *ret_blk, u32 *ret_nblks)
{
	u32 bit = 0;
	u32 n = 0;
	int err = 0;

	if (group < sfs_groups_ready(fs) || !sfs_busy_fresh(fs, group, *from, to, min, &bit, &n))
		err = sfs_busy_used(t, fs, group, *from, to, min, &bit, &n);
	if (err)
		return err;
	*from = n ? bit + n : to;
	*ret_blk = group * SFS_GROUP_BLOCKS + bit;
	*ret_nblks = n;
	return 0;
}
