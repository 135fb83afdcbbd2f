/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * btree_node.h - one node, and the ways to it, as the btree files see them; nobody else includes
 * this.
 *
 * The same layout serves the root inside the inode and nodes in blocks; only the capacity differs.
 * These functions know bytes, not blocks: no I/O, no transactions, nothing that can fail.
 */
#ifndef SFS_BTREE_NODE_H
#define SFS_BTREE_NODE_H

#include "port.h"
#include "format.h"
#include "core.h"

static inline unsigned int sfs_node_count(const struct sfs_node_disk *node)
{
	return le16_to_cpu(node->n_count);
}

static inline struct sfs_slot_disk *sfs_node_slots(const struct sfs_node_disk *node)
{
	return (struct sfs_slot_disk *)(node + 1);
}

static inline struct sfs_entry_disk *sfs_node_entries(const struct sfs_node_disk *node)
{
	return (struct sfs_entry_disk *)(node + 1);
}

static inline u64 sfs_slot_key(const struct sfs_node_disk *node, unsigned int i)
{
	return le64_to_cpu(sfs_node_slots(node)[i].s_key);
}

static inline u64 sfs_entry_key(const struct sfs_node_disk *node, unsigned int i)
{
	return le64_to_cpu(sfs_node_entries(node)[i].e_key);
}

static inline unsigned int sfs_slot_len(const struct sfs_node_disk *node, unsigned int i)
{
	return le16_to_cpu(sfs_node_slots(node)[i].s_len);
}

static inline void *sfs_slot_record(const struct sfs_node_disk *node, unsigned int i)
{
	return (u8 *)node + le16_to_cpu(sfs_node_slots(node)[i].s_off);
}

static inline u64 sfs_node_first_key(const struct sfs_node_disk *node)
{
	return node->n_level ? sfs_entry_key(node, 0) : sfs_slot_key(node, 0);
}

static inline u64 sfs_node_last_key(const struct sfs_node_disk *node)
{
	unsigned int last = sfs_node_count(node) - 1;

	return node->n_level ? sfs_entry_key(node, last) : sfs_slot_key(node, last);
}

/* Bytes between the slots and the heap; leaves only. */
static inline unsigned int sfs_leaf_gap(const struct sfs_node_disk *node)
{
	return le16_to_cpu(node->n_heap) - sizeof(*node) -
	       sfs_node_count(node) * sizeof(struct sfs_slot_disk);
}

/* Bytes that a leaf could still take, or that more entries could. */
static inline unsigned int sfs_node_free(const struct sfs_node_disk *node, unsigned int capacity)
{
	if (!node->n_level)
		return sfs_leaf_gap(node) + le16_to_cpu(node->n_dead);
	return capacity - sizeof(*node) - sfs_node_count(node) * sizeof(struct sfs_entry_disk);
}

static inline unsigned int sfs_node_used(const struct sfs_node_disk *node, unsigned int capacity)
{
	return capacity - sizeof(*node) - sfs_node_free(node, capacity);
}

/* First slot whose key is >= @key, or the count. */
unsigned int sfs_leaf_search(const struct sfs_node_disk *node, u64 key);
/* Last entry whose key is <= @key; 0 if none. */
unsigned int sfs_inner_search(const struct sfs_node_disk *node, u64 key);

void sfs_node_init(struct sfs_node_disk *node, unsigned int capacity, unsigned int level);
/* Needs room (sfs_node_free()); compacts the leaf when the gap alone is too small. */
void sfs_leaf_put(struct sfs_node_disk *node, unsigned int capacity, unsigned int i, u64 key,
		  const void *rec, unsigned int nbytes);
void sfs_leaf_remove(struct sfs_node_disk *node, unsigned int i);
void sfs_inner_put(struct sfs_node_disk *node, unsigned int i, u64 key, u64 blk);
void sfs_inner_remove(struct sfs_node_disk *node, unsigned int i);
/* Appends @n slots or entries of @from, from @i on, to @to.  They stay in @from. */
void sfs_node_append(struct sfs_node_disk *to, unsigned int capacity,
		     const struct sfs_node_disk *from, unsigned int i, unsigned int n);
/* Forgets everything from slot or entry @i on. */
void sfs_node_cut(struct sfs_node_disk *node, unsigned int capacity, unsigned int i);

/* ---- btree_path.c ---- */

static inline bool sfs_path_is_root(const struct sfs_path *path, unsigned int level)
{
	return level == path->p_top;
}

static inline unsigned int sfs_path_capacity(const struct sfs_path *path, unsigned int level)
{
	return sfs_path_is_root(path, level) ? SFS_ROOT_BYTES : SFS_NODE_BYTES;
}

/* To the leaf that covers @key, l_slot at the first key >= it (perhaps past the last). */
int sfs_path_to(struct sfs_inode *in, u64 key, struct sfs_path *path);
/* From the root to its first child and no further; sfs_path_release() as ever. */
int sfs_path_child(struct sfs_inode *in, struct sfs_path *path);
/* Write access to the node at @level, and after its change. */
int sfs_path_access(struct sfs_trans *t, struct sfs_path *path, unsigned int level);
int sfs_path_dirty(struct sfs_trans *t, struct sfs_path *path, unsigned int level);
/*
 * The keys that may stand below the slot chosen at @level: from *@ret_lo up to, without, *@ret_hi.
 */
void sfs_path_bounds(const struct sfs_path *path, unsigned int level, u64 *ret_lo, u64 *ret_hi);
/* NULL or why @node cannot be the child of the slot chosen at @level. */
const char *sfs_child_verify(const struct sfs_path *path, unsigned int level,
			     const struct sfs_node_disk *node);

/* ---- btree_balance.c, for btree.c ---- */

/*
 * After the node at @level of @path has lost something: joins nodes and lowers the tree where that
 * pays.  A favour, so it does not fail.
 */
void sfs_tree_join(struct sfs_trans *t, struct sfs_path *path, unsigned int level);
/*
 * Frees the leaf of @path, whose only record is to go, and the ancestors it leaves empty; then
 * sfs_tree_join(), if asked for.
 */
int sfs_tree_drop_leaf(struct sfs_trans *t, struct sfs_path *path, bool join);

#endif
