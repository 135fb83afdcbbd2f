// SPDX-License-Identifier: GPL-2.0-only
/*
 * ialloc.c - inode slots and orphans against a list: inodes come and go, become orphans and cease
 * to be, commits and crashes happen, calls fail at any place.
 *
 * After every round the volume must hold just the listed inodes and orphans, the counters must say
 * how many, and when all are gone every block is free again.
 */
#include "drain.h"

#define LIVE_MAX	3000
#define SLOTS_MAX	(40000 * SFS_INODE_SLOTS)

static struct live {
	u64 ino;
	bool orphan;
} live[LIVE_MAX], safe[LIVE_MAX];
static unsigned int nlive, nsafe;
static bool taken[SLOTS_MAX];
static u32 last_generation[SLOTS_MAX];	/* 0: not used yet since its block was made */

/* Reads an inode and takes write access, so that a change may follow. */
static void begin(struct sfs_inode *in, u64 ino)
{
	DRAIN_REQUIRE(!sfs_inode_read(&drain_fs, ino, in), "inode %" PRIu64 " is read", ino);
	DRAIN_REQUIRE(!sfs_inode_begin(NULL, in), "and may be changed");
}

/* As by a handle. */
static int find(u64 ino)
{
	struct sfs_inode in;

	return sfs_inode_find(&drain_fs, ino, &in);
}

static void op_alloc(void)
{
	u64 parent = nlive ? live[ram_random(nlive)].ino : 0;
	bool is_dir = !ram_random(5);
	struct sfs_inode in;
	u32 generation = 0;
	u64 ino = 0;
	int err;

	if (nlive == LIVE_MAX)
		return;
	if (!ram_random(20))
		drain_fail_in = ram_random(8);
	err = sfs_inode_alloc(NULL, &drain_fs, parent, is_dir, &ino, &generation);
	DRAIN_REQUIRE(!err || drain_failed, "an inode is made");
	drain_fail_in = -1;
	if (err) {
		drain_step(0);
		return;
	}
	DRAIN_REQUIRE(ino < SLOTS_MAX && !taken[ino], "inode %" PRIu64 " was free", ino);
	DRAIN_REQUIRE(generation != last_generation[ino] || !last_generation[ino],
		      "inode %" PRIu64 " has a new generation", ino);
	DRAIN_REQUIRE(is_dir || !parent || drain_failed || ino / 8 / SFS_GROUP_BLOCKS ==
		      parent / 8 / SFS_GROUP_BLOCKS, "a file lies in its parent's group");
	last_generation[ino] = generation;
	taken[ino] = true;
	live[nlive].ino = ino;
	live[nlive++].orphan = false;
	sfs_inode_init(&in, &drain_fs, ino, SFS_TYPE_REG << SFS_TYPE_SHIFT | 0644, 1);
	in.i_nlink = 1;
	in.i_generation = generation;
	DRAIN_REQUIRE(!sfs_inode_begin(NULL, &in), "its block is there");
	sfs_inode_end(NULL, &in);
	drain_step(SFS_CREDITS_IALLOC);
}

static void op_free(void)
{
	struct sfs_inode in;
	struct live *l;
	int err;

	if (!nlive)
		return;
	l = &live[ram_random(nlive)];
	begin(&in, l->ino);
	if (!ram_random(20))
		drain_fail_in = ram_random(10);
	err = sfs_inode_free(NULL, &in);
	DRAIN_REQUIRE(!err || drain_failed, "inode %" PRIu64 " is freed", l->ino);
	drain_fail_in = -1;
	if (err) {
		DRAIN_REQUIRE(in.i_buf, "an inode not freed is still begun");
		sfs_inode_end(NULL, &in);
		DRAIN_REQUIRE(!find(l->ino), "and there");
	} else {
		DRAIN_REQUIRE(find(l->ino) == -ESTALE, "and is gone");
		taken[l->ino] = false;
		*l = live[--nlive];
	}
	drain_step(SFS_CREDITS_IALLOC);
}

