// SPDX-License-Identifier: GPL-2.0-only
/*
 * repair.c - what a complete check has found, written where something else stands.
 *
 * The inodes are the truth.  What follows from them is made anew: the four bitmaps, then sizes,
 * links and parents in the inodes' own records; then names that lead nowhere go, and inodes that no
 * name leads to get one in lost+found.  All of it in the cache: the caller checks again before
 * anything is written, so this may fail or be wrong without harm.
 */
#include "fsck.h"
#include "usage.h"

#define SFS_LOST	"lost+found"

/* ---- bitmaps ---- */

/* A group's four maps as they must be, from the inodes of [*@n, ...), which are in order. */
static void sfs_group_maps(struct sfs_fs *fs, const struct sfs_found *found, u64 group, size_t *n,
			   struct sfs_bitmap_disk maps[SFS_MAPS])
{
	u64 start = group * SFS_GROUP_BLOCKS;
	u32 nblks = sfs_group_nblks(fs, group);
	u32 slots = 0;
	u32 bit;
	unsigned int m;

	for (m = 0; m < SFS_MAPS; m++) {
		memset(&maps[m], 0, sizeof(maps[m]));
		sfs_map_fill(fs, sfs_map_blk(group, m), &maps[m]);
	}
	for (bit = 0; bit < nblks; bit++)
		if (sfs_found_is_taken(found, start + bit))
			sfs_bits_set(maps[SFS_MAP_USED].b_bits, bit, 1);
	while (*n < found->f_ninodes && sfs_ino_blk(found->f_inodes[*n].i_ino) < start + nblks) {
		u64 blk = sfs_ino_blk(found->f_inodes[*n].i_ino);
		bool orphan = false;
		unsigned int live;

		for (live = 0; *n < found->f_ninodes &&
		     sfs_ino_blk(found->f_inodes[*n].i_ino) == blk; live++)
			orphan |= found->f_inodes[(*n)++].i_is_orphan;
		sfs_bits_set(maps[SFS_MAP_INODE].b_bits, blk - start, 1);
		if (live < SFS_INODE_SLOTS)
			sfs_bits_set(maps[SFS_MAP_ROOM].b_bits, blk - start, 1);
		if (orphan)
			sfs_bits_set(maps[SFS_MAP_ORPHAN].b_bits, blk - start, 1);
		slots += SFS_INODE_SLOTS - live;
	}
	maps[SFS_MAP_USED].b_count =
		cpu_to_le32(nblks - sfs_bits_count(maps[SFS_MAP_USED].b_bits, 0, nblks));
	maps[SFS_MAP_ROOM].b_count = cpu_to_le32(slots);
	for (m = SFS_MAP_INODE; m <= SFS_MAP_ORPHAN; m += SFS_MAP_ORPHAN - SFS_MAP_INODE)
		maps[m].b_count = cpu_to_le32(sfs_bits_count(maps[m].b_bits, 0, nblks));
}

/* After the bitmaps, from them. */
static int sfs_repair_summaries(struct sfs_fs *fs)
{
	struct sfs_summary_disk old, made;
	u64 zone;
	int err = 0;

	for (zone = 0; zone < fs->f_zones && !err; zone++) {
		u64 blk = sfs_summary_blk(zone);

		err = sfs_dev_read(fs->f_priv, blk, &old);
		if (!err)
			err = sfs_summary_make(fs, zone, &made);
		if (err || (!sfs_block_verify(fs, &sfs_summary_ops, &old, blk) &&
			    sfs_summary_is_true(&old, &made)))
			continue;
		sfs_block_stamp(fs, &made);
		sfs_block_seal(&made);
		err = sfs_dev_put(fs->f_priv, blk, &made);
	}
	return err;
}

static int sfs_repair_maps(struct sfs_fs *fs, const struct sfs_found *found)
{
	struct sfs_bitmap_disk maps[SFS_MAPS];
	u8 old[SFS_BLOCK_SIZE];
	unsigned int m;
	size_t n = 0;
	__le64 seq;
	u64 group;
	int err;

	for (group = 0; group < sfs_groups_ready(fs); group++) {
		sfs_group_maps(fs, found, group, &n, maps);
		for (m = 0; m < SFS_MAPS; m++) {
			u64 blk = sfs_map_blk(group, m);

			err = sfs_dev_read(fs->f_priv, blk, old);
			if (err)
				return err;
			/* As if it had been written when the one that is there was. */
			seq = ((const struct sfs_head *)old)->h_seq;
			if (le64_to_cpu(seq) <= fs->f_sequence_max)
				maps[m].b_head.h_seq = seq;
			sfs_block_seal(&maps[m]);
			if (!memcmp(old, &maps[m], sizeof(old)))
				continue;
			sfs_block_stamp(fs, &maps[m]);
			sfs_block_seal(&maps[m]);
			err = sfs_dev_put(fs->f_priv, blk, &maps[m]);
			if (err)
				return err;
		}
	}
	err = sfs_repair_summaries(fs);
	if (err)
		return err;
	/* What is known of groups in memory came from the old ones. */
	sfs_fs_exit(fs);
	err = sfs_fs_init(fs);
	return err ? err : sfs_fs_recount(fs, NULL);
}

