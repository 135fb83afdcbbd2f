// SPDX-License-Identifier: GPL-2.0-only
/*
 * lost.c - mkfs -d: what could not be kept, in words.
 *
 * A kind is one line however many files there are: a security module labels all of them.
 */
#include "lost.h"

static const char *const sfs_lost_texts[SFS_LOST_KINDS] = {
	[SFS_LOST_CAPABILITY] = "file capabilities are not kept",
	[SFS_LOST_ACL] = "access control lists are not kept",
	[SFS_LOST_LABEL] = "labels of a security module are not kept",
	[SFS_LOST_XATTR] = "extended attributes are not kept",
	[SFS_LOST_FLAG] = "flags of chattr are not kept",
	[SFS_LOST_TIME] = "a time before 1678 or after 2261 is not kept",
};

static bool sfs_begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

enum sfs_lost_kind sfs_lost_of_xattr(const char *name)
{
	if (!strcmp(name, "security.capability"))
		return SFS_LOST_CAPABILITY;
	if (sfs_begins(name, "security."))
		return SFS_LOST_LABEL;
	if (sfs_begins(name, "system.posix_acl_") || sfs_begins(name, "system.nfs4_acl"))
		return SFS_LOST_ACL;
	return SFS_LOST_XATTR;
}

int sfs_lost_note(struct sfs_lost *lost, const char *name, unsigned int kinds)
{
	unsigned int k;

	for (k = 0; k < SFS_LOST_KINDS; k++) {
		if (!(kinds >> k & 1))
			continue;
		if (!lost->l_files[k]++)
			lost->l_first[k] = strdup(name);
		if (!lost->l_first[k])
			return -ENOMEM;
	}
	return 0;
}

void sfs_lost_tell(const struct sfs_lost *lost)
{
	unsigned int k;

	for (k = 0; k < SFS_LOST_KINDS; k++) {
		if (lost->l_files[k] > 1)
			sfs_warn("warning: %s and %llu more: %s", lost->l_first[k],
				 (unsigned long long)lost->l_files[k] - 1, sfs_lost_texts[k]);
		else if (lost->l_files[k])
			sfs_warn("warning: %s: %s", lost->l_first[k], sfs_lost_texts[k]);
	}
}

void sfs_lost_free(struct sfs_lost *lost)
{
	unsigned int k;

	for (k = 0; k < SFS_LOST_KINDS; k++)
		free(lost->l_first[k]);
}
