// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree_path.c - ways through a tree: find, go on, and what may stand where.
 *
 * The root is inside the inode; other nodes are blocks owned by it.  A path holds one node of each
 * level.  What links nodes (levels, key ranges, owners) is checked on each way down, since no node
 * alone can tell.  Nothing here changes a tree.
 *
 * The caller holds the inode's tree lock, at least shared.
 */
#include "btree_node.h"

void sfs_tree_init(u8 *root)
{
	sfs_node_init((struct sfs_node_disk *)root, SFS_ROOT_BYTES, 0);
}

bool sfs_tree_is_empty(const struct sfs_inode *in)
{
	return !sfs_node_count((const struct sfs_node_disk *)in->i_root);
}

void sfs_path_release(struct sfs_path *path)
{
	unsigned int level;

	for (level = 0; level < path->p_top; level++) {
		sfs_buf_put(path->p_level[level].l_buf);
		path->p_level[level].l_buf = NULL;
	}
}

void sfs_path_bounds(const struct sfs_path *path, unsigned int level, u64 *ret_lo, u64 *ret_hi)
{
	const struct sfs_path_level *l = &path->p_level[level];
	const struct sfs_path_level *top = &path->p_level[path->p_top];

	/* A first entry's own key says nothing, a last entry has no next: ask the level above. */
	while (l < top && !l->l_slot)
		l++;
	*ret_lo = l->l_slot ? sfs_entry_key(l->l_node, l->l_slot) : 0;
	l = &path->p_level[level];
	while (l < top && l->l_slot + 1 == sfs_node_count(l->l_node))
		l++;
	*ret_hi = l->l_slot + 1 < sfs_node_count(l->l_node) ?
		  sfs_entry_key(l->l_node, l->l_slot + 1) : ~0ULL;
}

const char *sfs_node_fits(const struct sfs_node_disk *node, unsigned int level, bool only, u64 lo,
			  u64 hi)
{
	if (node->n_level + 1u != level)
		return "wrong level";
	if (!sfs_node_count(node))
		return only ? NULL : "empty node below the root";
	if (sfs_node_first_key(node) < lo)
		return "first key does not fit the parent's";
	if (sfs_node_last_key(node) >= hi)
		return "last key reaches into the next node";
	return NULL;
}

const char *sfs_child_verify(const struct sfs_path *path, unsigned int level,
			     const struct sfs_node_disk *node)
{
	bool only = path->p_top == 1 && sfs_node_count(path->p_level[1].l_node) == 1;
	u64 lo;
	u64 hi;

	sfs_path_bounds(path, level, &lo, &hi);
	return sfs_node_fits(node, level, only, lo, hi);
}

int sfs_node_get(const struct sfs_inode *in, u64 blk, struct sfs_buf **ret_buf)
{
	const struct sfs_head *head;
	struct sfs_buf *buf;
	int err;

	err = sfs_buf_get(in->i_fs, blk, &sfs_node_ops, in->i_ino, &buf);
	if (err)
		return err;
	head = sfs_buf_data(buf);
	if (le32_to_cpu(head->h_generation) != in->i_generation) {
		sfs_buf_put(buf);
		return sfs_corrupt(in->i_fs, blk, in->i_ino, "btree node",
				   "left over from an earlier inode of this number");
	}
	*ret_buf = buf;
	return 0;
}

/* Goes down to @level through the slot chosen in the level above. */
static int sfs_path_down(struct sfs_path *path, unsigned int level)
{
	const struct sfs_path_level *up = &path->p_level[level + 1];
	u64 blk = le64_to_cpu(sfs_node_entries(up->l_node)[up->l_slot].e_blk);
	struct sfs_path_level *l = &path->p_level[level];
	const char *why;
	int err;

	err = sfs_node_get(path->p_inode, blk, &l->l_buf);
	if (err)
		return err;
	l->l_node = sfs_buf_node(l->l_buf);
	why = sfs_child_verify(path, level + 1, l->l_node);
	if (why)
		return sfs_corrupt(path->p_inode->i_fs, blk, path->p_inode->i_ino, "btree node",
				   why);
	return 0;
}

static void sfs_path_init(struct sfs_inode *in, struct sfs_path *path)
{
	struct sfs_node_disk *root = (struct sfs_node_disk *)in->i_root;
	unsigned int level;

	path->p_inode = in;
	path->p_top = root->n_level;
	for (level = 0; level <= path->p_top; level++)
		path->p_level[level].l_buf = NULL;
	path->p_level[path->p_top].l_node = root;
	path->p_level[path->p_top].l_slot = 0;
}

