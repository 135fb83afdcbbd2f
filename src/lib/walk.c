// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk.c - ways through a volume that tools share: along a path, through a tree, over a file, to
 * every inode.
 *
 * All of it reads through the core, so what is damaged is reported there, by sfs_corrupt().
 */
#include <sys/stat.h>

#include "lib.h"

static const struct sfs_bitmap_disk *sfs_buf_map(struct sfs_buf *buf)
{
	return buf ? sfs_buf_data(buf) : NULL;
}

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

struct sfs_walker {
	struct sfs_inode *in;
	sfs_node_fn visit;
	sfs_lost_fn lost;		/* NULL: it is not asked for */
	void *arg;
};

/*
 * Below @node, whose keys lie in [@lo, @hi).  A child that does not fit between its neighbours'
 * keys is not gone into: so nobody's children are visited more often than there are nodes.
 */
static int sfs_node_walk(const struct sfs_walker *w, const struct sfs_node_disk *node, u64 blk,
			 u64 lo, u64 hi)
{
	const struct sfs_entry_disk *entry = (const struct sfs_entry_disk *)(node + 1);
	unsigned int i, n = node->n_level ? le16_to_cpu(node->n_count) : 0;
	bool only = n == 1 && !blk && node->n_level == 1;
	const struct sfs_node_disk *child;
	struct sfs_buf *buf;
	const char *why;
	int first = 0;
	int err;

	w->visit(w->arg, node, blk);
	for (i = 0; i < n; i++) {
		u64 from = i ? le64_to_cpu(entry[i].e_key) : lo;
		u64 to = i + 1 < n ? le64_to_cpu(entry[i + 1].e_key) : hi;
		bool lost;

		blk = le64_to_cpu(entry[i].e_blk);
		err = sfs_node_get(w->in, blk, &buf);
		lost = err;
		if (!err) {
			child = sfs_buf_node(buf);
			why = sfs_node_fits(child, node->n_level, only, from, to);
			lost = why;
			if (!why)
				err = sfs_node_walk(w, child, blk, from, to);
			else
				err = sfs_corrupt(w->in->i_fs, blk, w->in->i_ino, "btree node",
						  why);
			sfs_buf_put(buf);
		}
		if (lost && w->lost)
			w->lost(w->arg, blk, from, to, err);
		first = first ? first : err;
	}
	return first;
}

int sfs_tree_walk_lost(struct sfs_inode *in, sfs_node_fn visit, sfs_lost_fn lost, void *arg)
{
	const struct sfs_walker w = { .in = in, .visit = visit, .lost = lost, .arg = arg };

	return sfs_node_walk(&w, (const struct sfs_node_disk *)in->i_root, 0, 0, ~0ULL);
}

int sfs_tree_walk(struct sfs_inode *in, sfs_node_fn visit, void *arg)
{
	return sfs_tree_walk_lost(in, visit, NULL, arg);
}

bool sfs_leaf_next(const struct sfs_node_disk *node, unsigned int *i, struct sfs_leaf_record *ret)
{
	const struct sfs_slot_disk *slot = (const struct sfs_slot_disk *)(node + 1) + *i;

	if (node->n_level || *i >= le16_to_cpu(node->n_count))
		return false;
	ret->l_key = le64_to_cpu(slot->s_key);
	ret->l_rec = (const u8 *)node + le16_to_cpu(slot->s_off);
	ret->l_nbytes = le16_to_cpu(slot->s_len);
	++*i;
	return true;
}

/*
 * A damaged map of inode blocks: what is one by itself, and not free by a map that can be read.
 * Silently: there is one block in some thousand that is.
 */
static bool sfs_is_inode_blk(struct sfs_fs *fs, u64 blk, const struct sfs_bitmap_disk *used)
{
	void (*report)(const char *text) = sfs_report;
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	bool is;

	if (used && !sfs_bits_test(used->b_bits, blk % SFS_GROUP_BLOCKS))
		return false;
	sfs_report = sfs_report_nothing;
	is = !sfs_dev_read(fs->f_priv, blk, data) &&
	     !sfs_block_verify(fs, &sfs_inodes_ops, data, blk);
	sfs_report = report;
	return is;
}

/* The live inodes of one block; false: @visit has enough. */
static bool sfs_each_slot(struct sfs_fs *fs, u64 blk, sfs_inode_fn visit, void *arg, int *first)
{
	unsigned int slot;
	bool more = true;

	for (slot = 0; slot < SFS_INODE_SLOTS && more; slot++) {
		struct sfs_inode in = { 0 };
		int err = sfs_inode_read(fs, blk << SFS_INODE_SLOT_BITS | slot, &in);

		if (!err)
			more = visit(arg, &in);
		else if (err != -ESTALE && !*first)
			*first = err;
		if (err && err != -ESTALE)
			break;
	}
	return more;
}

int sfs_each_inode(struct sfs_fs *fs, sfs_inode_fn visit, void *arg)
{
	struct sfs_buf *map = NULL, *used;
	bool more = true;
	int first = 0;
	u64 group;
	u32 bit;

	for (group = 0; group < sfs_groups_ready(fs) && more; group++) {
		u32 nbits = sfs_group_nblks(fs, group);
		int err = sfs_map_get(fs, group, SFS_MAP_INODE, &map);

		first = first ? first : err;
		used = NULL;
		if (err && sfs_map_get(fs, group, SFS_MAP_USED, &used))
			used = NULL;
		for (bit = 0; bit < nbits && more; bit++) {
			const struct sfs_bitmap_disk *bits = sfs_buf_map(err ? used : map);
			u64 blk = group * SFS_GROUP_BLOCKS + bit;

			if (err ? sfs_is_inode_blk(fs, blk, bits) :
				  sfs_bits_test(bits->b_bits, bit))
				more = sfs_each_slot(fs, blk, visit, arg, &first);
		}
		sfs_buf_put(err ? used : map);
	}
	return first;
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
