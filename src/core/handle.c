// SPDX-License-Identifier: GPL-2.0-only
/*
 * handle.c - an inode by a number that nobody on the volume vouches for.
 *
 * The number of a file handle may be years old, or made up.  A name that leads to a free slot is
 * damage; such a number is only stale, wherever it points: outside the volume, into a zone that was
 * not begun, at blocks of data, at a slot without an inode.  So the block is looked at only if the
 * inode map says that it has inodes, and under g_lock, which whoever makes or gives back such a
 * block holds: it cannot become anything else in between.
 */
#include "port.h"
#include "format.h"
#include "core.h"

bool sfs_inode_is_hidden(const struct sfs_fs *fs, u64 ino)
{
	unsigned int i;

	for (i = 0; i < SFS_HIDDEN; i++)
		if (ino && fs->f_hidden[i] == ino)
			return true;
	return false;
}

/* g_lock held. */
static int sfs_inode_find_in(struct sfs_fs *fs, u64 ino, struct sfs_inode *ret_in)
{
	u64 blk = sfs_ino_blk(ino);
	const struct sfs_bitmap_disk *map;
	struct sfs_buf *buf;
	bool found;
	int err;

	err = sfs_map_get(fs, blk / SFS_GROUP_BLOCKS, SFS_MAP_INODE, &buf);
	if (err)
		return err;
	map = sfs_buf_data(buf);
	found = sfs_bits_test(map->b_bits, blk % SFS_GROUP_BLOCKS);
	sfs_buf_put(buf);
	return found ? sfs_inode_read(fs, ino, ret_in) : -ESTALE;
}

int sfs_inode_find(struct sfs_fs *fs, u64 ino, struct sfs_inode *ret_in)
{
	struct sfs_group *g;
	int err;

	if (!sfs_blk_is_valid(fs, sfs_ino_blk(ino), 1))
		return -ESTALE;
	err = sfs_group_get(fs, sfs_ino_blk(ino) / SFS_GROUP_BLOCKS, &g);
	if (err)
		return err == -ENOSPC ? -ESTALE : err;
	sfs_mutex_lock(&g->g_lock);
	err = sfs_inode_find_in(fs, ino, ret_in);
	sfs_mutex_unlock(&g->g_lock);
	return err;
}
