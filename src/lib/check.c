// SPDX-License-Identifier: GPL-2.0-only
/*
 * check.c - is the volume true?  Everything reachable is walked, counted, and compared.
 *
 * First pass: every live inode of every inode block and what it holds (check_inode.c); each block
 * is marked in a bitmap of our own, so that one held twice shows.  Then the names' inodes against
 * the link counts, and the four bitmaps and the counters against what was found.  Nothing is
 * changed; what was found is kept for a repair.
 *
 * A block that the device does not give, or that is damaged, is passed over, and so is every
 * question whose answer may lie in it: what is reported besides is true whatever was in there.
 */
#include "found.h"
#include "progress.h"

static const char *const sfs_map_names[SFS_MAPS] = { "used", "inode", "room", "orphan" };

static void sfs_map_problem(struct sfs_checker *c, enum sfs_problem_code code, u64 group,
			    unsigned int map, u32 want, u32 have)
{
	sfs_problem(c, &(const struct sfs_problem) {
		.p_code = code, .p_num = { group, want, have },
		.p_name = sfs_map_names[map], .p_len = strlen(sfs_map_names[map]),
	});
}

/* ---- pass 1: inodes and what they hold ---- */

/* An inode block: its live slots, and what the room and orphan maps (NULL: lost) must say. */
static void sfs_check_inode_blk(struct sfs_checker *c, u64 blk, const u8 *room, const u8 *orphan)
{
	u64 group = blk / SFS_GROUP_BLOCKS;
	unsigned int bit = blk % SFS_GROUP_BLOCKS;
	size_t first = c->found->f_ninodes;
	bool has_orphan = false;
	struct sfs_buf *buf;
	unsigned int slot;
	unsigned int live;
	int err;

	err = sfs_buf_get(c->fs, blk, &sfs_inodes_ops, group, &buf);
	if (sfs_is_damage(err) && c->found->f_gives_up) {
		SFS_PROBLEM(c, SFS_PROBLEM_INODES_GONE, blk, blk << SFS_INODE_SLOT_BITS,
			    (blk << SFS_INODE_SLOT_BITS) + SFS_INODE_SLOTS - 1);
		return;
	}
	if (sfs_is_bad_block(err))
		sfs_unread_add(c, blk, 1, err);
	if (err) {
		sfs_check_err(c, err);
		return;
	}
	live = ((const struct sfs_head *)sfs_buf_data(buf))->h_live;
	sfs_buf_put(buf);
	if (!live)
		SFS_PROBLEM(c, SFS_PROBLEM_EMPTY, blk);
	else
		sfs_found_take_meta(c, blk << SFS_INODE_SLOT_BITS, blk);
	c->free_slots += SFS_INODE_SLOTS - __builtin_popcount(live);
	for (slot = 0; slot < SFS_INODE_SLOTS; slot++) {
		if (live >> slot & 1)
			sfs_check_inode(c, blk << SFS_INODE_SLOT_BITS | slot);
	}
	for (; first < c->found->f_ninodes; first++)
		has_orphan |= c->found->f_inodes[first].i_is_orphan;
	if (room && sfs_bits_test(room, bit) != (live != 0xff))
		SFS_PROBLEM(c, SFS_PROBLEM_ROOM, blk);
	if (orphan && sfs_bits_test(orphan, bit) != has_orphan)
		SFS_PROBLEM(c, SFS_PROBLEM_ORPHAN, blk);
}

/*
 * The counts of the maps that are there, and bits where no inode block is.  @slots: the free ones
 * have all been seen.
 */
