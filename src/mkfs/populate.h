/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * populate.h - filling a new volume from a directory or an archive.
 */
#ifndef SFS_POPULATE_H
#define SFS_POPULATE_H

#include "lib.h"

/*
 * Copies the tree at @source (a directory, or any archive libarchive reads) into the root of @fs.
 * -ENOSPC when it does not fit; a message has been given for every error.
 */
int sfs_populate(struct sfs_fs *fs, struct sfs_dev *dev, const char *source);

#endif
