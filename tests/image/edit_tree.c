// SPDX-License-Identifier: GPL-2.0-only
/*
 * edit_tree.c - what edit.c makes untrue of the tree of an inode: its records and its nodes.
 */
#include "edit.h"

/* A record that is right in itself, of a kind that the inode should not hold. */
void edit_record(char **arg)
{
	struct sfs_inode in;

	get_inode(arg[0], &in);
	must(sfs_tree_insert(t, &in, sfs_key(number(arg[1]), number(arg[2])), "record", 6, 0),
	     arg[0]);
	sfs_inode_end(t, &in);
}

/* So many records of a kind, of some length: they do not stay in the inode. */
void edit_records(char **arg)
{
	u8 rec[200];
	struct sfs_inode in;
	u64 i;

	memset(rec, 'r', sizeof(rec));
	get_inode(arg[0], &in);
	for (i = 0; i < number(arg[2]); i++)
		must(sfs_tree_insert(t, &in, sfs_key(number(arg[1]), i), rec, sizeof(rec), 0),
		     arg[0]);
	sfs_inode_end(t, &in);
}

/* The extent at a block of a file gets another length. */
void edit_stretch(char **arg)
{
	u64 key = sfs_key(SFS_KIND_EXTENT, number(arg[1]));
	struct sfs_extent_disk disk;
	struct sfs_path path;
	struct sfs_inode in;
	unsigned int nbytes;

	get_inode(arg[0], &in);
	must(sfs_tree_find(&in, key, &path), arg[0]);
	memcpy(&disk, sfs_path_record(&path, &nbytes), sizeof(disk));
	sfs_path_release(&path);
	disk.e_len = cpu_to_le32(number(arg[2]));
	must(sfs_tree_replace(t, &in, key, &disk, sizeof(disk), 0), arg[0]);
	sfs_inode_end(t, &in);
}

/*
 * An attribute of the namespace "user", or "system" if its name says so, of so many bytes, as far as
 * its first pieces go.
 */
void edit_attribute(char **arg)
{
	bool is_system = !strncmp(arg[1], "system.", 7);
	const char *name = arg[1] + (is_system ? 7 : 0);
	u8 whole[SFS_NAME_MAX + SFS_XATTR_MAX + 8];
	struct sfs_xattr_disk *disk = (struct sfs_xattr_disk *)whole;
	unsigned int len = strlen(name), nbytes = number(arg[2]), n;
	unsigned int all = sizeof(*disk) + len + nbytes;
	struct sfs_inode in;
	u64 key;

	memset(whole, 'v', sizeof(whole));
	disk->x_nbytes = cpu_to_le32(nbytes);
	disk->x_len = len;
	disk->x_space = is_system ? SFS_XATTR_SYSTEM : SFS_XATTR_USER;
	memcpy(disk + 1, name, len);
	key = sfs_key(SFS_KIND_XATTR,
		      sfs_siphash(fs.f_hash_key, &disk->x_space, 1 + len) >> 16 << 12);
	get_inode(arg[0], &in);
	for (n = 0; n < number(arg[3]) && n * SFS_CHUNK < all; n++)
		must(sfs_tree_insert(t, &in, key + n, whole + n * SFS_CHUNK,
				     min(all - n * SFS_CHUNK, 1024u), 0), arg[0]);
	sfs_inode_end(t, &in);
}

/* A node all of whose children are @child; an empty leaf without one. */
static void tower_node(struct sfs_node_disk *node, unsigned int capacity, unsigned int level,
		       u64 child)
{
	struct sfs_entry_disk *entry = (struct sfs_entry_disk *)(node + 1);
	unsigned int i, n = child ? (capacity - sizeof(*node)) / sizeof(*entry) : 0;

	memset(node, 0, capacity);
	node->n_level = level;
	node->n_count = cpu_to_le16(n);
	node->n_heap = cpu_to_le16(child ? 0 : capacity);
	for (i = 0; i < n; i++) {
		entry[i].e_key = cpu_to_le64(sfs_key(SFS_KIND_EXTENT, i));
		entry[i].e_blk = cpu_to_le64(child);
	}
}

/* A file's tree is as high as can be, and each node names the next one as often as it can. */
void edit_tower(char **arg)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_inode in;
	unsigned int level;
	u64 child = 0, blk;
	u32 n;

	get_inode(arg[0], &in);
	for (level = 0; level + 1 < SFS_TREE_LEVELS; level++) {
		must(sfs_alloc_blks(t, &fs, 0, 1, 0, &blk, &n), arg[0]);
		sfs_block_init(data, fs.f_fsid, SFS_MAGIC_NODE, blk, in.i_ino);
		((struct sfs_head *)data)->h_generation = cpu_to_le32(in.i_generation);
		tower_node((struct sfs_node_disk *)(data + sizeof(struct sfs_head)),
			   SFS_NODE_BYTES, level, child);
		sfs_block_seal(data);
		must(sfs_dev_put(fs.f_priv, blk, data), arg[0]);
		child = blk;
	}
	tower_node((struct sfs_node_disk *)in.i_root, SFS_ROOT_BYTES, level, child);
	sfs_inode_end(t, &in);
}

/* A tree of one level over an empty leaf. */
void edit_hollow(char **arg)
{
	struct sfs_node_disk *root;
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_inode in;
	u64 blk;
	u32 n;

	get_inode(arg[0], &in);
	must(sfs_alloc_blks(t, &fs, 0, 1, 0, &blk, &n), arg[0]);
	sfs_block_init(data, fs.f_fsid, SFS_MAGIC_NODE, blk, in.i_ino);
	((struct sfs_head *)data)->h_generation = cpu_to_le32(in.i_generation);
	tower_node((struct sfs_node_disk *)(data + sizeof(struct sfs_head)), SFS_NODE_BYTES, 0, 0);
	sfs_block_seal(data);
	must(sfs_dev_put(fs.f_priv, blk, data), arg[0]);
	root = (struct sfs_node_disk *)in.i_root;
	tower_node(root, SFS_ROOT_BYTES, 1, blk);
	root->n_count = cpu_to_le16(1);
	in.i_blocks = 1;
	sfs_inode_end(t, &in);
}