static void sfs_check_maps(struct sfs_checker *c, u64 group, bool slots,
			   const struct sfs_bitmap_disk *const maps[SFS_MAPS])
{
	u32 nblks = sfs_group_nblks(c->fs, group);
	unsigned int bit;
	unsigned int m;

	for (m = 0; m < SFS_MAPS; m++) {
		u32 have = maps[m] ? le32_to_cpu(maps[m]->b_count) : 0;
		u32 want = have;

		if (maps[m])
			want = sfs_bits_count(maps[m]->b_bits, 0, nblks);
		if (maps[m] && m == SFS_MAP_USED)
			want = nblks - want;
		if (maps[m] && m == SFS_MAP_ROOM)
			want = slots ? c->free_slots : have;
		if (want != have)
			sfs_map_problem(c, SFS_PROBLEM_MAP_COUNT, group, m, want, have);
	}
	for (bit = 0; bit < nblks; bit++) {
		if (sfs_bits_test(maps[SFS_MAP_INODE]->b_bits, bit))
			continue;
		for (m = SFS_MAP_ROOM; m <= SFS_MAP_ORPHAN; m++)
			if (maps[m] && sfs_bits_test(maps[m]->b_bits, bit))
				SFS_PROBLEM(c, SFS_PROBLEM_STRAY, group * SFS_GROUP_BLOCKS + bit);
	}
}

/* A damaged map follows from the rest: the inode map from names, and from the blocks themselves. */
static void sfs_check_map_err(struct sfs_checker *c, u64 group, unsigned int map, int err)
{
	if (sfs_is_damage(err))
		sfs_map_problem(c, SFS_PROBLEM_MAP_LOST, group, map, 0, 0);
	else
		sfs_check_err(c, err);
	if (map == SFS_MAP_INODE && err == -EIO)
		sfs_unread_add(c, group * SFS_GROUP_BLOCKS, SFS_GROUP_BLOCKS, err);
}

static void sfs_check_group(struct sfs_checker *c, u64 group)
{
	const struct sfs_bitmap_disk *maps[SFS_MAPS] = { NULL };
	struct sfs_buf *bufs[SFS_MAPS] = { NULL };
	u32 nblks = sfs_group_nblks(c->fs, group);
	unsigned int unread = c->nunread;
	unsigned int bit = 0;
	unsigned int m;
	int err;

	for (m = 0; m < SFS_MAPS; m++) {
		err = sfs_map_get(c->fs, group, m, &bufs[m]);
		if (err)
			sfs_check_map_err(c, group, m, err);
		else
			maps[m] = sfs_buf_data(bufs[m]);
	}
	if (!maps[SFS_MAP_INODE]) {
		c->no_map[group / 8] |= 1 << (group % 8);
		goto put_bufs;
	}
	c->free_slots = 0;
	while ((bit = sfs_bits_next_set(maps[SFS_MAP_INODE]->b_bits, bit, nblks)) < nblks &&
	       !c->err) {
		sfs_check_inode_blk(c, group * SFS_GROUP_BLOCKS + bit,
				    maps[SFS_MAP_ROOM] ? maps[SFS_MAP_ROOM]->b_bits : NULL,
				    maps[SFS_MAP_ORPHAN] ? maps[SFS_MAP_ORPHAN]->b_bits : NULL);
		bit++;
	}
	sfs_check_maps(c, group, unread == c->nunread, maps);
put_bufs:
	for (m = 0; m < SFS_MAPS; m++)
		sfs_buf_put(bufs[m]);
}

/* ---- pass 2: names ---- */

struct sfs_check_dir {
	struct sfs_checker *c;
	struct sfs_found_inode *dir;
	/* The names with the hash of the one in hand: no two may be the same. */
	u64 hash;
	unsigned int nsame;
	struct {
		u64 ino;
		u8 len;
		char name[SFS_NAME_MAX];
	} same[SFS_DIRENT_COLLISIONS];
};

/* What the same name led to before, or 0. */
static u64 sfs_check_same(struct sfs_check_dir *d, const struct sfs_name *name)
{
	unsigned int n;

	if (name->n_pos / SFS_DIRENT_COLLISIONS != d->hash)
		d->nsame = 0;
	d->hash = name->n_pos / SFS_DIRENT_COLLISIONS;
	for (n = 0; n < d->nsame; n++)
		if (d->same[n].len == name->n_len &&
		    !memcmp(d->same[n].name, name->n_text, name->n_len))
			return d->same[n].ino;
	d->same[n].ino = name->n_ino;
	d->same[n].len = name->n_len;
	memcpy(d->same[n].name, name->n_text, name->n_len);
	d->nsame++;
	return 0;
}

