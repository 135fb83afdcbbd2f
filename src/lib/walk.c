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
		if (len == 1 && *path == '.')
			continue;
		err = sfs_dirent_find(&dir, path, len, &ino, &type);
		if (err)
			return err;
	}
	*ret_ino = ino;
	return 0;
}

/*
 * Below @node, whose keys lie in [@lo, @hi).  A child that does not fit between its neighbours'
 * keys is not gone into: so nobody's children are visited more often than there are nodes.
 */
static int sfs_node_walk(struct sfs_inode *in, const struct sfs_node_disk *node, u64 blk, u64 lo,
			 u64 hi, sfs_node_fn visit, void *arg)
{
	const struct sfs_entry_disk *entry = (const struct sfs_entry_disk *)(node + 1);
	unsigned int i, n = node->n_level ? le16_to_cpu(node->n_count) : 0;
	bool only = n == 1 && !blk && node->n_level == 1;
	const struct sfs_node_disk *child;
	struct sfs_buf *buf;
	const char *why;
	int first = 0;
	int err;

	visit(arg, node, blk);
	for (i = 0; i < n; i++) {
		u64 from = i ? le64_to_cpu(entry[i].e_key) : lo;
		u64 to = i + 1 < n ? le64_to_cpu(entry[i + 1].e_key) : hi;

		blk = le64_to_cpu(entry[i].e_blk);
		err = sfs_node_get(in, blk, &buf);
		if (!err) {
			child = sfs_buf_node(buf);
			why = sfs_node_fits(child, node->n_level, only, from, to);
			if (!why)
				err = sfs_node_walk(in, child, blk, from, to, visit, arg);
			else
				err = sfs_corrupt(in->i_fs, blk, in->i_ino, "btree node", why);
			sfs_buf_put(buf);
		}
		first = first ? first : err;
	}
	return first;
}

int sfs_tree_walk(struct sfs_inode *in, sfs_node_fn visit, void *arg)
{
	return sfs_node_walk(in, (const struct sfs_node_disk *)in->i_root, 0, 0, ~0ULL, visit, arg);
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
