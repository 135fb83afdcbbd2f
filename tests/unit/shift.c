// SPDX-License-Identifier: GPL-2.0-only
/*
 * shift.c - records of a file that move, against a sorted array of them.
 *
 * Files of a few and of many thousand records, in trees as they grow and in tall ones made by hand
 * with the worst keys above the leaves that are allowed, lose ranges and get room, a few nodes for
 * each transaction and a failure on many a way.  After each transaction the whole tree is read by
 * code of its own: its nodes are sound and stand between their keys, each record is at its old or
 * new place, as the shift says, and no block is too many.  Completions come in between, before it.
 */
#define RAM_BLOCKS	160000
#include "ram.h"

#define RECS_MAX	40000
#define ROUNDS		600
#define REQUIRE(cond) TAP_REQUIRE(cond, "seed %" PRIu64 ", round %u", ram_seed, round_no)
#define PUT(key, rec, nbytes) REQUIRE(!sfs_tree_insert(NULL, &in, key, rec, nbytes, 0))

struct map {
	unsigned int n;
	struct sfs_extent rec[RECS_MAX];
};

static struct map model, want, got;
static struct sfs_inode in;
static u64 others, next_blk;	/* records before the extents; where data is taken next */
static unsigned int ndone[2], nsteps[2], nfailed[2], nshutdowns, tallest, nodes_seen, round_no;

/* ---- the tree as it is ---- */

static void walk_leaf(const struct sfs_node_disk *node)
{
	const struct sfs_slot_disk *slot = (const struct sfs_slot_disk *)(node + 1);
	unsigned int i;

	for (i = 0; i < le16_to_cpu(node->n_count); i++) {
		const struct sfs_extent_disk *disk =
			(const void *)((const u8 *)node + le16_to_cpu(slot[i].s_off));
		u64 key = le64_to_cpu(slot[i].s_key);

		if (sfs_key_kind(key) != SFS_KIND_EXTENT) {
			others++;
			continue;
		}
		got.rec[got.n++] = (struct sfs_extent) {
			.e_lblk = sfs_key_pos(key),
			.e_blk = le64_to_cpu(disk->e_start) & ~SFS_EXTENT_UNWRITTEN,
			.e_nblks = le32_to_cpu(disk->e_len),
			.e_unwritten = le64_to_cpu(disk->e_start) & SFS_EXTENT_UNWRITTEN,
		};
	}
}

/* Keys below @node are from @lo up to, without, @hi. */
static void walk_node(const struct sfs_node_disk *node, unsigned int capacity, u64 lo, u64 hi)
{
	const struct sfs_entry_disk *entry = (const void *)(node + 1);
	const struct sfs_slot_disk *slot = (const void *)(node + 1);
	unsigned int count = le16_to_cpu(node->n_count);
	unsigned int i;

	REQUIRE(!sfs_node_verify(&ram_fs, node, capacity));
	REQUIRE(count || capacity == SFS_ROOT_BYTES);
	if (!count)
		return;
	if (!node->n_level) {
		REQUIRE(le64_to_cpu(slot[0].s_key) >= lo);
		REQUIRE(le64_to_cpu(slot[count - 1].s_key) < hi);
		walk_leaf(node);
		return;
	}
	REQUIRE(capacity == SFS_ROOT_BYTES || le64_to_cpu(entry[0].e_key) >= lo);
	REQUIRE(le64_to_cpu(entry[count - 1].e_key) < hi);
	for (i = 0; i < count; i++) {
		const u8 *data = ram_blocks[le64_to_cpu(entry[i].e_blk)].data;
		const struct sfs_node_disk *child = (const void *)(data + sizeof(struct sfs_head));

		REQUIRE(data && child->n_level + 1 == node->n_level);
		nodes_seen++;
		walk_node(child, SFS_NODE_BYTES, i ? le64_to_cpu(entry[i].e_key) : lo,
			  i + 1 < count ? le64_to_cpu(entry[i + 1].e_key) : hi);
	}
}

