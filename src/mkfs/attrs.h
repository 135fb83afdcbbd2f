/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attrs.h - the extended attributes of an entry of a source, in the form that a volume has them in.
 */
#ifndef SFS_ATTRS_H
#define SFS_ATTRS_H

#include "source.h"

/* All zero: none.  Names and values are its own. */
struct sfs_attrs {
	struct sfs_xattr *a_list;
	unsigned int a_n;
	unsigned int a_room;
};

/*
 * Adds the attribute with the full name @name of the file @entry; of two with one name the first
 * stays.  What cannot be kept is noted in @entry; an access control list sets its mode, and is not
 * kept if it says no more.  -EINVAL for what should be such a list and is none: it was reported.
 */
int sfs_attrs_add(struct sfs_attrs *attrs, struct sfs_entry *entry, const char *name,
		  const void *value, size_t nbytes);
/* All have been added: @entry has them, sorted, until they are cleared. */
void sfs_attrs_give(struct sfs_attrs *attrs, struct sfs_entry *entry);
void sfs_attrs_clear(struct sfs_attrs *attrs);
void sfs_attrs_free(struct sfs_attrs *attrs);

#endif
