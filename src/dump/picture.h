/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * picture.h - a volume to look at.
 */
#ifndef SFS_PICTURE_H
#define SFS_PICTURE_H

#include "lib.h"

/*
 * Writes an SVG to the new or emptied file @path: what lies where, group by group, the free runs,
 * the extents of files.  What cannot be read is left out, and its error comes back after the rest
 * has been drawn; -EIO when @path cannot be written.
 */
int sfs_picture(struct sfs_fs *fs, const char *path);

#endif