static void walk(void)		/* reads the tree into got, and counts */
{
	const struct sfs_node_disk *root = (const void *)in.i_root;
	u64 nblks = 0;
	unsigned int i;

	got.n = nodes_seen = others = 0;
	tallest = max(tallest, root->n_level + 1u);
	walk_node(root, SFS_ROOT_BYTES, 0, ~0ULL);
	for (i = 0; i < got.n; i++) {
		REQUIRE(!i || got.rec[i - 1].e_lblk + got.rec[i - 1].e_nblks <= got.rec[i].e_lblk);
		nblks += got.rec[i].e_nblks;
	}
	REQUIRE(in.i_blocks == nblks + nodes_seen && ram_used == in.i_blocks + 1);
	REQUIRE(!ram_corruptions && !ram_refs);
}

static bool same(const struct map *a, const struct map *b)
{
	unsigned int i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (a->rec[i].e_lblk != b->rec[i].e_lblk || a->rec[i].e_blk != b->rec[i].e_blk ||
		    a->rec[i].e_nblks != b->rec[i].e_nblks ||
		    a->rec[i].e_unwritten != b->rec[i].e_unwritten)
			return false;
	return a->n == b->n;
}

/* ---- what is done to the array ---- */

static void copy(struct map *to, const struct map *from)
{
	to->n = from->n;
	memcpy(to->rec, from->rec, from->n * sizeof(from->rec[0]));
}

static void push(struct map *map, const struct sfs_extent *ext, u64 lblk, u64 end)
{
	u64 first = max(ext->e_lblk, lblk), stop = min(ext->e_lblk + ext->e_nblks, end);

	if (first >= stop)
		return;
	TAP_REQUIRE(map->n < RECS_MAX, "the array has room");
	map->rec[map->n] = *ext;
	map->rec[map->n].e_lblk = first;
	map->rec[map->n].e_blk += first - ext->e_lblk;
	map->rec[map->n++].e_nblks = stop - first;
}

/* @from without [@lblk, @end), parted there. */
static void cut(struct map *to, const struct map *from, u64 lblk, u64 end)
{
	unsigned int i;

	to->n = 0;
	for (i = 0; i < from->n; i++) {
		push(to, &from->rec[i], 0, lblk);
		push(to, &from->rec[i], end, ~0ULL);
	}
}

/* Joins the records on both sides of @lblk where they continue each other. */
static void join(struct map *map, u64 lblk)
{
	struct sfs_extent *prev, *next;
	unsigned int i;

	for (i = 1; i < map->n; i++) {
		prev = &map->rec[i - 1];
		next = &map->rec[i];
		if (next->e_lblk != lblk || prev->e_lblk + prev->e_nblks != lblk ||
		    prev->e_blk + prev->e_nblks != next->e_blk ||
		    prev->e_unwritten != next->e_unwritten ||
		    prev->e_nblks + next->e_nblks > SFS_EXTENT_LEN_MAX)
			continue;
		prev->e_nblks += next->e_nblks;
		memmove(next, next + 1, (--map->n - i) * sizeof(*next));
		return;
	}
}

/* Those of @map that @s says have moved, moved. */
static void move(struct map *map, const struct sfs_shift *s)
{
	unsigned int i;

	for (i = 0; i < map->n; i++) {
		struct sfs_extent *ext = &map->rec[i];
		u64 key = sfs_key(SFS_KIND_EXTENT, ext->e_lblk);

		if (ext->e_lblk < s->s_lblk)
			continue;
		if (s->s_right && key > s->s_rekey.r_last)
			ext->e_lblk += s->s_nblks;
		else if (!s->s_right && key < s->s_rekey.r_first)
			ext->e_lblk -= s->s_nblks;
	}
}

/* ---- files ---- */

static u64 take(u64 n)
{
	u64 blk, i;

	for (i = 0; i < n; i++) {
		if (next_blk + n >= RAM_BLOCKS - RAM_BLOCKS / 4) {
			next_blk = RAM_FIRST + 10;
			i = 0;
		}
		if (ram_blocks[next_blk + i].used) {
			next_blk += i + 1;
			i = -1ULL;
		}
	}
	blk = next_blk;
	for (i = 0; i < n; i++)
		ram_blocks[blk + i].used = true;
	next_blk += n;
	ram_used += n;
	in.i_blocks += n;
	return blk;
}

static void encode(const struct sfs_extent *ext, struct sfs_extent_disk *disk)
{
	disk->e_start = cpu_to_le64(ext->e_blk | (ext->e_unwritten ? SFS_EXTENT_UNWRITTEN : 0));
	disk->e_len = cpu_to_le32(ext->e_nblks);
}

