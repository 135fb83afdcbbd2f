/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - the crash in hand, against the model of what was done until then.
 */
#ifndef SFS_CRASH_JUDGE_H
#define SFS_CRASH_JUDGE_H

#include "../../src/lib/lib.h"
#include "model.h"

#define SECTOR		512

extern struct model *m;
extern char said[512];			/* why the crash in hand is bad, empty if it is not */

/* The first word of each crash counts. */
void wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The names are those after some operation since the last promise, each byte one of its file's. */
void judge_names(struct sfs_fs *fs);

#endif