/*
 * May the block with this head be in use although the used map calls it free?  Whoever frees one
 * writes both maps in the same transaction, after the block: only if one of them is newer can that
 * have been.  Otherwise they are what a write was to take the place of, and was lost.
 */
static bool sfs_check_outdates_maps(struct sfs_checker *c, const struct sfs_head *head)
{
	u64 blk = le64_to_cpu(head->h_blk);
	const struct sfs_bitmap_disk *map;
	bool used = true, newer = false;
	struct sfs_buf *buf;
	unsigned int m;

	for (m = SFS_MAP_USED; m <= SFS_MAP_INODE; m++) {
		if (sfs_map_get(c->fs, blk / SFS_GROUP_BLOCKS, m, &buf))
			continue;
		map = sfs_buf_data(buf);
		newer |= le64_to_cpu(map->b_head.h_seq) > le64_to_cpu(head->h_seq);
		if (m == SFS_MAP_USED)
			used = sfs_bits_test(map->b_bits, blk % SFS_GROUP_BLOCKS);
		sfs_buf_put(buf);
	}
	return used || !newer;
}

/*
 * The inode map does not have the block of @ino, and yet it is an inode block in use that nobody
 * else holds: it is the map that is wrong, and what is in there is found by its names.  One that
 * the device does not give may be: sfs_unread_has() knows then.
 */
static bool sfs_check_is_unmapped(struct sfs_checker *c, u64 ino)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_head *head = (const struct sfs_head *)data;
	u64 blk = sfs_ino_blk(ino);
	u64 group = blk / SFS_GROUP_BLOCKS;

	if (!sfs_blk_is_valid(c->fs, blk, 1) || group >= sfs_groups_ready(c->fs) ||
	    sfs_unread_has(c, ino) || sfs_found_is_taken(c->found, blk))
		return false;
	if (sfs_dev_read(c->fs->f_priv, blk, data)) {
		sfs_check_err(c, -EIO);
		sfs_unread_add(c, blk, 1, -EIO);
		return false;
	}
	return !sfs_block_verify(c->fs, &sfs_inodes_ops, data, blk) &&
	       head->h_live >> sfs_ino_slot(ino) & 1 && sfs_check_outdates_maps(c, head);
}

/* The name of an inode that was found.  A directory's counts where its parent is, else later. */
static void sfs_check_named(struct sfs_checker *c, struct sfs_found_inode *dir,
			    struct sfs_found_inode *i, const struct sfs_name *name)
{
	if (!i->i_is_dir || (i->i_ino != c->fs->f_root && !i->i_named_in &&
			     i->i_parent == dir->i_ino)) {
		sfs_name_take(c, dir, i, name);
		return;
	}
	i->i_has_more = true;
	sfs_name_note(c, &c->doubles, dir, name, name->n_type);
}

