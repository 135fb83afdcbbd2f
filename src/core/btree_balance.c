// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree_balance.c - the shape of a tree: growing, splitting, joining, shrinking.
 *
 * Each step below changes at most one new or freed node, its sibling and its parent, takes all of
 * them first, and leaves a whole tree.  sfs_tree_room() takes such steps until there is room; a
 * failure between two of them loses nothing.  Joining after a delete is a favour: what cannot be
 * had for it is done without.
 */
#include "btree_node.h"

/* A node that has this much in use, or less, looks for a sibling to join. */
#define SFS_NODE_SPARSE		(SFS_NODE_BYTES / 3)
/* Joined nodes are at most this full, so that the next insert does not part them again. */
#define SFS_JOINED_MAX		(SFS_NODE_BYTES * 3 / 4)
/* The same for what the root takes back. */
#define SFS_ROOT_SHRINK		(SFS_ROOT_BYTES * 3 / 4)

static u64 sfs_tree_goal(const struct sfs_inode *in)
{
	return sfs_ino_blk(in->i_ino) + 1;
}

/* A fresh, empty node, which the caller links to and marks dirty. */
static int sfs_node_alloc(struct sfs_trans *t, struct sfs_inode *in, unsigned int level,
			  unsigned int flags, struct sfs_buf **ret_buf)
{
	struct sfs_buf *buf;
	u64 blk;
	u32 nblks;
	int err;

	/* A claim made for data does not pay for nodes; what must not fail has one of its own. */
	flags &= ~SFS_ALLOC_CLAIMED;
	if (!(flags & (SFS_ALLOC_POOL | SFS_ALLOC_NODES))) {
		err = sfs_node_charge(in);
		if (err)
			return err;
	}
	if ((flags & SFS_ALLOC_NODES) && in->i_nodes)
		flags |= SFS_ALLOC_CLAIMED;
	err = sfs_alloc_blks(t, in->i_fs, sfs_tree_goal(in), 1, flags, &blk, &nblks);
	if (err)
		return err;
	if (flags & SFS_ALLOC_CLAIMED) {
		in->i_nodes--;
		sfs_counter_add(&in->i_fs->f_nodes, -1);
	}
	err = sfs_buf_new(t, in->i_fs, blk, &sfs_node_ops, in->i_ino, &buf);
	if (err) {
		/* One that somebody has stays taken, or the next would get it again. */
		if (err != -EFSCORRUPTED && sfs_free_blks(t, in->i_fs, blk, 1))
			sfs_shutdown(in->i_fs, -EIO, "cannot give back an unused node");
		return err;
	}
	((struct sfs_head *)sfs_buf_data(buf))->h_generation = cpu_to_le32(in->i_generation);
	sfs_node_init(sfs_buf_node(buf), SFS_NODE_BYTES, level);
	in->i_blocks++;
	*ret_buf = buf;
	return 0;
}

/* The root's content moves into a block, and the root points to that: one level more. */
static int sfs_tree_grow(struct sfs_trans *t, struct sfs_path *path, unsigned int flags)
{
	struct sfs_inode *in = path->p_inode;
	struct sfs_node_disk *root = path->p_level[path->p_top].l_node;
	unsigned int level = root->n_level;
	struct sfs_node_disk *node;
	struct sfs_buf *buf;
	int err;

	if (level + 1 >= SFS_TREE_LEVELS)
		return -ENOSPC;
	err = sfs_node_alloc(t, in, level, flags, &buf);
	if (err)
		return err;
	node = sfs_buf_node(buf);
	sfs_node_append(node, SFS_NODE_BYTES, root, 0, sfs_node_count(root));
	sfs_node_init(root, SFS_ROOT_BYTES, level + 1);
	sfs_inner_put(root, 0, 0, sfs_buf_blk(buf));
	err = sfs_buf_dirty(t, in->i_fs, buf);
	sfs_buf_put(buf);
	return err;
}

/*
 * Where to part the node at @level: in the middle by bytes, but at the end (or start) of the whole
 * tree, where keys come in rising (falling) order, so that the nodes left behind are full.  Nowhere
 * else: there both halves must have room, sfs_tree_splits() counts on that.
 */
