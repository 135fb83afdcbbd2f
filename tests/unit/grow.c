// SPDX-License-Identifier: GPL-2.0-only
/*
 * grow.c - a volume in use becomes larger: against one that was made at that size, against a byte
 * for each block that says who has it, and with everything that can fail on the way failing.
 */
#include "drain.h"

#define BLOCKS_MAX	(4 * SFS_ZONE_BLOCKS)

static u8 *taken;			/* by a file, a byte for each block */
static u64 ntaken;

static void start(u64 blocks, u32 journal_blocks)
{
	drain_make(blocks, journal_blocks);
	free(taken);
	taken = calloc(1, BLOCKS_MAX);
	ntaken = 0;
	drain_step(~0u);
}

static void fill_some(u32 want, unsigned int flags)
{
	u64 goal = ram_random(2) ? ram_random(min_t(u64, drain_fs.f_blocks, ~0u)) : 0;
	u64 blk;
	u32 n, i;
	int err;

	err = sfs_alloc_blks(NULL, &drain_fs, goal, want, flags, &blk, &n);
	if (err == -EAGAIN || err == -ENOSPC)
		return;
	DRAIN_REQUIRE(!err, "blocks are had");
	for (i = 0; i < n; i++) {
		DRAIN_REQUIRE(!taken[blk + i], "block %" PRIu64 " is nobody's", blk + i);
		DRAIN_REQUIRE(blk + i < drain_fs.f_blocks - drain_fs.f_tail, "and before the tail");
		taken[blk + i] = 1;
	}
	ntaken += n;
}

/* A run that somebody has, if a random place hits one. */
static void give_some(void)
{
	u64 blk = ram_random(min_t(u64, drain_fs.f_blocks, ~0u));
	u32 n = 0;

	while (n < 1000 && taken[blk + n] && (blk + n) / SFS_ZONE_BLOCKS == blk / SFS_ZONE_BLOCKS)
		taken[blk + n++] = 0;
	if (n)
		DRAIN_REQUIRE(!sfs_free_blks(NULL, &drain_fs, blk, n), "a run is given back");
	ntaken -= n;
}

/* All that can be had, across commits. */
static void fill_all(void)
{
	u64 was;

	do {
		was = ntaken;
		fill_some(SFS_GROUP_BLOCKS, SFS_ALLOC_POOL);
		drain_commit();
		drain_step(~0u);
		if (ntaken == was)
			fill_some(1, SFS_ALLOC_POOL);
	} while (ntaken != was);
}

/* Makes ready and does it, as one who has a journal: what it came to. */
static int grow_step(u64 blocks)
{
	struct sfs_grow grow;
	int err;

	err = sfs_grow_prepare(&drain_fs, blocks, &grow);
	if (err || grow.g_blocks == drain_fs.f_blocks)
		return err;
	return sfs_grow(NULL, &drain_fs, &grow);
}

/* Blocks that nobody has, on the whole volume, as its maps say. */
static u64 count_free(void)
{
	u64 nfree = sfs_zones_fresh(&drain_fs, drain_fs.f_zones);
	const struct sfs_bitmap_disk *map;
	struct sfs_buf *buf;
	u64 group;
	u32 bit, used;

	for (group = 0; group < sfs_groups_ready(&drain_fs); group++) {
		DRAIN_REQUIRE(!sfs_map_get(&drain_fs, group, SFS_MAP_USED, &buf), "map is read");
		map = sfs_buf_data(buf);
		used = 0;
		for (bit = 0; bit < SFS_GROUP_BLOCKS; bit++) {
			bool set = map->b_bits[bit / 8] >> bit % 8 & 1;

			used += set;
			DRAIN_REQUIRE(set || !taken[group * SFS_GROUP_BLOCKS + bit],
				      "group %" PRIu64 ", bit %u is taken", group, bit);
		}
		DRAIN_REQUIRE(le32_to_cpu(map->b_count) == SFS_GROUP_BLOCKS - used, "and counted");
		nfree += SFS_GROUP_BLOCKS - used;
		sfs_buf_put(buf);
	}
	return nfree;
}

static void check(u64 want_free)
{
	struct sfs_group *g;
	u64 group;

	DRAIN_REQUIRE((u64)sfs_counter_read(&drain_fs.f_free) == want_free,
		      "%" PRIu64 " blocks are free, not %" PRId64, want_free,
		      (s64)sfs_counter_read(&drain_fs.f_free));
	DRAIN_REQUIRE((u64)sfs_counter_read(&drain_fs.f_avail) == want_free, "and to be had");
	DRAIN_REQUIRE(count_free() == want_free, "as the maps say");
	for (group = 0; group < sfs_groups_ready(&drain_fs); group++) {
		DRAIN_REQUIRE(!sfs_group_get(&drain_fs, group, &g), "group %" PRIu64, group);
		DRAIN_REQUIRE(sfs_zone_find(&drain_fs, group / SFS_ZONE_GROUPS)->z_run >= g->g_run,
			      "z_run is a bound");
		DRAIN_REQUIRE(drain_fs.f_run >= g->g_run, "and f_run");
	}
	drain_step(~0u);
}

