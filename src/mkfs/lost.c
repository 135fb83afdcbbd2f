// SPDX-License-Identifier: GPL-2.0-only
/*
 * lost.c - mkfs -d: what could not be kept, in words.
 *
 * A kind is one line however many files there are: what one has, most others have as well.
 */
#include "lost.h"

static const char *const sfs_lost_texts[SFS_LOST_KINDS] = {
	[SFS_LOST_ACL] = "access control lists of NFSv4 are not kept",
	[SFS_LOST_XATTR] = "extended attributes of other namespaces are not kept",
	[SFS_LOST_LONG] = "extended attributes with too long a name or value are not kept",
	[SFS_LOST_PLACE] = "extended attributes that no file of its type has are not kept",
	[SFS_LOST_FLAG] = "flags of chattr are not kept",
	[SFS_LOST_TIME] = "a time before 1678 or after 2261 is not kept",
};

enum sfs_lost_kind sfs_lost_of_xattr(const char *name)
{
	return strncmp(name, "system.nfs4_acl", 15) ? SFS_LOST_XATTR : SFS_LOST_ACL;
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