static unsigned int sfs_split_point(const struct sfs_path *path, unsigned int level)
{
	const struct sfs_node_disk *node = path->p_level[level].l_node;
	unsigned int slot = path->p_level[level].l_slot;
	unsigned int count = sfs_node_count(node);
	unsigned int total;
	unsigned int sum = 0;
	unsigned int i;
	u64 lo, hi;

	sfs_path_bounds(path, level + 1, &lo, &hi);
	if (hi == ~0ULL && slot + !!node->n_level >= count)
		return count - 1;
	if (!lo && !slot)
		return 1;
	if (node->n_level)
		return count / 2;
	total = sfs_node_used(node, SFS_NODE_BYTES);
	for (i = 0; i < count - 1 && sum < total / 2; i++)
		sum += sfs_slot_len(node, i) + sizeof(struct sfs_slot_disk);
	return max(i, 1u);
}

/* Parts the node at @level, not the root; its parent has room for an entry. */
static int sfs_tree_split(struct sfs_trans *t, struct sfs_path *path, unsigned int level,
			  unsigned int flags)
{
	struct sfs_inode *in = path->p_inode;
	struct sfs_path_level *l = &path->p_level[level];
	struct sfs_path_level *up = &path->p_level[level + 1];
	struct sfs_buf *buf;
	unsigned int at;
	u64 lo;
	u64 hi;
	int err;
	int err2;

	err = sfs_path_access(t, path, level);
	if (!err)
		err = sfs_path_access(t, path, level + 1);
	if (!err)
		err = sfs_node_alloc(t, in, level, flags, &buf);
	if (err)
		return err;
	at = sfs_split_point(path, level);
	sfs_node_append(sfs_buf_node(buf), SFS_NODE_BYTES, l->l_node, at,
			sfs_node_count(l->l_node) - at);
	sfs_node_cut(l->l_node, SFS_NODE_BYTES, at);
	/* The first child may hold keys below its entry's; the new entry must not come before. */
	if (!up->l_slot) {
		sfs_path_bounds(path, level + 1, &lo, &hi);
		sfs_node_entries(up->l_node)[0].e_key = cpu_to_le64(lo);
	}
	sfs_inner_put(up->l_node, up->l_slot + 1, sfs_node_first_key(sfs_buf_node(buf)),
		      sfs_buf_blk(buf));
	err = sfs_buf_dirty(t, in->i_fs, buf);
	err2 = sfs_path_dirty(t, path, level);
	err = err ? err : err2;
	err2 = sfs_path_dirty(t, path, level + 1);
	sfs_buf_put(buf);
	return err ? err : err2;
}

/* One step towards room in the leaf of @path: the highest node that stands in the way. */
static int sfs_tree_make_room(struct sfs_trans *t, struct sfs_path *path, unsigned int flags)
{
	unsigned int level = 0;

	while (level < path->p_top &&
	       sfs_node_free(path->p_level[level + 1].l_node,
			     sfs_path_capacity(path, level + 1)) < sizeof(struct sfs_entry_disk))
		level++;
	if (level == path->p_top)
		return sfs_tree_grow(t, path, flags);
	return sfs_tree_split(t, path, level, flags);
}

int sfs_tree_room(struct sfs_trans *t, struct sfs_inode *in, u64 key, unsigned int nrecs,
		  unsigned int nbytes, unsigned int flags)
{
	unsigned int need = nrecs * sizeof(struct sfs_slot_disk) + nbytes;
	struct sfs_path path;
	int err;

	sfs_assert(in->i_buf);
	sfs_assert(need <= 2 * (SFS_RECORD_MAX + sizeof(struct sfs_slot_disk)));
	for (;;) {
		err = sfs_path_to(in, key, &path);
		if (err)
			return err;
		if (sfs_node_free(path.p_level[0].l_node, sfs_path_capacity(&path, 0)) >= need) {
			err = sfs_path_access(t, &path, 0);
			sfs_path_release(&path);
			return err;
		}
		err = sfs_tree_make_room(t, &path, flags);
		sfs_path_release(&path);
		if (err)
			return err;
	}
}

/* What can fail of freeing a node, the @nth of several: before the first change. */
static int sfs_node_free_ready(struct sfs_trans *t, struct sfs_inode *in, struct sfs_buf *buf,
			       unsigned int nth)
{
	if (in->i_blocks < nth)
		return sfs_corrupt(in->i_fs, sfs_buf_blk(buf), in->i_ino, "btree",
				   "more nodes than blocks counted");
	return sfs_free_meta_ready(t, in->i_fs, sfs_buf_blk(buf));
}

