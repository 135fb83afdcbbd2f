// SPDX-License-Identifier: GPL-2.0-only
/*
 * blocks.c - the kinds of blocks there are.
 *
 * Who reads a block says what it has to be.  Some meet one and can only ask what it claims to be:
 * the printers, dump, the replay of a log.  For them is this table.
 */
#include "port.h"
#include "format.h"
#include "core.h"

static const struct sfs_block_ops *const sfs_blocks[] = {
	&sfs_super_ops,
	&sfs_copy_ops,
	&sfs_map_ops[SFS_MAP_USED],
	&sfs_map_ops[SFS_MAP_INODE],
	&sfs_map_ops[SFS_MAP_ROOM],
	&sfs_map_ops[SFS_MAP_ORPHAN],
	&sfs_summary_ops,
	&sfs_inodes_ops,
	&sfs_node_ops,
	&sfs_journal_dev_ops,
};

const struct sfs_block_ops *sfs_block_ops_of(u32 magic)
{
	unsigned int i;

	for (i = 0; i < sizeof(sfs_blocks) / sizeof(sfs_blocks[0]); i++)
		if (sfs_blocks[i]->b_magic == magic)
			return sfs_blocks[i];
	return NULL;
}

const char *sfs_block_verify_any(const struct sfs_fs *fs, const void *data, u64 blk)
{
	const struct sfs_head *head = data;
	const struct sfs_block_ops *ops = sfs_block_ops_of(le32_to_cpu(head->h_magic));
	const char *why;

	if (ops)
		return sfs_block_verify(fs, ops, data, blk);
	why = sfs_head_verify(data, fs->f_fsid, blk);
	return why ? why : "no kind of block has this magic";
}
