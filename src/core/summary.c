// SPDX-License-Identifier: GPL-2.0-only
/*
 * summary.c - the block that is the summary of a zone: what is free in each of its groups.
 *
 * Pure functions on its bytes and on the counts in memory; when they are called says
 * zone_summary.c.
 */
#include "port.h"
#include "format.h"
#include "core.h"

/* ---- the block ---- */

void sfs_summary_fill(struct sfs_fs *fs, u64 blk, void *data)
{
	u64 first = blk / SFS_ZONE_BLOCKS * SFS_ZONE_GROUPS;
	struct sfs_summary_disk *sum = data;
	unsigned int i;
	u32 nfree, bit;

	sfs_block_init(data, fs->f_fsid, SFS_MAGIC_SUMMARY, blk, blk / SFS_ZONE_BLOCKS);
	for (i = 0; i < SFS_ZONE_GROUPS; i++) {
		nfree = sfs_group_fresh(fs, first + i, &bit);
		sum->z_count[i].c_free = cpu_to_le32(nfree);
		sum->z_count[i].c_run = cpu_to_le32(nfree);
	}
}

/* @usable: blocks of the group that can be free. */
static const char *sfs_count_verify(const struct sfs_count_disk *count, u32 usable)
{
	const size_t behind = offsetof(struct sfs_count_disk, c_inode_blks);
	u32 nfree = le32_to_cpu(count->c_free);
	u32 inode_blks = le32_to_cpu(count->c_inode_blks);
	u32 with_room = le32_to_cpu(count->c_room);
	u32 slots = le32_to_cpu(count->c_slots);
	u32 run = le32_to_cpu(count->c_run);

	if (nfree == SFS_COUNT_UNKNOWN && usable)
		return memchr_inv((const u8 *)count + behind, 0, sizeof(*count) - behind) ?
		       "counts of a group that is not known" : NULL;
	if (nfree > usable || inode_blks > usable - nfree)
		return "more blocks than the group has";
	if (with_room > inode_blks || le32_to_cpu(count->c_orphan_blks) > inode_blks)
		return "more blocks with room or orphans than inode blocks";
	if (slots < with_room || slots > with_room * (SFS_INODE_SLOTS - 1))
		return "count of free slots is impossible";
	if (run > nfree || !run != !nfree)
		return "longest free run is impossible";
	return NULL;
}

static const char *sfs_summary_verify(const struct sfs_fs *fs, const void *data, u64 blk)
{
	const struct sfs_summary_disk *sum = data;
	u64 zone = blk / SFS_ZONE_BLOCKS;
	const char *why = NULL;
	unsigned int i;

	if (zone >= READ_ONCE(fs->f_zones_max) || blk != sfs_summary_blk(zone))
		return "summary where none can be";
	if (le64_to_cpu(sum->z_head.h_owner) != zone)
		return "summary of another zone";
	if (sum->z_head.h_live)
		return "a summary with a slot mask";
	if (memchr_inv(sum->z_zero, 0, sizeof(sum->z_zero)))
		return "reserved bytes are not zero";
	for (i = 0; i < SFS_ZONE_GROUPS && !why; i++)
		why = sfs_count_verify(&sum->z_count[i],
				       sfs_group_usable(fs, zone * SFS_ZONE_GROUPS + i));
	return why;
}

const struct sfs_block_ops sfs_summary_ops = {
	.b_magic = SFS_MAGIC_SUMMARY,
	.b_name = "zone summary",
	.b_verify = sfs_summary_verify,
};

/* ---- memory and back ---- */

static void sfs_count_decode(struct sfs_group *g, const struct sfs_count_disk *count)
{
	if (count->c_free == cpu_to_le32(SFS_COUNT_UNKNOWN))
		return;
	g->g_free = le32_to_cpu(count->c_free);
	g->g_inode_blks = le32_to_cpu(count->c_inode_blks);
	g->g_room = le32_to_cpu(count->c_room);
	g->g_slots = le32_to_cpu(count->c_slots);
	g->g_orphans = le32_to_cpu(count->c_orphan_blks);
	g->g_run = le32_to_cpu(count->c_run);
	g->g_loaded = true;
}

/* Read without g_lock: who could change something now only looks, which may lower g_run. */
static void sfs_count_encode(const struct sfs_group *g, struct sfs_count_disk *count)
{
	memset(count, 0, sizeof(*count));
	if (!smp_load_acquire(&g->g_loaded)) {
		count->c_free = cpu_to_le32(SFS_COUNT_UNKNOWN);
		return;
	}
	count->c_free = cpu_to_le32(READ_ONCE(g->g_free));
	count->c_inode_blks = cpu_to_le32(READ_ONCE(g->g_inode_blks));
	count->c_room = cpu_to_le32(READ_ONCE(g->g_room));
	count->c_slots = cpu_to_le32(READ_ONCE(g->g_slots));
	count->c_orphan_blks = cpu_to_le32(READ_ONCE(g->g_orphans));
	count->c_run = cpu_to_le32(READ_ONCE(g->g_run));
}

void sfs_summary_decode(const void *data, struct sfs_zone *ret_zone)
{
	const struct sfs_summary_disk *sum = data;
	unsigned int i;

	for (i = 0; i < SFS_ZONE_GROUPS; i++)
		sfs_count_decode(&ret_zone->z_group[i], &sum->z_count[i]);
}

void sfs_summary_freeze(struct sfs_fs *fs, void *data)
{
	struct sfs_summary_disk *sum = data;
	struct sfs_zone *zone;
	unsigned int i;

	if (sum->z_head.h_magic != cpu_to_le32(SFS_MAGIC_SUMMARY))
		return;
	zone = sfs_zone_find(fs, le64_to_cpu(sum->z_head.h_owner));
	sfs_assert(zone);		/* who took access to it has looked at the zone */
	if (!zone)
		return;
	WRITE_ONCE(zone->z_tid, 0);
	for (i = 0; i < SFS_ZONE_GROUPS; i++)
		sfs_count_encode(&zone->z_group[i], &sum->z_count[i]);
}