/*
 * Frees a node that is ready, after all that is wanted of it has been read.  Consumes the
 * reference. An error means that the filesystem is shut down.
 */
static int sfs_node_dispose(struct sfs_trans *t, struct sfs_inode *in, struct sfs_buf *buf)
{
	int err = sfs_free_meta(t, in->i_fs, buf);

	if (err)
		sfs_shutdown(in->i_fs, err, "a node of a tree cannot be freed");
	else
		in->i_blocks--;
	return err;
}

/* A root with one child whose content fits well: takes it in. */
static int sfs_tree_shrink(struct sfs_trans *t, struct sfs_inode *in)
{
	struct sfs_node_disk *root = (struct sfs_node_disk *)in->i_root;
	struct sfs_node_disk *node;
	struct sfs_path path;
	struct sfs_buf *buf;
	int err;

	while (root->n_level && sfs_node_count(root) == 1) {
		err = sfs_path_child(in, &path);
		if (err)
			return err;
		buf = path.p_level[path.p_top - 1].l_buf;
		node = path.p_level[path.p_top - 1].l_node;
		if (sfs_node_used(node, SFS_NODE_BYTES) > SFS_ROOT_SHRINK) {
			sfs_path_release(&path);
			return 0;
		}
		err = sfs_node_free_ready(t, in, buf, 1);
		if (err) {
			sfs_path_release(&path);
			return err;
		}
		sfs_node_init(root, SFS_ROOT_BYTES, node->n_level);
		sfs_node_append(root, SFS_ROOT_BYTES, node, 0, sfs_node_count(node));
		err = sfs_node_dispose(t, in, buf);
		if (err)
			return err;
	}
	return 0;
}

/* NULL or why entry @slot of the parent at @level cannot have @node for its child. */
static const char *sfs_sibling_verify(struct sfs_path *path, unsigned int level,
				      unsigned int slot, const struct sfs_node_disk *node)
{
	unsigned int own = path->p_level[level].l_slot;
	const char *why;

	path->p_level[level].l_slot = slot;
	why = sfs_child_verify(path, level, node);
	path->p_level[level].l_slot = own;
	return why;
}

/* Moves all of entry @right of the parent into the one before it; all is accessible and fits. */
static int sfs_pair_merge(struct sfs_trans *t, struct sfs_path *path, unsigned int level,
			  unsigned int right, struct sfs_buf *pair[2])
{
	struct sfs_inode *in = path->p_inode;
	struct sfs_node_disk *up = path->p_level[level + 1].l_node;
	struct sfs_node_disk *to = sfs_buf_node(pair[0]);
	struct sfs_node_disk *from = sfs_buf_node(pair[1]);
	unsigned int count = sfs_node_count(to);
	int err;
	int err2;

	err = sfs_node_free_ready(t, in, pair[1], 1);
	if (err)
		return err;
	sfs_node_append(to, SFS_NODE_BYTES, from, 0, sfs_node_count(from));
	/* A first entry's key says nothing and may be anything; further in it must be true. */
	if (level)
		sfs_node_entries(to)[count].e_key = sfs_node_entries(up)[right].e_key;
	sfs_inner_remove(up, right);
	sfs_buf_hold(pair[1]);
	err = sfs_node_dispose(t, in, pair[1]);
	err2 = sfs_buf_dirty(t, in->i_fs, pair[0]);
	err = err ? err : err2;
	err2 = sfs_path_dirty(t, path, level + 1);
	return err ? err : err2;
}

/*
 * Joins entry @right of the parent at @level + 1 into the one before it, if both fit; one of them
 * is the path's own.  @ret_joined says whether; an error comes before any change.
 */
