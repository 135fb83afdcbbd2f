// SPDX-License-Identifier: GPL-2.0-only
/*
 * acl.c - the form of POSIX access control lists, which are values of attributes.
 *
 * What Linux refuses to set is damage on a volume, and nothing that mkfs takes in.  Pure: no locks.
 */
#include "core.h"

bool sfs_xattr_is_acl(u8 space, const char *name, unsigned int len)
{
	static const char access[] = SFS_ACL_ACCESS;
	static const char inherited[] = SFS_ACL_DEFAULT;

	return space == SFS_XATTR_SYSTEM &&
	       ((len == sizeof(access) - 1 && !memcmp(name, access, len)) ||
		(len == sizeof(inherited) - 1 && !memcmp(name, inherited, len)));
}

/* One entry after those of the tags in @seen. */
static const char *sfs_acl_entry_verify(const struct sfs_acl_entry *entry, unsigned int seen)
{
	unsigned int tag = le16_to_cpu(entry->a_tag);
	bool named = tag & (SFS_ACL_USER | SFS_ACL_GROUP);

	if (!tag || tag > SFS_ACL_OTHER || tag & (tag - 1))
		return "access control list with an unknown tag";
	if (seen >= 2 * tag || (seen & tag && !named))
		return "access control list out of order";
	if (le16_to_cpu(entry->a_perm) > 7)
		return "access control list with an unknown permission";
	if (named && le32_to_cpu(entry->a_id) == SFS_ACL_NOBODY)
		return "access control list that names nobody";
	return NULL;
}

const char *sfs_acl_verify(const void *value, unsigned int have, unsigned int nbytes)
{
	const unsigned int all = SFS_ACL_USER_OBJ | SFS_ACL_GROUP_OBJ | SFS_ACL_OTHER;
	const struct sfs_acl *acl = value;
	const struct sfs_acl_entry *entry = acl->a_entries;
	unsigned int seen = 0;
	unsigned int n;
	const char *why;

	if (nbytes < sizeof(*acl) || (nbytes - sizeof(*acl)) % sizeof(*entry))
		return "access control list of a wrong length";
	if (have < sizeof(*acl))
		return NULL;
	if (le32_to_cpu(acl->a_version) != SFS_ACL_VERSION)
		return "access control list of an unknown version";
	for (n = (have - sizeof(*acl)) / sizeof(*entry); n; n--, entry++) {
		why = sfs_acl_entry_verify(entry, seen);
		if (why)
			return why;
		seen |= le16_to_cpu(entry->a_tag);
	}
	if (have < nbytes)
		return NULL;
	if ((seen & all) != all || (seen & ~all && !(seen & SFS_ACL_MASK)))
		return "access control list that is incomplete";
	return NULL;
}
