// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree.c - the tree against a sorted array, with failures and damage.
 *
 * usage: btree [SEED [OPS]]
 *
 * Records of all lengths at a few thousand keys are inserted, replaced, deleted and looked up; the
 * model is an array indexed by the key's rank.  The whole tree is walked now and then by code of
 * its own, from format.h alone.  The seed is printed first; given as an argument it is run again.
 */
#include "mock/mock.h"
#include "seed.h"

#define KEYS		6000
#define CHUNKS		4		/* the first few ranks are inline records */

struct model {
	u16 nbytes;			/* 0: no record */
	u8 fill;
};

struct tree {
	struct sfs_inode *in;		/* its own allocation: the root is at its end */
	struct model model[KEYS];
};

/* What a walk saw. */
struct shape {
	unsigned int nodes;		/* in blocks */
	unsigned int leaves;
	u64 leaf_bytes;			/* used, of leaves in blocks */
	unsigned int rank;		/* keys below this rank have been seen */
};

static struct tree tree;
static u64 ops = 120000;
static bool any_record;		/* records may hold anything: nodes are being damaged */

static u64 key_of(unsigned int rank)
{
	if (rank < CHUNKS)
		return sfs_key(SFS_KIND_INLINE, rank);
	return sfs_key(rank < KEYS / 2 ? SFS_KIND_EXTENT : SFS_KIND_DIRENT, rank * 1000003ULL);
}

static void record_fill(u8 *rec, unsigned int nbytes, u8 fill)
{
	unsigned int i;

	for (i = 0; i < nbytes; i++)
		rec[i] = fill + i * 31;
}

static bool record_is(const u8 *rec, unsigned int nbytes, u8 fill)
{
	unsigned int i;

	for (i = 0; i < nbytes; i++)
		if (rec[i] != (u8)(fill + i * 31))
			return false;
	return true;
}

/* Here any record is good whose bytes follow from its first. */
static const char *record_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
				 unsigned int nbytes)
{
	(void)fs;
	(void)pos;
	return any_record || record_is(rec, nbytes, *(const u8 *)rec) ? NULL : "not a test record";
}

const struct sfs_record_kind mock_records[SFS_KINDS] = {
	[SFS_KIND_INLINE ... SFS_KIND_DIRENT] = { .k_name = "any", .k_verify = record_verify },
};

static void tree_reset(void)
{
	mock_init();
	free(tree.in);
	memset(&tree, 0, sizeof(tree));
	tree.in = calloc(1, sizeof(*tree.in));
	TAP_REQUIRE(tree.in, "memory");
	tree.in->i_fs = &mock_fs;
	tree.in->i_ino = 20 << SFS_INODE_SLOT_BITS;
	tree.in->i_buf = (struct sfs_buf *)&tree;	/* never looked into by the tree */
	sfs_tree_init(tree.in->i_root);
}

static const struct sfs_node_disk *node_at(u64 blk)
{
	const u8 *data = mock_data(blk);

	TAP_REQUIRE(data, "seed %" PRIu64 ": child %" PRIu64 " is not in use", ram_seed, blk);
	return (const struct sfs_node_disk *)(data + sizeof(struct sfs_head));
}

static void walk_leaf(const struct sfs_node_disk *node, struct shape *shape)
{
	const struct sfs_slot_disk *slot = (const struct sfs_slot_disk *)(node + 1);
	unsigned int i;

	for (i = 0; i < le16_to_cpu(node->n_count); i++, slot++, shape->rank++) {
		const struct model *m;

		while (shape->rank < KEYS && !tree.model[shape->rank].nbytes)
			shape->rank++;
		TAP_REQUIRE(shape->rank < KEYS, "seed %" PRIu64 ": more records than the model", ram_seed);
		m = &tree.model[shape->rank];
		TAP_REQUIRE(le64_to_cpu(slot->s_key) == key_of(shape->rank),
			    "seed %" PRIu64 ": another key than the model's", ram_seed);
		TAP_REQUIRE(le16_to_cpu(slot->s_len) == m->nbytes &&
			    record_is((const u8 *)node + le16_to_cpu(slot->s_off), m->nbytes,
				      m->fill), "seed %" PRIu64 ": another record", ram_seed);
	}
}

