// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree_verify.c - is this a node?  Everything that one node alone can tell.
 *
 * Pure functions: NULL, or the reason in words.  Checked once, when a node comes from the device;
 * what links nodes (levels, key ranges, owners) is checked on the way down in btree.c.
 */
#include "btree_node.h"

static const char *sfs_leaf_verify(const struct sfs_fs *fs, const struct sfs_node_disk *node,
				   unsigned int capacity)
{
	unsigned int count = sfs_node_count(node);
	unsigned int heap = le16_to_cpu(node->n_heap);
	unsigned int live = 0;
	const char *why;
	u64 last = 0;
	unsigned int i;

	if (heap > capacity || heap < sizeof(*node) + count * sizeof(struct sfs_slot_disk))
		return "record heap overlaps the slots or the end";
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
		why = sfs_record_verify(fs, key, (const u8 *)node + off, len);
		if (why)
			return why;
		live += len;
		last = key;
	}
	/* Lengths that add up, with each inside the heap: overlaps would show as too many. */
	if (live + le16_to_cpu(node->n_dead) != capacity - heap)
		return "record lengths do not add up to the heap";
	return NULL;
}

/* No two records share a byte: each slot against the others' ranges, by an ordered sweep. */
static const char *sfs_leaf_overlap(const struct sfs_node_disk *node)
{
	unsigned int count = sfs_node_count(node);
	unsigned int i;
	unsigned int n;

	for (i = 0; i < count; i++) {
		unsigned int off = le16_to_cpu(sfs_node_slots(node)[i].s_off);
		unsigned int end = off + sfs_slot_len(node, i);

		for (n = i + 1; n < count; n++) {
			unsigned int other = le16_to_cpu(sfs_node_slots(node)[n].s_off);

			if (other < end && off < other + sfs_slot_len(node, n))
				return "two records overlap";
		}
	}
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
	const char *why;

	if (node->n_zero)
		return "reserved byte set";
	if (node->n_level >= SFS_TREE_LEVELS)
		return "level too high";
	if (node->n_level)
		return sfs_inner_verify(fs, node, capacity);
	why = sfs_leaf_verify(fs, node, capacity);
	return why ? why : sfs_leaf_overlap(node);
}

static const char *sfs_inline_verify(u64 pos, unsigned int nbytes)
{
	if (pos > SFS_SYMLINK_MAX / SFS_CHUNK)
		return "inline chunk out of range";
	if (nbytes > SFS_CHUNK)
		return "inline chunk too long";
	return NULL;
}

const char *sfs_record_verify(const struct sfs_fs *fs, u64 key, const void *rec,
			      unsigned int nbytes)
{
	switch (sfs_key_kind(key)) {
	case SFS_KIND_INLINE:
		return sfs_inline_verify(sfs_key_pos(key), nbytes);
	case SFS_KIND_EXTENT:
		return sfs_extent_verify(fs, sfs_key_pos(key), rec, nbytes);
	case SFS_KIND_DIRENT:
		return sfs_dirent_verify(sfs_key_pos(key), rec, nbytes);
	default:
		return "unknown kind of record";
	}
}
