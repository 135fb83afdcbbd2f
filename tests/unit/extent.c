// SPDX-License-Identifier: GPL-2.0-only
/*
 * extent.c - the extent map against an array that says where each block is.
 *
 * Random allocations, insertions, conversions and punches, a good part of them with a failure on
 * their way.  After each the array says what the map must be: as asked, or as it was.  Since the
 * map joins all that can be joined, its records are the array's maximal runs, so not one record
 * more or less is accepted; and the volume holds the mapped blocks and the tree's nodes, no others.
 */
#include "ram.h"

#define NBLKS	3000
#define STEPS	1000000
#define DATA_MAX	12000

struct cell {
	u64 blk;		/* 0: hole */
	bool unwritten;
};

static struct cell model[NBLKS];
static u64 base;			/* lblk of model[0] */
static u64 mapped;			/* cells that are no hole */
static struct sfs_inode in;
static unsigned int ndone[5], nfailed[5], nshutdowns;
static u64 step_no;

#define REQUIRE(cond) TAP_REQUIRE(cond, "seed %" PRIu64 ", step %" PRIu64, ram_seed, step_no)

static bool joins(unsigned int i)
{
	return i && i < NBLKS && model[i].blk && model[i - 1].blk + 1 == model[i].blk &&
	       model[i - 1].blk && model[i - 1].unwritten == model[i].unwritten;
}

static unsigned int run_start(unsigned int i)
{
	while (joins(i))
		i--;
	return i;
}

/* The end of what begins at @i: a run of one state, or a hole. */
static unsigned int run_end(unsigned int i)
{
	bool hole = !model[i].blk;

	for (i++; i < NBLKS && (hole ? !model[i].blk : joins(i)); i++)
		;
	return i;
}

static void check_find(unsigned int i)
{
	struct sfs_extent ext;
	unsigned int end = run_end(i);
	u64 limit = base + end;

	if (end == NBLKS && !model[i].blk)
		limit = SFS_LBLK_MAX + 1;
	REQUIRE(!sfs_extent_find(&in, base + i, &ext));
	REQUIRE(ext.e_lblk == base + i && ext.e_blk == model[i].blk);
	REQUIRE(ext.e_lblk + ext.e_nblks == limit);
	REQUIRE(!ext.e_blk || ext.e_unwritten == model[i].unwritten);
}

/* Walks the whole map. */
static void check_all(void)
{
	unsigned int i = 0;
	unsigned int n = 0;
	struct sfs_extent ext;
	u64 at = 0;

	ram_step();
	while (i < NBLKS) {
		if (!model[i].blk) {
			i++;
			continue;
		}
		REQUIRE(!sfs_extent_next(&in, at, &ext));
		REQUIRE(ext.e_lblk == base + i && ext.e_blk == model[i].blk);
		REQUIRE(ext.e_nblks == run_end(i) - i && ext.e_unwritten == model[i].unwritten);
		i += ext.e_nblks;
		at = base + i;
		n++;
	}
	REQUIRE(at > SFS_LBLK_MAX || sfs_extent_next(&in, at, &ext) == -ENOENT);
	/* One used block is the inode's own. */
	REQUIRE(ram_used - 1 == in.i_blocks && in.i_blocks >= mapped);
	REQUIRE(!ram_corruptions);
}

static void set_cells(unsigned int i, unsigned int n, u64 blk, bool unwritten)
{
	for (; n--; i++) {
		mapped += !!blk - !!model[i].blk;
		model[i].blk = blk;
		model[i].unwritten = unwritten;
		blk += !!blk;
	}
}

static int try_alloc(unsigned int i, unsigned int n)
{
	bool unwritten = ram_random(3);
	unsigned int end = run_end(i);
	struct sfs_extent ext;
	int err;

	n = min(n, NBLKS - i);
	err = sfs_extent_alloc(NULL, &in, base + i, n, unwritten,
			       ram_random(2) ? SFS_ALLOC_CLAIMED : 0, &ext);
	if (model[i].blk) {
		REQUIRE(err == -EEXIST || (err && ram_failed));
		return err;
	}
	if (err)
		return err;
	REQUIRE(ext.e_lblk == base + i && ext.e_nblks && ext.e_nblks <= min(n, end - i));
	REQUIRE(ext.e_unwritten == unwritten);
	set_cells(i, ext.e_nblks, ext.e_blk, unwritten);
	return 0;
}

