/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * save.h - dump --save: a tree taken out of a volume, what its files share.
 */
#ifndef SFS_SAVE_H
#define SFS_SAVE_H

#include "lib.h"

/* Exit status: all was read, but the host did not take all of it. */
#define SFS_EXIT_REFUSED	1

/* What the host may not take. */
enum sfs_save_refusal {
	SFS_REFUSED_OWNER, SFS_REFUSED_MODE, SFS_REFUSED_TIMES, SFS_REFUSED_ATTRIBUTE,
	SFS_REFUSED_NODE, SFS_REFUSED_LINK,
	SFS_REFUSALS
};

/* An inode that was met. */
struct sfs_saved {
	u64 s_ino;			/* 0: none is here */
	char *s_path;			/* where its first name is, or NULL: it has no other */
};

struct sfs_save {
	struct sfs_fs *fs;
	int top;			/* the directory it all goes to */
	int fd;				/* the one in hand */
	char *path;			/* of what is in hand, in the volume; begins with "/" */
	size_t path_len;
	size_t path_room;
	struct sfs_saved *seen;		/* by hash */
	size_t nseen;
	size_t seen_room;
	u64 nlost;
	u64 refused[SFS_REFUSALS];
	u8 *data;			/* SFS_SAVE_ROOM */
	int err;			/* it cannot go on: the host is full, there is no memory */
};

#define SFS_SAVE_ROOM	(SFS_XATTR_MAX + SFS_BLOCK_SIZE)

/* Takes the tree of @fs to the empty directory @dir, and tells what could not be; exit status. */
int sfs_save(struct sfs_fs *fs, const char *dir);

/* ---- save_tell.c ---- */

/* Says of what is in hand that something is not saved. */
__attribute__((format(printf, 2, 3)))
void sfs_save_lose(struct sfs_save *s, const char *fmt, ...);
/* Something that can be done without, since the host said @err; @what may be NULL. */
void sfs_save_refuse(struct sfs_save *s, enum sfs_save_refusal r, const char *what, int err);
/* What is in hand cannot be made: alone, or the host is full. */
void sfs_save_fail(struct sfs_save *s, int err);
/* Tells how it went; exit status. */
int sfs_save_verdict(struct sfs_save *s, const char *dir);

/* ---- save_host.c: what is made ---- */

/* Makes @name in the directory in hand of @in, which is no directory, attributes included. */
void sfs_save_make(struct sfs_save *s, struct sfs_inode *in, const char *name);
/* Another name of what lies at @path.  False: that is not possible. */
bool sfs_save_link(struct sfs_save *s, const char *path, const char *name);
/* Owner, attributes, mode and times of an open file or, by O_PATH, of what is none. */
void sfs_save_attributes(struct sfs_save *s, struct sfs_inode *in, int fd);

/* ---- save_file.c ---- */

/* What @in holds, to the new file @fd. */
void sfs_save_content(struct sfs_save *s, struct sfs_inode *in, int fd);

#endif
