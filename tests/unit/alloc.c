// SPDX-License-Identifier: GPL-2.0-only
/*
 * alloc.c - the block allocator against two byte maps: who has each block now, and who had it at
 * the last commit.
 *
 * A block may be handed out when neither says that it is taken, and it is not busy.  Volumes from
 * the smallest to two zones are filled, emptied, crashed and damaged at random; after every commit
 * the bitmaps, their counts and the counters must tell what the maps do.
 */
#include "drain.h"

#define RUNS_MAX	60000

struct run {
	u64 blk;
	u32 nblks;
};

static u8 *now, *then;			/* per block: taken */
static u64 model_free;
static struct run runs[RUNS_MAX];
static unsigned int nruns;
static struct run busy;

static bool map_bit(u64 blk, unsigned int map)
{
	const struct sfs_bitmap_disk *disk;
	struct sfs_buf *buf;
	bool set;

	TAP_REQUIRE(!sfs_map_get(&drain_fs, blk / SFS_GROUP_BLOCKS, map, &buf), "map is read");
	disk = sfs_buf_data(buf);
	set = sfs_bits_test(disk->b_bits, blk % SFS_GROUP_BLOCKS);
	sfs_buf_put(buf);
	return set;
}

/* What a fresh volume keeps to itself, said once more in other words. */
static bool is_kept(u64 blk)
{
	u64 size = drain_fs.f_blocks;
	u64 in_zone = blk % SFS_ZONE_BLOCKS;
	u64 journal = drain_fs.f_journal_blocks;

	if (blk >= size - (size < 65536 ? 32 : 256))
		return true;
	if (blk >= SFS_ZONE_BLOCKS)
		return in_zone < 130;
	return blk < 131 + journal || (size >= 65536 && blk < 528);
}

static void model_make(u64 blocks, u32 journal_blocks)
{
	u64 blk;

	drain_make(blocks, journal_blocks);
	free(now);
	free(then);
	now = malloc(drain_fs.f_blocks);
	then = malloc(drain_fs.f_blocks);
	nruns = 0;
	model_free = 0;
	for (blk = 0; blk < drain_fs.f_blocks; blk++) {
		now[blk] = is_kept(blk);
		model_free += !now[blk];
	}
	memcpy(then, now, drain_fs.f_blocks);
}

static void model_check(void)
{
	u64 ready = min(sfs_groups_ready(&drain_fs) * SFS_GROUP_BLOCKS, drain_fs.f_blocks);
	u64 group, blk, nfree, run;
	const struct sfs_zone *zone;
	struct sfs_group *g;
	u32 i, longest;

	for (group = 0; group < sfs_groups_ready(&drain_fs); group++) {
		nfree = 0;
		run = 0;
		longest = 0;
		for (i = 0; i < sfs_group_nblks(&drain_fs, group); i++) {
			blk = group * SFS_GROUP_BLOCKS + i;
			nfree += !now[blk];
			run = now[blk] ? 0 : run + 1;
			longest = max_t(u32, longest, run);
			if (blk % 64 == drain_op % 64)
				DRAIN_REQUIRE(map_bit(blk, SFS_MAP_USED) == now[blk],
					      "bit of block %" PRIu64, blk);
		}
		DRAIN_REQUIRE(!sfs_group_get(&drain_fs, group, &g), "group");
		DRAIN_REQUIRE(g->g_free == nfree, "free blocks of group %" PRIu64, group);
		DRAIN_REQUIRE(g->g_run >= longest, "g_run of group %" PRIu64 " is a bound", group);
		zone = sfs_zone_find(&drain_fs, group / SFS_ZONE_GROUPS);
		DRAIN_REQUIRE(zone->z_run >= g->g_run, "z_run of its zone is one, too");
		DRAIN_REQUIRE(drain_fs.f_run >= zone->z_run, "and f_run");
	}
	for (blk = ready; blk < drain_fs.f_blocks; blk++)
		DRAIN_REQUIRE(now[blk] == is_kept(blk), "untouched zones are");
	DRAIN_REQUIRE((u64)sfs_counter_read(&drain_fs.f_free) == model_free, "f_free is true");
}