/* ---- copies of the superblock ---- */

int sfs_renew_copies(struct sfs_fs *fs, u64 *ret_n)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u64 zone;
	int err;

	*ret_n = 0;
	err = sfs_dev_read(fs->f_priv, 0, super);
	for (zone = 0; zone < fs->f_zones && !err; zone++) {
		u64 blk = sfs_copy_blk(zone);

		err = sfs_dev_read(fs->f_priv, blk, data);
		if (err || (!sfs_block_verify(fs, &sfs_copy_ops, data, blk) &&
			    sfs_copy_is_true(super, data)))
			continue;
		sfs_copy_make(super, blk, data);
		sfs_block_stamp(fs, data);
		sfs_block_seal(data);
		err = sfs_dev_put(fs->f_priv, blk, data);
		*ret_n += !err;
	}
	return err;
}

/* Tables of usage, the last of all that has owners.  Block 0 in the cache names new ones. */
static int sfs_repair_usage(struct sfs_fs *fs, unsigned int lost)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_super_disk *sup = (struct sfs_super_disk *)super;
	bool differs = false;
	unsigned int q;
	int err;

	err = sfs_usage_reset(fs, lost);
	if (!err)
		err = sfs_usage_renew(fs);
	if (!err)
		err = sfs_dev_read(fs->f_priv, 0, super);
	for (q = 0; q < SFS_QUOTAS && !err; q++) {
		differs |= le64_to_cpu(sup->s_hidden[q]) != fs->f_hidden[q];
		sup->s_hidden[q] = cpu_to_le64(fs->f_hidden[q]);
	}
	if (err || !differs)
		return err;
	sfs_block_seal(super);
	return sfs_dev_put(fs->f_priv, 0, super);
}

/* ---- inodes ---- */

static int sfs_repair_inode(struct sfs_fs *fs, const struct sfs_found_inode *i)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	u64 parent = i->i_ino == fs->f_root ? fs->f_root : i->i_named_in;
	bool is_named = sfs_found_is_named(fs, i);
	bool marked = sfs_found_is_marked(fs, i);
	bool longer = i->i_type == SFS_TYPE_REG && i->i_nbytes;
	struct sfs_inode in = { 0 };
	int err;

	if (!longer && i->i_blocks == i->i_said_blocks &&
	    (!i->i_is_dir || i->i_nbytes == i->i_said_size) && (!is_named ||
	    i->i_nlink == sfs_found_links(fs, i)) && (!parent || parent == i->i_parent) && !marked)
		return 0;
	err = sfs_inode_read(fs, i->i_ino, &in);
	if (!err)
		err = sfs_inode_begin(t, &in);
	if (err)
		return err;
	in.i_blocks = i->i_blocks;
	if (i->i_is_dir || longer)
		in.i_size = i->i_nbytes;
	if (is_named)
		in.i_nlink = sfs_found_links(fs, i);
	if (parent)
		in.i_parent = parent;
	if (marked)
		err = sfs_orphan_remove(t, &in);
	sfs_inode_end(t, &in);
	return err;
}

/* ---- names ---- */

/* By its key: another record may have the same name. */
static int sfs_repair_name(struct sfs_fs *fs, const struct sfs_found_name *n)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	u64 key = sfs_key(SFS_KIND_DIRENT, n->n_pos);
	u8 rec[SFS_RECORD_MAX];
	struct sfs_inode dir = { 0 };
	struct sfs_path path;
	unsigned int nbytes;
	const void *old;
	int err;

	err = sfs_inode_read(fs, n->n_dir, &dir);
	if (!err)
		err = sfs_inode_begin(t, &dir);
	if (err)
		return err;
	err = sfs_tree_find(&dir, key, &path);
	if (err)
		goto end_dir;
	old = sfs_path_record(&path, &nbytes);
	memcpy(rec, old, nbytes);
	sfs_path_release(&path);
	((struct sfs_dirent_disk *)rec)->d_type = n->n_type;
	if (n->n_type) {
		err = sfs_tree_replace(t, &dir, key, rec, nbytes, 0);
	} else {
		err = sfs_tree_delete(t, &dir, key);
		dir.i_size -= err ? 0 : nbytes;
	}