static void op_orphan(void)
{
	struct sfs_inode in;
	struct live *l;
	bool set = ram_random(2);
	int err;

	if (!nlive)
		return;
	l = &live[ram_random(nlive)];
	begin(&in, l->ino);
	if (!ram_random(20))
		drain_fail_in = ram_random(3);
	err = set ? sfs_orphan_add(NULL, &in) : sfs_orphan_remove(NULL, &in);
	DRAIN_REQUIRE(!err || drain_failed, "orphan or not");
	drain_fail_in = -1;
	sfs_inode_end(NULL, &in);
	if (!err)
		l->orphan = set;
	drain_step(SFS_CREDITS_ORPHAN + SFS_CREDITS_INODE);
}

static int by_ino(const void *a, const void *b)
{
	u64 x = ((const struct live *)a)->ino, y = ((const struct live *)b)->ino;

	return x < y ? -1 : x > y;
}

static void check(void)
{
	u64 ino = 0, found, nbad = 0;
	unsigned int i;

	qsort(live, nlive, sizeof(live[0]), by_ino);
	for (i = 0; i < nlive; i++) {
		DRAIN_REQUIRE(!find(live[i].ino), "inode is there");
		if (!live[i].orphan)
			continue;
		DRAIN_REQUIRE(!sfs_orphan_next(&drain_fs, ino, &found, &nbad),
			      "an orphan is found");
		DRAIN_REQUIRE(found == live[i].ino, "the next one, %" PRIu64, found);
		ino = found + 1;
	}
	DRAIN_REQUIRE(sfs_orphan_next(&drain_fs, ino, &found, &nbad) == -ENOENT, "no other orphan");
	DRAIN_REQUIRE(!nbad, "and no block is bad");
	DRAIN_REQUIRE(sfs_counter_read(&drain_fs.f_inodes) == nlive, "inodes are counted");
}

static void commit(void)
{
	drain_commit();
	drain_check_summaries();
	memcpy(safe, live, sizeof(live));
	nsafe = nlive;
}

static void crash(void)
{
	unsigned int i;

	drain_crash();
	drain_mount(true);
	memcpy(live, safe, sizeof(safe));
	nlive = nsafe;
	memset(taken, 0, sizeof(taken));
	memset(last_generation, 0, sizeof(last_generation));
	for (i = 0; i < nlive; i++)
		taken[live[i].ino] = true;
	check();
}

static void test_random(u64 nops)
{
	unsigned int bias = 6;
	u64 i, fresh;

	drain_make(40000, 1024);
	fresh = sfs_counter_read(&drain_fs.f_free);
	for (i = 0; i < nops; i++) {
		u32 what = ram_random(1000);

		if (i % 3000 == 0)
			bias = 2 + ram_random(7);
		if (what < 3)
			commit();
		else if (what < 200)
			op_orphan();
		else if (ram_random(10) < bias)
			op_alloc();
		else
			op_free();
		if (i % 5000 == 0)
			check();
		if (i % 50000 == 49999)
			crash();
	}
	TAP_OK(true, "%" PRIu64 " random operations", nops);
	while (nlive)
		op_free();
	commit();
	check();
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), fresh, "all blocks are back when all inodes are");
	TAP_OK(!drain_corruptions && !drain_shutdowns, "nothing was reported: %s", drain_why);
}

/* mkfs writes the root's number before there is a root. */
static void test_root(void)
{
	static const u32 journals[] = { 0, 1024, 40000, 300000 };
	unsigned int i;
	u32 generation;
	u64 ino;

	for (i = 0; i < sizeof(journals) / sizeof(journals[0]); i++) {
		drain_make(2 * SFS_ZONE_BLOCKS, journals[i]);
		TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, 0, true, &ino, &generation), "root");
		TAP_EQ(ino, drain_fs.f_root, "the first inode is the root, journal of %u",
		       journals[i]);
		drain_step(SFS_CREDITS_IALLOC);
	}
}