static bool may_have(u64 blk)
{
	return !now[blk] && !then[blk] && (blk < busy.blk || blk - busy.blk >= busy.nblks);
}

static void give(u64 blk, u32 nblks)
{
	u32 i;

	for (i = 0; i < nblks; i++) {
		DRAIN_REQUIRE(may_have(blk + i), "block %" PRIu64 " was free, before and now, and not busy",
			      blk + i);
		now[blk + i] = true;
	}
	model_free -= nblks;
	TAP_REQUIRE(nruns < RUNS_MAX, "room for the test's runs");
	runs[nruns].blk = blk;
	runs[nruns++].nblks = nblks;
}

static bool any_to_have(void)
{
	u64 blk;

	for (blk = 0; blk < drain_fs.f_blocks; blk++)
		if (may_have(blk))
			return true;
	return false;
}

static void op_alloc(u32 want_max)
{
	u64 goal = ram_random(4) ? ram_random(min_t(u64, drain_fs.f_blocks, ~0u)) : 0;
	unsigned int flags = ram_random(3) ? 0 : SFS_ALLOC_POOL;
	u32 want = 1 + ram_random(want_max);
	s64 claimed = sfs_counter_read(&drain_fs.f_free) - sfs_counter_read(&drain_fs.f_avail);
	bool mine = !ram_random(4) && !sfs_space_claim(&drain_fs, want, flags);
	u64 blk = 0;
	u32 n = 0;
	int err;

	err = sfs_alloc_blks(NULL, &drain_fs, goal, want, flags | (mine ? SFS_ALLOC_CLAIMED : 0),
			     &blk, &n);
	if (err) {
		DRAIN_REQUIRE(err == -ENOSPC || err == -EAGAIN, "no error but of space");
		DRAIN_REQUIRE(!mine || err == -EAGAIN, "who has a promise only waits");
		if (mine || flags || sfs_space_available(&drain_fs))
			DRAIN_REQUIRE(!any_to_have(), "ENOSPC is true");
	} else {
		DRAIN_REQUIRE(n && n <= want, "length of a run");
		if (goal && may_have(goal) &&
		    goal / SFS_GROUP_BLOCKS < sfs_groups_ready(&drain_fs))
			DRAIN_REQUIRE(blk == goal, "the goal is free and taken");
		give(blk, n);
	}
	if (mine)
		sfs_space_unclaim(&drain_fs, want - n);
	DRAIN_REQUIRE(sfs_counter_read(&drain_fs.f_free) - sfs_counter_read(&drain_fs.f_avail) ==
		      claimed, "no claim is lost");
	drain_step(SFS_CREDITS_ALLOC);
}

static void op_free(void)
{
	struct run *r;
	u64 blk;
	u32 n;

	if (!nruns)
		return;
	r = &runs[ram_random(nruns)];
	n = ram_random(2) ? r->nblks : 1 + ram_random(r->nblks);
	blk = r->blk + (ram_random(2) ? r->nblks - n : 0);
	if (blk > r->blk || n == r->nblks) {
		r->nblks -= n;
	} else {
		r->blk += n;
		r->nblks -= n;
	}
	if (!r->nblks)
		*r = runs[--nruns];
	DRAIN_REQUIRE(!sfs_free_blks(NULL, &drain_fs, blk, n), "a run is freed");
	memset(now + blk, 0, n);
	model_free += n;
	drain_step(2 + (n + SFS_GROUP_BLOCKS - 2) / SFS_GROUP_BLOCKS);
}

/* Freed twice, or what never was allocated: reported, nothing changes. */
static void op_free_wrong(void)
{
	u64 blk = ram_random(min_t(u64, drain_fs.f_blocks, ~0u));
	u32 n = 1 + ram_random(64);
	unsigned int before = drain_corruptions;
	u32 i;

	for (i = 0; i < n; i++)
		if (blk + i >= drain_fs.f_blocks || !now[blk + i])
			break;
	if (i == n && sfs_blk_is_valid(&drain_fs, blk, n))
		return;
	DRAIN_REQUIRE(sfs_free_blks(NULL, &drain_fs, blk, n) == -EFSCORRUPTED, "double free");
	DRAIN_REQUIRE(drain_corruptions == before + 1, "and it is reported, once");
	drain_step(0);
}

