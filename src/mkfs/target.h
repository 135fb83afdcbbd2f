/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * target.h - what mkfs is about to overwrite: a device or an image, found free to take, and locked.
 */
#ifndef SFS_TARGET_H
#define SFS_TARGET_H

#include "lib.h"

struct sfs_target {
	const char *path;
	struct sfs_dev *dev;		/* NULL: an image that is not there yet */
	int disk_fd;			/* of the whole disk, for its lock; or -1 */
};

/* Exit status. */
enum {
	SFS_MKFS_OK = 0,
	SFS_MKFS_FAILED = 1,		/* the device, or what is on it, said no */
	SFS_MKFS_USAGE = 2,
};

/*
 * All of these end the program, with status SFS_MKFS_FAILED and a sentence, when they cannot do
 * what they should.
 */

/*
 * Opens @path, locked and known to be used by nobody; unless @force, known to hold nothing.  Reads
 * only.  @may_miss: a file that does not exist will be made by sfs_target_make().
 */
void sfs_target_open(struct sfs_target *t, const char *path, bool writable, bool force,
		     bool may_miss);
/* Makes an image of @nblks, or makes a shorter one that long.  No effect on devices. */
void sfs_target_make(struct sfs_target *t, u64 nblks);
/* The volume is complete: an image made stays, whatever happens now. */
void sfs_target_keep(void);
/* Gives back the space of the first @nblks; where that cannot be done nothing is lost. */
void sfs_target_discard(const struct sfs_target *t, u64 nblks);
/*
 * Bytes of a stripe, and what of it lies on one disk, as a device says that is made of several; 0
 * for both if it says nothing, or nothing that can be.
 */
void sfs_target_stripe(const struct sfs_target *t, u64 *ret_unit, u64 *ret_width);
/* Blocks of zeros. */
void sfs_target_zero(const struct sfs_target *t, u64 blk, u64 nblks);
/*
 * Of a volume of @nblks that may have been here before with all of its numbers: no copy of a
 * superblock stays, but for zone 0's, which is written anew.
 */
void sfs_target_zero_copies(const struct sfs_target *t, u64 nblks);
/*
 * Removes every signature that libblkid finds, also behind a smaller volume.  Before anything else
 * goes: of a partition table the one at the end is looked for only while there is a beginning.
 */
void sfs_target_wipe(const struct sfs_target *t);
/*
 * Zeros where a volume of @nblks may be taken for another, or for an older one of ours, lasting:
 * after a discard, which may leave anything.
 */
void sfs_target_clear(const struct sfs_target *t, u64 nblks);
bool sfs_target_is_same(const struct sfs_target *a, const struct sfs_target *b);
void sfs_target_close(struct sfs_target *t);

#endif