int sfs_path_to(struct sfs_inode *in, u64 key, struct sfs_path *path)
{
	unsigned int level;
	int err;

	sfs_path_init(in, path);
	for (level = path->p_top; level; level--) {
		path->p_level[level].l_slot = sfs_inner_search(path->p_level[level].l_node, key);
		err = sfs_path_down(path, level - 1);
		if (err) {
			sfs_path_release(path);
			return err;
		}
	}
	path->p_level[0].l_slot = sfs_leaf_search(path->p_level[0].l_node, key);
	return 0;
}

int sfs_path_child(struct sfs_inode *in, struct sfs_path *path)
{
	int err;

	sfs_path_init(in, path);
	err = sfs_path_down(path, path->p_top - 1);
	if (err)
		sfs_path_release(path);
	return err;
}

/* From the level whose slot was just moved, down to the leaf along the first or last entries. */
static int sfs_path_edge(struct sfs_path *path, unsigned int level, bool last)
{
	int err;

	while (level) {
		err = sfs_path_down(path, --level);
		if (err) {
			sfs_path_release(path);
			return err;
		}
		path->p_level[level].l_slot =
			last ? sfs_node_count(path->p_level[level].l_node) - 1 : 0;
	}
	return 0;
}

/* Drops the buffers below @level. */
static void sfs_path_drop(struct sfs_path *path, unsigned int level)
{
	while (level--) {
		sfs_buf_put(path->p_level[level].l_buf);
		path->p_level[level].l_buf = NULL;
	}
}

int sfs_tree_next(struct sfs_path *path)
{
	unsigned int level;

	for (level = 0; level <= path->p_top; level++) {
		struct sfs_path_level *l = &path->p_level[level];

		if (l->l_slot + 1 < sfs_node_count(l->l_node)) {
			l->l_slot++;
			sfs_path_drop(path, level);
			return sfs_path_edge(path, level, false);
		}
	}
	sfs_path_release(path);
	return -ENOENT;
}

int sfs_tree_prev(struct sfs_path *path)
{
	unsigned int level;

	for (level = 0; level <= path->p_top; level++) {
		struct sfs_path_level *l = &path->p_level[level];

		if (l->l_slot) {
			l->l_slot--;
			sfs_path_drop(path, level);
			return sfs_path_edge(path, level, true);
		}
	}
	sfs_path_release(path);
	return -ENOENT;
}

int sfs_tree_find_ge(struct sfs_inode *in, u64 key, struct sfs_path *path)
{
	struct sfs_path_level *leaf = &path->p_level[0];
	int err;

	err = sfs_path_to(in, key, path);
	if (err)
		return err;
	if (leaf->l_slot < sfs_node_count(leaf->l_node))
		return 0;
	/* Past the last of this leaf: stand on the last, if any, and step on. */
	if (leaf->l_slot)
		leaf->l_slot--;
	return sfs_tree_next(path);
}

int sfs_tree_find(struct sfs_inode *in, u64 key, struct sfs_path *path)
{
	struct sfs_path_level *leaf = &path->p_level[0];
	int err;

	err = sfs_path_to(in, key, path);
	if (err)
		return err;
	if (leaf->l_slot < sfs_node_count(leaf->l_node) &&
	    sfs_slot_key(leaf->l_node, leaf->l_slot) == key)
		return 0;
	sfs_path_release(path);
	return -ENOENT;
}

int sfs_tree_find_le(struct sfs_inode *in, u64 key, struct sfs_path *path)
{
	struct sfs_path_level *leaf = &path->p_level[0];
	int err;

	err = sfs_path_to(in, key, path);
	if (err)
		return err;
	if (leaf->l_slot < sfs_node_count(leaf->l_node) &&
	    sfs_slot_key(leaf->l_node, leaf->l_slot) == key)
		return 0;
	return sfs_tree_prev(path);
}

u64 sfs_path_key(const struct sfs_path *path)
{
	return sfs_slot_key(path->p_level[0].l_node, path->p_level[0].l_slot);
}

const void *sfs_path_record(const struct sfs_path *path, unsigned int *ret_nbytes)
{
	const struct sfs_path_level *leaf = &path->p_level[0];

	*ret_nbytes = sfs_slot_len(leaf->l_node, leaf->l_slot);
	return sfs_slot_record(leaf->l_node, leaf->l_slot);
}

/* The root's block is the inode's, taken by sfs_inode_begin(). */
int sfs_path_access(struct sfs_trans *t, struct sfs_path *path, unsigned int level)
{
	sfs_assert(path->p_inode->i_buf);
	if (sfs_path_is_root(path, level))
		return 0;
	return sfs_buf_access(t, path->p_inode->i_fs, path->p_level[level].l_buf);
}

int sfs_path_dirty(struct sfs_trans *t, struct sfs_path *path, unsigned int level)
{
	if (sfs_path_is_root(path, level))
		return 0;
	return sfs_buf_dirty(t, path->p_inode->i_fs, path->p_level[level].l_buf);
}
