// SPDX-License-Identifier: GPL-2.0-only
/*
 * who.c - dump --who and --path: what a block is and whose, and where an inode has its names.
 *
 * What a block has to be follows from the geometry, or from the inode that holds it; what it says
 * of itself is told besides.  All trees are walked, since two inodes may hold one block and nobody
 * else would say so.  What cannot be read is reported on the way, and its error comes back.
 */
#include <sys/stat.h>

#include "look.h"

#define SFS_OWNERS_MAX	64		/* of one block; with more of them it is all nonsense */

struct sfs_owner {
	u64 o_ino;
	u64 o_lblk;			/* of data */
	u16 o_mode;
	u32 o_flags;
	int o_level;			/* of a node; -1: data */
	bool o_unwritten;
};

struct sfs_who {
	struct sfs_fs *fs;
	u64 blk;
	const struct sfs_inode *in;	/* in hand */
	struct sfs_owner owners[SFS_OWNERS_MAX];
	size_t n;
	int err;
};

static struct sfs_owner *sfs_owner_add(struct sfs_who *w, const struct sfs_inode *in)
{
	struct sfs_owner *o = &w->owners[w->n];

	if (w->n == SFS_OWNERS_MAX)
		return NULL;
	w->n++;
	*o = (struct sfs_owner) {
		.o_ino = in->i_ino, .o_mode = in->i_mode, .o_flags = in->i_flags, .o_level = -1,
	};
	return o;
}

static void sfs_who_node(void *arg, const struct sfs_node_disk *node, u64 blk)
{
	struct sfs_who *w = arg;
	struct sfs_leaf_record r;
	struct sfs_owner *o;
	unsigned int i = 0;

	if (blk && blk == w->blk) {
		o = sfs_owner_add(w, w->in);
		if (o)
			o->o_level = node->n_level;
	}
	while (sfs_leaf_next(node, &i, &r)) {
		const struct sfs_extent_disk *ext = r.l_rec;
		u64 start;

		if (sfs_key_kind(r.l_key) != SFS_KIND_EXTENT)
			continue;
		start = le64_to_cpu(ext->e_start) & ~SFS_EXTENT_UNWRITTEN;
		if (w->blk - start >= le32_to_cpu(ext->e_len))
			continue;
		o = sfs_owner_add(w, w->in);
		if (!o)
			continue;
		o->o_lblk = sfs_key_pos(r.l_key) + (w->blk - start);
		o->o_unwritten = le64_to_cpu(ext->e_start) & SFS_EXTENT_UNWRITTEN;
	}
}

/* A node that is damaged is somebody's all the same. */
static void sfs_who_lost(void *arg, u64 blk, u64 lo, u64 hi, int err)
{
	struct sfs_who *w = arg;

	(void)lo;
	(void)hi;
	(void)err;
	if (blk == w->blk) {
		struct sfs_owner *o = sfs_owner_add(w, w->in);

		if (o)
			o->o_level = SFS_TREE_LEVELS;
	}
}

static bool sfs_who_inode(void *arg, struct sfs_inode *in)
{
	struct sfs_who *w = arg;
	int err;

	w->in = in;
	if (sfs_ino_blk(in->i_ino) == w->blk)
		sfs_owner_add(w, in);
	err = sfs_tree_walk_lost(in, sfs_who_node, sfs_who_lost, w);
	w->err = w->err ? w->err : err;
	return true;
}

/* NULL: the geometry does not say. */
static const char *sfs_who_fixed(const struct sfs_fs *fs, u64 blk)
{
	u64 zone = blk / SFS_ZONE_BLOCKS;
	unsigned int map;
	u64 group;

	if (!blk)
		return "superblock";
	if (blk >= fs->f_blocks)
		return "behind the end of the volume";
	if (zone >= fs->f_zones)
		return "free, of a zone that was not begun";
	if (blk == sfs_copy_blk(zone))
		return "copy of the superblock";
	if (blk == sfs_summary_blk(zone))
		return "summary of a zone";
	if (sfs_map_at(fs, blk, &group, &map))
		return sfs_map_ops[map].b_name;
	if (blk - fs->f_journal_start < fs->f_journal_blocks)
		return "journal";
	if (blk < sfs_first_free(fs) || blk >= fs->f_blocks - fs->f_tail)
		return "left to nobody";
	return NULL;
}

/* Is the bit of @blk set in the map?  "unknown" if that cannot be read. */
static const char *sfs_who_bit(struct sfs_who *w, unsigned int map)
{
	u64 group = w->blk / SFS_GROUP_BLOCKS;
	struct sfs_buf *buf;
	bool set;
	int err;

	err = sfs_map_get(w->fs, group, map, &buf);
	w->err = w->err ? w->err : err;
	if (err)
		return "unknown";
	set = sfs_bits_test(((const struct sfs_bitmap_disk *)sfs_buf_data(buf))->b_bits,
			    w->blk % SFS_GROUP_BLOCKS);
	sfs_buf_put(buf);
	return set ? "yes" : "no";
}

