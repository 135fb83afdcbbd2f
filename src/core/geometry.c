// SPDX-License-Identifier: GPL-2.0-only
/*
 * geometry.c - where everything fixed lies: zones, groups, their maps, and what is left for files.
 *
 * Nothing of it is stored that can be computed: a volume is its size, the journal's length behind
 * the first zone's head, and the tail that is left to others.  Arithmetic on these fields of struct
 * sfs_fs, with no locks, no blocks, nothing that fails.  They may rise meanwhile (grow.h): each is
 * read once, and what asks for the tail is called with f_zone_lock, or where nobody else is.
 */
#include "port.h"
#include "format.h"
#include "core.h"

static u64 sfs_groups_of(u64 blocks)
{
	return (blocks + SFS_GROUP_BLOCKS - 1) / SFS_GROUP_BLOCKS;
}

static u64 sfs_zones_of(u64 blocks)
{
	return (blocks + SFS_ZONE_BLOCKS - 1) / SFS_ZONE_BLOCKS;
}

void sfs_geometry_measure(struct sfs_fs *fs, u64 blocks)
{
	fs->f_blocks = blocks;
	fs->f_groups = sfs_groups_of(blocks);
	fs->f_zones_max = sfs_zones_of(blocks);
}

void sfs_geometry_raise(struct sfs_fs *fs, u64 blocks, u32 tail)
{
	sfs_assert(sfs_mutex_is_held(&fs->f_zone_lock) && blocks >= fs->f_blocks);
	fs->f_tail = tail;
	WRITE_ONCE(fs->f_blocks, blocks);
	WRITE_ONCE(fs->f_zones_max, sfs_zones_of(blocks));
}

void sfs_geometry_show(struct sfs_fs *fs)
{
	smp_store_release(&fs->f_groups, sfs_groups_of(fs->f_blocks));
}

void sfs_geometry_size(struct sfs_fs *fs, u64 dev_blocks)
{
	u64 end = fs->f_blocks - fs->f_tail;	/* before it there may be data */
	u64 blocks = min_t(u64, dev_blocks, SFS_BLK_MAX);
	u32 tail;

	if (blocks > SFS_ZONE_BLOCKS && blocks % SFS_ZONE_BLOCKS < SFS_ZONE_MIN)
		blocks -= blocks % SFS_ZONE_BLOCKS;
	sfs_geometry_measure(fs, blocks);
	tail = blocks < SFS_LARGE_BLOCKS ? SFS_TAIL_SMALL : SFS_TAIL_LARGE;
	fs->f_tail = min_t(u64, tail, blocks - end);
}

/* ---- where things are ---- */

u64 sfs_zone_head(u64 zone)
{
	return zone * SFS_ZONE_BLOCKS + (zone ? 0 : SFS_HEAD_START);
}

u64 sfs_copy_blk(u64 zone)
{
	return sfs_zone_head(zone) + SFS_ZONE_COPY;
}

u64 sfs_summary_blk(u64 zone)
{
	return sfs_zone_head(zone) + SFS_ZONE_SUMMARY;
}

u64 sfs_map_blk(u64 group, unsigned int map)
{
	return sfs_zone_head(group / SFS_ZONE_GROUPS) + map * SFS_ZONE_GROUPS +
	       group % SFS_ZONE_GROUPS;
}

bool sfs_map_at(const struct sfs_fs *fs, u64 blk, u64 *ret_group, unsigned int *ret_map)
{
	u64 zone = blk / SFS_ZONE_BLOCKS;
	u64 first = sfs_map_blk(zone * SFS_ZONE_GROUPS, 0);

	if (zone >= READ_ONCE(fs->f_zones_max) || blk < first || blk >= first + SFS_STRIP_BLOCKS)
		return false;
	*ret_group = zone * SFS_ZONE_GROUPS + (blk - first) % SFS_ZONE_GROUPS;
	*ret_map = (blk - first) / SFS_ZONE_GROUPS;
	return true;
}

u64 sfs_zone_data(const struct sfs_fs *fs, u64 zone)
{
	return sfs_zone_head(zone) + SFS_ZONE_HEAD + (zone ? 0 : fs->f_journal_blocks);
}

u32 sfs_group_nblks(const struct sfs_fs *fs, u64 group)
{
	return min_t(u64, SFS_GROUP_BLOCKS, READ_ONCE(fs->f_blocks) - group * SFS_GROUP_BLOCKS);
}

u32 sfs_group_fixed(const struct sfs_fs *fs, u64 group)
{
	u64 data = sfs_zone_data(fs, group / SFS_ZONE_GROUPS);
	u64 start = group * SFS_GROUP_BLOCKS;

	return data <= start ? 0 : min_t(u64, data - start, SFS_GROUP_BLOCKS);
}

u32 sfs_group_bits(const struct sfs_fs *fs, u64 group)
{
	return group < smp_load_acquire(&fs->f_groups) ? sfs_group_nblks(fs, group) : 0;
}

u32 sfs_group_usable(const struct sfs_fs *fs, u64 group)
{
	u32 nbits = sfs_group_bits(fs, group);

	return nbits - min(sfs_group_fixed(fs, group), nbits);
}

bool sfs_blk_is_valid(const struct sfs_fs *fs, u64 blk, u64 nblks)
{
	u64 zone = blk / SFS_ZONE_BLOCKS;
	u64 blocks = READ_ONCE(fs->f_blocks);

	if (!nblks || blk >= blocks || nblks > blocks - blk)
		return false;
	return (blk + nblks - 1) / SFS_ZONE_BLOCKS == zone && blk >= sfs_zone_data(fs, zone);
}

/* ---- a new volume ---- */

u64 sfs_first_free(const struct sfs_fs *fs)
{
	u64 head = fs->f_blocks < SFS_LARGE_BLOCKS ? SFS_HEAD_SMALL : SFS_HEAD_LARGE;

	return max(head, sfs_zone_data(fs, 0));
}

u32 sfs_group_fresh(const struct sfs_fs *fs, u64 group, u32 *ret_bit)
{
	u64 start = group * SFS_GROUP_BLOCKS;
	u64 end = min_t(u64, start + SFS_GROUP_BLOCKS, fs->f_blocks - fs->f_tail);
	u32 fixed = sfs_group_fixed(fs, group);
	u32 bits = end > start ? end - start : 0;

	if (!group)
		fixed = min_t(u64, sfs_first_free(fs), SFS_GROUP_BLOCKS);
	*ret_bit = min(fixed, bits);
	return bits - *ret_bit;
}

u64 sfs_zones_fresh(const struct sfs_fs *fs, u64 zone)
{
	u64 n;

	if (zone >= fs->f_zones_max)
		return 0;
	/* The tail never leaves the last zone, which is longer than it (SFS_ZONE_MIN). */
	n = fs->f_blocks - fs->f_tail - zone * SFS_ZONE_BLOCKS;
	if (zone)
		return n - (fs->f_zones_max - zone) * SFS_ZONE_HEAD;
	return n - (fs->f_zones_max - 1) * SFS_ZONE_HEAD - sfs_first_free(fs);
}