static void walk_node(const struct sfs_node_disk *node, unsigned int capacity, u64 lo, u64 hi,
		      struct shape *shape)
{
	const struct sfs_entry_disk *entry = (const struct sfs_entry_disk *)(node + 1);
	const struct sfs_slot_disk *slot = (const struct sfs_slot_disk *)(node + 1);
	const char *why = sfs_node_verify(&mock_fs, node, capacity);
	unsigned int count = le16_to_cpu(node->n_count);
	unsigned int i;

	TAP_REQUIRE(!why, "seed %" PRIu64 ": bad node: %s", ram_seed, why);
	/* Room made in an empty tree is an empty leaf. */
	TAP_REQUIRE(capacity == SFS_ROOT_BYTES || count ||
		    (!node->n_level && tree.in->i_blocks == 1), "seed %" PRIu64 ": empty node", ram_seed);
	if (!node->n_level) {
		TAP_REQUIRE(!count || (le64_to_cpu(slot[0].s_key) >= lo &&
				       le64_to_cpu(slot[count - 1].s_key) < hi),
			    "seed %" PRIu64 ": leaf outside its bounds", ram_seed);
		shape->leaves += capacity == SFS_NODE_BYTES;
		if (capacity == SFS_NODE_BYTES)
			shape->leaf_bytes += capacity - le16_to_cpu(node->n_heap) -
					     le16_to_cpu(node->n_dead) + count * sizeof(*slot);
		walk_leaf(node, shape);
		return;
	}
	for (i = 0; i < count; i++) {
		const struct sfs_node_disk *child = node_at(le64_to_cpu(entry[i].e_blk));
		u64 from = i ? le64_to_cpu(entry[i].e_key) : lo;
		u64 to = i + 1 < count ? le64_to_cpu(entry[i + 1].e_key) : hi;

		TAP_REQUIRE(child->n_level + 1 == node->n_level, "seed %" PRIu64 ": wrong level", ram_seed);
		TAP_REQUIRE(from >= lo && from < to && to <= hi, "seed %" PRIu64 ": wrong bounds", ram_seed);
		shape->nodes++;
		walk_node(child, SFS_NODE_BYTES, from, to, shape);
	}
}

/* The tree is whole, is as the model, and holds every block there is. */
static void tree_check(struct shape *ret_shape)
{
	struct shape shape = { 0 };

	walk_node((struct sfs_node_disk *)tree.in->i_root, SFS_ROOT_BYTES, 0, ~0ULL, &shape);
	while (shape.rank < KEYS && !tree.model[shape.rank].nbytes)
		shape.rank++;
	TAP_REQUIRE(shape.rank == KEYS, "seed %" PRIu64 ": a record is missing", ram_seed);
	TAP_REQUIRE(shape.nodes == tree.in->i_blocks && shape.nodes == mock_stat.used,
		    "seed %" PRIu64 ": %u nodes, i_blocks %" PRIu64 ", %u blocks in use", ram_seed, shape.nodes,
		    tree.in->i_blocks, mock_stat.used);
	*ret_shape = shape;
}

/* @path stands on the record of @rank. */
static void path_check(const struct sfs_path *path, unsigned int rank)
{
	unsigned int nbytes;
	const u8 *rec = sfs_path_record(path, &nbytes);

	TAP_REQUIRE(sfs_path_key(path) == key_of(rank), "seed %" PRIu64 ": path on another key", ram_seed);
	TAP_REQUIRE(nbytes == tree.model[rank].nbytes &&
		    record_is(rec, nbytes, tree.model[rank].fill), "seed %" PRIu64 ": path record", ram_seed);
}

/* Steps up (down) from @rank through a few records and, sometimes, to the end. */
static void steps_check(struct sfs_path *path, int rank, int step)
{
	unsigned int left = ram_random(64) ? ram_random(20) : KEYS;
	int err = 0;

	for (; left; left--) {
		do {
			rank += step;
		} while (rank >= 0 && rank < KEYS && !tree.model[rank].nbytes);
		err = step > 0 ? sfs_tree_next(path) : sfs_tree_prev(path);
		if (rank < 0 || rank == KEYS)
			break;
		TAP_REQUIRE(!err, "seed %" PRIu64 ": step gives %d", ram_seed, err);
		path_check(path, rank);
	}
	TAP_REQUIRE(!left || err == -ENOENT, "seed %" PRIu64 ": past the end: %d", ram_seed, err);
	sfs_path_release(path);
	sfs_path_release(path);
}

