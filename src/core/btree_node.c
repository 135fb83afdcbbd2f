// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree_node.c - the bytes of one node: search, put, remove, move.
 *
 * Leaves are slotted pages: slots sorted by key grow up, records in any order grow down, and what a
 * removed record leaves behind is counted dead until room is short and the leaf is compacted.
 */
#include "btree_node.h"

/* Records are at least one byte long. */
#define SFS_LEAF_SLOTS_MAX	((SFS_NODE_BYTES - sizeof(struct sfs_node_disk)) / \
				 (sizeof(struct sfs_slot_disk) + 1))

unsigned int sfs_leaf_search(const struct sfs_node_disk *node, u64 key)
{
	unsigned int lo = 0;
	unsigned int hi = sfs_node_count(node);

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (sfs_slot_key(node, mid) < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

unsigned int sfs_inner_search(const struct sfs_node_disk *node, u64 key)
{
	unsigned int lo = 1;
	unsigned int hi = sfs_node_count(node);

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (sfs_entry_key(node, mid) <= key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

void sfs_node_init(struct sfs_node_disk *node, unsigned int capacity, unsigned int level)
{
	memset(node, 0, capacity);
	node->n_level = level;
	if (!level)
		node->n_heap = cpu_to_le16(capacity);
}

/* Numbers of the slots, those of the highest records first: Shell's sort, nearly free if sorted. */
static void sfs_leaf_order(const struct sfs_node_disk *node, u16 *order)
{
	const struct sfs_slot_disk *slots = sfs_node_slots(node);
	unsigned int count = sfs_node_count(node);
	unsigned int gap = 1;
	unsigned int i;
	unsigned int n;

	for (i = 0; i < count; i++)
		order[i] = i;
	while (gap < count / 3)
		gap = gap * 3 + 1;
	for (; gap; gap /= 3) {
		for (i = gap; i < count; i++) {
			u16 own = order[i];
			unsigned int off = le16_to_cpu(slots[own].s_off);

			for (n = i; n >= gap; n -= gap) {
				if (le16_to_cpu(slots[order[n - gap]].s_off) > off)
					break;
				order[n] = order[n - gap];
			}
			order[n] = own;
		}
	}
}

/* Moves the records together at the end; the highest first, so that none is overwritten. */
static void sfs_leaf_compact(struct sfs_node_disk *node, unsigned int capacity)
{
	struct sfs_slot_disk *slots = sfs_node_slots(node);
	unsigned int count = sfs_node_count(node);
	u16 order[SFS_LEAF_SLOTS_MAX];
	unsigned int heap = capacity;
	unsigned int i;

	if (!node->n_dead)
		return;
	sfs_assert(count <= SFS_LEAF_SLOTS_MAX);
	sfs_leaf_order(node, order);
	for (i = 0; i < count; i++) {
		struct sfs_slot_disk *slot = &slots[order[i]];
		unsigned int nbytes = le16_to_cpu(slot->s_len);

		heap -= nbytes;
		memmove((u8 *)node + heap, (u8 *)node + le16_to_cpu(slot->s_off), nbytes);
		slot->s_off = cpu_to_le16(heap);
	}
	node->n_heap = cpu_to_le16(heap);
	node->n_dead = 0;
}

void sfs_leaf_put(struct sfs_node_disk *node, unsigned int capacity, unsigned int i, u64 key,
		  const void *rec, unsigned int nbytes)
{
	struct sfs_slot_disk *slots = sfs_node_slots(node);
	unsigned int count = sfs_node_count(node);
	unsigned int heap;

	sfs_assert(nbytes + sizeof(*slots) <= sfs_node_free(node, capacity));
	sfs_assert(i <= count);
	if (sfs_leaf_gap(node) < nbytes + sizeof(*slots))
		sfs_leaf_compact(node, capacity);
	heap = le16_to_cpu(node->n_heap) - nbytes;
	memcpy((u8 *)node + heap, rec, nbytes);
	memmove(&slots[i + 1], &slots[i], (count - i) * sizeof(*slots));
	slots[i].s_key = cpu_to_le64(key);
	slots[i].s_off = cpu_to_le16(heap);
	slots[i].s_len = cpu_to_le16(nbytes);
	node->n_heap = cpu_to_le16(heap);
	node->n_count = cpu_to_le16(count + 1);
}

void sfs_leaf_remove(struct sfs_node_disk *node, unsigned int i)
{
	struct sfs_slot_disk *slots = sfs_node_slots(node);
	unsigned int count = sfs_node_count(node);
	unsigned int nbytes = le16_to_cpu(slots[i].s_len);
	unsigned int heap = le16_to_cpu(node->n_heap);

	sfs_assert(i < count);
	if (le16_to_cpu(slots[i].s_off) == heap)
		node->n_heap = cpu_to_le16(heap + nbytes);
	else
		node->n_dead = cpu_to_le16(le16_to_cpu(node->n_dead) + nbytes);
	memmove(&slots[i], &slots[i + 1], (count - i - 1) * sizeof(*slots));
	node->n_count = cpu_to_le16(count - 1);
}

void sfs_inner_put(struct sfs_node_disk *node, unsigned int i, u64 key, u64 blk)
{
	struct sfs_entry_disk *entries = sfs_node_entries(node);
	unsigned int count = sfs_node_count(node);

	sfs_assert(i <= count);
	memmove(&entries[i + 1], &entries[i], (count - i) * sizeof(*entries));
	entries[i].e_key = cpu_to_le64(key);
	entries[i].e_blk = cpu_to_le64(blk);
	node->n_count = cpu_to_le16(count + 1);
}

void sfs_inner_remove(struct sfs_node_disk *node, unsigned int i)
{
	struct sfs_entry_disk *entries = sfs_node_entries(node);
	unsigned int count = sfs_node_count(node);

	sfs_assert(i < count);
	/* The next child takes over the keys of a first one that goes. */
	if (!i && count > 1)
		entries[1].e_key = entries[0].e_key;
	memmove(&entries[i], &entries[i + 1], (count - i - 1) * sizeof(*entries));
	node->n_count = cpu_to_le16(count - 1);
}

void sfs_node_append(struct sfs_node_disk *to, unsigned int capacity,
		     const struct sfs_node_disk *from, unsigned int i, unsigned int n)
{
	unsigned int count = sfs_node_count(to);

	for (; n; n--, i++, count++) {
		if (from->n_level) {
			const struct sfs_entry_disk *e = &sfs_node_entries(from)[i];

			sfs_inner_put(to, count, le64_to_cpu(e->e_key), le64_to_cpu(e->e_blk));
		} else {
			sfs_leaf_put(to, capacity, count, sfs_slot_key(from, i),
				     sfs_slot_record(from, i), sfs_slot_len(from, i));
		}
	}
}

void sfs_node_cut(struct sfs_node_disk *node, unsigned int capacity, unsigned int i)
{
	unsigned int count = sfs_node_count(node);
	unsigned int dead = 0;
	unsigned int n;

	if (node->n_level) {
		node->n_count = cpu_to_le16(i);
		return;
	}
	for (n = i; n < count; n++)
		dead += sfs_slot_len(node, n);
	node->n_count = cpu_to_le16(i);
	node->n_dead = cpu_to_le16(le16_to_cpu(node->n_dead) + dead);
	sfs_leaf_compact(node, capacity);
}
