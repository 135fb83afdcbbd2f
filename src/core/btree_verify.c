// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree_verify.c - is this a node?  Everything that one node alone can tell.
 *
 * Pure functions: NULL, or the reason in words.  Checked once, when a node comes from the device;
 * what links nodes (levels, key ranges, owners) is checked on the way down, in btree_path.c.
 */
#include "btree_node.h"

/* Bytes of a bitmap with a bit for each byte of a node; whole words, for bits.c. */
#define SFS_BYTE_MAP	((SFS_NODE_BYTES + 63) / 64 * 8)

static const char *sfs_record_verify(const struct sfs_fs *fs, u64 key, const void *rec,
				     unsigned int nbytes)
{
	unsigned int kind = sfs_key_kind(key);

	if (sfs_kind_is_known(fs, kind))
		return fs->f_kinds[kind].k_verify(fs, sfs_key_pos(key), rec, nbytes);
	return kind && sfs_fs_has_unknown(fs) ? NULL : "unknown kind of record";
}

static const char *sfs_leaf_verify(const struct sfs_fs *fs, const struct sfs_node_disk *node,
				   unsigned int capacity)
{
	unsigned int count = sfs_node_count(node);
	unsigned int heap = le16_to_cpu(node->n_heap);
	unsigned int live = 0;
	u8 taken[SFS_BYTE_MAP];		/* a bit for each byte that a record has claimed */
	const char *why;
	u64 last = 0;
	unsigned int i;

	if (heap > capacity || heap < sizeof(*node) + count * sizeof(struct sfs_slot_disk))
		return "record heap overlaps the slots or the end";
	memset(taken, 0, sizeof(taken));
	for (i = 0; i < count; i++) {
		unsigned int off = le16_to_cpu(sfs_node_slots(node)[i].s_off);
		unsigned int len = sfs_slot_len(node, i);
		u64 key = sfs_slot_key(node, i);

		if (i && key <= last)
			return "keys out of order";
		if (!len || len > SFS_RECORD_MAX)
			return "record length out of range";
		if (off < heap || off + len > capacity)
			return "record outside the heap";
		if (sfs_bits_next_set(taken, off, off + len) < off + len)
			return "two records overlap";
		sfs_bits_set(taken, off, len);
		why = sfs_record_verify(fs, key, (const u8 *)node + off, len);
		if (why)
			return why;
		live += len;
		last = key;
	}
	if (live + le16_to_cpu(node->n_dead) != capacity - heap)
		return "record lengths do not add up to the heap";
	return NULL;
}

static const char *sfs_inner_verify(const struct sfs_fs *fs, const struct sfs_node_disk *node,
				    unsigned int capacity)
{
	unsigned int count = sfs_node_count(node);
	unsigned int i;

	if (!count)
		return "inner node without children";
	if (count > (capacity - sizeof(*node)) / sizeof(struct sfs_entry_disk))
		return "more entries than fit";
	if (node->n_heap || node->n_dead)
		return "inner node with a record heap";
	for (i = 0; i < count; i++) {
		if (i && sfs_entry_key(node, i) <= sfs_entry_key(node, i - 1))
			return "keys out of order";
		if (!sfs_blk_is_valid(fs, le64_to_cpu(sfs_node_entries(node)[i].e_blk), 1))
			return "child outside the volume";
	}
	return NULL;
}

const char *sfs_node_verify(const struct sfs_fs *fs, const struct sfs_node_disk *node,
			    unsigned int capacity)
{
	if (node->n_zero)
		return "reserved byte set";
	if (node->n_level >= SFS_TREE_LEVELS)
		return "level too high";
	if (node->n_level)
		return sfs_inner_verify(fs, node, capacity);
	return sfs_leaf_verify(fs, node, capacity);
}

static const char *sfs_node_verify_block(const struct sfs_fs *fs, const void *data, u64 blk)
{
	const struct sfs_head *head = data;

	if (head->h_live)
		return "a btree node with a slot mask";
	if (!sfs_blk_is_valid(fs, blk, 1))
		return "btree node where none can be";
	return sfs_node_verify(fs, (const struct sfs_node_disk *)(head + 1), SFS_NODE_BYTES);
}

const struct sfs_block_ops sfs_node_ops = {
	.b_magic = SFS_MAGIC_NODE,
	.b_owner_is_ino = true,
	.b_name = "btree node",
	.b_verify = sfs_node_verify_block,
};