/* @n records: touching, near, far and very far from each other. */
static void make_records(unsigned int n)
{
	u64 lblk = ram_random(3) ? ram_random(50) : 0;
	struct sfs_extent *ext;
	unsigned int i;

	for (i = 0; i < n; i++) {
		ext = &model.rec[i];
		ext->e_lblk = lblk;
		ext->e_nblks = 1 + ram_random(n < 1000 ? 9 : 2);
		ext->e_unwritten = !ram_random(3);
		next_blk += !ram_random(3);
		ext->e_blk = take(ext->e_nblks);
		lblk += ext->e_nblks;
		if (ram_random(3))
			lblk += 1 + ram_random(20);
		if (!ram_random(50))
			lblk += 1ULL << ram_random(34);
	}
	model.n = n;
}

static struct sfs_buf *new_node(unsigned int level)
{
	struct sfs_node_disk *node;
	struct sfs_buf *buf;
	u64 blk;
	u32 n;

	REQUIRE(!sfs_alloc_blks(NULL, &ram_fs, RAM_BLOCKS - 1000, 1, 0, &blk, &n));
	REQUIRE(!sfs_buf_new(NULL, &ram_fs, blk, &sfs_node_ops, in.i_ino, &buf));
	in.i_blocks++;
	node = (void *)(ram_blocks[blk].data + sizeof(struct sfs_head));
	node->n_level = level;
	return buf;
}

static void fill_leaf(struct sfs_node_disk *node, const struct sfs_extent *ext, unsigned int n)
{
	struct sfs_slot_disk *slot = (void *)(node + 1);
	unsigned int i, heap = SFS_NODE_BYTES;

	for (i = 0; i < n; i++) {
		heap -= sizeof(struct sfs_extent_disk);
		encode(&ext[i], (void *)((u8 *)node + heap));
		slot[i].s_key = cpu_to_le64(sfs_key(SFS_KIND_EXTENT, ext[i].e_lblk));
		slot[i].s_off = cpu_to_le16(heap);
		slot[i].s_len = cpu_to_le16(sizeof(struct sfs_extent_disk));
	}
	node->n_heap = cpu_to_le16(heap);
	node->n_count = cpu_to_le16(n);
}

/* Any number from @lo to @hi. */
static u64 between(u64 lo, u64 hi)
{
	u32 way = ram_random(3);

	return !way ? lo : way == 1 ? hi : lo + ram_random(min(hi - lo + 1, (u64)1000000));
}

static u64 make_tree(unsigned int level, unsigned int from, unsigned int n, u64 lo);

/* Some children for the records from @from on, with any keys that are allowed. */
static void fill_inner(struct sfs_node_disk *node, unsigned int from, unsigned int n, u64 lo)
{
	struct sfs_entry_disk *entry = (void *)(node + 1);
	unsigned int want_n = min(n, 1 + ram_random(4)), part = n, i;
	u64 key = lo;

	for (i = 0; i < want_n; i++, from += part, n -= part) {
		part = i + 1 == want_n ? n : 1 + ram_random(n - (want_n - i - 1));
		if (i)
			key = between(sfs_key(SFS_KIND_EXTENT, model.rec[from - 1].e_lblk) + 1,
				      sfs_key(SFS_KIND_EXTENT, model.rec[from].e_lblk));
		entry[i].e_key = cpu_to_le64(key);
		entry[i].e_blk = cpu_to_le64(make_tree(node->n_level - 1, from, part, key));
	}
	node->n_count = cpu_to_le16(want_n);
	/* A first key says nothing, but is no lower than it may be, and lower than the next. */
	if (want_n > 1)
		entry[0].e_key = cpu_to_le64(between(lo, le64_to_cpu(entry[1].e_key) - 1));
	else
		entry[0].e_key = cpu_to_le64(between(lo, sfs_key(SFS_KIND_EXTENT,
								   model.rec[from - part].e_lblk)));
}

static u64 make_tree(unsigned int level, unsigned int from, unsigned int n, u64 lo)
{
	struct sfs_buf *buf = new_node(level);
	u64 blk = sfs_buf_blk(buf);
	struct sfs_node_disk *node = (void *)(ram_blocks[blk].data + sizeof(struct sfs_head));

	if (level)
		fill_inner(node, from, n, lo);
	else
		fill_leaf(node, &model.rec[from], min(n, 160u));
	REQUIRE(level || n <= 160);
	sfs_buf_put(buf);
	return blk;
}

