// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree_rekey.c - a row of records gets other keys, all larger or all smaller by one number.
 *
 * The records move into a gap, so their order stays, and with it the place of each in its leaf and
 * of each leaf in the tree: keys are changed where they stand, a leaf at a time, from the side
 * where the gap is.  A key above a leaf has to be no higher than the leaf's first and higher than
 * the last of the leaf before: the first key itself is both.  So nothing is split or joined, and
 * after each leaf the tree is whole.  Keys of first entries say nothing but have rules of their own
 * (btree_path.c), which are kept here, too.
 *
 * Ways are found by key, not kept: between two calls others may change what is outside the row.
 */
#include "btree_node.h"

/* The slots of one leaf that move. */
struct sfs_row {
	unsigned int r_first;
	unsigned int r_last;
};

/* To the record that is to move next, and its row; -ENOENT if none is left. */
static int sfs_rekey_row(struct sfs_path *path, const struct sfs_rekey *r, struct sfs_row *row)
{
	const struct sfs_path_level *leaf = &path->p_level[0];
	u64 key = sfs_path_key(path);

	if (key < r->r_first || key > r->r_last) {
		sfs_path_release(path);
		return -ENOENT;
	}
	row->r_first = sfs_leaf_search(leaf->l_node, r->r_first);
	row->r_last = sfs_leaf_search(leaf->l_node, r->r_last + 1) - 1;
	return 0;
}

static int sfs_rekey_start(struct sfs_inode *in, const struct sfs_rekey *r, struct sfs_path *path,
			   struct sfs_row *row)
{
	int err = r->r_up ? sfs_tree_find_le(in, r->r_last, path) :
			    sfs_tree_find_ge(in, r->r_first, path);

	return err ? err : sfs_rekey_row(path, r, row);
}

/* On to the next leaf.  The keys of this one may have changed. */
static int sfs_rekey_next(struct sfs_path *path, const struct sfs_rekey *r, struct sfs_row *row)
{
	struct sfs_path_level *leaf = &path->p_level[0];
	int err;

	leaf->l_slot = r->r_up ? 0 : sfs_node_count(leaf->l_node) - 1;
	/* Records of another kind share the leaf: all of these have been seen. */
	if (leaf->l_slot != (r->r_up ? row->r_first : row->r_last)) {
		sfs_path_release(path);
		return -ENOENT;
	}
	err = r->r_up ? sfs_tree_prev(path) : sfs_tree_next(path);
	return err ? err : sfs_rekey_row(path, r, row);
}

/* The highest level at which something says where the row begins. */
static unsigned int sfs_rekey_top(const struct sfs_path *path, const struct sfs_row *row)
{
	unsigned int level = 1;

	if (row->r_first || !path->p_top)
		return 0;
	while (level < path->p_top && !path->p_level[level].l_slot)
		level++;
	return level;
}

/* Nodes in blocks that have to change with this leaf, but for those in @seen, by level. */
static unsigned int sfs_rekey_nodes(const struct sfs_path *path, unsigned int top,
				    u64 seen[SFS_TREE_LEVELS])
{
	unsigned int level;
	unsigned int n = 0;

	for (level = 0; level <= top && !sfs_path_is_root(path, level); level++) {
		u64 blk = sfs_buf_blk(path->p_level[level].l_buf);

		n += blk != seen[level];
		seen[level] = blk;
	}
	return n;
}

/*
 * The key of an only entry says nothing and may be any that its node may have, but then it must not
 * be above what the node after it gets: in front of records that go down it becomes the lowest.
 */
static int sfs_rekey_before(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_rekey *r,
			    unsigned int *nnodes)
{
	struct sfs_path path;
	unsigned int level;
	u64 lo, hi;
	int err;

	if (r->r_up)
		return 0;
	err = sfs_tree_find_le(in, r->r_first - 1, &path);
	if (err)
		return err == -ENOENT ? 0 : err;
	for (level = 1; level <= path.p_top && !err; level++) {
		struct sfs_node_disk *node = path.p_level[level].l_node;

		sfs_path_bounds(&path, level, &lo, &hi);
		if (sfs_node_count(node) > 1 || sfs_entry_key(node, 0) == lo)
			continue;
		err = sfs_path_access(t, &path, level);
		if (err)
			break;
		--*nnodes;
		sfs_node_entries(node)[0].e_key = cpu_to_le64(lo);
		err = sfs_path_dirty(t, &path, level);
	}
	sfs_path_release(&path);
	return err;
}