static void find_check(unsigned int rank)
{
	unsigned int how = ram_random(3);
	struct sfs_path path;
	int want = rank;
	int err;

	if (how == 0) {
		err = sfs_tree_find(tree.in, key_of(rank), &path);
		want = tree.model[rank].nbytes ? want : KEYS;
	} else if (how == 1) {
		err = sfs_tree_find_ge(tree.in, key_of(rank), &path);
		while (want < KEYS && !tree.model[want].nbytes)
			want++;
	} else {
		err = sfs_tree_find_le(tree.in, key_of(rank), &path);
		while (want >= 0 && !tree.model[want].nbytes)
			want--;
	}
	if (want < 0 || want == KEYS) {
		TAP_REQUIRE(err == -ENOENT, "seed %" PRIu64 ": find gives %d", ram_seed, err);
		return;
	}
	TAP_REQUIRE(!err, "seed %" PRIu64 ": find gives %d", ram_seed, err);
	path_check(&path, want);
	steps_check(&path, want, ram_random(2) ? 1 : -1);
}

enum op { OP_INSERT, OP_REPLACE, OP_DELETE, OP_ROOM };

struct change {
	enum op op;
	unsigned int rank;
	struct model to;
};

static struct change change_random(enum op op, unsigned int rank, unsigned int max)
{
	struct change c = { .op = op, .rank = rank };

	if (rank < CHUNKS)
		max = min(max, (unsigned int)SFS_CHUNK);
	c.to.nbytes = 1 + ram_random(ram_random(4) ? min(max, 60u) : max);
	c.to.fill = ram_random(1u << 31);
	return c;
}

/* Does it to the tree, and, when the tree says that it was done, to the model. */
static int change_do(const struct change *c)
{
	bool there = tree.model[c->rank].nbytes;
	u64 key = key_of(c->rank);
	u8 rec[SFS_RECORD_MAX];
	struct sfs_trans *t = mock_begin();
	int want = c->op == OP_INSERT ? (there ? -EEXIST : 0) :
		   c->op == OP_ROOM || there ? 0 : -ENOENT;
	int err = 0;

	record_fill(rec, c->to.nbytes, c->to.fill);
	switch (c->op) {
	case OP_INSERT:
		err = sfs_tree_insert(t, tree.in, key, rec, c->to.nbytes, 0);
		break;
	case OP_REPLACE:
		err = sfs_tree_replace(t, tree.in, key, rec, c->to.nbytes, 0);
		break;
	case OP_DELETE:
		err = sfs_tree_delete(t, tree.in, key);
		break;
	case OP_ROOM:
		err = sfs_tree_room(t, tree.in, key, 2, 2 * SFS_RECORD_MAX, 0);
		break;
	}
	TAP_REQUIRE(mock_stat.touched + 2 * SFS_TREE_LEVELS + 1 <= SFS_CREDITS_TREE &&
		    mock_stat.revoked <= SFS_REVOKES_TREE, "seed %" PRIu64 ": credits, %u and %u", ram_seed,
		    mock_stat.touched, mock_stat.revoked);
	mock_end(t);
	TAP_REQUIRE(err == want || (err && mock_stat.failed), "seed %" PRIu64 ": op %d gives %d, not %d",
		    ram_seed, c->op, err, want);
	if (!err && c->op == OP_DELETE)
		tree.model[c->rank].nbytes = 0;
	else if (!err && c->op != OP_ROOM)
		tree.model[c->rank] = c->to;
	return err;
}

/* After sfs_tree_room() nothing that uses the room can fail, whatever is out of order. */
static void room_use(unsigned int rank)
{
	struct change room = { .op = OP_ROOM, .rank = rank, .to.nbytes = 1 };
	struct change c = { .op = OP_INSERT, .rank = rank, .to.nbytes = SFS_RECORD_MAX };

	if (rank < CHUNKS || tree.model[rank].nbytes || change_do(&room))
		return;
	mock_fail(MOCK_ALLOC | MOCK_NEW, 0, true);
	TAP_REQUIRE(!change_do(&c), "seed %" PRIu64 ": insert into its room", ram_seed);
	c.op = OP_REPLACE;
	c.to.nbytes = 1;
	TAP_REQUIRE(!change_do(&c), "seed %" PRIu64 ": replace in its room", ram_seed);
	c.to.nbytes = SFS_RECORD_MAX;
	TAP_REQUIRE(!change_do(&c), "seed %" PRIu64 ": replace back in its room", ram_seed);
	mock_fail(0, 0, false);
}