static void fresh_file(unsigned int n, unsigned int level)
{
	struct sfs_node_disk *root = (void *)in.i_root;
	u8 chunk[SFS_CHUNK];
	struct sfs_extent_disk disk;
	unsigned int i;

	ram_reset();
	ram_step();
	next_blk = RAM_FIRST + 10;
	ram_inode(&in, RAM_FIRST + 5, SFS_TYPE_REG << SFS_TYPE_SHIFT);
	REQUIRE(!sfs_inode_begin(NULL, &in));
	make_records(n);
	if (level) {
		memset(in.i_root, 0, SFS_ROOT_BYTES);
		root->n_level = level;
		fill_inner(root, 0, n, 0);
	}
	for (i = 0; i < n && !level; i++) {
		encode(&model.rec[i], &disk);
		PUT(sfs_key(SFS_KIND_EXTENT, model.rec[i].e_lblk), &disk, sizeof(disk));
	}
	memset(chunk, 7, sizeof(chunk));
	for (i = ram_random(4); i; i--)
		PUT(sfs_key(SFS_KIND_INLINE, i), chunk, 1 + ram_random(SFS_CHUNK));
	if (n)
		in.i_size = (model.rec[n - 1].e_lblk + model.rec[n - 1].e_nblks) * SFS_BLOCK_SIZE -
			    ram_random(SFS_BLOCK_SIZE);
	sfs_inode_end(NULL, &in);
	ram_step();
}

/* ---- one shift ---- */

/* While a left shift empties its range it goes backwards: what is still there says how far. */
static void check_emptied(const struct sfs_shift *s)
{
	u64 end = s->s_lblk + s->s_nblks, at = s->s_lblk;
	unsigned int i;

	for (i = 0; i < got.n && got.rec[i].e_lblk < end; i++)
		at = max(at, got.rec[i].e_lblk + got.rec[i].e_nblks);
	cut(&want, &model, min(at, end), end);
	REQUIRE(at >= end ? same(&got, &model) : same(&got, &want));
}

/* After a step; @size is the file's before the shift. */
static void check(const struct sfs_shift *s, u64 size, int done)
{
	walk();
	REQUIRE(in.i_size == ((s->s_right ? s->s_begun : done == 1) ? s->s_size : size));
	if (!s->s_begun && s->s_right) {
		cut(&want, &model, s->s_lblk, s->s_lblk);
		REQUIRE(same(&got, &model) || same(&got, &want));
		return;
	}
	if (!s->s_begun) {
		check_emptied(s);
		return;
	}
	if (s->s_right)
		cut(&want, &model, s->s_lblk, s->s_lblk);
	else
		cut(&want, &model, s->s_lblk, s->s_lblk + s->s_nblks);
	move(&want, s);
	/* A favour left undone; or what beside() has joined, before a step that came to nothing. */
	if ((!s->s_right || done < 0) && !same(&got, &want))
		join(&want, s->s_lblk);
	REQUIRE(same(&got, &want));
}

/* The block before the seam is written, or not, and back: that joins what it can. */
static void beside(const struct sfs_shift *s)
{
	struct sfs_extent ext;
	u64 done, changed;
	int i;

	ram_step();
	if (!s->s_lblk || sfs_extent_find(&in, s->s_lblk - 1, &ext) || !ext.e_blk)
		return;
	REQUIRE(!sfs_inode_begin(NULL, &in));
	for (i = 0; i < 2; i++, ram_steps++)
		REQUIRE(!sfs_extent_convert(NULL, &in, s->s_lblk - 1, 1,
					    i ? ext.e_unwritten : !ext.e_unwritten, &done,
					    &changed) && changed == 1);
	join(&model, s->s_lblk - 1);
	ram_blocks[sfs_ino_blk(in.i_ino)].step = ram_steps;
	sfs_inode_end(NULL, &in);
}