/* Blocks taken by hand, most often just where they join the extent before or behind. */
static int try_insert(unsigned int i, unsigned int n)
{
	struct sfs_extent ext = { .e_lblk = base + i, .e_unwritten = ram_random(2) };
	unsigned int end = run_end(i);
	unsigned int k;
	int err;

	n = min(n, NBLKS - i);
	if (end < NBLKS && ram_random(4))
		n = min(n, end - i);
	ext.e_nblks = n;
	ext.e_blk = RAM_FIRST + ram_random(RAM_BLOCKS - RAM_FIRST - NBLKS);
	if (i && model[i - 1].blk && ram_random(2))
		ext.e_blk = model[i - 1].blk + 1;
	else if (i + n < NBLKS && model[i + n].blk > RAM_FIRST + n && ram_random(4))
		ext.e_blk = model[i + n].blk - n;
	if (!sfs_blk_is_valid(&ram_fs, ext.e_blk, n))
		return 0;
	for (k = 0; k < n; k++)
		if (ram_blocks[ext.e_blk + k].used)
			return 0;
	for (k = 0; k < n; k++)
		ram_blocks[ext.e_blk + k].used = true;
	ram_used += n;
	err = sfs_extent_insert(NULL, &in, &ext, 0);
	if (model[i].blk || n > end - i)
		REQUIRE(err == -EEXIST || (err && ram_failed));
	if (!err) {
		set_cells(i, n, ext.e_blk, ext.e_unwritten);
		return 0;
	}
	for (k = 0; k < n; k++)
		ram_blocks[ext.e_blk + k].used = false;
	ram_used -= n;
	return err;
}

static int try_convert(unsigned int i, unsigned int n)
{
	bool unwritten = ram_random(2);
	unsigned int end = min(i + n, (unsigned int)NBLKS);
	unsigned int changed, nblks;
	unsigned int first, k;
	u64 done, ret_changed;
	int err;

	first = i;
	while (first < end) {
		ram_steps++;
		err = sfs_extent_convert(NULL, &in, base + first, end - first, unwritten, &done,
					 &ret_changed);
		if (err)
			return err;
		REQUIRE(done > base + first && done <= base + end);
		for (k = first, changed = nblks = 0; k < done - base; k++) {
			if (!model[k].blk || model[k].unwritten == unwritten)
				continue;
			/* One record a call: what changes is one run. */
			changed += !k || k == first || !joins(k);
			nblks++;
		}
		REQUIRE(changed <= 1 && ret_changed == nblks);
		for (k = first; k < done - base; k++)
			model[k].unwritten = unwritten && model[k].blk;
		first = done - base;
	}
	return 0;
}

static int try_punch(unsigned int i, unsigned int n)
{
	unsigned int end = min(i + n, (unsigned int)NBLKS);
	bool all = end == NBLKS && ram_random(2);
	unsigned int last, first;
	int more;

	do {
		for (last = end; last > i && !model[last - 1].blk; last--)
			;
		ram_steps++;
		more = sfs_extent_punch(NULL, &in, base + i, all ? SFS_LBLK_MAX + 1 : base + end);
		if (more < 0)
			return more;
		if (last == i) {
			REQUIRE(more == 1);
			break;
		}
		first = max(run_start(last - 1), i);
		set_cells(first, last - first, 0, false);
		REQUIRE(more == (first == i));
	} while (!more);
	return 0;
}

static void fresh_file(void)
{
	static const u64 bases[] = { 0, 1, 1ULL << 40, SFS_LBLK_MAX + 1 - NBLKS };

	ram_reset();
	memset(model, 0, sizeof(model));
	mapped = 0;
	base = bases[ram_random(4)];
	ram_inode(&in, RAM_FIRST + 5, SFS_TYPE_REG << SFS_TYPE_SHIFT);
}

