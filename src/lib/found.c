// SPDX-License-Identifier: GPL-2.0-only
/*
 * found.c - what a check has found: problems told and counted, inodes kept in the order of their
 * numbers, and what the device did not give.
 */
#include "found.h"

void sfs_problem(struct sfs_checker *c, const struct sfs_problem *problem)
{
	char text[512];

	sfs_problem_text(problem, text, sizeof(text));
	sfs_report(text);
	c->found->f_problems[sfs_problem_remedy(problem->p_code)]++;
}

void sfs_check_err(struct sfs_checker *c, int err)
{
	u64 *problems = c->found->f_problems;

	if (!err)
		return;
	if (sfs_is_damage(err))
		problems[SFS_REMEDY_NONE]++;
	else if (err == -EIO && problems[SFS_REMEDY_READ] < SFS_UNREAD_MAX)
		problems[SFS_REMEDY_READ]++;
	else if (!c->err)
		c->err = err;
}

void sfs_unread_add(struct sfs_checker *c, u64 blk, u64 nblks, int err)
{
	c->names_unread = true;
	if (c->nunread == SFS_UNREAD_MAX)
		return;
	c->unread[c->nunread].what = err == -EIO ? SFS_PROBLEM_UNREAD : SFS_PROBLEM_LOST;
	c->unread[c->nunread].blk = blk;
	c->unread[c->nunread++].nblks = nblks;
}

enum sfs_problem_code sfs_unread_why(const struct sfs_checker *c, u64 ino)
{
	unsigned int n;

	for (n = 0; n < c->nunread; n++) {
		if (sfs_ino_blk(ino) - c->unread[n].blk < c->unread[n].nblks)
			return c->unread[n].what;
	}
	return SFS_PROBLEMS;
}

int sfs_found_remember(struct sfs_checker *c, const struct sfs_inode *in, u64 nblks)
{
	struct sfs_found *found = c->found;

	if (found->f_ninodes == c->inodes_room) {
		size_t room = c->inodes_room ? 2 * c->inodes_room : 1024;
		void *p = realloc(found->f_inodes, room * sizeof(*found->f_inodes));

		if (!p)
			return -ENOMEM;
		found->f_inodes = p;
		c->inodes_room = room;
	}
	found->f_inodes[found->f_ninodes++] = (struct sfs_found_inode) {
		.i_ino = in->i_ino, .i_nlink = in->i_nlink, .i_parent = in->i_parent,
		.i_said_blocks = in->i_blocks, .i_blocks = nblks, .i_said_size = in->i_size,
		.i_is_dir = in->i_mode >> SFS_TYPE_SHIFT == SFS_TYPE_DIR,
		.i_is_orphan = in->i_flags & SFS_INODE_ORPHAN,
		.i_type = in->i_mode >> SFS_TYPE_SHIFT,
	};
	return 0;
}

static int sfs_found_compare(const void *a, const void *b)
{
	u64 left = ((const struct sfs_found_inode *)a)->i_ino;
	u64 right = ((const struct sfs_found_inode *)b)->i_ino;

	return left < right ? -1 : left > right;
}

void sfs_found_sort(struct sfs_found *found)
{
	if (found->f_ninodes)
		qsort(found->f_inodes, found->f_ninodes, sizeof(*found->f_inodes),
		      sfs_found_compare);
}

/* Inside a group. */
static int sfs_found_share(struct sfs_checker *c, u64 blk, u32 nblks)
{
	u64 nbytes = sfs_groups_ready(c->fs) * SFS_GROUP_BLOCKS / 8;
	u64 start = blk - blk % SFS_GROUP_BLOCKS;
	u8 *twice = c->found->f_twice;

	if (!twice)
		twice = calloc(1, nbytes);
	if (!twice)
		return -ENOMEM;
	c->found->f_twice = twice;
	sfs_bits_set(twice + start / 8, blk - start, nblks);
	return 0;
}