static void busy_end(void)
{
	sfs_busy_end(&drain_fs);
	busy.nblks = 0;
}

/* What is busy next of a group, begun or not: the first run that may be had and is long enough. */
static void busy_begin(u64 group, u32 *from, u32 to, u32 min)
{
	u64 first = group * SFS_GROUP_BLOCKS;
	u32 end = min(to, sfs_group_nblks(&drain_fs, group));
	u32 at = *from, n = 0;
	struct run got;

	while (n < min && at + n < end) {
		if (may_have(first + at + n)) {
			n++;
			continue;
		}
		at += n + 1;
		n = 0;
	}
	while (n >= min && at + n < end && may_have(first + at + n))
		n++;
	DRAIN_REQUIRE(!sfs_busy_begin(NULL, &drain_fs, group, from, to, min, &got.blk, &got.nblks),
		      "a run is looked for");
	n = n < min ? 0 : n;
	DRAIN_REQUIRE(got.nblks == n && (!n || got.blk == first + at), "the first that there is");
	DRAIN_REQUIRE(*from == (n ? at + n : to), "and where to go on");
	busy = got;
	drain_step(1);
}

static void op_busy(void)
{
	u64 group = ram_random(drain_fs.f_groups);
	u32 nbits = sfs_group_nblks(&drain_fs, group);
	u32 from = ram_random(nbits);
	u32 to = from + ram_random(nbits);

	busy_end();
	if (ram_random(4))
		busy_begin(group, &from, to, ram_random(2) ? 1 : 1 + ram_random(100));
}

/* Any call fails at any place: nothing has happened then. */
static void op_fault(void)
{
	struct run *r = nruns ? &runs[ram_random(nruns)] : NULL;
	u64 blk;
	u32 n;
	int err;

	drain_fail_in = ram_random(6);
	if (r && ram_random(2)) {
		err = sfs_free_blks(NULL, &drain_fs, r->blk, r->nblks);
		if (!err) {
			memset(now + r->blk, 0, r->nblks);
			model_free += r->nblks;
			*r = runs[--nruns];
		}
	} else {
		err = sfs_alloc_blks(NULL, &drain_fs, 0, 1 + ram_random(50), 0, &blk, &n);
		if (!err)
			give(blk, n);
	}
	DRAIN_REQUIRE(!err || err == -ENOSPC || err == -EAGAIN || drain_failed,
		      "no error without a fault");
	drain_step(~0u);
}

static void commit(void)
{
	drain_commit();
	drain_check_summaries();
	memcpy(then, now, drain_fs.f_blocks);
}

static void crash(void)
{
	unsigned int i;
	u64 blk;

	busy_end();
	/* Runs do not come back: after a crash the test only knows which blocks are taken. */
	drain_crash();
	drain_mount(true);
	drain_check_summaries();
	memcpy(now, then, drain_fs.f_blocks);
	model_free = 0;
	for (blk = 0; blk < drain_fs.f_blocks; blk++)
		model_free += !now[blk];
	for (i = 0; i < nruns; i++) {
		for (blk = runs[i].blk; blk < runs[i].blk + runs[i].nblks; blk++)
			if (!now[blk])
				break;
		if (blk < runs[i].blk + runs[i].nblks)
			runs[i--] = runs[--nruns];
	}
	model_check();
}