/* One transaction, which may fail; false: the volume is shut down. */
static bool step(struct sfs_shift *s, unsigned int nnodes, int *ret_done)
{
	bool begun = s->s_begun;
	u64 size = in.i_size;

	ram_step();
	REQUIRE(!sfs_inode_begin(NULL, &in));
	ram_fail_in = ram_random(3) ? -1 : (long)ram_random(ram_random(2) ? 8 : 60);
	*ret_done = sfs_shift_step(NULL, &in, s, nnodes);
	ram_fail_in = -1;
	sfs_inode_end(NULL, &in);
	nsteps[s->s_right]++;
	nfailed[s->s_right] += *ret_done < 0;
	REQUIRE(*ret_done >= 0 || (ram_failed && in.i_size == size && s->s_begun == begun));
	REQUIRE(ram_touched <= SFS_CREDITS_SHIFT(nnodes) + 1);
	REQUIRE(ram_revoked <= SFS_REVOKES_SHIFT(nnodes));
	/* Once it has begun it needs no space, and no node goes; one way is readied before. */
	nnodes += SFS_TREE_LEVELS;
	REQUIRE(!begun || s->s_right || (!ram_new && !ram_revoked && ram_touched <= nnodes));
	return !ram_shutdowns;
}

/* False: the volume was shut down, as a failure came too late. */
static bool shift(u64 lblk, u64 nblks, bool right)
{
	unsigned int nnodes = SFS_REKEY_NODES_MIN + ram_random(ram_random(4) ? 3 : 150);
	u64 size = in.i_size;
	struct sfs_shift s;
	int done = 0;

	sfs_shift_init(&s, lblk, nblks, size, right);
	while (!done)
		done = sfs_shift_check(&in, &s, 1 + ram_random(40));
	REQUIRE(done == 1);
	for (done = 0; done != 1;) {
		if (!step(&s, nnodes, &done)) {
			nshutdowns++;
			return false;
		}
		if (model.n < 3000 || !ram_random(5) || done == 1)
			check(&s, size, done);
		if (done != 1 && s.s_begun && !ram_random(4))
			beside(&s);
	}
	copy(&model, &got);
	ndone[right]++;
	return true;
}

/* A place in a record, at its edge, or in a hole. */
static u64 somewhere(void)
{
	const struct sfs_extent *ext = &model.rec[ram_random(model.n)];

	return ext->e_lblk + ram_random(ram_random(2) ? ext->e_nblks + 1 : 30);
}

static bool one_shift(void)
{
	u64 end = (in.i_size + SFS_BLOCK_SIZE - 1) / SFS_BLOCK_SIZE, lblk = somewhere();
	u64 nblks = ram_random(40) ? 1 + ram_random(ram_random(4) ? 12 : 4000) :
				     1ULL << ram_random(36);

	if (lblk >= end)
		return true;
	if (ram_random(2) && end < SFS_LBLK_MAX - nblks && model.n < RECS_MAX - 10)
		return shift(lblk, nblks, true);
	if (nblks >= end - lblk)
		nblks = end - lblk > 1 ? 1 + ram_random(min(end - lblk - 1, (u64)100000)) : 0;
	return !nblks || (lblk + nblks) * SFS_BLOCK_SIZE >= in.i_size || shift(lblk, nblks, false);
}

/* All goes, and nothing is left. */
static void empty(void)
{
	int done = 0;

	while (!done) {
		ram_step();
		REQUIRE(!sfs_inode_begin(NULL, &in));
		done = sfs_extent_punch(NULL, &in, 0, SFS_LBLK_MAX + 1);
		sfs_inode_end(NULL, &in);
	}
	model.n = 0;
	walk();
	REQUIRE(done == 1 && same(&got, &model));
	REQUIRE(in.i_blocks == nodes_seen && (others || !nodes_seen));
}

static void test_random(void)
{
	unsigned int i, n, level;

	for (round_no = 0; round_no < ROUNDS; round_no++) {
		level = ram_random(2) ? 0 : 1 + ram_random(SFS_TREE_LEVELS - 1);
		n = 1 + ram_random(round_no % 2 ? 12 : 150);
		if (!level && round_no % 10 == 0)
			n = 1 + ram_random(3000);
		if (round_no % 300 == 299) {
			level = 0;
			n = 30000 + ram_random(5000);
		}
		fresh_file(n, level);
		for (i = 0; i < (n > 10000 ? 12u : 30u) && model.n; i++)
			if (!one_shift())
				break;
		if (i && model.n && !ram_shutdowns)
			empty();
	}
	TAP_OK(true, "each record is where it should be after every transaction of %d files", ROUNDS);
	printf("# %u collapsed in %u transactions, %u failed; %u inserted in %u, %u failed; %u shut "
	       "down\n", ndone[0], nsteps[0], nfailed[0], ndone[1], nsteps[1], nfailed[1],
	       nshutdowns);
	TAP_OK(ndone[0] > 5000 && ndone[1] > 5000, "collapsed and inserted often");
	TAP_OK(nsteps[0] > ndone[0] * 5 / 4 && nsteps[1] > ndone[1] * 5 / 4, "over many transactions");
	TAP_OK(nfailed[0] > 500 && nfailed[1] > 500, "with failures on the way, which undid nothing");
	TAP_OK(nshutdowns < (nfailed[0] + nfailed[1]) / 20, "few come too late");
	TAP_EQ(tallest, SFS_TREE_LEVELS, "in the tallest of trees");
}