bool sfs_found_take_meta(struct sfs_checker *c, u64 ino, u64 blk)
{
	u8 bit = 1 << (blk % 8);

	if (blk >= sfs_groups_ready(c->fs) * SFS_GROUP_BLOCKS) {
		SFS_PROBLEM(c, SFS_PROBLEM_BEYOND, blk, ino);
		return false;
	}
	if (c->found->f_meta[blk / 8] & bit) {
		SFS_PROBLEM(c, SFS_PROBLEM_HELD_TWICE, blk, ino);
		return false;
	}
	c->found->f_meta[blk / 8] |= bit;
	if (!(c->found->f_taken[blk / 8] & bit))
		c->found->f_taken[blk / 8] |= bit;
	else
		sfs_check_err(c, sfs_found_share(c, blk, 1));
	return true;
}

int sfs_found_take_data(struct sfs_checker *c, u64 blk, u64 nblks)
{
	u64 ready = sfs_groups_ready(c->fs) * SFS_GROUP_BLOCKS;
	u64 end = min(blk + nblks, ready);
	int err = 0;

	c->beyond |= blk + nblks > ready;
	while (blk < end && !err) {
		u64 start = blk - blk % SFS_GROUP_BLOCKS;
		u32 from = blk - start, to = min_t(u64, SFS_GROUP_BLOCKS, end - start);
		u8 *bits = c->found->f_taken + start / 8;
		u32 next, bit = from;

		while ((bit = sfs_bits_next_set(bits, bit, to)) < to && !err) {
			next = sfs_bits_next_clear(bits, bit, to);
			err = sfs_found_share(c, start + bit, next - bit);
			bit = next;
		}
		sfs_bits_set(bits, from, to - from);
		blk = start + to;
	}
	return err;
}

int sfs_found_names_add(struct sfs_found_names *names, const struct sfs_found_name *name)
{
	void *p = realloc(names->f_name, (names->f_n + 1) * sizeof(*name));

	if (!p)
		return -ENOMEM;
	names->f_name = p;
	names->f_name[names->f_n++] = *name;
	return 0;
}

/* A file that the superblock names instead of a directory. */
static bool sfs_found_is_hidden(const struct sfs_fs *fs, const struct sfs_found_inode *i)
{
	unsigned int n;

	for (n = 0; n < SFS_HIDDEN; n++)
		if (fs->f_hidden[n] == i->i_ino)
			return true;
	return false;
}

bool sfs_found_is_named(const struct sfs_fs *fs, const struct sfs_found_inode *i)
{
	return i->i_is_dir ? i->i_named_in || i->i_ino == fs->f_root :
			     i->i_names || sfs_found_is_hidden(fs, i);
}

u32 sfs_found_links(const struct sfs_fs *fs, const struct sfs_found_inode *i)
{
	return i->i_names + i->i_is_dir + (i->i_ino == fs->f_root) + sfs_found_is_hidden(fs, i);
}

bool sfs_found_is_doomed(const struct sfs_found_inode *i)
{
	return i->i_is_orphan && !i->i_nlink && !i->i_nbytes;
}

bool sfs_found_is_marked(const struct sfs_fs *fs, const struct sfs_found_inode *i)
{
	return i->i_is_orphan && i->i_type != SFS_TYPE_REG && sfs_found_is_named(fs, i);
}

struct sfs_found_inode *sfs_found_inode(const struct sfs_found *found, u64 ino)
{
	size_t lo = 0;
	size_t hi = found->f_ninodes;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (found->f_inodes[mid].i_ino < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < found->f_ninodes && found->f_inodes[lo].i_ino == ino ? &found->f_inodes[lo] :
									   NULL;
}

void sfs_found_free(struct sfs_found *found)
{
	free(found->f_taken);
	free(found->f_meta);
	free(found->f_twice);
	free(found->f_runs);
	free(found->f_inodes);
	free(found->f_names.f_name);
	memset(found, 0, sizeof(*found));
}
