// SPDX-License-Identifier: GPL-2.0-only
/*
 * check.c - is the volume true?  Everything reachable is walked, counted, and compared.
 *
 * First pass: every live inode of every inode block; its tree, record by record; each block it
 * holds is marked in a bitmap of our own, so that one held twice shows.  Then the names' inodes
 * against the link counts, and the four bitmaps and the counters against what was found.  Nothing
 * is changed.
 */
#include <stdarg.h>

#include "lib.h"

struct sfs_check_inode {
	u64 ino;
	u32 nlink;			/* as the record says */
	u32 names;			/* as directories say; subdirectories count too */
	u64 parent;
	bool is_dir;
	bool orphan;
};

struct sfs_checker {
	struct sfs_fs *fs;
	u8 *seen;			/* blocks in use, as found */
	struct sfs_check_inode *inodes;	/* rising numbers */
	size_t count;
	size_t room;
	u32 free_slots;			/* of the group in hand */
	long problems;
	int err;			/* memory or I/O: the check cannot go on */
};

__attribute__((format(printf, 2, 3)))
static void sfs_problem(struct sfs_checker *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sfs_report(text);
	c->problems++;
}

/* What the core has reported already counts; anything else ends the check. */
static void sfs_check_err(struct sfs_checker *c, int err)
{
	if (err == -EFSCORRUPTED || err == -EFSBADCRC)
		c->problems++;
	else if (err && !c->err)
		c->err = err;
}

static void sfs_check_take(struct sfs_checker *c, u64 ino, u64 blk, u64 nblks)
{
	for (; nblks; nblks--, blk++) {
		if (c->seen[blk / 8] >> (blk % 8) & 1)
			sfs_problem(c, "block %llu is held twice, also by inode %llu",
				    (unsigned long long)blk, (unsigned long long)ino);
		c->seen[blk / 8] |= 1 << (blk % 8);
	}
}

