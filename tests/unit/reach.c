// SPDX-License-Identifier: GPL-2.0-only
/*
 * reach.c - how far one allocation looks: groups that nobody has loaded, maps that cannot be read,
 * a strip that cannot be written.
 */
#include "drain.h"

static void later(void)
{
	drain_now += 2LL << 36;		/* more than a minute */
}

/* Takes all of @group, but for one block of every 16th. */
static void fill_group(u64 group)
{
	const struct sfs_bitmap_disk *map;
	u32 nbits = sfs_group_nblks(&drain_fs, group);
	u32 bit = 0, end;
	struct sfs_buf *buf;
	u64 blk;
	u32 n;

	TAP_REQUIRE(!sfs_map_get(&drain_fs, group, SFS_MAP_USED, &buf), "map is read");
	map = sfs_buf_data(buf);
	while ((bit = sfs_bits_next_clear(map->b_bits, bit, nbits)) < nbits) {
		end = sfs_bits_next_set(map->b_bits, bit, nbits);
		TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, group * SFS_GROUP_BLOCKS + bit,
					    end - bit, SFS_ALLOC_POOL, &blk, &n), "fills");
	}
	sfs_buf_put(buf);
	if (group % 16 == 15)
		TAP_REQUIRE(!sfs_free_blks(NULL, &drain_fs, group * SFS_GROUP_BLOCKS + 9999, 1),
			    "frees");
}

/* The first @ngroups groups of a volume of @blocks are full, but for one block of every 16th. */
static void make_aged(u64 blocks, u64 ngroups)
{
	struct sfs_reach reach = { };
	u64 group;

	drain_make(blocks, 0);
	while (sfs_groups_ready(&drain_fs) < ngroups)
		TAP_REQUIRE(!sfs_zone_grow(NULL, &drain_fs, sfs_groups_ready(&drain_fs), &reach),
			    "grows");
	for (group = 0; group < ngroups; group++)
		fill_group(group);
	drain_commit();
	drain_step(~0u);
}

/* The device's content, with nothing in memory; the volume was stopped in order. */
static void mount_cold(void)
{
	s64 nfree = sfs_counter_read(&drain_fs.f_free);

	drain_crash();
	drain_mount(false);
	sfs_space_set(&drain_fs, nfree);
	drain_fs.f_load_max = 1;
	drain_reads = 0;
}

/* A call reads few groups: fresh ground comes before the others, and else these can wait. */
static void test_unloaded(void)
{
	const u64 ngroups = 3 * SFS_ZONE_GROUPS;
	u64 blk, total = 0;
	unsigned int loads = 0;
	u32 n;
	int err;

	make_aged(4 * SFS_ZONE_BLOCKS, ngroups);
	mount_cold();
	err = sfs_alloc_blks(NULL, &drain_fs, 5 * SFS_GROUP_BLOCKS, 4096, 0, &blk, &n);
	TAP_EQ(err, 0, "a large run");
	TAP_EQ(n, 4096, "is whole");
	TAP_EQ(blk / SFS_ZONE_BLOCKS, 3, "on fresh ground");
	/* A summary, block 0, and of the new zone summary and map. */
	TAP_EQ(drain_reads, 4, "for which few blocks were read");

	make_aged(3 * SFS_ZONE_BLOCKS, ngroups);
	mount_cold();
	drain_step(0);
	err = sfs_alloc_blks(NULL, &drain_fs, 0, 4096, SFS_ALLOC_POOL, &blk, &n);
	TAP_EQ(err, -EAGAIN, "without fresh ground a large run asks for more zones");
	TAP_EQ(drain_reads, 1, "having read one");
	do {
		err = sfs_alloc_blks(NULL, &drain_fs, 0, 4096, SFS_ALLOC_POOL, &blk, &n);
		if (!err)
			TAP_REQUIRE(blk == (16 * total++ + 15) * SFS_GROUP_BLOCKS + 9999,
				    "a block that is free");
		if (err != -EAGAIN)
			continue;
		drain_reads = 0;
		err = sfs_load_next(&drain_fs);
		loads += err > 0;
		TAP_REQUIRE(err >= 0 && drain_reads <= 1, "loads a zone at most");
	} while (err >= 0);
	TAP_EQ(err, -ENOSPC, "single blocks in its place, until the volume is full");
	TAP_EQ(total, ngroups / 16, "none is out of reach");
	TAP_OK(loads, "on the way a zone was loaded %u times", loads);
	TAP_EQ(sfs_load_next(&drain_fs), 0, "then every group is loaded");
	drain_step(~0u);
	mount_cold();
	drain_fail_in = 0;
	drain_bad = sfs_map_blk(5, SFS_MAP_ROOM);
	TAP_EQ(sfs_load_next(&drain_fs), SFS_ZONE_GROUPS - 1,
	       "without a summary a map not read hides one group");
	drain_bad = 0;
	drain_step(~0u);
}