/* As the format says it: before the tail, and not in the head of a zone. */
static u64 room(u64 blocks, u32 tail)
{
	return blocks - tail - (blocks - 1) / SFS_ZONE_BLOCKS * SFS_ZONE_HEAD;
}

/* Grows, and everything is as it should be, in memory, on the device, and after another mount. */
static void grow_to(u64 blocks)
{
	u64 had = room(drain_fs.f_blocks, drain_fs.f_tail);
	u64 want = sfs_counter_read(&drain_fs.f_free) - had;

	DRAIN_REQUIRE(!grow_step(blocks), "grows to %" PRIu64, blocks);
	want += room(drain_fs.f_blocks, drain_fs.f_tail);
	DRAIN_REQUIRE(drain_fs.f_blocks <= blocks, "no more than that");
	drain_step(SFS_CREDITS_GROW);
	check(want);
	drain_commit();
	drain_check_summaries();
	drain_crash();
	drain_mount(true);
	check(want);
}

static const u64 sizes[] = {
	256, 3000, SFS_GROUP_BLOCKS - 1, SFS_GROUP_BLOCKS, SFS_GROUP_BLOCKS + 1,
	SFS_GROUP_BLOCKS + 100, 2 * SFS_GROUP_BLOCKS, SFS_LARGE_BLOCKS - 1, SFS_LARGE_BLOCKS,
	SFS_LARGE_BLOCKS + 5000, 31 * SFS_GROUP_BLOCKS + 200, SFS_ZONE_BLOCKS - 1, SFS_ZONE_BLOCKS,
	SFS_ZONE_BLOCKS + 1, SFS_ZONE_BLOCKS + SFS_ZONE_MIN - 1, SFS_ZONE_BLOCKS + SFS_ZONE_MIN,
	SFS_ZONE_BLOCKS + SFS_GROUP_BLOCKS + 255, 2 * SFS_ZONE_BLOCKS + 77 * 126,
	3 * SFS_ZONE_BLOCKS + 2 * SFS_GROUP_BLOCKS + 3,
};

static void begin_zones(void)
{
	struct sfs_reach reach = { };

	while (drain_fs.f_zones < drain_fs.f_zones_max)
		TAP_REQUIRE(!sfs_zone_grow(NULL, &drain_fs, sfs_groups_ready(&drain_fs), &reach),
			    "a zone is begun");
	drain_commit();
	drain_step(~0u);
}

static const u8 *used_bits(u64 group)
{
	struct sfs_buf *buf;

	TAP_REQUIRE(!sfs_map_get(&drain_fs, group, SFS_MAP_USED, &buf), "map is read");
	sfs_buf_put(buf);
	return ((const struct sfs_bitmap_disk *)sfs_buf_data(buf))->b_bits;
}

#define MAP_BYTES	(SFS_GROUP_BLOCKS / 8)

/* How many used maps of an empty volume that grows are not those of one made so. */
static unsigned int differ(u64 from, u64 to, bool begun)
{
	static u8 made[4 * SFS_ZONE_GROUPS][MAP_BYTES];
	unsigned int bad = 0;
	u64 group, ngroups;
	u32 tail;

	start(to, 0);
	begin_zones();
	ngroups = drain_fs.f_groups;
	tail = drain_fs.f_tail;
	for (group = 0; group < ngroups; group++)
		memcpy(made[group], used_bits(group), MAP_BYTES);
	start(from, 0);
	if (begun)
		begin_zones();
	grow_to(to);
	begin_zones();
	if (drain_fs.f_groups != ngroups)
		return 1;
	for (group = 0; group < ngroups; group++) {
		/* What is free at the start of a small one stays so. */
		if (!group && from < SFS_LARGE_BLOCKS && to >= SFS_LARGE_BLOCKS)
			continue;
		/* And what could be had where now is the tail. */
		if (group + 2 >= ngroups && drain_fs.f_tail != tail)
			continue;
		bad += memcmp(made[group], used_bits(group), MAP_BYTES) != 0;
	}
	return bad;
}

