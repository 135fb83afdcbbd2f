// SPDX-License-Identifier: GPL-2.0-only
/*
 * summaries.c - the summary of a zone as its bitmaps would have it.
 */
#include "lib.h"

static u32 sfs_longest_clear(const u8 *bits, u32 nbits)
{
	u32 bit = sfs_bits_next_clear(bits, 0, nbits);
	u32 longest = 0;
	u32 end;

	for (; bit < nbits; bit = sfs_bits_next_clear(bits, end, nbits)) {
		end = sfs_bits_next_set(bits, bit, nbits);
		longest = max(longest, end - bit);
	}
	return longest;
}

static void sfs_count_map(unsigned int map, const struct sfs_bitmap_disk *disk, u32 nbits,
			  struct sfs_count_disk *count)
{
	switch (map) {
	case SFS_MAP_USED:
		count->c_free = disk->b_count;
		count->c_run = cpu_to_le32(sfs_longest_clear(disk->b_bits, nbits));
		break;
	case SFS_MAP_INODE:
		count->c_inode_blks = disk->b_count;
		break;
	case SFS_MAP_ROOM:
		count->c_slots = disk->b_count;
		count->c_room = cpu_to_le32(sfs_bits_count(disk->b_bits, 0, nbits));
		break;
	default:
		count->c_orphan_blks = disk->b_count;
	}
}

int sfs_summary_make(struct sfs_fs *fs, u64 zone, struct sfs_summary_disk *ret_sum)
{
	u64 first = zone * SFS_ZONE_GROUPS;
	struct sfs_buf *buf;
	unsigned int i, m;
	int err;

	memset(ret_sum, 0, sizeof(*ret_sum));
	sfs_block_init(ret_sum, fs->f_fsid, SFS_MAGIC_SUMMARY, sfs_summary_blk(zone), zone);
	for (i = 0; i < SFS_ZONE_GROUPS && first + i < fs->f_groups; i++) {
		for (m = 0; m < SFS_MAPS; m++) {
			err = sfs_map_get(fs, first + i, m, &buf);
			if (err)
				return err;
			sfs_count_map(m, sfs_buf_data(buf), sfs_group_nblks(fs, first + i),
				      &ret_sum->z_count[i]);
			sfs_buf_put(buf);
		}
	}
	return 0;
}

bool sfs_summary_is_true(const struct sfs_summary_disk *sum, const struct sfs_summary_disk *made)
{
	struct sfs_count_disk count;
	unsigned int i;

	for (i = 0; i < SFS_ZONE_GROUPS; i++) {
		count = sum->z_count[i];
		if (count.c_free == cpu_to_le32(SFS_COUNT_UNKNOWN))
			continue;
		if (le32_to_cpu(count.c_run) < le32_to_cpu(made->z_count[i].c_run))
			return false;
		count.c_run = made->z_count[i].c_run;
		if (memcmp(&count, &made->z_count[i], sizeof(count)))
			return false;
	}
	return true;
}
