/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * source.h - where mkfs -d gets its files from: a directory (source_dir.c), a tar archive
 * (source_tar.c) or a volume of the educational simplefs (source_edu.c), seen as a row of entries,
 * parents before what is in them.
 */
#ifndef SFS_SOURCE_H
#define SFS_SOURCE_H

#include <sys/stat.h>

#include "lost.h"

/* Texts and attributes live until the next entry is asked for. */
struct sfs_entry {
	const char *name;		/* of the file outside, for messages */
	const char *path;		/* inside the volume, without leading "/"; "": the root */
	const char *link;		/* an earlier path of the same file, or NULL */
	/*
	 * Of a file with names to come, or NULL: where the caller leaves its number in the volume.
	 * Not 0: that is the file, and this another name of it.
	 */
	u64 *ino;
	const char *target;		/* of a symlink */
	struct stat st;
	const struct sfs_xattr *xattrs;	/* sorted */
	unsigned int nxattrs;
	unsigned int lost;		/* 1 << enum sfs_lost_kind: seen, and not told here */
};

/* 1: something; 0: the end; a negative errno: it was reported. */
struct sfs_source {
	int (*next)(struct sfs_source *s, struct sfs_entry *ret_entry);
	/* The next piece of the last entry's data, in rising order; what is left out is a hole. */
	int (*data)(struct sfs_source *s, const void **ret_data, size_t *ret_nbytes, u64 *ret_pos);
	void (*close)(struct sfs_source *s);
};

/* Entries of a directory come sorted by name.  @image must not lie in it. */
int sfs_source_dir_open(const char *path, const struct stat *image, struct sfs_source **ret_source);
int sfs_source_tar_open(const char *path, struct sfs_source **ret_source);
int sfs_source_edu_open(const char *path, struct sfs_source **ret_source);

#endif