/* Blocks that cannot be read or written keep nobody from the others, and are asked for seldom. */
static void test_unread(void)
{
	u64 blk;
	u32 n;
	int i;

	drain_make(2 * SFS_ZONE_BLOCKS, 0);
	drain_bad = sfs_map_blk(0, SFS_MAP_USED);
	drain_bad_asks = 0;
	for (i = 0; i < 5; i++)
		TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, 0, 1, 0, &blk, &n) &&
			    blk / SFS_GROUP_BLOCKS == 1, "a block of the next group");
	TAP_EQ(drain_bad_asks, 1, "a bad map is asked for once");

	/* The map of a group that is in use goes bad. */
	drain_bad = sfs_map_blk(1, SFS_MAP_USED);
	drain_bad_asks = 0;
	for (i = 0; i < 5; i++)
		TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS, 1, 0, &blk, &n) &&
			    blk / SFS_GROUP_BLOCKS > 1, "a block of another group");
	TAP_EQ(drain_bad_asks, 1, "and so is one that was good before");
	drain_bad = 0;
	drain_step(~0u);
}

/*
 * What is free in a group whose map cannot be read is promised to nobody, however often that is
 * found out, until the map is there again; a recount changes nothing of that.
 */
static void test_unread_account(void)
{
	s64 left = SFS_GROUP_BLOCKS - 1000;
	s64 nfree, avail;
	u64 blk;
	u32 n;

	drain_make(2 * SFS_ZONE_BLOCKS, 0);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS, 1000, 0, &blk, &n) &&
		    n == 1000, "blocks are taken");
	drain_commit();
	mount_cold();
	nfree = sfs_counter_read(&drain_fs.f_free);
	avail = sfs_counter_read(&drain_fs.f_avail);
	drain_bad = sfs_map_blk(1, SFS_MAP_USED);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, 2 * SFS_GROUP_BLOCKS - 1, 1, 0, &blk, &n) &&
		    blk / SFS_GROUP_BLOCKS == 2, "a block of another group");
	avail--;
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), avail - left, "the group's leave the account");
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), nfree - 1, "and stay free");
	later();
	TAP_REQUIRE(sfs_free_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS, 1) == -EIO, "still not read");
	later();
	TAP_REQUIRE(sfs_free_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS, 1) == -EIO, "nor now");
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), avail - left, "they leave it once");
	TAP_REQUIRE(!sfs_fs_recount(&drain_fs, NULL), "all is counted");
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), avail - left, "with the same result");
	drain_bad_asks = 0;
	later();
	TAP_OK(!sfs_lost_look(&drain_fs) && !sfs_lost_look(&drain_fs), "nobody finds them");
	TAP_EQ(drain_bad_asks, 1, "who looks more than once in a minute asks once");
	drain_bad = 0;
	TAP_OK(!sfs_lost_look(&drain_fs), "nor is it asked when it could be read");
	later();
	TAP_OK(sfs_lost_look(&drain_fs), "until the minute is over");
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), avail, "they are back");
	TAP_OK(!sfs_lost_look(&drain_fs), "and not looked for any more");
	TAP_REQUIRE(!sfs_free_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS, 1), "it is used again");
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), avail + 1, "in one account");
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), nfree, "as in the other");
	drain_step(~0u);
}

/* A map that is damaged is as one that cannot be read; it is told. */
static void test_damaged_map(void)
{
	struct sfs_buf *buf;
	s64 avail;
	u64 blk;
	u32 n;

	drain_make(2 * SFS_ZONE_BLOCKS, 0);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS, 1000, 0, &blk, &n), "taken");
	drain_commit();
	drain_find(sfs_map_blk(1, SFS_MAP_USED))->disk[3000] ^= 1;
	mount_cold();
	avail = sfs_counter_read(&drain_fs.f_avail);
	TAP_OK(sfs_is_damage(sfs_map_get(&drain_fs, 1, SFS_MAP_USED, &buf)), "a map is damaged");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 2 * SFS_GROUP_BLOCKS - 1, 1, 0, &blk, &n), 0,
	       "who wants a block gets one");
	TAP_EQ(blk / SFS_GROUP_BLOCKS, 2, "of another group");
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), avail - 1 - (SFS_GROUP_BLOCKS - 1000),
	       "this one's are in nobody's account");
	drain_corruptions = 0;
	drain_step(~0u);
}

