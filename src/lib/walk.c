// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk.c - ways through a volume that tools share: along a path, through a tree, over a file.
 *
 * All of it reads through the core, so what is damaged is reported there, by sfs_corrupt().
 */
#include <sys/stat.h>

#include "lib.h"

int sfs_path_resolve(struct sfs_fs *fs, const char *path, u64 *ret_ino)
{
	u64 ino = fs->f_root;
	struct sfs_inode dir;
	unsigned int len;
	u8 type;
	int err;

	for (path += strspn(path, "/"); *path; path += len + strspn(path + len, "/")) {
		len = strcspn(path, "/");
		err = sfs_inode_read(fs, ino, &dir);
		if (err)
			return err;
		if (!S_ISDIR(dir.i_mode))
			return -ENOTDIR;
		err = sfs_dirent_find(&dir, path, len, &ino, &type);
		if (err)
			return err;
	}
	*ret_ino = ino;
	return 0;
}

static int sfs_node_walk(struct sfs_inode *in, const struct sfs_node_disk *node, u64 blk,
			 sfs_node_fn visit, void *arg)
{
	const struct sfs_entry_disk *entry = (const struct sfs_entry_disk *)(node + 1);
	unsigned int n = node->n_level ? le16_to_cpu(node->n_count) : 0;
	const struct sfs_node_disk *child;
	struct sfs_buf *buf;
	int first = 0;
	int err;

	for (visit(arg, node, blk); n; n--, entry++) {
		blk = le64_to_cpu(entry->e_blk);
		err = sfs_buf_get(in->i_fs, blk, &sfs_node_ops, in->i_ino, &buf);
		if (!err) {
			child = (const struct sfs_node_disk *)((u8 *)sfs_buf_data(buf) +
							       sizeof(struct sfs_head));
			/* Levels that do not fall might lead in circles. */
			if (child->n_level + 1 == node->n_level)
				err = sfs_node_walk(in, child, blk, visit, arg);
			else
				err = sfs_corrupt(in->i_fs, blk, in->i_ino, "btree node",
						  "its level is not its parent's less one");
			sfs_buf_put(buf);
		}
		first = first ? first : err;
	}
	return first;
}

int sfs_tree_walk(struct sfs_inode *in, sfs_node_fn visit, void *arg)
{
	return sfs_node_walk(in, (const struct sfs_node_disk *)in->i_root, 0, visit, arg);
}

int sfs_file_read(struct sfs_inode *in, u64 lblk, void *data)
{
	struct sfs_extent ext;
	int err;

	err = sfs_extent_find(in, lblk, &ext);
	if (err)
		return err;
	if (ext.e_blk && !ext.e_unwritten)
		return sfs_dev_read(in->i_fs->f_priv, ext.e_blk, data);
	memset(data, 0, SFS_BLOCK_SIZE);
	return 0;
}