static void one_step(unsigned int phase)
{
	/* How much of each: growing, churning in small pieces, shrinking. */
	static const unsigned int weight[3][4] = {
		{ 6, 3, 2, 1 }, { 3, 3, 4, 4 }, { 1, 1, 2, 6 },
	};
	static int (*const op[4])(unsigned int, unsigned int) = {
		try_alloc, try_insert, try_convert, try_punch,
	};
	unsigned int i = ram_random(NBLKS);
	unsigned int n = 1 + ram_random(ram_random(4) ? 6 : 100);
	unsigned int pick = ram_random(12);
	unsigned int what;
	int err;

	for (what = 0; what < 3 && pick >= weight[phase][what]; what++)
		pick -= weight[phase][what];
	if (mapped > DATA_MAX)
		what = 3;
	ram_step();
	REQUIRE(!sfs_inode_begin(NULL, &in));
	/* Write access to the inode's block is had, whatever step of a loop this is. */
	ram_fail_in = ram_random(6) ? -1 : (long)ram_random(14);
	err = op[what](i, n);
	ram_fail_in = -1;
	ram_blocks[sfs_ino_blk(in.i_ino)].step = ram_steps;
	sfs_inode_end(NULL, &in);
	ndone[what] += !err;
	nfailed[what] += err && ram_failed;
	REQUIRE(!err || ram_failed || err == -EEXIST);
	if (ram_shutdowns) {
		REQUIRE(ram_failed);
		nshutdowns++;
		fresh_file();
		return;
	}
	check_find(ram_random(NBLKS));
	check_find(i);
}

static void test_random(void)
{
	unsigned int phase = 0;

	fresh_file();
	for (step_no = 0; step_no < STEPS; step_no++) {
		if (step_no % 4000 == 0)
			phase = ram_random(3);
		if (step_no % 100000 == 0)
			fresh_file();
		one_step(phase);
		if (step_no % 50 == 0)
			check_all();
	}
	check_all();
	TAP_OK(true, "map equals the model after %d steps", STEPS);
	printf("# done: %u alloc %u insert %u convert %u punch; failed: %u %u %u %u, %u shut down\n",
	       ndone[0], ndone[1], ndone[2], ndone[3], nfailed[0], nfailed[1], nfailed[2],
	       nfailed[3], nshutdowns);
	TAP_OK(nfailed[0] > 100 && nfailed[1] > 100 && nfailed[2] > 100 && nfailed[3] > 100,
	       "each operation was made to fail, and undid itself");
	TAP_OK(nshutdowns < (nfailed[0] + nfailed[1] + nfailed[2] + nfailed[3]) / 20,
	       "few failures come too late to be undone");
}

static void put_raw(u64 lblk, u64 start, u32 nblks)
{
	struct sfs_extent_disk disk = { cpu_to_le64(start), cpu_to_le32(nblks) };

	TAP_REQUIRE(!sfs_tree_insert(NULL, &in, sfs_key(SFS_KIND_EXTENT, lblk), &disk,
				     sizeof(disk), 0), "a record is put in by hand");
}

static void test_overlap(void)
{
	struct sfs_extent ext = { .e_lblk = 12, .e_blk = 2000, .e_nblks = 1 };

	ram_step();
	fresh_file();
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	put_raw(10, 1000, 8);
	put_raw(14, 3000, 8);
	in.i_blocks = 16;
	TAP_EQ(sfs_extent_find(&in, 12, &ext), -EFSCORRUPTED, "find sees the overlap");
	TAP_EQ(sfs_extent_alloc(NULL, &in, 12, 1, false, 0, &ext), -EFSCORRUPTED, "alloc too");
	TAP_EQ(sfs_extent_punch(NULL, &in, 0, 13), -EFSCORRUPTED, "punch too");
	TAP_EQ(ram_corruptions, 3, "each reported once");
	TAP_OK(!strcmp(ram_why, "extents overlap"), "in words");
	TAP_EQ(sfs_extent_punch(NULL, &in, 20, SFS_LBLK_MAX + 1), -EFSCORRUPTED,
	       "blocks that nobody took are not freed");
	TAP_OK(!sfs_extent_find(&in, 20, &ext) && ext.e_nblks == 2, "and stay mapped");
	sfs_inode_end(NULL, &in);
}