static struct sfs_check_inode *sfs_check_find(struct sfs_checker *c, u64 ino)
{
	size_t lo = 0;
	size_t hi = c->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (c->inodes[mid].ino < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->count && c->inodes[lo].ino == ino ? &c->inodes[lo] : NULL;
}

/* ---- pass 1: inodes and what they hold ---- */

/* Marks the nodes below an inner node; returns how many. */
static u64 sfs_check_nodes(struct sfs_checker *c, struct sfs_inode *in,
			   const struct sfs_node_disk *node)
{
	const struct sfs_entry_disk *entries = (const struct sfs_entry_disk *)(node + 1);
	u64 count = 0;
	unsigned int i;

	for (i = 0; node->n_level && i < le16_to_cpu(node->n_count); i++) {
		u64 blk = le64_to_cpu(entries[i].e_blk);
		const struct sfs_node_disk *child;
		struct sfs_buf *buf;
		int err;

		err = sfs_buf_get(c->fs, blk, SFS_MAGIC_NODE, in->i_ino, &buf);
		if (err) {
			sfs_check_err(c, err);
			continue;
		}
		child = (const struct sfs_node_disk *)((u8 *)sfs_buf_data(buf) +
						       sizeof(struct sfs_head));
		sfs_check_take(c, in->i_ino, blk, 1);
		count++;
		/* Wrong levels are reported by the walk; here they must not lead in circles. */
		if (child->n_level < node->n_level)
			count += sfs_check_nodes(c, in, child);
		sfs_buf_put(buf);
	}
	return count;
}

static u64 sfs_check_extents(struct sfs_checker *c, struct sfs_inode *in)
{
	struct sfs_extent ext = { 0 };
	u64 lblk = 0;
	u64 count = 0;
	int err;

	while (!(err = sfs_extent_next(in, lblk, &ext))) {
		sfs_check_take(c, in->i_ino, ext.e_blk, ext.e_nblks);
		count += ext.e_nblks;
		lblk = ext.e_lblk + ext.e_nblks;
	}
	if (err != -ENOENT)
		sfs_check_err(c, err);
	return count;
}

static int sfs_check_remember(struct sfs_checker *c, const struct sfs_inode *in)
{
	if (c->count == c->room) {
		size_t room = c->room ? 2 * c->room : 1024;
		void *p = realloc(c->inodes, room * sizeof(*c->inodes));

		if (!p)
			return -ENOMEM;
		c->inodes = p;
		c->room = room;
	}
	c->inodes[c->count++] = (struct sfs_check_inode) {
		.ino = in->i_ino, .nlink = in->i_nlink, .parent = in->i_parent,
		.is_dir = (in->i_mode & 0170000) == 0040000,
		.orphan = in->i_flags & SFS_INODE_ORPHAN,
	};
	return 0;
}

static void sfs_check_inode(struct sfs_checker *c, u64 ino)
{
	struct sfs_inode in;
	u64 nblks;
	int err;

	memset(&in, 0, sizeof(in));
	err = sfs_inode_read(c->fs, ino, &in);
	if (err) {
		sfs_check_err(c, err);
		return;
	}
	sfs_check_err(c, sfs_check_remember(c, &in));
	nblks = sfs_check_nodes(c, &in, (const struct sfs_node_disk *)in.i_root);
	if ((in.i_mode & 0170000) == 0100000)
		nblks += sfs_check_extents(c, &in);
	if (nblks != in.i_blocks)
		sfs_problem(c, "inode %llu holds %llu blocks and says %llu",
			    (unsigned long long)ino, (unsigned long long)nblks,
			    (unsigned long long)in.i_blocks);
}

/* An inode block: its live slots, and what the room and orphan maps must say of it. */
static void sfs_check_inode_blk(struct sfs_checker *c, u64 blk, const u8 *room, const u8 *orphan)
{
	u64 group = blk / SFS_GROUP_BLOCKS;
	unsigned int bit = blk % SFS_GROUP_BLOCKS;
	size_t first = c->count;
	bool has_orphan = false;
	struct sfs_buf *buf;
	unsigned int slot;
	unsigned int live;
	int err;

	err = sfs_buf_get(c->fs, blk, SFS_MAGIC_INODES, group, &buf);
	if (err) {
		sfs_check_err(c, err);
		return;
	}
	live = ((const struct sfs_head *)sfs_buf_data(buf))->h_live;
	sfs_buf_put(buf);
	sfs_check_take(c, blk << SFS_INODE_SLOT_BITS, blk, 1);
	c->free_slots += SFS_INODE_SLOTS - __builtin_popcount(live);
	for (slot = 0; slot < SFS_INODE_SLOTS; slot++) {
		if (live >> slot & 1)
			sfs_check_inode(c, blk << SFS_INODE_SLOT_BITS | slot);
	}
	for (; first < c->count; first++)
		has_orphan |= c->inodes[first].orphan;
	if (sfs_bits_test(room, bit) != (live != 0xff))
		sfs_problem(c, "room map is wrong about inode block %llu", (unsigned long long)blk);
	if (sfs_bits_test(orphan, bit) != has_orphan)
		sfs_problem(c, "orphan map is wrong about inode block %llu",
			    (unsigned long long)blk);
	if (!live)
		sfs_problem(c, "inode block %llu is empty", (unsigned long long)blk);
}

static void sfs_check_count(struct sfs_checker *c, u64 group, const char *map, u32 want, u32 have)
{
	if (want != have)
		sfs_problem(c, "%s map of group %llu counts %u and says %u", map,
			    (unsigned long long)group, want, have);
}

static void sfs_check_group(struct sfs_checker *c, u64 group)
{
	static const char *const names[SFS_MAPS] = { "used", "inode", "room", "orphan" };
	const struct sfs_bitmap_disk *maps[SFS_MAPS] = { NULL };
	struct sfs_buf *bufs[SFS_MAPS] = { NULL };
	u32 nblks = sfs_group_nblks(c->fs, group);
	unsigned int bit;
	unsigned int m;
	int err = 0;

	for (m = 0; m < SFS_MAPS && !err; m++) {
		err = sfs_map_get(c->fs, group, m, &bufs[m]);
		if (!err)
			maps[m] = sfs_buf_data(bufs[m]);
	}
	sfs_check_err(c, err);
	if (err)
		goto put_bufs;
	sfs_check_count(c, group, names[SFS_MAP_INODE],
			sfs_bits_count(maps[SFS_MAP_INODE]->b_bits, 0, nblks),
			le32_to_cpu(maps[SFS_MAP_INODE]->b_count));
	sfs_check_count(c, group, names[SFS_MAP_ORPHAN],
			sfs_bits_count(maps[SFS_MAP_ORPHAN]->b_bits, 0, nblks),
			le32_to_cpu(maps[SFS_MAP_ORPHAN]->b_count));
	sfs_check_count(c, group, names[SFS_MAP_USED],
			nblks - sfs_bits_count(maps[SFS_MAP_USED]->b_bits, 0, nblks),
			le32_to_cpu(maps[SFS_MAP_USED]->b_count));
	c->free_slots = 0;
	bit = 0;
	while ((bit = sfs_bits_next_set(maps[SFS_MAP_INODE]->b_bits, bit, nblks)) < nblks) {
		sfs_check_inode_blk(c, group * SFS_GROUP_BLOCKS + bit,
				    maps[SFS_MAP_ROOM]->b_bits, maps[SFS_MAP_ORPHAN]->b_bits);
		bit++;
	}
	sfs_check_count(c, group, names[SFS_MAP_ROOM], c->free_slots,
			le32_to_cpu(maps[SFS_MAP_ROOM]->b_count));
	for (bit = 0; bit < nblks; bit++) {
		u64 blk = group * SFS_GROUP_BLOCKS + bit;

		if (sfs_bits_test(maps[SFS_MAP_INODE]->b_bits, bit))
			continue;
		if (sfs_bits_test(maps[SFS_MAP_ROOM]->b_bits, bit) ||
		    sfs_bits_test(maps[SFS_MAP_ORPHAN]->b_bits, bit))
			sfs_problem(c, "block %llu is no inode block, but has room or orphans",
				    (unsigned long long)blk);
	}
put_bufs:
	for (m = 0; m < SFS_MAPS; m++)
		sfs_buf_put(bufs[m]);
}

/* ---- pass 2: names ---- */

struct sfs_check_dir {
	struct sfs_checker *c;
	u64 dir;
	u64 nbytes;
};

static bool sfs_check_name(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	struct sfs_check_dir *d = arg;
	struct sfs_check_inode *i = sfs_check_find(d->c, ino);
	struct sfs_check_inode *dir = sfs_check_find(d->c, d->dir);

	(void)pos;
	d->nbytes += sizeof(struct sfs_dirent_disk) + len;
	if (!i) {
		sfs_problem(d->c, "name %.*s in directory %llu: inode %llu is not in use",
			    (int)len, name, (unsigned long long)d->dir, (unsigned long long)ino);
		return true;
	}
	i->names++;
	if (i->is_dir != (type == 4))
		sfs_problem(d->c, "name %.*s in directory %llu has the wrong type", (int)len, name,
			    (unsigned long long)d->dir);
	if (!i->is_dir)
		return true;
	dir->names++;
	if (i->parent != d->dir)
		sfs_problem(d->c, "directory %llu is named in %llu and has parent %llu",
			    (unsigned long long)ino, (unsigned long long)d->dir,
			    (unsigned long long)i->parent);
	return true;
}

static void sfs_check_names(struct sfs_checker *c)
{
	struct sfs_inode in;
	size_t n;

	for (n = 0; n < c->count && !c->err; n++) {
		struct sfs_check_dir d = { .c = c, .dir = c->inodes[n].ino };

		if (!c->inodes[n].is_dir)
			continue;
		memset(&in, 0, sizeof(in));
		sfs_check_err(c, sfs_inode_read(c->fs, d.dir, &in));
		if (in.i_fs)
			sfs_check_err(c, sfs_dirent_iterate(&in, 0, sfs_check_name, &d));
		if (in.i_fs && d.nbytes != in.i_size)
			sfs_problem(c, "directory %llu holds %llu bytes of names and says %llu",
				    (unsigned long long)d.dir, (unsigned long long)d.nbytes,
				    (unsigned long long)in.i_size);
	}
	for (n = 0; n < c->count && !c->err; n++) {
		const struct sfs_check_inode *i = &c->inodes[n];
		/* "." counts, and the root's name is its own. */
		u32 want = i->names + (i->is_dir && !(i->orphan && !i->nlink)) +
			   (i->ino == c->fs->f_root);

		if (i->nlink != want)
			sfs_problem(c, "inode %llu has %u links and says %u",
				    (unsigned long long)i->ino, want, i->nlink);
		if (!i->nlink && !i->orphan)
			sfs_problem(c, "inode %llu has no name and is no orphan",
				    (unsigned long long)i->ino);
	}
	if (!sfs_check_find(c, c->fs->f_root))
		sfs_problem(c, "the root is not in use");
}

/* ---- pass 3: space ---- */

static void sfs_check_space(struct sfs_checker *c)
{
	u64 ngroups = min_t(u64, c->fs->f_zones * SFS_ZONE_GROUPS, c->fs->f_groups);
	u64 group;

	for (group = 0; group < ngroups && !c->err; group++) {
		const struct sfs_bitmap_disk *map;
		u8 *fresh = calloc(1, SFS_BLOCK_SIZE);
		struct sfs_buf *buf = NULL;
		unsigned int bit;
		int err;

		err = fresh ? sfs_map_get(c->fs, group, SFS_MAP_USED, &buf) : -ENOMEM;
		sfs_check_err(c, err);
		if (err) {
			free(fresh);
			continue;
		}
		map = sfs_buf_data(buf);
		/* What mkfs takes for itself is used without an owner. */
		sfs_map_fill(c->fs, sfs_map_blk(group, SFS_MAP_USED), fresh);
		for (bit = 0; bit < sfs_group_nblks(c->fs, group); bit++) {
			u64 blk = group * SFS_GROUP_BLOCKS + bit;
			bool want = (c->seen[blk / 8] >> (blk % 8) & 1) ||
				    sfs_bits_test(((struct sfs_bitmap_disk *)fresh)->b_bits, bit);

			if (sfs_bits_test(map->b_bits, bit) != want)
				sfs_problem(c, "block %llu is %s, the used map says otherwise",
					    (unsigned long long)blk, want ? "taken" : "free");
		}
		sfs_buf_put(buf);
		free(fresh);
	}
}

static void sfs_check_counters(struct sfs_checker *c)
{
	u64 free_said = sfs_counter_sum(&c->fs->f_free);
	u64 inodes_said = sfs_counter_sum(&c->fs->f_inodes);

	if (!(c->fs->f_state & SFS_STATE_CLEAN))
		return;
	sfs_check_err(c, sfs_fs_recount(c->fs));
	if (free_said != (u64)sfs_counter_sum(&c->fs->f_free))
		sfs_problem(c, "superblock says %llu free blocks, there are %llu",
			    (unsigned long long)free_said,
			    (unsigned long long)sfs_counter_sum(&c->fs->f_free));
	if (inodes_said != c->count)
		sfs_problem(c, "superblock says %llu inodes, there are %zu",
			    (unsigned long long)inodes_said, c->count);
}

long sfs_check(struct sfs_fs *fs)
{
	struct sfs_checker c = { .fs = fs };
	u64 ngroups = min_t(u64, fs->f_zones * SFS_ZONE_GROUPS, fs->f_groups);
	u64 group;

	c.seen = calloc(1, min_t(u64, fs->f_blocks, ngroups * SFS_GROUP_BLOCKS) / 8 + 1);
	if (!c.seen)
		return -ENOMEM;
	for (group = 0; group < ngroups && !c.err; group++)
		sfs_check_group(&c, group);
	if (!c.err)
		sfs_check_names(&c);
	if (!c.err)
		sfs_check_space(&c);
	if (!c.err)
		sfs_check_counters(&c);
	free(c.inodes);
	free(c.seen);
	return c.err ? c.err : c.problems;
}