/* A new directory looks at groups that nobody has looked at yet: that may fail, at any block. */
static void test_spread_fails(void)
{
	u32 generation;
	u64 ino;
	int fails;
	int err;

	drain_make(SFS_ZONE_BLOCKS, 1024);
	TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, 0, true, &ino, &generation), "root");
	drain_step(~0u);
	for (fails = 0;; fails++) {
		drain_tid++;			/* a transaction asks for a summary once */
		drain_fs.f_dir_rotor = 5 * 64;	/* see SFS_DIRS_A_GROUP */
		drain_fail_in = fails;
		ino = 0;
		err = sfs_inode_alloc(NULL, &drain_fs, drain_fs.f_root, true, &ino, &generation);
		if (!drain_failed)
			break;
		if (!fails)	/* the summary, which can be made anew */
			TAP_OK(!err && ino / 8 / SFS_GROUP_BLOCKS == 5, "one failure harms nobody");
		else
			TAP_OK(err ? (err == -EIO || err == -ENOMEM) && !ino :
				     ino / 8 / SFS_GROUP_BLOCKS != 5,
			       "failure %d is told, or another group has room", fails);
		drain_step(~0u);
	}
	TAP_OK(!err && ino / 8 / SFS_GROUP_BLOCKS == 5 && fails > 1, "then it is made, in the group");
	drain_step(~0u);
}

/* What cannot be read keeps nobody from making inodes elsewhere. */
static void test_unread(void)
{
	u64 home, ino, dir;
	u32 generation;
	u64 bads[3];
	int i, k;

	for (k = 0; k < 3; k++) {
		drain_make(SFS_ZONE_BLOCKS, 1024);
		TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, 0, true, &home, &generation), "root");
		drain_step(~0u);
		bads[0] = home / SFS_INODE_SLOTS;
		bads[1] = sfs_map_blk(0, SFS_MAP_ROOM);
		bads[2] = sfs_map_blk(0, SFS_MAP_USED);
		drain_bad = bads[k];
		drain_bad_asks = 0;
		for (i = 0; i < 20; i++)
			TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, home, false, &ino,
						     &generation), "a file is made");
		if (k < 2)
			TAP_EQ(drain_bad_asks, 1, "bad block %d: asked for once", k);
		drain_bad = sfs_map_blk(7, SFS_MAP_ROOM);
		drain_fs.f_dir_rotor = 0;
		for (i = 0; i < 64 * 9; i++)
			TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, home, true, &dir,
						     &generation), "a directory is made");
		drain_bad = 0;
		drain_step(~0u);
	}
}

/* A bad block costs a mount no orphan but its own, and no free block but its group's. */
static void test_unread_orphans(void)
{
	u64 home, ino, dir = 0, nbad = 0, free_before;
	u32 generation;
	struct sfs_inode in;
	int i, found = 0;

	drain_make(2 * SFS_ZONE_BLOCKS, 1024);
	TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, 0, true, &home, &generation), "root");
	for (i = 0; i < 40; i++) {
		/* Half of them beside the root, half in another group. */
		drain_fs.f_dir_rotor = 5 * 64;
		TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, home, i % 2, &ino, &generation),
			    "an inode is made");
		begin(&in, ino);
		TAP_REQUIRE(!sfs_orphan_add(NULL, &in), "it is an orphan");
		sfs_inode_end(NULL, &in);
		if (i % 2)
			dir = ino;
	}
	drain_step(~0u);
	drain_bad = dir / SFS_INODE_SLOTS;
	for (ino = 0; !sfs_orphan_next(&drain_fs, ino, &ino, &nbad); ino++)
		found++;
	TAP_OK(found < 40 && found >= 32 && nbad == 1, "one bad block: %d of 40, bad %d", found,
	       (int)nbad);
	drain_bad = sfs_map_blk(0, SFS_MAP_ORPHAN);
	for (found = nbad = ino = 0; !sfs_orphan_next(&drain_fs, ino, &ino, &nbad); ino++)
		found++;
	TAP_OK(found < 40 && found >= 10 && nbad == 1, "one bad map: %d of 40, bad %d", found,
	       (int)nbad);

	free_before = sfs_counter_read(&drain_fs.f_free);
	drain_bad = 0;
	drain_mount(true);
	TAP_EQ(sfs_counter_read(&drain_fs.f_free), free_before, "all is counted");
	drain_mount(false);
	drain_bad = sfs_map_blk(dir / SFS_INODE_SLOTS / SFS_GROUP_BLOCKS, SFS_MAP_USED);
	drain_fail_in = 0;		/* the summary */
	TAP_REQUIRE(!sfs_fs_recount(&drain_fs, &nbad), "what can be read is counted");
	TAP_EQ(nbad, 1, "and what cannot");
	free_before -= sfs_counter_read(&drain_fs.f_free);
	TAP_OK(free_before > SFS_GROUP_BLOCKS - 10 && free_before < SFS_GROUP_BLOCKS,
	       "its group is full: %d", (int)free_before);
	drain_bad = 0;
	drain_step(~0u);
}