static void random_run(u64 nops, unsigned int max, bool faults)
{
	static const unsigned int inserts[] = { 7, 4, 1 };	/* of 10: grow, hold, shrink */
	unsigned int phase = 0;
	struct shape shape;
	u64 n;

	for (n = 0; n < nops; n++) {
		unsigned int dice = ram_random(10);
		unsigned int rank = ram_random(KEYS);
		struct change c;

		if (n % 5000 == 0) {
			phase = ram_random(3);
			tree_check(&shape);
			TAP_REQUIRE(faults || shape.leaves < 8 ||
				    shape.leaf_bytes * 10 > (u64)shape.leaves * SFS_NODE_BYTES * 3,
				    "seed %" PRIu64 ": leaves are less than 30 %% full", ram_seed);
			mock_evict();
		}
		c = change_random(dice < inserts[phase] ? OP_INSERT :
				  dice < 9 ? OP_DELETE : OP_REPLACE, rank, max);
		if (faults && ram_random(8) == 0)
			mock_fail(MOCK_GET | MOCK_NEW | MOCK_ACCESS | MOCK_ALLOC, ram_random(12),
				  ram_random(2));
		if (change_do(&c) && mock_stat.failed && ram_random(16) == 0)
			tree_check(&shape);
		mock_fail(0, 0, false);
		if (n % 4 == 0)
			find_check(ram_random(KEYS));
		if (n % 64 == 0)
			room_use(ram_random(KEYS));
	}
	tree_check(&shape);
	TAP_REQUIRE(!mock_stat.corrupt && !mock_stat.shutdown, "seed %" PRIu64 ": damage seen", ram_seed);
}

static void test_random(void)
{
	ram_state = ram_seed + 1;
	tree_reset();
	random_run(ops, SFS_RECORD_MAX, false);
	TAP_OK(true, "random operations, records of 1 to 1200 bytes");
	tree_reset();
	random_run(ops, 16, false);
	TAP_OK(true, "random operations, small records");
	tree_reset();
	random_run(ops, SFS_RECORD_MAX, true);
	TAP_OK(true, "random operations with failures leave the tree as the model");
}

/* The change is tried with its first, second ... call failing, until it gets by. */
static void change_every_fault(const struct change *c, unsigned int kinds)
{
	struct mock_image *image = mock_save();
	struct sfs_inode in = *tree.in;
	struct model before = tree.model[c->rank];
	struct shape shape;
	unsigned int failed;
	unsigned int n;

	for (n = 0;; n++) {
		TAP_REQUIRE(n < 200, "seed %" PRIu64 ": no end of calls", ram_seed);
		mock_fail(kinds, n, ram_random(2));
		change_do(c);
		failed = mock_stat.failed;
		mock_fail(0, 0, false);
		/* A free that fails within a step has no way back: it must be said. */
		if (!mock_stat.shutdown)
			tree_check(&shape);
		else
			TAP_REQUIRE(kinds & MOCK_FREE, "seed %" PRIu64 ": needless shutdown", ram_seed);
		if (!failed)
			break;
		mock_stat.shutdown = 0;
		tree.model[c->rank] = before;
		*tree.in = in;
		mock_restore(image);
	}
	mock_image_free(image);
}

static void test_faults(void)
{
	static const unsigned int kinds[] = { MOCK_GET, MOCK_ACCESS, MOCK_ALLOC, MOCK_NEW,
					      MOCK_FREE };
	unsigned int max;
	unsigned int n;

	ram_state = ram_seed + 2;
	for (max = 16; max <= SFS_RECORD_MAX; max += SFS_RECORD_MAX - 16) {
		tree_reset();
		for (n = 0; n < 1500; n++) {
			bool grow = n / 500 % 2 == 0;
			struct change c;

			c = change_random(ram_random(8) ? (grow ? OP_INSERT : OP_DELETE) : OP_ROOM,
					  ram_random(400), max);
			if (c.op == OP_INSERT && tree.model[c.rank].nbytes)
				c.op = OP_REPLACE;
			change_every_fault(&c, kinds[n % 5]);
		}
	}
	TAP_OK(!mock_stat.corrupt, "each call of an operation may fail: all of it or nothing");
}

