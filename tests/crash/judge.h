/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - the crash in hand, against the models of what was done until then.
 */
#ifndef SFS_CRASH_JUDGE_H
#define SFS_CRASH_JUDGE_H

#include "../../src/lib/lib.h"
#include "model.h"

#define SECTOR		512

/* One, or those of a crowd. */
extern struct model *models[CROWD_WORKERS];
extern int nmodels;
extern char said[512];			/* why the crash in hand is bad, empty if it is not */

/* The first word of each crash counts. */
void wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Models from @seed: without @workers one that is alone, with all of it; @pieces: wide.h. */
void judge_start(uint64_t seed, int workers, int pieces);
/*
 * The names are those after some operation since the last promise, each byte one of its file's;
 * for each worker, and nothing of anybody in another's.
 */
void judge_names(struct sfs_fs *fs);
/* The decimal number at @at of a name as it lies in a record, @len bytes without NUL; 0: none. */
int judge_number(const char *name, unsigned int len, unsigned int at);

/* ---- judge_crowd.c ---- */

/* What @name in worker @m's own folder is, if it is of crowd.h: judged; false if it is not. */
bool judge_own(struct model *m, const char *name, unsigned int len, struct sfs_inode *in);
/* The directory of all: @dir. */
void judge_shared(struct sfs_inode *dir);
/* What of this has to be there and was not. */
void judge_absent(struct model *m);
/* Whose these bytes at @pos of a file are: " (written by ...)", or that nobody knows. */
const char *judge_whose(const u8 *data, long pos, size_t nbytes);

/* ---- judge_wide.c ---- */

/* What @name in the root is, if it is of wide.h: judged; false if it is not. */
bool judge_land(struct model *m, const char *name, unsigned int len, struct sfs_inode *in);
/* After all names: was there what had to be? */
void judge_no_land(const struct model *m);
/* Block 0 has the old or the new label, no copy a later one, *@ret_behind an earlier one. */
void judge_labels(struct sfs_fs *fs, unsigned int *ret_behind);

#endif