static int sfs_tree_join_pair(struct sfs_trans *t, struct sfs_path *path, unsigned int level,
			      unsigned int right, bool *ret_joined)
{
	struct sfs_inode *in = path->p_inode;
	struct sfs_path_level *l = &path->p_level[level];
	struct sfs_path_level *up = &path->p_level[level + 1];
	bool own_is_left = up->l_slot + 1 == right;
	unsigned int other = own_is_left ? right : right - 1;
	u64 blk = le64_to_cpu(sfs_node_entries(up->l_node)[other].e_blk);
	struct sfs_buf *sibling;
	struct sfs_buf *pair[2];
	const char *why;
	int err;

	err = sfs_node_get(in, blk, &sibling);
	if (err)
		return err;
	why = sfs_sibling_verify(path, level + 1, other, sfs_buf_node(sibling));
	if (why) {
		err = sfs_corrupt(in->i_fs, blk, in->i_ino, "btree node", why);
		goto put_sibling;
	}
	if (sfs_node_used(sfs_buf_node(sibling), SFS_NODE_BYTES) +
	    sfs_node_used(l->l_node, SFS_NODE_BYTES) > SFS_JOINED_MAX)
		goto put_sibling;
	pair[0] = own_is_left ? l->l_buf : sibling;
	pair[1] = own_is_left ? sibling : l->l_buf;
	err = sfs_buf_access(t, in->i_fs, pair[0]);
	if (!err)
		err = sfs_path_access(t, path, level + 1);
	if (!err)
		err = sfs_pair_merge(t, path, level, right, pair);
	if (!err)
		*ret_joined = true;
put_sibling:
	sfs_buf_put(sibling);
	return err;
}

void sfs_tree_join(struct sfs_trans *t, struct sfs_path *path, unsigned int level)
{
	bool joined = true;
	int err = 0;

	for (; level < path->p_top && joined && !err; level++) {
		struct sfs_path_level *up = &path->p_level[level + 1];

		joined = false;
		if (sfs_node_used(path->p_level[level].l_node, SFS_NODE_BYTES) > SFS_NODE_SPARSE)
			break;
		if (up->l_slot + 1 < sfs_node_count(up->l_node))
			err = sfs_tree_join_pair(t, path, level, up->l_slot + 1, &joined);
		if (!err && !joined && up->l_slot)
			err = sfs_tree_join_pair(t, path, level, up->l_slot, &joined);
	}
	/* What does not come off now comes off with a later delete. */
	if (!err)
		sfs_tree_shrink(t, path->p_inode);
}

/*
 * What can fail of dropping the leaf of @path.  *@ret_level: of the lowest ancestor that keeps
 * another child, or of the root.
 */
static int sfs_drop_ready(struct sfs_trans *t, struct sfs_path *path, unsigned int *ret_level)
{
	unsigned int level = 1;
	unsigned int n;
	int err;

	while (level < path->p_top && sfs_node_count(path->p_level[level].l_node) == 1)
		level++;
	*ret_level = level;
	err = sfs_path_access(t, path, level);
	for (n = 0; n < level && !err; n++)
		err = sfs_node_free_ready(t, path->p_inode, path->p_level[n].l_buf, n + 1);
	return err;
}

int sfs_tree_delete_room(struct sfs_trans *t, struct sfs_inode *in, u64 key)
{
	struct sfs_path path;
	unsigned int level;
	int err;

	sfs_assert(in->i_buf);
	err = sfs_path_to(in, key, &path);
	if (err)
		return err;
	err = sfs_path_access(t, &path, 0);
	if (!err && path.p_top && sfs_node_count(path.p_level[0].l_node) == 1)
		err = sfs_drop_ready(t, &path, &level);
	sfs_path_release(&path);
	return err;
}

int sfs_tree_drop_leaf(struct sfs_trans *t, struct sfs_path *path, bool join)
{
	struct sfs_inode *in = path->p_inode;
	unsigned int level;
	unsigned int n;
	int err;

	err = sfs_drop_ready(t, path, &level);
	for (n = 0; n < level && !err; n++) {
		struct sfs_buf *buf = path->p_level[n].l_buf;

		path->p_level[n].l_buf = NULL;
		err = sfs_node_dispose(t, in, buf);
	}
	if (err)
		return err;
	if (sfs_node_count(path->p_level[level].l_node) == 1) {
		sfs_tree_init(in->i_root);	/* only the root can be left with none */
		return 0;
	}
	sfs_inner_remove(path->p_level[level].l_node, path->p_level[level].l_slot);
	err = sfs_path_dirty(t, path, level);
	if (!err && join)
		sfs_tree_join(t, path, level);
	return err;
}