/* What the block itself says, if it is one that has a head. */
static void sfs_who_head(struct sfs_who *w, struct sfs_text *out)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_head *head = (const struct sfs_head *)data;
	const struct sfs_block_ops *ops;
	const char *why;

	if (sfs_dev_read(w->fs->f_priv, w->blk, data)) {
		w->err = w->err ? w->err : -EIO;
		return;
	}
	ops = sfs_block_ops_of(le32_to_cpu(head->h_magic));
	if (!ops || le32_to_cpu(head->h_fsid) != w->fs->f_fsid)
		return;
	out->open(out, "head", false);
	sfs_text_word(out, "kind", ops->b_name);
	out->num(out, "owner", le64_to_cpu(head->h_owner));
	why = sfs_block_verify(w->fs, ops, data, w->blk);
	if (why)
		sfs_text_word(out, "damaged", why);
	out->close(out);
}

static const char *sfs_who_word(const struct sfs_owner *o)
{
	if (o->o_level == SFS_TREE_LEVELS)
		return "tree node, damaged";
	if (o->o_level >= 0)
		return "tree node";
	return o->o_unwritten ? "data, not written yet" : "data";
}

static void sfs_ino_totext(const struct sfs_fs *fs, u64 ino, u32 flags, struct sfs_text *out)
{
	out->num(out, "ino", ino);
	if (sfs_inode_is_hidden(fs, ino))
		sfs_text_word(out, "state", "hidden");
	else if (flags & SFS_INODE_ORPHAN)
		sfs_text_word(out, "state", "orphan");
}

static void sfs_owner_print(struct sfs_who *w, const struct sfs_owner *o,
			    const struct sfs_names *names, struct sfs_text *out)
{
	bool inodes = sfs_ino_blk(o->o_ino) == w->blk && o->o_level < 0;
	const char *type = sfs_type_word(o->o_mode >> SFS_TYPE_SHIFT);
	int err;

	out->open(out, NULL, false);
	sfs_text_word(out, "as", inodes ? "inode" : sfs_who_word(o));
	sfs_ino_totext(w->fs, o->o_ino, o->o_flags, out);
	if (type)
		sfs_text_word(out, "type", type);
	if (o->o_level >= 0 && o->o_level < SFS_TREE_LEVELS)
		out->num(out, "level", o->o_level);
	if (o->o_level < 0 && !inodes)
		out->num(out, "offset", o->o_lblk << SFS_BLOCK_BITS);
	err = sfs_names_print(w->fs, names, o->o_ino, out);
	w->err = w->err ? w->err : err;
	out->close(out);
}

static void sfs_who_owners(struct sfs_who *w, struct sfs_text *out)
{
	struct sfs_names names = { 0 };
	u64 inos[SFS_OWNERS_MAX];
	size_t i;
	int err;

	err = sfs_each_inode(w->fs, sfs_who_inode, w);
	w->err = w->err ? w->err : err;
	for (i = 0; i < w->n; i++)
		inos[i] = w->owners[i].o_ino;
	names.n_inos = inos;
	names.n_ninos = w->n;
	err = w->n ? sfs_names_find(w->fs, &names) : 0;
	w->err = w->err ? w->err : err;
	out->open(out, "owners", true);
	for (i = 0; i < w->n; i++)
		sfs_owner_print(w, &w->owners[i], &names, out);
	out->close(out);
	free(names.n_list);
}

int sfs_who(struct sfs_fs *fs, u64 blk, struct sfs_text *out)
{
	static struct sfs_who w;
	const char *fixed = sfs_who_fixed(fs, blk);
	const char *used = "yes", *inodes;

	if (blk >= sfs_dev_nblks(fs->f_priv))
		return -ENOENT;
	w = (struct sfs_who) { .fs = fs, .blk = blk };
	out->open(out, "who", false);
	out->num(out, "block", blk);
	if (fixed)
		sfs_text_word(out, "what", fixed);
	if (!fixed) {
		used = sfs_who_bit(&w, SFS_MAP_USED);
		inodes = sfs_who_bit(&w, SFS_MAP_INODE);
		sfs_text_word(out, "what", *inodes == 'y' ? "inode block" :
			      *used == 'n' ? "free" : "in use");
		sfs_text_word(out, "used", used);
	}
	sfs_who_head(&w, out);
	/* What is free, or has another use, may be somebody's by mistake. */
	sfs_who_owners(&w, out);
	if (!fixed && *used == 'y' && !w.n)
		sfs_text_word(out, "note", w.err ? "whose it is cannot be told" :
			      "nobody holds it");
	if (w.n == SFS_OWNERS_MAX)
		sfs_text_word(out, "note", "and perhaps more");
	out->close(out);
	return w.err;
}

int sfs_paths(struct sfs_fs *fs, u64 ino, struct sfs_text *out)
{
	struct sfs_names names = { .n_inos = &ino, .n_ninos = 1 };
	struct sfs_inode in = { 0 };
	int first, err;

	first = sfs_inode_read(fs, ino, &in);
	out->open(out, "path", false);
	sfs_ino_totext(fs, ino, first ? 0 : in.i_flags, out);
	if (first)
		sfs_text_word(out, "state", first == -ESTALE ? "not in use" : "cannot be read");
	else
		out->num(out, "links", in.i_nlink);
	err = sfs_names_find(fs, &names);
	first = first ? first : err;
	err = sfs_names_print(fs, &names, ino, out);
	first = first ? first : err;
	if (!names.n_n && ino != fs->f_root)
		sfs_text_word(out, "note", "no name leads to it");
	out->close(out);
	free(names.n_list);
	return first == -ESTALE ? -ENOENT : first;
}
