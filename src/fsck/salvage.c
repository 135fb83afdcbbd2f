// SPDX-License-Identifier: GPL-2.0-only
/*
 * salvage.c - after a check that found what nothing else repairs: what is damaged in itself is made
 * true, in the cache, with as little as can be given up.
 *
 * Blocks of inodes record by record, then trees from their leaves (salvage_tree.c), then the root
 * if it is gone.  Each act is told.  What is left then is for a check like any other, which gives
 * up the inodes of blocks that are none any more: names, links and maps follow.  Nothing is written
 * here, and little kept: a bit for each block, eight bytes for an inode with a damaged tree, 56 for
 * a leaf of one, and the blocks that change.
 */
#include "salvage.h"

static int sfs_tree_note(struct sfs_salvage *s, u64 ino)
{
	int err = sfs_array_grow((void **)&s->tree, s->ntrees, sizeof(*s->tree));

	if (!err)
		s->tree[s->ntrees++] = ino;
	return err;
}

/* ---- blocks of inodes ---- */

static struct sfs_inode_disk *sfs_slot_of(void *data, unsigned int slot)
{
	return &((struct sfs_inodes_disk *)data)->n_slot[slot];
}

static int sfs_inodes_put(struct sfs_salvage *s, u64 blk, void *data)
{
	sfs_block_stamp(s->fs, data);
	sfs_block_seal(data);
	return sfs_dev_put(s->fs->f_priv, blk, data);
}

/* One that does not verify, and is one: each live record that can be kept is. */
static int sfs_inodes_mend(struct sfs_salvage *s, u64 blk, void *data)
{
	struct sfs_inodes_disk *inodes = data;
	bool suspect = sfs_head_verify(data, s->fs->f_fsid, blk);
	u8 live = inodes->n_head.h_live;
	unsigned int slot;
	int err = 0;

	for (slot = 0; slot < SFS_INODE_SLOTS && !err; slot++) {
		u64 ino = blk << SFS_INODE_SLOT_BITS | slot;
		bool tree;

		if (!(live >> slot & 1))
			continue;
		if (!sfs_record_mend(s, sfs_slot_of(data, slot), ino, suspect, &tree))
			live &= ~(1 << slot);
		else if (tree)
			err = sfs_tree_note(s, ino);
	}
	if (err)
		return err;
	sfs_block_init(data, s->fs->f_fsid, SFS_MAGIC_INODES, blk, blk / SFS_GROUP_BLOCKS);
	inodes->n_head.h_live = live;
	memset(inodes->n_spare, 0, sizeof(inodes->n_spare));
	sfs_salvage_tell(s, SFS_PROBLEM_INODES_MENDED, blk, 0, NULL);
	return sfs_inodes_put(s, blk, data);
}

/* The trees of a block that is sound by now. */
static int sfs_inodes_look(struct sfs_salvage *s, u64 blk)
{
	struct sfs_inodes_disk inodes;
	void *data = &inodes;
	struct sfs_inode in = { 0 };
	unsigned int slot;
	int err = 0;

	if (sfs_dev_read(s->fs->f_priv, blk, data))
		return 0;
	if (sfs_block_verify(s->fs, &sfs_inodes_ops, data, blk)) {
		s->any = true;
		if (sfs_found_is_taken(s->found, blk) ||
		    !sfs_head_is_near(s->fs, data, blk, SFS_MAGIC_INODES, blk / SFS_GROUP_BLOCKS))
			return 0;
		err = sfs_inodes_mend(s, blk, data);
	}
	for (slot = 0; slot < SFS_INODE_SLOTS && !err; slot++) {
		u64 ino = blk << SFS_INODE_SLOT_BITS | slot;

		if (!(inodes.n_head.h_live >> slot & 1) || sfs_inode_read(s->fs, ino, &in))
			continue;
		if (s->ntrees && s->tree[s->ntrees - 1] == ino)
			continue;
		if (sfs_tree_is_hurt(s, &in))
			err = sfs_tree_note(s, ino);
	}
	return err;
}

/* All that an inode map knows, and all that was found without one. */
static int sfs_inodes_look_all(struct sfs_salvage *s)
{
	const struct sfs_found_inode *inode = s->found->f_inodes;
	const struct sfs_bitmap_disk *map;
	struct sfs_buf *buf;
	u64 group, last = 0;
	u32 bit, nblks;
	size_t n;
	int err = 0;

	for (group = 0; group < sfs_groups_ready(s->fs) && !err; group++) {
		if (sfs_map_get(s->fs, group, SFS_MAP_INODE, &buf))
			continue;
		nblks = sfs_group_nblks(s->fs, group);
		map = sfs_buf_data(buf);
		for (bit = 0; (bit = sfs_bits_next_set(map->b_bits, bit, nblks)) < nblks && !err;
		     bit++)
			err = sfs_inodes_look(s, group * SFS_GROUP_BLOCKS + bit);
		sfs_buf_put(buf);
	}
	for (n = 0; n < s->found->f_ninodes && !err; n++) {
		u64 blk = sfs_ino_blk(inode[n].i_ino);

		if (blk == last)
			continue;
		last = blk;
		if (!sfs_map_get(s->fs, blk / SFS_GROUP_BLOCKS, SFS_MAP_INODE, &buf)) {
			map = sfs_buf_data(buf);
			if (!sfs_bits_test(map->b_bits, blk % SFS_GROUP_BLOCKS))
				err = sfs_inodes_look(s, blk);
			sfs_buf_put(buf);
		} else {
			err = sfs_inodes_look(s, blk);
		}
	}
	return err;
}

/* ---- the root ---- */