int sfs_tree_rekey_ready(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_rekey *r,
			 unsigned int nnodes, unsigned int *ret_nleaves)
{
	u64 seen[SFS_TREE_LEVELS] = { 0 };
	unsigned int nleaves = 0;
	unsigned int top, level;
	struct sfs_path path;
	struct sfs_row row;
	int err;

	sfs_assert(nnodes >= SFS_REKEY_NODES_MIN);
	err = sfs_rekey_before(t, in, r, &nnodes);
	if (err)
		return err;
	err = sfs_rekey_start(in, r, &path, &row);
	while (!err) {
		unsigned int need;

		top = sfs_rekey_top(&path, &row);
		need = sfs_rekey_nodes(&path, top, seen);
		if (need > nnodes)
			break;
		nnodes -= need;
		for (level = 0; level <= top && !err; level++)
			err = sfs_path_access(t, &path, level);
		if (err)
			break;
		nleaves++;
		err = sfs_rekey_next(&path, r, &row);
	}
	sfs_path_release(&path);
	*ret_nleaves = nleaves;
	return err == -ENOENT ? 1 : err;
}

/* @key is the first of the leaf below: the nodes above, up to @top, say so. */
static int sfs_rekey_above(struct sfs_trans *t, struct sfs_path *path, unsigned int top, u64 key)
{
	unsigned int level;
	int err = 0;
	int err2;

	for (level = 1; level <= top; level++) {
		struct sfs_path_level *l = &path->p_level[level];
		struct sfs_entry_disk *entries = sfs_node_entries(l->l_node);
		u64 lo;
		u64 hi;

		entries[l->l_slot].e_key = cpu_to_le64(key);
		/* A first entry's own key says nothing, but comes before the next one's. */
		if (l->l_slot == 1 && sfs_entry_key(l->l_node, 0) >= key) {
			l->l_slot = 0;
			sfs_path_bounds(path, level, &lo, &hi);
			l->l_slot = 1;
			entries[0].e_key = cpu_to_le64(lo);
		}
		err2 = sfs_path_dirty(t, path, level);
		err = err ? err : err2;
	}
	return err;
}

static int sfs_rekey_leaf(struct sfs_trans *t, struct sfs_path *path, struct sfs_rekey *r,
			  const struct sfs_row *row)
{
	struct sfs_node_disk *node = path->p_level[0].l_node;
	unsigned int top = sfs_rekey_top(path, row);
	u64 by = r->r_up ? r->r_by : -r->r_by;
	unsigned int i;
	int err;
	int err2;

	if (r->r_up)
		r->r_last = sfs_slot_key(node, row->r_first) - 1;
	else
		r->r_first = sfs_slot_key(node, row->r_last) + 1;
	for (i = row->r_first; i <= row->r_last; i++)
		sfs_node_slots(node)[i].s_key = cpu_to_le64(sfs_slot_key(node, i) + by);
	err = sfs_rekey_above(t, path, top, sfs_slot_key(node, row->r_first));
	err2 = sfs_path_dirty(t, path, 0);
	return err ? err : err2;
}

int sfs_tree_rekey(struct sfs_trans *t, struct sfs_inode *in, struct sfs_rekey *r,
		   unsigned int nleaves)
{
	struct sfs_path path;
	struct sfs_row row;
	int err;

	if (!nleaves)
		return 0;
	err = sfs_rekey_start(in, r, &path, &row);
	while (!err) {
		err = sfs_rekey_leaf(t, &path, r, &row);
		if (err || !--nleaves)
			break;
		err = sfs_rekey_next(&path, r, &row);
	}
	sfs_path_release(&path);
	return err;
}
