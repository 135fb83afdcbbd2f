/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * progress.h - how far a long work is, for who waits.
 *
 * On a terminal (standard error) a line that is written over, from two seconds on, and goes away
 * before anything else is said; nothing elsewhere, unless it was asked for.
 */
#ifndef SFS_PROGRESS_H
#define SFS_PROGRESS_H

#include "lib.h"

/* Never. */
void sfs_progress_off(void);
/*
 * @fd as fsck(8) has it: 0, on the terminal from the beginning; else, if it is open now, there, as
 * lines "pass done all @path".  Before the program opens anything.
 */
void sfs_progress_to(int fd, const char *path);
/* @what is the pass or the file at work; @all 0: nobody knows how many there will be. */
void sfs_progress(unsigned int pass, const char *what, u64 done, u64 all);
/* What is on the terminal goes away. */
void sfs_progress_clear(void);

#endif