/* Fills all keys in the order @first, @first + @step ..., then empties the tree in that order. */
static void sequence_run(int first, int step, unsigned int nbytes, const char *name)
{
	struct change c = { .op = OP_INSERT, .to.nbytes = nbytes };
	struct shape shape;
	int rank = first;
	int n;

	tree_reset();
	for (n = 0; n < KEYS; n++, rank = (rank + step + KEYS) % KEYS) {
		c.rank = rank;
		TAP_REQUIRE(!change_do(&c), "seed %" PRIu64 ": insert %d", ram_seed, n);
	}
	tree_check(&shape);
	if (step == 1 || step == -1)
		TAP_OK(shape.leaf_bytes * 10 >= (u64)shape.leaves * SFS_NODE_BYTES * 9,
		       "%s keys fill leaves to 90 %% or more (%" PRIu64 " of 1000)", name,
		       (shape.leaf_bytes * 1000 / shape.leaves / SFS_NODE_BYTES));
	c.op = OP_DELETE;
	for (n = 0; n < KEYS; n++, rank = (rank + step + KEYS) % KEYS) {
		c.rank = rank;
		TAP_REQUIRE(!change_do(&c), "seed %" PRIu64 ": delete %d", ram_seed, n);
		if (n % 1000 == 0)
			tree_check(&shape);
	}
	tree_check(&shape);
	TAP_OK(sfs_tree_is_empty(tree.in) && !mock_stat.used && !tree.in->i_root[6],
	       "%s keys, %u bytes each: all deleted, no block left", name, nbytes);
}

/* A record too long for the root is the first of all; as with the target of a symlink. */
static void test_first(void)
{
	struct change c = { .op = OP_INSERT, .rank = 0, .to.nbytes = SFS_CHUNK };
	struct shape shape;

	tree_reset();
	TAP_EQ(change_do(&c), 0, "a long record goes into an empty tree");
	tree_check(&shape);
	c.op = OP_DELETE;
	TAP_OK(!change_do(&c) && sfs_tree_is_empty(tree.in) && !mock_stat.used, "and out again");
}

/* Rising keys until the root has grown to level 3, then down again. */
static void test_deep(void)
{
	u8 rec[SFS_RECORD_MAX] = { 0 };
	unsigned int n = 0;
	unsigned int i;

	tree_reset();
	any_record = true;
	for (; tree.in->i_root[6] < 3 && n < 100000; n++) {
		struct sfs_trans *t = mock_begin();

		TAP_REQUIRE(!sfs_tree_insert(t, tree.in, sfs_key(SFS_KIND_EXTENT, n), rec,
					     SFS_RECORD_MAX, 0), "seed %" PRIu64 ": insert %u", ram_seed, n);
		mock_end(t);
	}
	TAP_EQ(tree.in->i_root[6], 3, "%u long records make three levels of inner nodes", n);
	for (i = 0; i < n; i++) {
		struct sfs_trans *t = mock_begin();

		TAP_REQUIRE(!sfs_tree_delete(t, tree.in,
					     sfs_key(SFS_KIND_EXTENT, i * 7919ULL % n)),
			    "seed %" PRIu64 ": delete %u of %u", ram_seed, i, n);
		mock_end(t);
	}
	any_record = false;
	TAP_OK(n % 7919 && sfs_tree_is_empty(tree.in) && !mock_stat.used, "and go again");
}