static void random_ops(u64 blocks, u32 journal_blocks, u32 want_max, u64 nops)
{
	unsigned int bias = 5;
	u64 i;

	model_make(blocks, journal_blocks);
	model_check();
	for (i = 0; i < nops; i++) {
		u32 what = ram_random(1000);

		if (i % 4096 == 0)
			bias = 2 + ram_random(7);	/* now it fills, now it empties */
		if (what < 2)
			op_fault();
		else if (what < 4)
			op_free_wrong();
		else if (what < 10)
			commit();
		else if (what < 12)
			op_busy();
		else if (ram_random(10) < bias && nruns < RUNS_MAX - 1)
			op_alloc(ram_random(8) ? want_max : 4);
		else
			op_free();
		if (i % 20000 == 0)
			model_check();
		if (i % 200000 == 199999)
			crash();
	}
	busy_end();
	commit();
	model_check();
	crash();
	TAP_OK(!drain_shutdowns, "%" PRIu64 " blocks, journal of %u: %" PRIu64 " random operations",
	       blocks, journal_blocks, nops);
}

/* Sequential writers get one long run, however small their steps. */
static void test_contiguous(void)
{
	u64 blk, goal = 0;
	u32 n, i, breaks = 0;

	model_make(100000, 2048);
	for (i = 0; i < 2000; i++) {
		TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, goal, 7, 0, &blk, &n), "allocates");
		breaks += goal && blk != goal;
		give(blk, n);
		goal = blk + n;
		drain_step(SFS_CREDITS_ALLOC);
	}
	TAP_EQ(breaks, 0, "14000 blocks in steps of 7 are one run");
}

/* Zones begin when they are needed, and a volume can be filled to its last block. */
static void test_zones(void)
{
	u64 blk, total = 0, want;
	u32 n;

	model_make(2 * SFS_ZONE_BLOCKS + 5000, 4096);
	want = model_free;
	TAP_EQ(drain_fs.f_zones, 1, "a new volume has one zone begun");
	while (!sfs_alloc_blks(NULL, &drain_fs, 0, 30000, SFS_ALLOC_POOL, &blk, &n)) {
		if (total == 0)
			TAP_EQ(drain_fs.f_zones, 1, "the first run needs no other");
		give(blk, n);
		total += n;
		drain_step(SFS_CREDITS_ALLOC);
	}
	drain_step(0);
	TAP_EQ(drain_fs.f_zones, 3, "a full one has all");
	TAP_EQ(total, want, "every block can be had");
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), 0, "and none is left");
	model_check();
	commit();
	crash();
	TAP_EQ(model_free, 0, "so it is after a crash");
	TAP_OK(!sfs_free_blks(NULL, &drain_fs, SFS_ZONE_BLOCKS + 130, SFS_ZONE_BLOCKS - 130),
	       "a run of a whole zone is freed at once");
	drain_step(SFS_CREDITS_PUNCH);
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), SFS_ZONE_BLOCKS - 130, "and counted");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 1, 0, &blk, &n), -EAGAIN,
	       "but not handed out before the commit");
	drain_commit();
	drain_step(0);
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 1, 0, &blk, &n), 0, "but after it");
	drain_step(SFS_CREDITS_ALLOC);
}

/* Where no zone has been begun one may be at any time, but what is busy there is nobody's. */
static void test_busy(void)
{
	u64 group, blk, total = 0;
	u32 n, from, left;
	int err;

	model_make(2 * SFS_ZONE_BLOCKS + 5000, 4096);
	for (group = SFS_ZONE_GROUPS; group < drain_fs.f_groups; group++) {
		from = 0;
		busy_begin(group, &from, SFS_GROUP_BLOCKS, 1);
		total += busy.nblks;
		busy_end();
	}
	TAP_EQ(total, SFS_ZONE_BLOCKS + 5000 - 256 - 2 * 130, "all but the heads and the tail");
	from = 0;
	busy_begin(SFS_ZONE_GROUPS, &from, 20000, 1);
	left = busy.nblks;
	TAP_EQ(left, 20000 - 130, "some of a zone that is not begun is busy");
	while (!(err = sfs_alloc_blks(NULL, &drain_fs, 0, 30000, SFS_ALLOC_POOL, &blk, &n))) {
		give(blk, n);
		drain_step(SFS_CREDITS_ALLOC);
	}
	drain_step(0);
	TAP_EQ(drain_fs.f_zones, 3, "zones are begun all the same");
	TAP_EQ(err, -EAGAIN, "who wants more than the rest has to wait");
	TAP_EQ(model_free, left, "and the rest is what is busy");
	busy_end();
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 30000, SFS_ALLOC_POOL, &blk, &n), 0, "until it ends");
	TAP_EQ(n, left, "then all of it is there");
	drain_step(SFS_CREDITS_ALLOC);
}