/* File handles name any number. */
/* What is on disk if the block is written now. */
static bool inode_block_sound(u64 ino)
{
	struct sfs_buf *buf;
	u64 blk = sfs_ino_blk(ino);
	bool sound;

	TAP_REQUIRE(!sfs_buf_get(&drain_fs, blk, &sfs_inodes_ops, blk / SFS_GROUP_BLOCKS, &buf), "got");
	sound = !sfs_inodes_ops.b_verify(&drain_fs, sfs_buf_data(buf), blk);
	sfs_buf_put(buf);
	return sound;
}

static void test_handles(void)
{
	struct sfs_inode in;
	unsigned int i, bad = 0;
	u64 root, made, blk;
	u32 generation, n;

	drain_make(SFS_ZONE_BLOCKS + 5000, 1024);
	root = drain_fs.f_root;
	TAP_EQ(find(root), -ESTALE, "no inode before it is made");
	TAP_EQ(sfs_inode_alloc(NULL, &drain_fs, 0, true, &made, &generation), 0, "made");
	TAP_EQ(sfs_inode_find(&drain_fs, root, &in), 0, "and there");
	TAP_OK(in.i_ino == root && in.i_generation == generation && !in.i_nlink,
	       "its record is empty but for the generation");
	TAP_OK(inode_block_sound(root), "and its block could be written and read as it is");
	TAP_EQ(find(root + 1), -ESTALE, "its neighbour is not");
	TAP_EQ(find(0), -ESTALE, "the superblock is no inode");
	TAP_EQ(find(~0ULL), -ESTALE, "nor what lies outside");
	TAP_EQ(find((u64)(SFS_ZONE_BLOCKS + 200) << 3), -ESTALE, "nor a block of a zone not begun");
	TAP_EQ(sfs_alloc_blks(NULL, &drain_fs, 0, 1, 0, &blk, &n), 0, "a block of data");
	TAP_EQ(find(blk << 3), -ESTALE, "is none, whatever it holds");
	for (i = 0; i < 100000; i++) {
		u64 ino = (u64)ram_random(~0u) << ram_random(32) | ram_random(~0u);

		bad += find(ino) != (ino == root ? 0 : -ESTALE);
		bad += find((u64)i) != ((u64)i == root ? 0 : -ESTALE);
	}
	TAP_EQ(bad, 0, "nor anything else");
	TAP_EQ(drain_corruptions, 0, "and asking is no damage");
	TAP_OK(!sfs_inode_is_hidden(&drain_fs, root) && !sfs_inode_is_hidden(&drain_fs, 0),
	       "no inode is hidden");
	drain_fs.f_hidden[SFS_HIDDEN_PROJECT] = root;
	TAP_OK(sfs_inode_is_hidden(&drain_fs, root) && !sfs_inode_is_hidden(&drain_fs, root + 1),
	       "but one that the superblock names");
	drain_step(~0u);
}

/* What a crash takes back is not called as what comes after it. */
static void test_generations(void)
{
	u64 ino, last = 0;
	u32 generation, before;
	struct sfs_inode in;
	unsigned int i, steps = 0;

	drain_make(5000, 1024);
	TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, 0, true, &last, &before), "made");
	for (i = 0; i < 1000; i++) {
		begin(&in, last);
		TAP_REQUIRE(!sfs_inode_free(NULL, &in), "freed");
		TAP_REQUIRE(!sfs_inode_alloc(NULL, &drain_fs, 0, true, &ino, &generation), "made");
		TAP_REQUIRE(ino != last || generation != before, "another one");
		steps += generation - before == 1;
		last = ino;
		before = generation;
	}
	TAP_OK(steps < 10, "generations are not counted up");
	drain_step(~0u);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_root();
	test_handles();
	test_generations();
	test_spread_fails();
	test_unread();
	test_unread_orphans();
	test_random(1000000);
	drain_empty();
	return tap_done();
}
