// SPDX-License-Identifier: GPL-2.0-only
/*
 * summary.c - the summary of a zone: what is free in each of its groups, in one block.
 *
 * The maps have counts of their own: what a lost summary said costs reading them.  Pure functions
 * on the bytes given.
 */
#include "port.h"
#include "format.h"
#include "core.h"

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

	if (zone >= fs->f_zones_max || blk != sfs_summary_blk(zone))
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
