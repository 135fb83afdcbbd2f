/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lost.h - what a source holds and a volume cannot keep: noted by kind, told in one line for each.
 */
#ifndef SFS_LOST_H
#define SFS_LOST_H

#include "lib.h"

enum sfs_lost_kind {
	SFS_LOST_ACL,			/* of NFSv4 */
	SFS_LOST_XATTR,			/* an extended attribute of no namespace there is */
	SFS_LOST_LONG,			/* one with a longer name or value than can be */
	SFS_LOST_PLACE,			/* one that the kernel gives to files of other types */
	SFS_LOST_FLAG,			/* of chattr(1) */
	SFS_LOST_TIME,			/* out of range, and taken as nearly as can be */
	SFS_LOST_KINDS
};

struct sfs_lost {
	u64 l_files[SFS_LOST_KINDS];
	char *l_first[SFS_LOST_KINDS];	/* the first file's name outside */
};

/* What goes with the extended attribute @name, of a namespace that a volume does not have. */
enum sfs_lost_kind sfs_lost_of_xattr(const char *name);
/* The file called @name loses @kinds, bits of 1 << enum sfs_lost_kind.  -ENOMEM. */
int sfs_lost_note(struct sfs_lost *lost, const char *name, unsigned int kinds);
void sfs_lost_tell(const struct sfs_lost *lost);
void sfs_lost_free(struct sfs_lost *lost);

#endif