/* From every size to every larger one. */
static void test_made(void)
{
	unsigned int from, to, bad = 0, n = 0;

	for (from = 0; from < ARRAY_SIZE(sizes); from++)
		for (to = from + 1; to < ARRAY_SIZE(sizes); to++, n++)
			bad += differ(sizes[from], sizes[to], from % 2);
	TAP_EQ(bad, 0, "%u growths of empty volumes: as if made so", n);
}

/* By random steps over groups and zones, in use, at last filled. */
static void test_steps(unsigned int rounds)
{
	static const u32 steps[] = { 1, 31, 257, 5000, SFS_GROUP_BLOCKS, 5 * SFS_GROUP_BLOCKS + 9,
				     SFS_ZONE_BLOCKS - 100 };
	unsigned int round, i, growths = 0;

	for (round = 0; round < rounds; round++) {
		start(sizes[ram_random(ARRAY_SIZE(sizes) - 4)], 0);
		for (i = 0; i < 12; i++) {
			u32 step = steps[ram_random(ARRAY_SIZE(steps))];
			u32 n = ram_random(20);

			while (n--)
				fill_some(1 + ram_random(20000), 0);
			while (n++ < 10)
				give_some();
			if (!ram_random(3))
				fill_all();
			drain_commit();
			drain_step(~0u);
			if (drain_fs.f_blocks + step > 3 * SFS_ZONE_BLOCKS)
				break;
			grow_to(drain_fs.f_blocks + 1 + ram_random(step));
			growths++;
		}
		fill_all();
		check(0);
	}
	TAP_OK(growths, "%u growths between allocations, and all blocks can be had", growths);
}

/* The @n-th call that can fail does, on the way to @ngroups more.  False: there are not so many. */
static bool fails_at(long n, unsigned int ngroups, unsigned int *bad)
{
	const u64 was = 2 * SFS_GROUP_BLOCKS + 50;
	s64 nfree;
	bool failed;
	int err;

	start(was, 0);
	fill_some(30000, 0);
	drain_commit();
	drain_step(~0u);
	nfree = sfs_counter_read(&drain_fs.f_free);
	drain_fail_in = n;
	err = grow_step(was + ngroups * SFS_GROUP_BLOCKS);
	failed = drain_failed;
	if (drain_shutdowns)	/* the last thing, and only where there is no journal */
		return true;
	if (err)
		*bad += drain_fs.f_blocks != was;
	else
		nfree += room(drain_fs.f_blocks, drain_fs.f_tail) - room(was, SFS_TAIL_SMALL);
	drain_step(~0u);
	check(nfree);
	if (err)
		drain_crash();
	else
		drain_commit();
	drain_mount(true);
	check(nfree);
	return failed;
}

/* Whatever fails: the volume is what it was, in memory and, after a crash, on the device. */
static void test_failures(void)
{
	unsigned int bad = 0, failed = 0, shut = 0, i;
	long n;

	for (i = 1; i < 8; i += 3)
		for (n = 0; fails_at(n, i, &bad); n++) {
			failed++;
			shut += drain_shutdowns;
		}
	TAP_EQ(bad, 0, "%u failures changed nothing", failed);
	TAP_OK(failed > 30, "of all kinds");
	TAP_EQ(shut, 3, "but for a superblock that was not written, the end of all");
}

static void test_crash(void)
{
	const u64 was = SFS_GROUP_BLOCKS + 60;
	s64 nfree;

	start(was, 0);
	fill_some(20000, 0);
	drain_commit();
	drain_step(~0u);
	nfree = sfs_counter_read(&drain_fs.f_free);
	TAP_REQUIRE(!grow_step(9 * SFS_GROUP_BLOCKS), "grows");
	drain_step(SFS_CREDITS_GROW);
	drain_crash();
	drain_mount(true);
	TAP_EQ(drain_fs.f_blocks, was, "a crash before the commit: the old size");
	check(nfree);
	grow_to(4 * SFS_GROUP_BLOCKS);
	TAP_EQ(drain_fs.f_blocks, 4 * SFS_GROUP_BLOCKS, "and from there another");
	fill_all();
	check(0);
	TAP_OK(ntaken > 3 * SFS_GROUP_BLOCKS, "which can be filled");
}

