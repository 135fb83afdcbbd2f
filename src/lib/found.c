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
	if (err == -EFSCORRUPTED || err == -EFSBADCRC)
		problems[SFS_REMEDY_NONE]++;
	else if (err == -EIO && problems[SFS_REMEDY_READ] < SFS_UNREAD_MAX)
		problems[SFS_REMEDY_READ]++;
	else if (!c->err)
		c->err = err;
}

void sfs_unread_add(struct sfs_checker *c, u64 blk, u64 nblks)
{
	c->names_unread = true;
	if (c->nunread == SFS_UNREAD_MAX)
		return;
	c->unread[c->nunread].blk = blk;
	c->unread[c->nunread++].nblks = nblks;
}

bool sfs_unread_has(const struct sfs_checker *c, u64 ino)
{
	unsigned int n;

	for (n = 0; n < c->nunread; n++) {
		if (sfs_ino_blk(ino) - c->unread[n].blk < c->unread[n].nblks)
			return true;
	}
	return false;
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
	free(found->f_inodes);
	free(found->f_names);
	memset(found, 0, sizeof(*found));
}
