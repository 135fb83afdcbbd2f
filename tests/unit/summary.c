// SPDX-License-Identifier: GPL-2.0-only
/*
 * summary.c - the summaries of zones: what a fresh one says, and what none can say.
 */
#include "drain.h"

static struct sfs_summary_disk *on_disk(u64 zone)
{
	return (struct sfs_summary_disk *)drain_find(sfs_summary_blk(zone))->disk;
}

static void grow(u64 zones)
{
	struct sfs_reach reach = { };

	while (drain_fs.f_zones < zones)
		TAP_REQUIRE(!sfs_zone_grow(NULL, &drain_fs, sfs_groups_ready(&drain_fs), &reach),
			    "a zone more");
	drain_commit();
	drain_step(~0u);
}

/* A fresh zone's is what its fresh bitmaps say, bounds included. */
static void test_fresh(void)
{
	static const struct {
		u64 blocks;
		u32 journal;
	} volumes[] = {
		{ 256, 0 }, { 3000, 1024 }, { 65536, 0 }, { SFS_GROUP_BLOCKS + 40, 1024 },
		{ 8 * SFS_GROUP_BLOCKS, 5 * SFS_GROUP_BLOCKS },
		{ 2 * SFS_ZONE_BLOCKS + SFS_ZONE_MIN, 4096 },
		{ 2 * SFS_ZONE_BLOCKS + 3 * SFS_GROUP_BLOCKS + 100, 0 },
	};
	struct sfs_summary_disk made;
	unsigned int i, bad = 0;
	u64 zone;

	for (i = 0; i < ARRAY_SIZE(volumes); i++) {
		drain_make(volumes[i].blocks, volumes[i].journal);
		grow(drain_fs.f_zones_max);
		for (zone = 0; zone < drain_fs.f_zones; zone++) {
			bad += !!sfs_block_verify_any(&drain_fs, on_disk(zone),
						      sfs_summary_blk(zone));
			bad += sfs_summary_make(&drain_fs, zone, &made) != 0;
			bad += memcmp(made.z_count, on_disk(zone)->z_count,
				      sizeof(made.z_count)) != 0;
		}
	}
	TAP_EQ(bad, 0, "fresh summaries are what fresh bitmaps say");
}

static void test_lies(void)
{
	static const struct {
		const char *what;
		unsigned int group;
		struct sfs_count_disk count;
	} lies[] = {
		{ "more free blocks than there are", 1, { .c_free = 7745, .c_run = 7745 } },
		{ "free blocks in the journal", 0, { .c_free = SFS_GROUP_BLOCKS, .c_run = 9 } },
		{ "inode blocks where all is free", 1, { .c_free = 7744, .c_run = 1,
							 .c_inode_blks = 1 } },
		{ "room without inode blocks", 1, { .c_room = 1, .c_slots = 1 } },
		{ "orphans without inode blocks", 1, { .c_orphan_blks = 1 } },
		{ "fewer slots than blocks with them", 1, { .c_inode_blks = 2, .c_room = 2,
							    .c_slots = 1 } },
		{ "more slots than in their blocks", 1, { .c_inode_blks = 2, .c_room = 2,
							  .c_slots = 15 } },
		{ "slots without a block", 1, { .c_inode_blks = 2, .c_slots = 1 } },
		{ "a run longer than all that is free", 1, { .c_free = 5, .c_run = 6 } },
		{ "free blocks in no run", 1, { .c_free = 5 } },
		{ "counts of a group that is not known", 1, { .c_free = SFS_COUNT_UNKNOWN,
							      .c_run = 1 } },
		{ "a group behind the last", 2, { .c_free = 1, .c_run = 1 } },
		{ "a group behind the last, not known", 2, { .c_free = SFS_COUNT_UNKNOWN } },
	};
	static const struct sfs_count_disk truths[] = {
		{ .c_free = 7744, .c_run = 7744 }, { .c_free = 7744, .c_run = 1 }, { },
		{ .c_inode_blks = 7744, .c_room = 2, .c_slots = 14, .c_orphan_blks = 7744 },
		{ .c_free = SFS_COUNT_UNKNOWN },
	};
	u64 blk = sfs_summary_blk(0);
	struct sfs_summary_disk sum;
	unsigned int i, bad = 0;

	drain_make(40000, 1024);
	for (i = 0; i < ARRAY_SIZE(truths); i++) {
		memcpy(&sum, on_disk(0), sizeof(sum));
		sum.z_count[1] = truths[i];
		sfs_block_seal(&sum);
		bad += !!sfs_block_verify_any(&drain_fs, &sum, blk);
	}
	TAP_EQ(bad, 0, "what can be verifies");
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		memcpy(&sum, on_disk(0), sizeof(sum));
		sum.z_count[lies[i].group] = lies[i].count;
		sfs_block_seal(&sum);
		TAP_OK(sfs_block_verify_any(&drain_fs, &sum, blk), "%s", lies[i].what);
	}
}

/* What is wrong with the block, not with a count. */
static void test_lies_of_all(void)
{
	u64 blk = sfs_summary_blk(0);
	struct sfs_summary_disk sum;

	memcpy(&sum, on_disk(0), sizeof(sum));
	sum.z_zero[sizeof(sum.z_zero) - 1] = 1;
	sfs_block_seal(&sum);
	TAP_OK(sfs_block_verify_any(&drain_fs, &sum, blk), "reserved bytes");
	memcpy(&sum, on_disk(0), sizeof(sum));
	sum.z_head.h_owner = cpu_to_le64(1);
	sfs_block_seal(&sum);
	TAP_OK(sfs_block_verify_any(&drain_fs, &sum, blk), "another zone's");
	memcpy(&sum, on_disk(0), sizeof(sum));
	sum.z_head.h_live = 1;
	sfs_block_seal(&sum);
	TAP_OK(sfs_block_verify_any(&drain_fs, &sum, blk), "a slot mask");
	memcpy(&sum, on_disk(0), sizeof(sum));
	sum.z_head.h_blk = cpu_to_le64(blk + 1);
	sfs_block_seal(&sum);
	TAP_OK(sfs_block_verify_any(&drain_fs, &sum, blk + 1), "where none can be");
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_fresh();
	test_lies();
	test_lies_of_all();
	drain_empty();
	return tap_done();
}