/* Blocks that the caller owns go in before an extent, up to it and not into it. */
static void test_insert_before(void)
{
	struct sfs_extent ext = { .e_lblk = 50, .e_blk = 2000, .e_nblks = 4 };

	ram_step();
	fresh_file();
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	put_raw(100, 1000, 8);
	TAP_EQ(sfs_extent_insert(NULL, &in, &ext, 0), 0, "insert far before an extent");
	ext = (struct sfs_extent) { .e_lblk = 98, .e_blk = 3000, .e_nblks = 3 };
	TAP_EQ(sfs_extent_insert(NULL, &in, &ext, 0), -EEXIST, "but not into it");
	ext.e_nblks = 2;
	TAP_EQ(sfs_extent_insert(NULL, &in, &ext, 0), 0, "up to it");
	TAP_OK(!sfs_extent_next(&in, 54, &ext) && ext.e_lblk == 98 && ext.e_nblks == 2,
	       "which is found before it");
	sfs_inode_end(NULL, &in);
}

/* A root with room for one record more, and an edit that needs two: none may be put in. */
static void test_no_space(void)
{
	const unsigned int fit = (SFS_ROOT_BYTES - sizeof(struct sfs_node_disk)) /
				 (sizeof(struct sfs_slot_disk) + sizeof(struct sfs_extent_disk));
	struct sfs_extent ext;
	unsigned int i;
	u64 done = 77, changed;

	ram_step();
	fresh_file();
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	for (i = 0; i + 1 < fit; i++)
		put_raw(10 * i, (1000 + 10 * i) | SFS_EXTENT_UNWRITTEN, 3);
	TAP_OK(!sfs_extent_nodes(&in, 1, 1) && sfs_extent_nodes(&in, 2, 1),
	       "one more fits into the inode");
	ram_fail_in = 0;
	TAP_EQ(sfs_extent_convert(NULL, &in, 51, 1, false, &done, &changed), -ENOSPC,
	       "no block for a node");
	TAP_OK(done == 77 && !ram_shutdowns, "nothing was begun");
	TAP_OK(!sfs_extent_find(&in, 50, &ext) && ext.e_nblks == 3 && ext.e_unwritten,
	       "the extent is as it was");
	TAP_EQ(sfs_extent_convert(NULL, &in, 51, 1, false, &done, &changed), 0,
	       "with a block it goes");
	TAP_OK(done == 52 && changed == 1, "as far as asked, a block of it");
	TAP_OK(!sfs_extent_find(&in, 51, &ext) && ext.e_nblks == 1 && !ext.e_unwritten,
	       "and the middle is written");
	TAP_OK(!sfs_extent_find(&in, 52, &ext) && ext.e_nblks == 1 && ext.e_unwritten,
	       "what is behind is not");
	sfs_inode_end(NULL, &in);
}

/*
 * Leaves that were filled in rising order have no room left: a block written in the middle of an
 * extent of each splits them all.  Written: of @apart extents the first @some.
 */
static void spread(unsigned int nextents, unsigned int apart, unsigned int some)
{
	u64 done, changed, before, wanted, n;
	unsigned int i;

	ram_step();
	fresh_file();
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	for (i = 0; i < nextents; i++)
		put_raw(4ULL * i, (1000 + i % 1000 * 10) | SFS_EXTENT_UNWRITTEN, 3);
	for (i = 0, n = 0; i < nextents; i++)
		n += i % apart < some;
	wanted = sfs_extent_nodes(&in, 2 * n, n);
	before = in.i_blocks;
	for (i = 0; i < nextents; i++)
		TAP_REQUIRE(i % apart >= some ||
			    (!sfs_extent_convert(NULL, &in, 4ULL * i + 1, 1, false, &done,
						 &changed) && changed == 1),
			    "a block of extent %u is written", i);
	TAP_OK(in.i_blocks - before <= wanted && wanted <= 6 * (in.i_blocks - before) + 40,
	       "%u extents, %u of %u written: %" PRIu64 " nodes wanted, %" PRIu64 " taken", nextents,
	       some, apart, wanted, in.i_blocks - before);
	sfs_inode_end(NULL, &in);
}