/* Of a group that is just freed, and not committed, no run is busy; that is found out soon. */
static void test_busy_pending(void)
{
	u32 n = 1, from = 0;
	u64 blk;

	drain_make(4 * SFS_GROUP_BLOCKS, 0);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, SFS_GROUP_BLOCKS, 30000, 0, &blk, &n), "taken");
	drain_commit();
	TAP_REQUIRE(!sfs_free_blks(NULL, &drain_fs, blk, n) && n == 30000, "and freed");
	drain_asked = 0;
	sfs_busy_begin(NULL, &drain_fs, 1, &from, SFS_GROUP_BLOCKS, 4096, &blk, &n);
	TAP_OK(!n && drain_asked < 200 * SFS_GROUP_BLOCKS, "%" PRIu64 " bits", drain_asked);
	drain_step(~0u);
}

/* Promises are kept: nobody else gets what was claimed, nor the pool without asking. */
static void test_claims(void)
{
	u64 blk, left;
	u32 n;

	model_make(40000, 1024);
	left = sfs_space_available(&drain_fs);
	TAP_EQ(left, model_free - 40000 / 50, "a fiftieth is the pool's");
	TAP_EQ(sfs_space_claim(&drain_fs, left + 1, 0), -ENOSPC, "more than there is");
	TAP_EQ(sfs_space_claim(&drain_fs, ~0ULL, 0), -ENOSPC, "far more than there is");
	TAP_EQ(sfs_space_claim(&drain_fs, left - 3, 0), 0, "all but three");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 10, 0, &blk, &n), 0, "three are left");
	TAP_EQ(n, 3, "and no more");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 10, 0, &blk, &n), -ENOSPC, "then none");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 10, SFS_ALLOC_POOL, &blk, &n), 0, "but the pool's");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 10, SFS_ALLOC_CLAIMED, &blk, &n), 0,
	       "and the claimed ones");
	TAP_EQ(sfs_counter_read(&drain_fs.f_free) - sfs_counter_read(&drain_fs.f_avail),
	       left - 3 - n, "which use up the claim");
	sfs_space_unclaim(&drain_fs, left - 3 - n);
	drain_step(~0u);
}

/* Who counts may see a run before who freed it has raised the bounds. */
static void test_bounds(void)
{
	const struct sfs_zone *zone;
	struct sfs_group *g;
	u32 run;

	model_make(40000, 1024);
	TAP_REQUIRE(!sfs_group_get(&drain_fs, 0, &g), "a group");
	zone = sfs_zone_find(&drain_fs, 0);
	run = g->g_run;
	TAP_REQUIRE(!sfs_group_get(&drain_fs, 1, &g), "the other");
	g->g_run = 0;
	sfs_zone_run_count(&drain_fs, 0);
	sfs_run_count(&drain_fs);
	TAP_OK(zone->z_run == run && drain_fs.f_run == run, "the longest of both");
	g->g_run = run + 1;
	sfs_zone_run_count(&drain_fs, 0);
	sfs_zone_run_raise(&drain_fs, 0, run + 1);
	TAP_OK(zone->z_run == run + 1 && drain_fs.f_run == run + 1, "who counts first hides no raise");
}

