/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * look.h - dump.simplefs: what a block is, and what an inode is called.
 */
#ifndef SFS_LOOK_H
#define SFS_LOOK_H

#include "lib.h"

/* ---- names.c ---- */

/* A name that leads to one of the inodes that were asked for. */
struct sfs_name {
	u64 n_ino;
	u64 n_dir;
	u8 n_len;
	char n_name[SFS_NAME_MAX];
};

struct sfs_names {
	const u64 *n_inos;		/* of these */
	size_t n_ninos;
	struct sfs_name *n_list;	/* rising n_ino; to be freed */
	size_t n_n;
};

/*
 * All names of @names->n_inos, out of every directory that can be read.  The first error of what
 * cannot be, which was reported; or -ENOMEM.
 */
int sfs_names_find(struct sfs_fs *fs, struct sfs_names *names);
/*
 * Adds to @out, as an array, the paths of the @ino that was asked for.  A directory on the way up
 * that has no name to be found begins the path as "inode N/".  Errors: as above.
 */
int sfs_names_print(struct sfs_fs *fs, const struct sfs_names *names, u64 ino,
		    struct sfs_text *out);

/* ---- who.c ---- */

/* Adds to @out what is known of block @blk.  Errors: of what could not be looked at. */
int sfs_who(struct sfs_fs *fs, u64 blk, struct sfs_text *out);
/* The same of the names of @ino. */
int sfs_paths(struct sfs_fs *fs, u64 ino, struct sfs_text *out);

#endif