end_dir:
	sfs_inode_end(t, &dir);
	return err;
}

/* Adds a name for @in, and what goes with it. */
static int sfs_name_inode(struct sfs_fs *fs, u64 dir_ino, const char *name, struct sfs_inode *in,
			  u32 nlink)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	unsigned int type = in->i_mode >> SFS_TYPE_SHIFT;
	struct sfs_inode dir = { 0 };
	int err;

	err = sfs_inode_read(fs, dir_ino, &dir);
	if (!err)
		err = sfs_inode_begin(t, &dir);
	if (err)
		return err;
	err = sfs_dirent_add(t, &dir, name, strlen(name), in->i_ino, type);
	dir.i_nlink += !err && type == SFS_TYPE_DIR;
	sfs_inode_end(t, &dir);
	if (!err)
		err = sfs_inode_begin(t, in);
	if (err)
		return err;
	/* A file is still to be cut. */
	if (in->i_flags & SFS_INODE_ORPHAN && type != SFS_TYPE_REG)
		err = sfs_orphan_remove(t, in);
	in->i_nlink = nlink;
	if (type == SFS_TYPE_DIR)
		in->i_parent = dir_ino;
	sfs_inode_end(t, in);
	return err;
}

/* @word, or with a number behind it, as the @n-th try for a name that is free. */
static void sfs_lost_name(char *name, size_t room, const char *word, unsigned int n)
{
	if (n)
		snprintf(name, room, "%s.%u", word, n);
	else
		snprintf(name, room, "%s", word);
}

static int sfs_lost_make(struct sfs_fs *fs, const char *name, u64 *ret_ino)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	struct sfs_inode in = { 0 };
	u32 generation;
	int err;

	err = sfs_inode_alloc(t, fs, fs->f_root, true, ret_ino, &generation);
	if (err)
		return err;
	sfs_inode_init(&in, fs, *ret_ino, SFS_TYPE_DIR << SFS_TYPE_SHIFT | 0700, sfs_time_now());
	in.i_generation = generation;
	return sfs_name_inode(fs, fs->f_root, name, &in, 2);
}

/* The directory that takes in what has no name: lost+found, or the first like it that is one. */
static int sfs_lost_find(struct sfs_fs *fs, u64 *ret_ino)
{
	struct sfs_inode in = { 0 };
	unsigned int n;
	char name[32];
	u8 type;
	int err;

	err = sfs_inode_read(fs, fs->f_root, &in);
	for (n = 0; !err; n++) {
		sfs_lost_name(name, sizeof(name), SFS_LOST, n);
		err = sfs_dirent_find(&in, name, strlen(name), ret_ino, &type);
		if (!err && type == SFS_TYPE_DIR)
			return 0;
	}
	return err == -ENOENT ? sfs_lost_make(fs, name, ret_ino) : err;
}

static int sfs_repair_nameless(struct sfs_fs *fs, const struct sfs_found_inode *i)
{
	struct sfs_inode in = { 0 };
	unsigned int n = 0;
	char word[32], name[48];
	u64 lost;
	int err;

	if (sfs_found_is_named(fs, i) || sfs_found_is_doomed(i))
		return 0;
	err = sfs_lost_find(fs, &lost);
	if (!err)
		err = sfs_inode_read(fs, i->i_ino, &in);
	if (err)
		return err;
	snprintf(word, sizeof(word), "#%llu", (unsigned long long)i->i_ino);
	do {
		sfs_lost_name(name, sizeof(name), word, n++);
		err = sfs_name_inode(fs, lost, name, &in, 1 + i->i_is_dir + i->i_names);
	} while (err == -EEXIST);
	return err;
}

int sfs_repair(struct sfs_fs *fs, struct sfs_found *found, struct sfs_moves *ret_moves)
{
	u64 copies;
	size_t n;
	int err;

	err = sfs_runs_place(fs, found, ret_moves);
	if (!err)
		err = sfs_repair_maps(fs, found);
	for (n = 0; n < found->f_ninodes && !err; n++)
		err = sfs_repair_inode(fs, &found->f_inodes[n]);
	if (!err)
		err = sfs_runs_repair(fs, found, ret_moves);
	for (n = 0; n < found->f_names.f_n && !err; n++)
		err = sfs_repair_name(fs, &found->f_names.f_name[n]);
	for (n = 0; n < found->f_ninodes && !err; n++)
		err = sfs_repair_nameless(fs, &found->f_inodes[n]);
	/* What has been repaired has owners; then the copies, which name the tables. */
	if (!err)
		err = sfs_repair_usage(fs, found->f_tables_lost);
	if (!err)
		err = sfs_renew_copies(fs, &copies);
	return err ? err : sfs_fs_recount(fs, NULL);
}