/* What a recount left out is counted when it can be read; then it can be lost, and come back. */
static void test_left_out(void)
{
	const u64 map = sfs_map_blk(1, SFS_MAP_USED);
	struct sfs_group *g;
	s64 nfree, inodes;
	u64 blk, nbad;
	u32 n;

	drain_make(2 * SFS_ZONE_BLOCKS, 0);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS, 1000, 0, &blk, &n), "taken");
	drain_commit();
	nfree = sfs_counter_read(&drain_fs.f_free);
	inodes = sfs_counter_read(&drain_fs.f_inodes);
	drain_find(sfs_summary_blk(0))->disk[3000] ^= 1;
	mount_cold();
	drain_bad = map;
	TAP_REQUIRE(!sfs_fs_recount(&drain_fs, &nbad), "recount");
	TAP_EQ(nbad, 1, "a recount leaves a group out");
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), nfree - (SFS_GROUP_BLOCKS - 1000), "with its blocks");
	drain_bad = 0;
	later();
	TAP_REQUIRE(!sfs_group_get(&drain_fs, 1, &g), "it can be read later");
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), nfree, "then they are counted");
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), nfree, "in both accounts");
	TAP_EQ(sfs_counter_read(&drain_fs.f_inodes), inodes, "and so are its inodes");
	drain_forget(drain_find(map));
	drain_bad = map;
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, 2 * SFS_GROUP_BLOCKS - 1, 1, 0, &blk, &n) &&
		    blk / SFS_GROUP_BLOCKS == 2, "a block of another group, as its map is lost");
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), nfree - 1 - (SFS_GROUP_BLOCKS - 1000),
	       "what left the account is what was in it");
	drain_bad = 0;
	later();
	TAP_OK(sfs_lost_look(&drain_fs), "it is back");
	TAP_EQ(sfs_counter_read(&drain_fs.f_avail), nfree - 1, "and so is that");
	TAP_EQ(sfs_counter_read(&drain_fs.f_lost), 0, "and nothing is lost");
	drain_corruptions = 0;
	drain_step(~0u);
}

/* Freeing in a group whose map is bad asks the disk once a minute. */
static void test_unread_free(void)
{
	u64 blk;
	u32 n;
	int i;

	drain_make(2 * SFS_ZONE_BLOCKS, 0);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS + 500, 100, 0, &blk, &n) &&
		    n == 100, "blocks are taken");
	drain_commit();
	mount_cold();
	drain_bad = sfs_map_blk(1, SFS_MAP_USED);
	drain_bad_asks = 0;
	for (i = 0; i < 50; i++)
		TAP_REQUIRE(sfs_free_blks(NULL, &drain_fs, blk + i, 1) == -EIO, "not freed");
	TAP_OK(drain_bad_asks <= 2, "50 frees ask %u times", drain_bad_asks);
	drain_bad = 0;
	later();
	TAP_EQ(sfs_free_blks(NULL, &drain_fs, blk, 100), 0, "and it works when it can be read");
	drain_step(~0u);
}

/* A zone whose strip cannot be written is no zone; what the others have is still to be had. */
static void test_unwritten_strip(void)
{
	u64 ngroups = SFS_ZONE_GROUPS;
	u64 total = 0;
	u64 blk;
	u32 n;
	int err;

	make_aged(2 * SFS_ZONE_BLOCKS, ngroups);
	drain_bad = sfs_map_blk(ngroups, SFS_MAP_ROOM);
	drain_bad_asks = 0;
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 4096, 0, &blk, &n), 0, "a large request");
	TAP_EQ(n, 1, "gets the run that there is");
	for (total = 1; total < ngroups / 16; total++)
		TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, 0, 4096, 0, &blk, &n), "and the next");
	TAP_EQ(drain_bad_asks, 1, "the strip is tried once");
	err = sfs_alloc_blks(NULL, &drain_fs, 0, 4096, 0, &blk, &n);
	TAP_EQ(err, -EIO, "when nothing is left the error is told");
	TAP_EQ(drain_bad_asks, 2, "after another try");
	err = sfs_alloc_blks(NULL, &drain_fs, 0, 4096, 0, &blk, &n);
	TAP_OK(err == -EIO && drain_bad_asks == 2, "and told again without one, for a minute");

	/* What is to be had after a commit is no error; only then is it one. */
	TAP_REQUIRE(!sfs_free_blks(NULL, &drain_fs, 3 * SFS_GROUP_BLOCKS + 77, 1), "one is freed");
	later();
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 4096, 0, &blk, &n), -EAGAIN, "it can be waited for");
	drain_commit();
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 4096, 0, &blk, &n), 0, "and is had");
	TAP_EQ(blk, 3 * SFS_GROUP_BLOCKS + 77, "just that one");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 4096, 0, &blk, &n), -EIO, "then it is an error");
	later();
	drain_bad = 0;
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 4096, 0, &blk, &n), 0, "a strip that is good again");
	TAP_EQ(blk / SFS_ZONE_BLOCKS, 1, "is used");
	drain_step(~0u);
}

/* Two who found nothing at once begin one zone. */
static void test_grow_twice(void)
{
	struct sfs_reach reach = { };
	u64 ngroups;

	drain_make(4 * SFS_ZONE_BLOCKS, 0);
	ngroups = sfs_groups_ready(&drain_fs);
	TAP_EQ(sfs_zone_grow(NULL, &drain_fs, ngroups, &reach), 0, "a zone is begun");
	TAP_EQ(sfs_zone_grow(NULL, &drain_fs, ngroups, &reach), 0, "who comes late has it too");
	TAP_EQ(drain_fs.f_zones, 2, "and begins none");
	drain_step(~0u);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_unloaded();
	test_unread();
	test_unread_account();
	test_damaged_map();
	test_left_out();
	test_unread_free();
	test_unwritten_strip();
	test_grow_twice();
	drain_empty();
	return tap_done();
}