/* What was inserted is taken out again: one record remains of one. */
static void test_seam(void)
{
	fresh_file(0, 0);
	model.n = 1;
	model.rec[0] = (struct sfs_extent) { .e_lblk = 100, .e_blk = take(9), .e_nblks = 9 };
	in.i_blocks -= 9;		/* inserting counts them */
	in.i_size = 109 * SFS_BLOCK_SIZE;
	REQUIRE(!sfs_inode_begin(NULL, &in) && !sfs_extent_insert(NULL, &in, &model.rec[0], 0));
	sfs_inode_end(NULL, &in);
	TAP_OK(shift(104, 1ULL << 40, true) && got.n == 2 &&
	       got.rec[1].e_lblk == 104 + (1ULL << 40), "parted, far away");
	TAP_OK(shift(104, 1ULL << 40, false) && got.n == 1 && got.rec[0].e_nblks == 9,
	       "and joined when the room goes");
}

static int check_of(u64 lblk, u64 nblks, bool right)
{
	struct sfs_shift s;

	sfs_shift_init(&s, lblk, nblks, in.i_size, right);
	return min(sfs_shift_check(&in, &s, 4096), 0);
}

static void test_refused(void)
{
	struct sfs_extent_disk disk = { cpu_to_le64(1000), cpu_to_le32(8) };
	struct { struct sfs_dirent_disk d; char name; } entry = {
		.d = { cpu_to_le64((RAM_FIRST + 5) << SFS_INODE_SLOT_BITS), SFS_TYPE_REG, 1 },
		.name = 'x',
	};
	struct sfs_extent ext;
	const u64 far = SFS_LBLK_MAX + 1 - 8;

	fresh_file(0, 0);
	REQUIRE(!sfs_inode_begin(NULL, &in));
	PUT(sfs_key(SFS_KIND_EXTENT, far), &disk, sizeof(disk));
	TAP_EQ(check_of(5, 1, true), -EFBIG, "the last record cannot go further");
	TAP_EQ(check_of(far + 2, 1, true), -EFBIG, "nor a part of it");
	TAP_EQ(check_of(5, 100, false), 0, "but back");
	ram_steps++;
	REQUIRE(!sfs_tree_delete(NULL, &in, sfs_key(SFS_KIND_EXTENT, far)));
	PUT(sfs_key(SFS_KIND_EXTENT, 10), &disk, sizeof(disk));
	TAP_EQ(check_of(5, far - 10, true), 0, "up to the last block there can be");
	TAP_EQ(check_of(5, far - 9, true), -EFBIG, "and no further");
	ram_steps++;
	PUT(sfs_key(SFS_KIND_EXTENT, 14), &disk, sizeof(disk));
	TAP_EQ(check_of(5, 1, true), -EFSCORRUPTED, "an overlap is seen before anything moves");
	TAP_OK(!strcmp(ram_why, "extents overlap"), "in words");
	ram_steps++;
	REQUIRE(!sfs_tree_delete(NULL, &in, sfs_key(SFS_KIND_EXTENT, 14)));
	PUT(sfs_key(SFS_KIND_DIRENT, 3), &entry, sizeof(entry.d) + 1);
	TAP_EQ(check_of(5, 1, true), -EFSCORRUPTED, "a name behind is damage");
	TAP_EQ(check_of(5, 1, false), -EFSCORRUPTED, "either way");
	TAP_OK(!sfs_extent_find(&in, 10, &ext) && ext.e_blk == 1000 && ext.e_nblks == 8,
	       "nothing has moved");
	ram_blocks[sfs_ino_blk(in.i_ino)].step = ram_steps;
	sfs_inode_end(NULL, &in);
	ram_step();
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_refused();
	test_random();
	test_seam();
	ram_reset();
	return tap_done();
}