/* Single blocks come to a hole from its end on, in pairs of which the lower comes first. */
static void test_pairs(void)
{
	const u64 npairs = 20000, hole = 1000000;
	u64 i, before, wanted;

	ram_step();
	fresh_file();
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	for (i = 0; i < 400; i++)
		put_raw(i < 200 ? 4 * i : hole + 4 * i, 1000 + 10 * i, 1);
	wanted = sfs_extent_nodes(&in, 2 * npairs, 2 * npairs);
	before = in.i_blocks;
	for (i = npairs; i--;) {
		put_raw(2000 + 20 * i, 1000, 1);
		put_raw(2000 + 20 * i + 10, 2000, 1);
	}
	TAP_OK(in.i_blocks - before <= wanted, "pairs from the end on: %" PRIu64 " nodes wanted, %"
	       PRIu64 " taken", wanted, in.i_blocks - before);
	sfs_inode_end(NULL, &in);
}

static void test_spread(void)
{
	static const unsigned int aparts[] = { 1, 2, 10, 84, 167, 500, 20000 };
	unsigned int i;

	for (i = 0; i < sizeof(aparts) / sizeof(aparts[0]); i++) {
		spread(1500, aparts[i], 1);
		spread(17000, aparts[i], 1);
		spread(100000, aparts[i], 1);
	}
	for (i = 2; i < 12; i++)
		spread(40000, 167, i);
}

static void test_verify(void)
{
	static const struct {
		u64 pos, start;
		u32 len;
		bool good;
	} row[] = {
		{ 0, RAM_FIRST, 1, true },
		{ 0, RAM_FIRST | SFS_EXTENT_UNWRITTEN, 7, true },
		{ SFS_LBLK_MAX, RAM_FIRST, 1, true },
		{ SFS_LBLK_MAX, RAM_FIRST, 2, false },
		{ SFS_LBLK_MAX + 1, RAM_FIRST, 1, false },
		{ 0, RAM_FIRST, 0, false },
		{ 0, RAM_FIRST - 1, 1, false },
		{ 0, RAM_BLOCKS - 1, 1, true },
		{ 0, RAM_BLOCKS - 1, 2, false },
		{ 0, RAM_FIRST | 1ULL << 62, 1, false },
		{ 0, RAM_FIRST | 1ULL << 48, 1, false },
		{ 0, RAM_FIRST, SFS_EXTENT_LEN_MAX + 1, false },
		{ 0, RAM_FIRST, ~0u, false },
	};
	struct sfs_extent_disk disk;
	bool good = true;
	unsigned int i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		disk.e_start = cpu_to_le64(row[i].start);
		disk.e_len = cpu_to_le32(row[i].len);
		if (!sfs_extent_verify(&ram_fs, row[i].pos, &disk, sizeof(disk)) != row[i].good) {
			printf("# row %u\n", i);
			good = false;
		}
	}
	TAP_OK(good, "records are judged as they should");
	TAP_OK(sfs_extent_verify(&ram_fs, 0, &disk, sizeof(disk) - 1), "short record");
}

static void test_limits(void)
{
	struct sfs_extent ext = { .e_lblk = SFS_LBLK_MAX, .e_blk = 5000, .e_nblks = 2 };

	ram_step();
	fresh_file();
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	TAP_EQ(sfs_extent_insert(NULL, &in, &ext, 0), -EFBIG, "insert beyond the largest file");
	TAP_EQ(sfs_extent_alloc(NULL, &in, SFS_LBLK_MAX + 1, 1, false, 0, &ext), -EFBIG,
	       "alloc beyond it");
	TAP_EQ(sfs_extent_alloc(NULL, &in, SFS_LBLK_MAX, 9, false, 0, &ext), 0, "alloc up to it");
	TAP_EQ(ext.e_nblks, 1, "is cut there");
	TAP_EQ(sfs_extent_punch(NULL, &in, 0, ~0ULL), 0, "punch of everything");
	TAP_EQ(sfs_extent_punch(NULL, &in, 0, ~0ULL), 1, "comes to an end");
	TAP_OK(sfs_tree_is_empty(&in) && !in.i_blocks, "and nothing is left");
	sfs_inode_end(NULL, &in);
	ram_step();
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_verify();
	test_limits();
	test_overlap();
	test_insert_before();
	test_no_space();
	test_spread();
	test_pairs();
	test_random();
	ram_reset();
	return tap_done();
}
