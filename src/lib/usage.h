/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * usage.h - what each user, group and project holds and may hold: usage_table.c, usage.c.
 *
 * A table is read whole, compared with what the inodes say, and written anew whole.  @q is one of
 * its types, SFS_HIDDEN_USER to SFS_HIDDEN_PROJECT.
 */
#ifndef SFS_USAGE_H
#define SFS_USAGE_H

#include "lib.h"

struct sfs_usage {
	u32 u_id;
	u64 u_space;			/* bytes and inodes, as the table says */
	u64 u_inodes;
	u64 u_held_space;		/* ... and as the inodes say */
	u64 u_held_inodes;
	u64 u_bsoft;			/* limits, in units of 1024 bytes; 0: none */
	u64 u_bhard;
	u64 u_isoft;
	u64 u_ihard;
	u64 u_btime;			/* when a grace ends */
	u64 u_itime;
};

struct sfs_usages {
	struct sfs_usage *t_usage;
	size_t t_n;
	u32 *t_hash;			/* of numbers in t_usage, from 1 */
	size_t t_nhash;			/* a power of two */
	u32 t_bgrace;			/* seconds */
	u32 t_igrace;
	u32 t_flags;
};

/* ---- usage_table.c ---- */

/* The one of @id, made if there is none; NULL: no memory. */
struct sfs_usage *sfs_usage_of(struct sfs_usages *t, u32 id);
void sfs_usages_free(struct sfs_usages *t);
/*
 * Reads the table @in, which is of type @q, into @t, empty before.  -EFSCORRUPTED with *@ret_why
 * where it is none that the kernel would take, and goes on in: what was read by then is in @t.
 */
int sfs_usages_load(struct sfs_inode *in, unsigned int q, struct sfs_usages *t,
		    const char **ret_why);
/*
 * The table of what is held, and of the limits, as bytes: *@ret_n chunks, to be freed.
 */
int sfs_usages_build(struct sfs_usages *t, unsigned int q, u8 **ret_chunks, u64 *ret_n);
/* The entry of @id in the table @in, if there is one, says @space bytes and @inodes less. */
int sfs_usage_subtract(struct sfs_trans *t, struct sfs_inode *in, u32 id, u64 space, u64 inodes);
/* The names of types in @text, "usr,grp,prj", as a mask; -1: there is another. */
int sfs_usage_parse(const char *text);

/* ---- usage.c ---- */

/* Adds what all inodes hold, but the hidden ones, to the tables of types that the volume has. */
int sfs_usage_tally(struct sfs_fs *fs, struct sfs_usages tables[SFS_QUOTAS]);
/* Writes the table of type @q, through sfs_usages_build(), where it differs. */
int sfs_usage_store(struct sfs_fs *fs, unsigned int q, struct sfs_usages *t);
/*
 * All tables as the inodes say, limits kept as far as they can be read; what is true already is not
 * written, and without the feature nothing is read either.
 */
int sfs_usage_renew(struct sfs_fs *fs);
/* The tables of types of the bits of @lost are empty from now on: their blocks have been freed. */
int sfs_usage_reset(struct sfs_fs *fs, unsigned int lost);
/* The owners of @in hold @space bytes less and, if it is @gone, one inode. */
int sfs_usage_less(struct sfs_trans *t, const struct sfs_inode *in, u64 space, bool gone);
/*
 * Types of the bits of @mask are counted from now on, no others: hidden inodes are made, freed, or
 * kept as they are.  The superblock is the caller's.
 */
int sfs_usage_turn(struct sfs_fs *fs, unsigned int mask);

#endif