/* Bitmaps under a right crc that cannot be true. */
static void test_lies(void)
{
	static const struct {
		const char *what;
		u64 group;
		unsigned int map, count, bit;
	} lies[] = {
		{ "a free superblock", 0, SFS_MAP_USED, 1, 0 },
		{ "a free block of the journal", 0, SFS_MAP_USED, 1, 1000 },
		{ "free blocks past the end", 1, SFS_MAP_USED, 1, 40000 - SFS_GROUP_BLOCKS },
		{ "a wrong count of free blocks", 1, SFS_MAP_USED, 1, 0 },
		{ "a free count beyond all", 1, SFS_MAP_USED, ~0u, SFS_GROUP_BLOCKS },
		{ "an inode block in the journal", 0, SFS_MAP_INODE, 1, 500 },
		{ "an inode block past the end", 1, SFS_MAP_INODE, 1, 32000 },
		{ "a wrong count of inode blocks", 1, SFS_MAP_INODE, 2, 7 },
		{ "room for no inode", 1, SFS_MAP_ROOM, 0, 7 },
		{ "room for 8 in a block in use", 1, SFS_MAP_ROOM, 8, 7 },
		{ "a wrong count of orphans", 1, SFS_MAP_ORPHAN, 0, 7 },
		{ "bitmaps of missing groups", 2, SFS_MAP_INODE, 1, 7 },
	};
	struct sfs_bitmap_disk map;
	unsigned int i;
	u64 blk;

	drain_make(40000, 1024);
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		blk = sfs_map_blk(lies[i].group, lies[i].map);
		memcpy(&map, drain_find(blk)->disk, sizeof(map));
		TAP_REQUIRE(!sfs_block_verify_any(&drain_fs, &map, blk), "the truth verifies");
		map.b_count = cpu_to_le32(le32_to_cpu(map.b_count) + lies[i].count);
		if (lies[i].bit < SFS_GROUP_BLOCKS)
			map.b_bits[lies[i].bit / 8] ^= 1 << lies[i].bit % 8;
		sfs_block_seal(&map);
		TAP_OK(sfs_block_verify_any(&drain_fs, &map, blk), "%s", lies[i].what);
	}
}

/*
 * Counting that can read neither the summary nor a map must say so: no number tells that groups
 * were left out.
 */
static void test_recount(void)
{
	long left;
	int err = -EIO;

	drain_make(40000, 0);
	drain_bad = sfs_summary_blk(0);
	for (left = 0; err; left++) {
		drain_mount(false);
		drain_fail_in = left;
		drain_broken = true;
		err = sfs_fs_recount(&drain_fs, NULL);
		if (drain_failed)
			TAP_REQUIRE(err == -EIO, "recount fails with read %ld", left);
		drain_step(0);
	}
	TAP_EQ(left, 2 * SFS_MAPS + 1, "every read of a map that fails fails the recount");
	drain_bad = 0;
}

/* Blocks of metadata are forgotten, then free, and not had before the commit. */
static void test_meta(void)
{
	static const struct sfs_block_ops any = { .b_magic = SFS_MAGIC_NODE, .b_name = "block" };
	struct sfs_buf *buf;
	u64 blk, again;
	u32 n;

	drain_make(40000, 1024);
	TAP_REQUIRE(!sfs_alloc_blks(NULL, &drain_fs, 0, 1, 0, &blk, &n), "a block is taken");
	TAP_REQUIRE(!sfs_buf_new(NULL, &drain_fs, blk, &any, 0, &buf), "and made");
	drain_commit();
	TAP_EQ(sfs_free_meta_ready(NULL, &drain_fs, blk), 0, "its map is at hand");
	TAP_EQ(sfs_free_meta(NULL, &drain_fs, buf), 0, "it is free");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, blk, 1, 0, &again, &n), 0, "one is taken");
	TAP_OK(again != blk, "but not this one, before the commit");
	drain_commit();
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, blk, 1, 0, &again, &n), 0, "one is taken");
	TAP_EQ(again, blk, "it can be had after the commit");
	drain_step(~0u);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_meta();
	test_recount();
	test_contiguous();
	test_claims();
	test_bounds();
	test_zones();
	test_busy();
	test_busy_pending();
	test_lies();
	random_ops(256, 0, 8, 500000);
	random_ops(3000, 1024, 60, 500000);
	random_ops(40000, 0, 40, 800000);
	random_ops(3 * SFS_GROUP_BLOCKS + 10, 2048, 3000, 200000);
	random_ops(SFS_ZONE_BLOCKS + 700, 8192, 40000, 4000);
	drain_empty();
	free(now);
	free(then);
	return tap_done();
}
