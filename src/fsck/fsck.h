/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fsck.h - fsck.simplefs: what its files share.
 */
#ifndef SFS_FSCK_H
#define SFS_FSCK_H

#include "lib.h"

/*
 * Block 0 of @dev, or what a copy says of it, sealed, into @super.  True: the latter, which then is
 * in the cache as block 0 and has to be checked; it was told.  Ends the program where there is
 * neither, or what is there is somebody else's, which only @force takes for nothing.
 */
bool sfs_super_take(struct sfs_dev *dev, const char *path, bool force, void *super);
/* After the check of a volume taken so, before the first write: its sequence, also into @super. */
int sfs_super_number(struct sfs_fs *fs, void *super);

/*
 * Finishes every inode that the orphan maps name, in the cache; adds how many to @ret_count.  Goes
 * on past damage, which was reported and comes back at the end.  @pause is called after each step:
 * all that was done by then belongs together, and may be made lasting.  Its error ends the work.
 */
typedef int (*sfs_pause_fn)(void *arg);
int sfs_finish_orphans(struct sfs_fs *fs, unsigned int *ret_count, sfs_pause_fn pause, void *arg);

/*
 * Writes anew, in the cache, what follows from a check that found nothing of SFS_REMEDY_NONE.
 * After it @fs has true counters.
 */
int sfs_repair(struct sfs_fs *fs, const struct sfs_found *found);
/* The same of the copies of the superblock alone; *@ret_n of them did not say what it says. */
int sfs_renew_copies(struct sfs_fs *fs, u64 *ret_n);

#endif
