// SPDX-License-Identifier: GPL-2.0-only
/*
 * orphan.c - finding the inodes that a crash left unlinked or half truncated.
 *
 * The summary of a zone names the groups, the orphan map of a group the blocks, these the inodes
 * (SFS_INODE_ORPHAN); all are set and cleared in ialloc.c.  At mount time only, when nobody else
 * changes anything.
 */
#include "port.h"
#include "format.h"
#include "core.h"

/* The first orphan of an inode block from @slot on; SFS_INODE_SLOTS if there is none. */
static int sfs_block_orphan(struct sfs_fs *fs, u64 blk, unsigned int slot, unsigned int *ret_slot)
{
	const struct sfs_inodes_disk *inodes;
	struct sfs_buf *buf;
	int err;

	err = sfs_buf_get(fs, blk, &sfs_inodes_ops, blk / SFS_GROUP_BLOCKS, &buf);
	if (err)
		return err;
	inodes = sfs_buf_data(buf);
	while (slot < SFS_INODE_SLOTS &&
	       (!(inodes->n_head.h_live & (1u << slot)) ||
		!(le32_to_cpu(inodes->n_slot[slot].i_flags) & SFS_INODE_ORPHAN)))
		slot++;
	sfs_buf_put(buf);
	*ret_slot = slot;
	return 0;
}

/* In one group, from @bit and @slot on; -ENOENT if there is none. */
static int sfs_group_orphan(struct sfs_fs *fs, u64 group, u32 bit, unsigned int slot,
			    u64 *ret_ino, u64 *nbad)
{
	const struct sfs_bitmap_disk *map;
	struct sfs_group *g;
	unsigned int found;
	struct sfs_buf *buf;
	u32 next;
	u64 blk;
	int err;

	err = sfs_group_get(fs, group, &g);
	if (err)
		return err;
	if (!g->g_orphans)
		return -ENOENT;
	err = sfs_map_get(fs, group, SFS_MAP_ORPHAN, &buf);
	if (err)
		return err;
	map = sfs_buf_data(buf);
	err = -ENOENT;
	while (map->b_count && bit < SFS_GROUP_BLOCKS) {
		next = sfs_bits_next_set(map->b_bits, bit, SFS_GROUP_BLOCKS);
		if (next == SFS_GROUP_BLOCKS)
			break;
		blk = group * SFS_GROUP_BLOCKS + next;
		found = SFS_INODE_SLOTS;
		err = sfs_block_orphan(fs, blk, next == bit ? slot : 0, &found);
		if (sfs_is_bad_block(err))
			++*nbad;
		else if (err)
			break;
		if (found < SFS_INODE_SLOTS) {
			*ret_ino = blk << SFS_INODE_SLOT_BITS | found;
			break;
		}
		err = -ENOENT;
		bit = next + 1;
		slot = 0;
	}
	sfs_buf_put(buf);
	return err;
}

int sfs_orphan_next(struct sfs_fs *fs, u64 ino, u64 *ret_ino, u64 *nbad)
{
	u64 ngroups = sfs_groups_ready(fs);
	u64 group = sfs_ino_blk(ino) / SFS_GROUP_BLOCKS;
	u32 bit = sfs_ino_blk(ino) % SFS_GROUP_BLOCKS;
	unsigned int slot = sfs_ino_slot(ino);
	int err;

	for (; group < ngroups; group++) {
		err = sfs_group_orphan(fs, group, bit, slot, ret_ino, nbad);
		if (sfs_is_bad_block(err))
			++*nbad;
		else if (err != -ENOENT)
			return err;
		bit = 0;
		slot = 0;
	}
	return -ENOENT;
}