/* One to six bytes, or one pointer, of a node or the root become something else. */
static void damage(void)
{
	unsigned int left = 1 + ram_random(6);

	while (left--) {
		u64 blk = 16 + ram_random(mock_stat.used + 1);
		u8 *data = mock_data(blk);
		u8 *node = data ? data + sizeof(struct sfs_head) : tree.in->i_root;
		unsigned int room = data ? SFS_NODE_BYTES : SFS_ROOT_BYTES;
		unsigned int at = ram_random(ram_random(2) ? 64 : room);
		u64 other = 16 + ram_random(mock_stat.used);

		if (ram_random(4))
			node[at] = ram_random(2) ? ram_random(1u << 31) : node[at] + 1u;
		else if (node[6] && !ram_random(2))	/* a child of an inner node */
			memcpy(node + 16 + ram_random(20) * 16, &other, sizeof(other));
		else
			memmove(node + at / 2, node + at, room - at);
	}
	mock_data_changed();
}

/* What the tree now says does not matter: that it says anything, and in time, does. */
static void hostile_ops(void)
{
	u8 rec[SFS_RECORD_MAX] = { 1 };
	struct sfs_path path;
	unsigned int steps = 0;
	unsigned int n;
	int err;

	for (n = 0; n < 40 && !mock_stat.shutdown; n++) {
		struct sfs_trans *t = mock_begin();
		u64 key = key_of(CHUNKS + ram_random(KEYS - CHUNKS)) + ram_random(2);
		unsigned int nbytes = 1 + ram_random(SFS_RECORD_MAX);
		unsigned int dice = ram_random(4);

		if (dice == 0)
			sfs_tree_insert(t, tree.in, key, rec, nbytes, 0);
		else if (dice == 1)
			sfs_tree_replace(t, tree.in, key, rec, nbytes, 0);
		else if (!sfs_tree_find_ge(tree.in, key, &path)) {
			key = sfs_path_key(&path);
			sfs_path_release(&path);
			sfs_tree_delete(t, tree.in, key);
		}
		mock_end(t);
		TAP_REQUIRE(!sfs_node_verify(&mock_fs, (struct sfs_node_disk *)tree.in->i_root,
					     SFS_ROOT_BYTES), "seed %" PRIu64 ": a bad root was made", ram_seed);
	}
	mock_begin();
	for (err = sfs_tree_find_ge(tree.in, 0, &path); !err; err = sfs_tree_next(&path))
		TAP_REQUIRE(++steps < 100 * KEYS, "seed %" PRIu64 ": a walk without end", ram_seed);
	steps = 0;
	for (err = sfs_tree_find_le(tree.in, ~0ULL, &path); !err; err = sfs_tree_prev(&path))
		TAP_REQUIRE(++steps < 100 * KEYS, "seed %" PRIu64 ": a walk back without end", ram_seed);
}

static void test_hostile(void)
{
	unsigned int refused = 0;
	unsigned int noticed = 0;
	struct mock_image *image;
	struct sfs_inode in;
	unsigned int n;
	u64 round;

	ram_state = ram_seed + 3;
	tree_reset();
	for (n = 0; n < 900; n++) {
		struct change c = change_random(OP_INSERT, ram_random(KEYS), SFS_RECORD_MAX);

		change_do(&c);
	}
	image = mock_save();
	in = *tree.in;
	any_record = true;
	for (round = 0; round < ops / 20; round++) {
		mock_restore(image);
		*tree.in = in;
		mock_stat.shutdown = 0;
		mock_stat.corrupt = 0;
		damage();
		if (sfs_node_verify(&mock_fs, (struct sfs_node_disk *)tree.in->i_root,
				    SFS_ROOT_BYTES))
			refused++;
		else
			hostile_ops();
		noticed += mock_stat.corrupt > 0;
	}
	any_record = false;
	mock_image_free(image);
	TAP_OK(refused && noticed && refused + noticed < round,
	       "damaged nodes do no harm (%" PRIu64 " trees: %u roots refused, %u seen below)",
	       round, refused, noticed);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	ops = argc > 2 ? strtoull(argv[2], NULL, 0) : ops;
	printf("# %" PRIu64 " operations a run\n", ops);
	test_first();
	test_random();
	test_faults();
	sequence_run(0, 1, 12, "rising");
	sequence_run(0, 1, 200, "rising");
	sequence_run(KEYS - 1, -1, 12, "falling");
	sequence_run(KEYS - 1, -1, 200, "falling");
	sequence_run(7, 2477, 100, "scattered");
	test_deep();
	test_hostile();
	mock_exit();
	free(tree.in);
	return tap_done();
}
