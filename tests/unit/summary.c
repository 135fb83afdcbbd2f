// SPDX-License-Identifier: GPL-2.0-only
/*
 * summary.c - the summaries of zones: what a fresh one says, what none can say, what they spare,
 * and how it goes on without them.
 *
 * That they are true after random changes and crashes is in alloc.c and ialloc.c.
 */
#include "drain.h"

static struct sfs_summary_disk *on_disk(u64 zone)
{
	return (struct sfs_summary_disk *)drain_find(sfs_summary_blk(zone))->disk;
}

/* Changes a summary on the device, under a right crc. */
static void set_free(u64 zone, unsigned int i, u32 nfree)
{
	on_disk(zone)->z_count[i].c_free = cpu_to_le32(nfree);
	on_disk(zone)->z_count[i].c_run = cpu_to_le32(nfree);
	sfs_block_seal(on_disk(zone));
}

/* A file without content. */
static void make_file(u64 parent, bool orphan, u64 *ret_ino)
{
	struct sfs_inode in;
	u32 generation;

	TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, parent, false, ret_ino, &generation), "file");
	sfs_inode_init(&in, &drain_fs, *ret_ino, SFS_TYPE_REG << SFS_TYPE_SHIFT, 1);
	in.i_nlink = 1;
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in) && (!orphan || !sfs_orphan_add(NULL, &in)), "record");
	sfs_inode_end(NULL, &in);
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

/* Counting costs a block a zone, looking for orphans nothing where there are none. */
static void test_spared(void)
{
	u64 ino, found, blk, nbad = 0;
	u32 n;

	drain_make(5 * SFS_ZONE_BLOCKS, 1024);
	grow(5);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, 3 * SFS_ZONE_BLOCKS + 9999, 77, 0, &blk, &n),
		    "a run");
	make_file((4 * SFS_ZONE_BLOCKS + 9999) * SFS_INODE_SLOTS, true, &ino);
	drain_step(~0u);
	drain_commit();
	drain_check_summaries();
	drain_crash();
	drain_reads = 0;
	drain_mount(true);
	TAP_EQ(drain_reads, 5, "five zones are counted by five blocks");
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), sfs_zones_fresh(&drain_fs, 0) - 78,
	       "and what was taken is known");
	TAP_EQ(sfs_counter_read(&drain_fs.f_inodes), 1, "and the inode");
	TAP_OK(!sfs_orphan_next(&drain_fs, 0, &found, &nbad) && found == ino, "the orphan is found");
	TAP_EQ(drain_reads, 7, "by a map and its block");
	TAP_EQ(sfs_orphan_next(&drain_fs, ino + 1, &found, &nbad), -ENOENT, "there is no other");
	TAP_EQ(drain_reads, 7, "for which nothing is read");
	drain_step(0);
}

/* One that cannot be had is made anew by the first change; what nobody has looked at stays open. */
static void test_lost(void)
{
	struct sfs_summary_disk *sum;
	s64 nfree;
	u64 blk;
	u32 n;

	drain_make(3 * SFS_GROUP_BLOCKS, 1024);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS + 5, 9, 0, &blk, &n), "a run");
	drain_commit();
	drain_step(~0u);
	nfree = sfs_counter_read(&drain_fs.f_free);
	drain_crash();
	((u8 *)on_disk(0))[4000] ^= 1;
	drain_mount(false);
	drain_corruptions = 0;
	TAP_EQ(sfs_free_blks(NULL, &drain_fs, blk, n), 0, "a run is freed without a summary");
	drain_step(2);
	TAP_EQ(drain_corruptions, 1, "of which the loss is told, once");
	drain_commit();
	sum = on_disk(0);
	TAP_OK(!sfs_block_verify_any(&drain_fs, sum, sfs_summary_blk(0)), "and there is one again");
	TAP_OK(le32_to_cpu(sum->z_count[1].c_free) == SFS_GROUP_BLOCKS &&
	       sum->z_count[0].c_free == cpu_to_le32(SFS_COUNT_UNKNOWN) &&
	       sum->z_count[2].c_free == cpu_to_le32(SFS_COUNT_UNKNOWN) &&
	       !sum->z_count[3].c_free, "which knows the groups that were looked at");
	drain_check_summaries();
	drain_crash();
	drain_mount(true);
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), nfree + n, "the rest is counted by the maps");
	drain_step(0);

	/* The device gives it no more while it is in use. */
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, 0, 9, 0, &blk, &n), "a run");
	drain_commit();
	drain_step(~0u);
	drain_bad = sfs_summary_blk(0);
	TAP_EQ(sfs_free_blks(NULL, &drain_fs, blk, n), 0, "a run is freed");
	drain_bad = 0;
	drain_step(2);
	drain_commit();
	drain_check_summaries();
	TAP_EQ(drain_shutdowns, 0, "nothing was stopped");
}

/* A summary that is sound, but not true, is found out before anything is changed by it. */
static void test_untrue(void)
{
	struct sfs_summary_disk *sum;
	u32 generation, n;
	u64 blk, ino;

	drain_make(40000, 1024);
	make_file(0, false, &ino);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, 0, 9, 0, &blk, &n), "a run");
	drain_commit();
	drain_step(~0u);
	drain_crash();
	set_free(0, 1, 5000);
	drain_mount(false);
	drain_corruptions = 0;
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS + 9, 9, 0, &blk, &n),
		    "another group has what is wanted");
	TAP_OK(blk / SFS_GROUP_BLOCKS != 1, "a group with a wrong number of free blocks is left alone");
	TAP_EQ(drain_corruptions, 1, "that is reported");
	drain_step(~0u);

	drain_crash();
	sum = on_disk(0);
	sum->z_count[0].c_slots = cpu_to_le32(6);
	sfs_block_seal(sum);
	drain_crash();
	drain_mount(false);
	TAP_EQ(sfs_inode_alloc(NULL, &drain_fs, 0, false, &ino, &generation), -EFSCORRUPTED,
	       "and of free slots");
	drain_step(0);
	sum->z_count[0].c_slots = 0;
	sum->z_count[0].c_room = 0;
	sum->z_count[0].c_inode_blks = cpu_to_le32(2);
	sfs_block_seal(sum);
	drain_crash();
	drain_mount(false);
	TAP_EQ(sfs_inode_alloc(NULL, &drain_fs, 0, false, &ino, &generation), -EFSCORRUPTED,
	       "and of inode blocks");
	drain_step(0);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_fresh();
	test_lies();
	test_lies_of_all();
	test_spared();
	test_lost();
	test_untrue();
	drain_empty();
	return tap_done();
}
