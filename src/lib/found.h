/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * found.h - what the passes of a check share: where they write down what they find (found.c).
 */
#ifndef SFS_FOUND_H
#define SFS_FOUND_H

#include "lib.h"

#define SFS_UNREAD_MAX	1000		/* errors of the device: with more it is gone, not worn */

struct sfs_checker {
	struct sfs_fs *fs;
	struct sfs_found *found;
	size_t inodes_room;
	u32 free_slots;			/* of the group in hand */
	u8 *no_map;			/* a bit for each group without a readable inode map */
	int err;			/* no memory, a device that is gone: it cannot go on */
	/* Where inodes may be that cannot be had: inode blocks, groups without a map. */
	struct {
		u64 blk;
		u64 nblks;
		enum sfs_problem_code what;	/* of a name that leads there */
	} unread[SFS_UNREAD_MAX];
	unsigned int nunread;
	bool beyond;			/* data is where nothing can have been written yet */
	bool names_unread;		/* not every name is known: links cannot be counted */
	struct sfs_found_names unmapped;	/* lead to inode blocks that the map has not */
	struct sfs_found_names doubles;	/* of directories, not where their parent is, or again */
};

/* One that is met in a directory. */
struct sfs_name {
	const char *n_text;
	u64 n_ino;
	u64 n_pos;
	u8 n_len;
	u8 n_type;
};

/* Reports @problem and counts it. */
void sfs_problem(struct sfs_checker *c, const struct sfs_problem *problem);
/* What a call of the core gave: reported there, but it counts here.  0 is nothing. */
void sfs_check_err(struct sfs_checker *c, int err);
/* Inodes of these blocks cannot be known: -EIO, or damage. */
void sfs_unread_add(struct sfs_checker *c, u64 blk, u64 nblks, int err);
/* What is to be told of a name of @ino; SFS_PROBLEMS: nothing, it would be known. */
enum sfs_problem_code sfs_unread_why(const struct sfs_checker *c, u64 ino);
static inline bool sfs_unread_has(const struct sfs_checker *c, u64 ino)
{
	return sfs_unread_why(c, ino) != SFS_PROBLEMS;
}
static inline bool sfs_unread_has_blk(const struct sfs_checker *c, u64 blk)
{
	return sfs_unread_has(c, blk << SFS_INODE_SLOT_BITS);
}
int sfs_found_remember(struct sfs_checker *c, const struct sfs_inode *in, u64 nblks);
/* The inodes in the order of their numbers again, after some were remembered late. */
void sfs_found_sort(struct sfs_found *found);
/*
 * A node of @ino, or its block.  False, which is reported: there is such a thing already, or there
 * can be none.  Data is no obstacle.
 */
bool sfs_found_take_meta(struct sfs_checker *c, u64 ino, u64 blk);
/* Data; what is not alone there is noted. */
int sfs_found_take_data(struct sfs_checker *c, u64 blk, u64 nblks);
int sfs_found_names_add(struct sfs_found_names *names, const struct sfs_found_name *name);

/* ---- check_tree.c ---- */

/* A problem with a name in @dir. */
void sfs_name_tell(struct sfs_checker *c, enum sfs_problem_code code,
		   const struct sfs_found_inode *dir, u64 num1, u64 num2,
		   const struct sfs_name *name);
/* For a repair, or for later: @type as in struct sfs_found_name. */
void sfs_name_note(struct sfs_checker *c, struct sfs_found_names *names,
		   const struct sfs_found_inode *dir, const struct sfs_name *name, u8 type);
/* A name of @i in @dir that stays: it is counted. */
void sfs_name_take(struct sfs_checker *c, struct sfs_found_inode *dir, struct sfs_found_inode *i,
		   const struct sfs_name *name);
/* All names are known: each directory keeps one, and none is below itself. */
void sfs_check_tree(struct sfs_checker *c);

/* ---- check_copies.c ---- */

/* The copies of the superblock, in all zones begun. */
void sfs_check_copies(struct sfs_checker *c);

/* Nothing is wrong so far that keeps the bitmaps from being the truth. */
static inline bool sfs_maps_are_true(const struct sfs_checker *c)
{
	const u64 *problems = c->found->f_problems;

	return !problems[SFS_REMEDY_COUNT] && !problems[SFS_REMEDY_NONE] &&
	       !problems[SFS_REMEDY_READ];
}

/* ---- check_runs.c ---- */

/* Data ends before block @end of a file: whether that is behind what it calls its size. */
void sfs_found_size(struct sfs_found_inode *i, u64 end);

/* What is not alone with its blocks, and whose; then sizes.  Of what could be read. */
void sfs_check_runs(struct sfs_checker *c);

/* ---- check_space.c ---- */

/* The used maps of all groups; those that are lost were told before. */
void sfs_check_space(struct sfs_checker *c);

/* ---- check_summaries.c ---- */

/* The summaries of all zones begun, when nothing else is left to be checked but copies. */
void sfs_check_summaries(struct sfs_checker *c);

/* ---- check_usage.c ---- */

/* The tables of usage, when nothing else is wrong. */
void sfs_check_usage(struct sfs_checker *c);
/* A problem with a table, and a word that says of which, or what. */
void sfs_usage_tell(struct sfs_checker *c, enum sfs_problem_code code, const char *word, u64 num0,
		    u64 num1, u64 num2);

/* ---- check_inode.c ---- */

/* A live inode: what it holds is taken, and it is remembered. */
void sfs_check_inode(struct sfs_checker *c, u64 ino);

#define SFS_PROBLEM(c, code, ...)						\
	sfs_problem(c, &(const struct sfs_problem) { .p_code = (code), .p_num = { __VA_ARGS__ } })

#endif