static bool sfs_check_name(void *arg, const char *text, unsigned int len, u64 ino, u8 type, u64 pos)
{
	struct sfs_check_dir *d = arg;
	struct sfs_checker *c = d->c;
	struct sfs_found_names *names = &c->found->f_names;
	const struct sfs_name name = {
		.n_text = text, .n_len = len, .n_type = type, .n_ino = ino, .n_pos = pos,
	};
	struct sfs_found_inode *i = sfs_found_inode(c->found, ino);
	u64 first = sfs_check_same(d, &name);

	d->dir->i_nbytes += sizeof(struct sfs_dirent_disk) + len;
	if (first) {
		sfs_name_tell(c, SFS_PROBLEM_NAME_TWICE, d->dir, first, ino, &name);
		sfs_name_note(c, names, d->dir, &name, 0);
	} else if (sfs_inode_is_hidden(c->fs, ino)) {
		sfs_name_tell(c, SFS_PROBLEM_NAMES_HIDDEN, d->dir, ino, 0, &name);
		sfs_name_note(c, names, d->dir, &name, 0);
	} else if (i) {
		sfs_check_named(c, d->dir, i, &name);
	} else if (!sfs_unread_has(c, ino) && sfs_check_is_unmapped(c, ino)) {
		sfs_name_note(c, &c->unmapped, d->dir, &name, type);
	} else if (sfs_unread_has(c, ino)) {
		sfs_name_tell(c, sfs_unread_why(c, ino), d->dir, ino, 0, &name);
	} else {
		sfs_name_tell(c, SFS_PROBLEM_DANGLES, d->dir, ino, 0, &name);
		sfs_name_note(c, names, d->dir, &name, 0);
	}
	return true;
}

static void sfs_check_dir(struct sfs_checker *c, struct sfs_found_inode *dir)
{
	struct sfs_check_dir d = { .c = c, .dir = dir };
	struct sfs_inode in;
	int err;

	dir->i_is_read = true;
	memset(&in, 0, sizeof(in));
	err = sfs_inode_read(c->fs, dir->i_ino, &in);
	if (!err)
		err = sfs_dirent_iterate(&in, 0, sfs_check_name, &d);
	sfs_check_err(c, err);
	c->names_unread |= sfs_is_bad_block(err);
	if (!err && dir->i_nbytes != in.i_size)
		SFS_PROBLEM(c, SFS_PROBLEM_DIR_SIZE, dir->i_ino, dir->i_nbytes, in.i_size);
}

static bool sfs_check_lacks_map(const struct sfs_checker *c, u64 group)
{
	return c->no_map[group / 8] >> (group % 8) & 1;
}

/* An inode block that the map does not have, once. */
static void sfs_check_admit(struct sfs_checker *c, u64 blk)
{
	if (sfs_found_is_taken(c->found, blk))
		return;
	/* With a map that is lost that was told. */
	if (!sfs_check_lacks_map(c, blk / SFS_GROUP_BLOCKS))
		SFS_PROBLEM(c, SFS_PROBLEM_UNMAPPED, blk);
	sfs_check_inode_blk(c, blk, NULL, NULL);
}

/*
 * Goes into the inode blocks that the map did not have, and counts the names that lead there.
 * False: there was none.
 */
static bool sfs_check_unmapped(struct sfs_checker *c)
{
	struct sfs_found_names names = c->unmapped;
	const struct sfs_found_name *name;
	struct sfs_found_inode *dir, *i;
	size_t n;

	c->unmapped = (struct sfs_found_names) { 0 };
	for (n = 0; n < names.f_n && !c->err; n++)
		sfs_check_admit(c, sfs_ino_blk(names.f_name[n].n_ino));
	sfs_found_sort(c->found);
	for (n = 0; n < names.f_n && !c->err; n++) {
		name = &names.f_name[n];
		dir = sfs_found_inode(c->found, name->n_dir);
		i = sfs_found_inode(c->found, name->n_ino);
		if (i)
			sfs_check_named(c, dir, i, &(const struct sfs_name) {
				.n_text = name->n_name, .n_len = name->n_len,
				.n_type = name->n_type, .n_ino = name->n_ino,
				.n_pos = name->n_pos });
	}
	free(names.f_name);
	return names.f_n;
}

/* By their names, from one to the next. */
static void sfs_check_named_dirs(struct sfs_checker *c)
{
	struct sfs_found *found = c->found;
	size_t n;

	do {
		for (n = 0; n < found->f_ninodes && !c->err; n++)
			if (found->f_inodes[n].i_is_dir && !found->f_inodes[n].i_is_read)
				sfs_check_dir(c, &found->f_inodes[n]);
	} while (!c->err && sfs_check_unmapped(c));
}

