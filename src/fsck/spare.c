// SPDX-License-Identifier: GPL-2.0-only
/*
 * spare.c - blocks for a repair, while the bitmaps are still those that were found.
 *
 * Free is what a used map says is free, so that nothing of the volume as it was found is written
 * over, and what no inode was found to hold, since the map may be wrong.
 */
#include "fsck.h"

/* Of the group that begins at @start, bits [@bit, @to). */
static u32 sfs_spare_run(const struct sfs_fs *fs, const struct sfs_found *found, const u8 *used,
			 u64 start, u32 bit, u32 to)
{
	u32 at = bit;

	while (at < to && !sfs_bits_test(used, at) && !sfs_found_is_taken(found, start + at) &&
	       sfs_blk_is_valid(fs, start + at, 1))
		at++;
	return at - bit;
}

u64 sfs_spare_find(struct sfs_fs *fs, const struct sfs_found *found, u64 *at, u64 want,
		   u64 *ret_blk)
{
	u64 end = min(sfs_groups_ready(fs) * SFS_GROUP_BLOCKS, fs->f_blocks - fs->f_tail);
	const struct sfs_bitmap_disk *map;
	struct sfs_buf *buf;
	u32 n = 0;

	while (*at < end && !n) {
		u64 group = *at / SFS_GROUP_BLOCKS, start = group * SFS_GROUP_BLOCKS;
		u32 to = min_t(u64, SFS_GROUP_BLOCKS, end - start), bit = *at - start;

		*at = start + to;
		if (sfs_map_get(fs, group, SFS_MAP_USED, &buf))
			continue;
		map = sfs_buf_data(buf);
		while ((bit = sfs_bits_next_clear(map->b_bits, bit, to)) < to && !n) {
			n = sfs_spare_run(fs, found, map->b_bits, start, bit,
					  min_t(u64, to, bit + want));
			*ret_blk = start + bit;
			*at = start + bit + n;
			bit += n ? n : 1;
		}
		if (!n)
			*at = start + to;
		sfs_buf_put(buf);
	}
	return n;
}