/* What waits for a lock, or looks without one, while it happens. */
static void test_beside(void)
{
	struct sfs_reach reach = { };
	struct sfs_group *before, *after;
	struct sfs_grow grow;

	start(2 * SFS_ZONE_BLOCKS, 1024);
	TAP_REQUIRE(!sfs_grow_prepare(&drain_fs, 5 * SFS_ZONE_BLOCKS, &grow), "made ready");
	TAP_REQUIRE(!sfs_zone_grow(NULL, &drain_fs, SFS_ZONE_GROUPS, &reach), "a zone is begun");
	TAP_EQ(sfs_grow(NULL, &drain_fs, &grow), -EAGAIN, "the last zone begun meanwhile");
	TAP_EQ(drain_fs.f_blocks, 2 * SFS_ZONE_BLOCKS, "keeps the size");
	TAP_EQ(grow_step(5 * SFS_ZONE_BLOCKS), 0, "and not the next time");
	drain_commit();
	drain_step(~0u);
	check(sfs_counter_read(&drain_fs.f_free));

	TAP_REQUIRE(!sfs_group_get(&drain_fs, 40, &before), "a group");
	TAP_EQ(grow_step(3000ULL * SFS_ZONE_BLOCKS), 0, "past what one directory can have");
	TAP_REQUIRE(!sfs_group_get(&drain_fs, 40, &after), "a group");
	TAP_OK(before == after, "keeps what is in memory");
	TAP_EQ(grow_step(3000ULL * SFS_ZONE_BLOCKS + SFS_ZONE_MIN - 1), 0, "too little for a zone");
	TAP_EQ(drain_fs.f_blocks, 3000ULL * SFS_ZONE_BLOCKS, "is nothing to do");
	TAP_EQ(grow_step(~0ULL), 0, "as far as the format goes");
	TAP_OK(drain_fs.f_blocks <= SFS_BLK_MAX && drain_fs.f_blocks > SFS_BLK_MAX -
	       SFS_ZONE_MIN, "%" PRIu64 " blocks", drain_fs.f_blocks);
	drain_commit();
	drain_step(~0u);
}

static u64 promised_groups;

/* Without a journal the superblock is on the device before anything else says so. */
static void is_first(void)
{
	TAP_EQ(drain_fs.f_blocks, 9 * SFS_GROUP_BLOCKS, "the superblock comes first");
	promised_groups = sfs_groups_ready(&drain_fs);
	TAP_EQ(sfs_zone_find(&drain_fs, 0)->z_group[5].g_free, 0, "before new groups");
}

static void test_order(void)
{
	s64 nfree;

	start(2 * SFS_GROUP_BLOCKS + 100, 0);
	nfree = sfs_counter_read(&drain_fs.f_free);
	drain_ordered = is_first;
	TAP_EQ(grow_step(9 * SFS_GROUP_BLOCKS), 0, "grows");
	drain_ordered = NULL;
	TAP_EQ(promised_groups, 3, "which nobody could see by then");
	TAP_OK(sfs_counter_read(&drain_fs.f_free) > nfree, "and space comes last");
	drain_commit();
	drain_step(~0u);
}

/* The block at @blk as it is in memory is on the device. */
static void arrives(u64 blk)
{
	struct sfs_buf *buf = drain_find(blk);

	sfs_block_seal(buf->data);
	buf->disk = drain_copy(buf->disk, buf->data);
}

/*
 * Without a journal: of a growth the superblock is on the device, perhaps the tail's map, and no
 * summary, when the power goes.  Then the volume is used, or grows again.
 */
static void test_cut_off(bool map, bool grows)
{
	start(2 * SFS_GROUP_BLOCKS + 100, 0);
	fill_some(20000, 0);
	drain_commit();
	TAP_EQ(grow_step(5 * SFS_GROUP_BLOCKS), 0, "grows, until the power goes");
	arrives(0);
	if (map)
		arrives(sfs_map_blk(2, SFS_MAP_USED));
	drain_step(~0u);
	drain_crash();
	drain_mount(true);
	TAP_EQ(drain_fs.f_blocks, 5 * SFS_GROUP_BLOCKS, "it has its new size, which its maps do not know");
	if (grows)
		TAP_EQ(grow_step(9 * SFS_GROUP_BLOCKS), 0, "and can grow once more");
	TAP_EQ(drain_corruptions, 0, "as nothing there is damaged");
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), sfs_counter_read(&drain_fs.f_avail), "one account");
	drain_commit();
	drain_step(~0u);
	fill_all();
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), 0, "all that is counted can be had");
	TAP_OK(ntaken > (grows ? 6ull : 1ull + map) * SFS_GROUP_BLOCKS,
	       "and is most of it: %" PRIu64 " blocks", ntaken);
	TAP_EQ(drain_corruptions, 0, "still");
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 49);
	test_made();
	test_steps(argc > 2 ? atoi(argv[2]) : 25);
	test_failures();
	test_crash();
	test_beside();
	test_order();
	test_cut_off(false, true);
	test_cut_off(true, true);
	test_cut_off(false, false);
	test_cut_off(true, false);
	drain_empty();
	free(taken);
	return tap_done();
}