/*
 * A group has lost its inode map.  What has names is found by now, and all that it holds is taken:
 * so the data of a file that looks like a block of inodes is none.  What else is one, and used, has
 * inodes without a name.  Nothing is looked for where the used map is lost as well: it may be old.
 */
static bool sfs_check_sweep(struct sfs_checker *c, u64 group)
{
	u64 start = group * SFS_GROUP_BLOCKS;
	u32 bit = 0, nblks = sfs_group_nblks(c->fs, group);
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_bitmap_disk *map;
	bool any = false;
	struct sfs_buf *buf;

	if (sfs_map_get(c->fs, group, SFS_MAP_USED, &buf))
		return false;
	map = sfs_buf_data(buf);
	for (; (bit = sfs_bits_next_set(map->b_bits, bit, nblks)) < nblks && !c->err; bit++) {
		if (sfs_found_is_taken(c->found, start + bit) ||
		    !sfs_blk_is_valid(c->fs, start + bit, 1) || sfs_unread_has_blk(c, start + bit))
			continue;
		if (sfs_dev_read(c->fs->f_priv, start + bit, data)) {
			sfs_check_err(c, -EIO);
			sfs_unread_add(c, start + bit, 1, -EIO);
		} else if (!sfs_block_verify(c->fs, &sfs_inodes_ops, data, start + bit)) {
			sfs_check_admit(c, start + bit);
			any = true;
		}
	}
	sfs_buf_put(buf);
	return any;
}

static void sfs_check_dirs(struct sfs_checker *c)
{
	u64 ngroups = sfs_groups_ready(c->fs);
	bool any = false;
	u64 group;

	sfs_check_named_dirs(c);
	for (group = 0; group < ngroups && !c->err; group++)
		if (sfs_check_lacks_map(c, group))
			any |= sfs_check_sweep(c, group);
	if (!any || c->err)
		return;
	sfs_found_sort(c->found);
	sfs_check_named_dirs(c);
}

static void sfs_check_links(struct sfs_checker *c, const struct sfs_found_inode *i)
{
	bool is_named = sfs_found_is_named(c->fs, i);
	bool left = is_named ? i->i_type == SFS_TYPE_REG : sfs_found_is_doomed(i);

	/* Nobody will look for it. */
	if (i->i_is_orphan && left && c->fs->f_state & SFS_STATE_CLEAN)
		SFS_PROBLEM(c, SFS_PROBLEM_LEFT, i->i_ino);
	if (sfs_found_is_doomed(i) && !is_named)
		return;
	if (!is_named && i->i_is_orphan && !i->i_nlink)
		SFS_PROBLEM(c, SFS_PROBLEM_DOOMED, i->i_ino);
	else if (!is_named)
		SFS_PROBLEM(c, SFS_PROBLEM_NAMELESS, i->i_ino);
	else if (i->i_nlink != sfs_found_links(c->fs, i))
		SFS_PROBLEM(c, SFS_PROBLEM_LINKS, i->i_ino, sfs_found_links(c->fs, i), i->i_nlink);
	if (sfs_found_is_marked(c->fs, i))
		SFS_PROBLEM(c, SFS_PROBLEM_MARKED, i->i_ino);
}

/* What the superblock names is there, and is what it can be. */
static void sfs_check_hidden(struct sfs_checker *c)
{
	const struct sfs_found_inode *i;
	unsigned int n;

	for (n = 0; n < SFS_HIDDEN; n++) {
		u64 ino = c->fs->f_hidden[n];

		if (!ino || sfs_unread_has(c, ino))
			continue;
		i = sfs_found_inode(c->found, ino);
		if (i && i->i_type == SFS_TYPE_REG)
			continue;
		if (n < SFS_QUOTAS)
			sfs_usage_tell(c, SFS_PROBLEM_USAGE_LOST, "not in use, or no file", ino, 0, 0);
		else
			SFS_PROBLEM(c, SFS_PROBLEM_HIDDEN, ino);
	}
}