/* A directory again, of whatever generation its leaves will turn out to have. */
static int sfs_root_mend(struct sfs_salvage *s)
{
	u64 ino = s->fs->f_root, blk = sfs_ino_blk(ino);
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_inodes_disk *inodes = (struct sfs_inodes_disk *)data;
	struct sfs_inode in = { 0 };
	bool has_block;
	int err;

	err = sfs_inode_read(s->fs, ino, &in);
	if (!err && in.i_mode >> SFS_TYPE_SHIFT == SFS_TYPE_DIR)
		return 0;
	if (sfs_dev_read(s->fs->f_priv, blk, data))
		return -EIO;
	has_block = !sfs_block_verify(s->fs, &sfs_inodes_ops, data, blk);
	/* Somebody's data. */
	if (!has_block && sfs_found_is_taken(s->found, blk))
		return 0;
	if (!has_block) {
		memset(data, 0, sizeof(data));
		sfs_block_init(data, s->fs->f_fsid, SFS_MAGIC_INODES, blk, blk / SFS_GROUP_BLOCKS);
	}
	sfs_inode_init(&in, s->fs, ino, SFS_TYPE_DIR << SFS_TYPE_SHIFT | 0755, sfs_time_now());
	in.i_nlink = 2;
	in.i_parent = ino;
	memset(sfs_slot_of(data, sfs_ino_slot(ino)), 0, SFS_INODE_BYTES);
	sfs_inode_encode(&in, sfs_slot_of(data, sfs_ino_slot(ino)));
	inodes->n_head.h_live |= 1 << sfs_ino_slot(ino);
	s->root_is_new = true;
	sfs_salvage_tell(s, SFS_PROBLEM_ROOT_MADE, ino, 0, NULL);
	err = sfs_inodes_put(s, blk, data);
	return err ? err : sfs_tree_note(s, ino);
}

/* The newest of those that its leaves have; or another one. */
static u32 sfs_root_generation(const struct sfs_salvage *s)
{
	const struct sfs_claim *newest = NULL;
	size_t n;

	for (n = 0; n < s->nclaims; n++)
		if (s->claim[n].l_ino == s->fs->f_root &&
		    (!newest || s->claim[n].l_seq > newest->l_seq))
			newest = &s->claim[n];
	return newest ? newest->l_generation : sfs_random32();
}

/* ---- trees ---- */

/* Size of a file of which only its tree tells it. */
static void sfs_file_size(struct sfs_inode *in)
{
	struct sfs_extent ext = { 0 };
	u64 end = 0;

	while (!sfs_extent_next(in, end, &ext))
		end = ext.e_lblk + ext.e_nblks;
	in->i_size = min_t(u64, end << SFS_BLOCK_BITS, SFS_FILE_SIZE_MAX);
}

/* A record that its tree does not fit gives up what is besides its own kind, or itself. */
static int sfs_tree_settle(struct sfs_salvage *s, struct sfs_inode *in, void *data)
{
	unsigned int slot = sfs_ino_slot(in->i_ino), type = in->i_mode >> SFS_TYPE_SHIFT;
	char target[SFS_SYMLINK_MAX + 1];

	if (type == SFS_TYPE_REG && in->i_size == SFS_FILE_SIZE_MAX)
		sfs_file_size(in);
	if (type == SFS_TYPE_LNK && sfs_symlink_read(in, target, sizeof(target))) {
		sfs_salvage_tell(s, SFS_PROBLEM_INODE_GONE, in->i_ino, 0, "its target is lost");
		((struct sfs_inodes_disk *)data)->n_head.h_live &= ~(1 << slot);
		return 0;
	}
	sfs_inode_encode(in, sfs_slot_of(data, slot));
	return 0;
}

static int sfs_tree_salvage(struct sfs_salvage *s, u64 ino)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_node_disk *root;
	struct sfs_inode in = { 0 };
	unsigned int type;
	int err;

	if (sfs_inode_read(s->fs, ino, &in))
		return 0;
	if (ino == s->fs->f_root && s->root_is_new)
		in.i_generation = sfs_root_generation(s);
	err = sfs_tree_renew(s, &in);
	if (err)
		return err;
	/* A root that holds all has a size that can be told, and is. */
	root = (const struct sfs_node_disk *)in.i_root;
	type = in.i_mode >> SFS_TYPE_SHIFT;
	if (!root->n_level && type == SFS_TYPE_DIR)
		in.i_size = sfs_root_nbytes(root, type);
	if (sfs_dev_read(s->fs->f_priv, sfs_ino_blk(ino), data))
		return -EIO;
	err = sfs_tree_settle(s, &in, data);
	return err ? err : sfs_inodes_put(s, sfs_ino_blk(ino), data);
}

int sfs_salvage(struct sfs_fs *fs, struct sfs_found *found, bool *ret_any)
{
	struct sfs_salvage s = { .fs = fs, .found = found, .tell = sfs_report };
	size_t n;
	int err;

	s.seen = calloc(1, sfs_groups_ready(fs) * SFS_GROUP_BLOCKS / 8);
	if (!s.seen)
		return -ENOMEM;
	/* What is damaged has been told. */
	sfs_report = sfs_report_nothing;
	err = sfs_inodes_look_all(&s);
	if (!err)
		err = sfs_root_mend(&s);
	if (s.ntrees)
		qsort(s.tree, s.ntrees, sizeof(*s.tree), sfs_ino_compare);
	if (!err && s.ntrees)
		err = sfs_claims_find(&s);
	for (n = 0; n < s.ntrees && !err; n++)
		err = sfs_tree_salvage(&s, s.tree[n]);
	sfs_report = s.tell;
	*ret_any = s.any;
	free(s.seen);
	free(s.tree);
	free(s.claim);
	return err;
}
