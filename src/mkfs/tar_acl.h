/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tar_acl.h - the access control lists that an archive has in words.
 */
#ifndef SFS_TAR_ACL_H
#define SFS_TAR_ACL_H

#include <archive_entry.h>

#include "attrs.h"

/* Adds them to @attrs.  An error other than -ENOMEM was reported. */
int sfs_tar_acls(struct archive_entry *from, struct sfs_entry *entry, struct sfs_attrs *attrs);

#endif