static void sfs_check_names(struct sfs_checker *c)
{
	struct sfs_found *found = c->found;
	struct sfs_found_inode *root;
	size_t n;

	if (!sfs_found_inode(found, c->fs->f_root) && !sfs_unread_has(c, c->fs->f_root) &&
	    sfs_check_is_unmapped(c, c->fs->f_root)) {
		sfs_check_admit(c, sfs_ino_blk(c->fs->f_root));
		sfs_found_sort(found);
	}
	root = sfs_found_inode(found, c->fs->f_root);
	if (root ? !root->i_is_dir : !sfs_unread_has(c, c->fs->f_root)) {
		SFS_PROBLEM(c, SFS_PROBLEM_ROOT, 0);
		return;
	}
	if (root && root->i_parent != root->i_ino)
		SFS_PROBLEM(c, SFS_PROBLEM_PARENT, root->i_ino, root->i_ino, root->i_parent);
	sfs_check_dirs(c);
	sfs_check_hidden(c);
	sfs_check_tree(c);
	for (n = 0; n < found->f_ninodes && !c->err; n++) {
		sfs_progress(2, "names", n, found->f_ninodes);
		if (!c->names_unread)
			sfs_check_links(c, &found->f_inodes[n]);
	}
}

/* ---- the counters, and all of it ---- */

/* Only those of a clean volume mean anything, and only if all was found. */
static void sfs_check_counters(struct sfs_checker *c)
{
	u64 free_said = sfs_counter_read(&c->fs->f_free);
	u64 inodes_said = sfs_counter_read(&c->fs->f_inodes);

	if (!(c->fs->f_state & SFS_STATE_CLEAN) || !sfs_maps_are_true(c))
		return;
	sfs_check_err(c, sfs_fs_recount(c->fs, NULL));
	if (free_said != (u64)sfs_counter_read(&c->fs->f_free))
		SFS_PROBLEM(c, SFS_PROBLEM_FREE_SAID, sfs_counter_read(&c->fs->f_free), free_said);
	if (inodes_said != c->found->f_ninodes)
		SFS_PROBLEM(c, SFS_PROBLEM_INODES_SAID, c->found->f_ninodes, inodes_said);
}

int sfs_check_find(struct sfs_fs *fs, struct sfs_found *ret_found)
{
	struct sfs_checker c = { .fs = fs, .found = ret_found };
	u64 ngroups = sfs_groups_ready(fs);
	u64 group;

	ret_found->f_taken = calloc(1, ngroups * SFS_GROUP_BLOCKS / 8);
	ret_found->f_meta = calloc(1, ngroups * SFS_GROUP_BLOCKS / 8);
	c.no_map = calloc(1, ngroups / 8 + 1);
	if (!ret_found->f_taken || !ret_found->f_meta || !c.no_map) {
		free(c.no_map);
		return -ENOMEM;
	}
	for (group = 0; group < ngroups && !c.err; group++) {
		sfs_progress(1, "inodes", group, ngroups);
		sfs_check_group(&c, group);
	}
	if (!c.err)
		sfs_check_names(&c);
	if (!c.err)
		sfs_check_runs(&c);
	if (!c.err)
		sfs_check_space(&c);
	if (!c.err)
		sfs_check_summaries(&c);
	if (!c.err)
		sfs_check_copies(&c);
	if (!c.err)
		sfs_check_usage(&c);
	if (!c.err)
		sfs_check_counters(&c);
	sfs_progress_clear();
	free(c.unmapped.f_name);
	free(c.doubles.f_name);
	free(c.no_map);
	return c.err;
}

long sfs_check(struct sfs_fs *fs)
{
	struct sfs_found found = { 0 };
	long result = sfs_check_find(fs, &found);
	unsigned int n;

	if (!result && found.f_problems[SFS_REMEDY_READ])
		result = -EIO;
	for (n = 0; n < SFS_REMEDIES && result >= 0; n++)
		result += found.f_problems[n];
	sfs_found_free(&found);
	return result;
}
