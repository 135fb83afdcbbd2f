// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree.c - records put into the ordered map of an inode, replaced and taken out.
 *
 * Every change is one leaf's: nodes are split before a record comes (sfs_tree_room(),
 * btree_balance.c) and joined after one has gone, each split or join a complete change of its own.
 * So an insert that has room cannot fail, and a lack of space or of a block is met while the tree
 * is still as it was.
 *
 * The caller holds the inode's tree lock exclusively.
 */
#include "btree_node.h"

int sfs_tree_insert(struct sfs_trans *t, struct sfs_inode *in, u64 key, const void *rec,
		    unsigned int nbytes, unsigned int flags)
{
	unsigned int need = nbytes + sizeof(struct sfs_slot_disk);
	struct sfs_path path;
	struct sfs_path_level *leaf = &path.p_level[0];
	int err;

	sfs_assert(nbytes && nbytes <= SFS_RECORD_MAX);
	err = sfs_path_to(in, key, &path);
	if (err)
		return err;
	if (leaf->l_slot < sfs_node_count(leaf->l_node) &&
	    sfs_slot_key(leaf->l_node, leaf->l_slot) == key) {
		err = -EEXIST;
		goto release;
	}
	if (sfs_node_free(leaf->l_node, sfs_path_capacity(&path, 0)) < need) {
		sfs_path_release(&path);
		err = sfs_tree_room(t, in, key, 1, nbytes, flags);
		if (!err)
			err = sfs_path_to(in, key, &path);
		if (err)
			return err;
	}
	err = sfs_path_access(t, &path, 0);
	if (err)
		goto release;
	sfs_leaf_put(leaf->l_node, sfs_path_capacity(&path, 0), leaf->l_slot, key, rec, nbytes);
	err = sfs_path_dirty(t, &path, 0);
release:
	sfs_path_release(&path);
	return err;
}

int sfs_tree_replace(struct sfs_trans *t, struct sfs_inode *in, u64 key, const void *rec,
		     unsigned int nbytes, unsigned int flags)
{
	struct sfs_path path;
	struct sfs_path_level *leaf = &path.p_level[0];
	unsigned int old;
	int err;

	sfs_assert(nbytes && nbytes <= SFS_RECORD_MAX);
	err = sfs_tree_find(in, key, &path);
	if (err)
		return err;
	old = sfs_slot_len(leaf->l_node, leaf->l_slot);
	if (nbytes > old &&
	    nbytes - old > sfs_node_free(leaf->l_node, sfs_path_capacity(&path, 0))) {
		sfs_path_release(&path);
		err = sfs_tree_room(t, in, key, 0, nbytes - old, flags);
		if (!err)
			err = sfs_tree_find(in, key, &path);
		if (err)
			return err;
	}
	err = sfs_path_access(t, &path, 0);
	if (err)
		goto release;
	if (nbytes == old) {
		memcpy(sfs_slot_record(leaf->l_node, leaf->l_slot), rec, nbytes);
	} else {
		sfs_leaf_remove(leaf->l_node, leaf->l_slot);
		sfs_leaf_put(leaf->l_node, sfs_path_capacity(&path, 0), leaf->l_slot, key, rec,
			     nbytes);
	}
	err = sfs_path_dirty(t, &path, 0);
release:
	sfs_path_release(&path);
	return err;
}

int sfs_tree_patch(struct sfs_trans *t, struct sfs_inode *in, u64 key, unsigned int off,
		   const void *bytes, unsigned int nbytes)
{
	struct sfs_path path;
	struct sfs_path_level *leaf = &path.p_level[0];
	unsigned int have;
	int err;

	err = sfs_tree_find(in, key, &path);
	if (err)
		return err;
	have = sfs_slot_len(leaf->l_node, leaf->l_slot);
	if (!leaf->l_buf || off > have || nbytes > have - off)
		err = -EFSCORRUPTED;
	else
		err = sfs_buf_access(t, in->i_fs, leaf->l_buf);
	if (!err) {
		memcpy((u8 *)sfs_slot_record(leaf->l_node, leaf->l_slot) + off, bytes, nbytes);
		err = sfs_buf_dirty(t, in->i_fs, leaf->l_buf);
	}
	sfs_path_release(&path);
	return err;
}

static int sfs_tree_take(struct sfs_trans *t, struct sfs_inode *in, u64 key, bool join)
{
	struct sfs_path path;
	struct sfs_path_level *leaf = &path.p_level[0];
	int err;

	err = sfs_tree_find(in, key, &path);
	if (err)
		return err;
	if (!sfs_path_is_root(&path, 0) && sfs_node_count(leaf->l_node) == 1) {
		err = sfs_tree_drop_leaf(t, &path, join);
		goto release;
	}
	err = sfs_path_access(t, &path, 0);
	if (err)
		goto release;
	sfs_leaf_remove(leaf->l_node, leaf->l_slot);
	err = sfs_path_dirty(t, &path, 0);
	if (!err && join)
		sfs_tree_join(t, &path, 0);
release:
	sfs_path_release(&path);
	return err;
}

int sfs_tree_delete(struct sfs_trans *t, struct sfs_inode *in, u64 key)
{
	return sfs_tree_take(t, in, key, true);
}

int sfs_tree_delete_only(struct sfs_trans *t, struct sfs_inode *in, u64 key)
{
	return sfs_tree_take(t, in, key, false);
}

unsigned int sfs_tree_root_free(const struct sfs_inode *in)
{
	const struct sfs_node_disk *root = (const void *)in->i_root;

	return root->n_level ? 0 : sfs_node_free(root, SFS_ROOT_BYTES);
}

/* Both halves of a node have room: what comes later is for who counts records. */
static u64 sfs_splits(u64 width, unsigned int nlevels, u64 nplaces)
{
	const u64 fan_out = SFS_NODE_BYTES / sizeof(struct sfs_entry_disk);
	u64 nnodes = 0;

	for (; nlevels; nlevels--) {
		nnodes += min(width, nplaces);
		width *= fan_out;	/* at most 2^61: 7 levels, and a root of 2^5 */
	}
	return nnodes;
}

u64 sfs_tree_splits(const struct sfs_inode *in, u64 nplaces)
{
	const struct sfs_node_disk *root = (const void *)in->i_root;

	return sfs_splits(sfs_node_count(root), root->n_level, nplaces);
}

/* One change makes a tree a level higher, or two where the root was the only leaf. */
u64 sfs_tree_splits_most(const struct sfs_inode *in, u64 nplaces)
{
	const unsigned int width = SFS_ROOT_BYTES / sizeof(struct sfs_entry_disk);
	const struct sfs_node_disk *root = (const void *)in->i_root;

	return sfs_splits(width, min(root->n_level + 2, SFS_TREE_LEVELS - 1), nplaces);
}
