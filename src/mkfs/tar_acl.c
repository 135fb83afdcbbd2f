// SPDX-License-Identifier: GPL-2.0-only
/*
 * tar_acl.c - mkfs -d from a tar archive: access control lists, from words to the form that Linux's
 * system calls use.
 *
 * libarchive reads the words.  It has the permissions of owner, owning group and others in the mode
 * of the entry and all else in a list, in the archive's order.  Somebody who is named without a
 * number is looked up here, as tar does.  A list is kept as it is or refused: one that lacks an
 * entry would let in whom it was to keep out.
 */
#include <grp.h>
#include <limits.h>
#include <pwd.h>

#include "tar_acl.h"

static int sfs_tar_acl_tag(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return SFS_ACL_USER_OBJ;
	case ARCHIVE_ENTRY_ACL_USER:
		return SFS_ACL_USER;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return SFS_ACL_GROUP_OBJ;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return SFS_ACL_GROUP;
	case ARCHIVE_ENTRY_ACL_MASK:
		return SFS_ACL_MASK;
	default:
		return SFS_ACL_OTHER;
	}
}

/* Whom an entry names, @id as libarchive has it: negative where the archive has only a name. */
static int sfs_tar_acl_id(const struct sfs_entry *entry, int tag, int id, const char *name,
			  u32 *ret_id)
{
	bool is_user = tag == SFS_ACL_USER;
	struct passwd *user;
	struct group *group;

	*ret_id = id;
	/* A number that is larger than its type can be comes as the largest. */
	if (id == INT_MAX) {
		sfs_warn("%s: its access control list has a number that is too large for tar",
			 entry->name);
		return -EOVERFLOW;
	}
	if (id >= 0)
		return 0;
	user = name && is_user ? getpwnam(name) : NULL;
	if (user)
		*ret_id = user->pw_uid;
	group = name && !is_user ? getgrnam(name) : NULL;
	if (group)
		*ret_id = group->gr_gid;
	if (user || group)
		return 0;
	sfs_warn("%s: its access control list has a %s who is not known here: %s", entry->name,
		 is_user ? "user" : "group", name ? name : "");
	return -ENOENT;
}

/* As the kernel wants them; whom they name by number, so that one list has one form. */
static int sfs_by_tag_and_id(const void *a, const void *b)
{
	const struct sfs_acl_entry *x = a;
	const struct sfs_acl_entry *y = b;
	u32 x_id = le32_to_cpu(x->a_id);
	u32 y_id = le32_to_cpu(y->a_id);

	if (x->a_tag != y->a_tag)
		return (int)le16_to_cpu(x->a_tag) - le16_to_cpu(y->a_tag);
	return x_id < y_id ? -1 : x_id > y_id;
}

static int sfs_tar_acl_fill(struct archive_entry *from, int type, const struct sfs_entry *entry,
			    struct sfs_acl *acl, unsigned int *ret_n)
{
	int perm, tag, id;
	const char *name;
	unsigned int n = 0;
	u32 number;
	int err;

	while (!archive_entry_acl_next(from, type, &type, &perm, &tag, &id, &name)) {
		tag = sfs_tar_acl_tag(tag);
		number = SFS_ACL_NOBODY;
		err = tag == SFS_ACL_USER || tag == SFS_ACL_GROUP ?
		      sfs_tar_acl_id(entry, tag, id, name, &number) : 0;
		if (err)
			return err;
		acl->a_entries[n++] = (struct sfs_acl_entry) {
			.a_tag = cpu_to_le16(tag), .a_perm = cpu_to_le16(perm & 7),
			.a_id = cpu_to_le32(number),
		};
	}
	qsort(acl->a_entries, n, sizeof(*acl->a_entries), sfs_by_tag_and_id);
	*ret_n = n;
	return 0;
}

static int sfs_tar_acl(struct archive_entry *from, int type, const char *name,
		       struct sfs_entry *entry, struct sfs_attrs *attrs)
{
	int n = archive_entry_acl_reset(from, type);
	struct sfs_acl *acl;
	unsigned int nentries;
	int err;

	if (n <= 0)
		return 0;
	acl = malloc(sizeof(*acl) + n * sizeof(*acl->a_entries));
	if (!acl)
		return -ENOMEM;
	acl->a_version = cpu_to_le32(SFS_ACL_VERSION);
	err = sfs_tar_acl_fill(from, type, entry, acl, &nentries);
	if (!err)
		err = sfs_attrs_add(attrs, entry, name, acl,
				    sizeof(*acl) + nentries * sizeof(*acl->a_entries));
	free(acl);
	return err;
}

int sfs_tar_acls(struct archive_entry *from, struct sfs_entry *entry, struct sfs_attrs *attrs)
{
	int err;

	if (archive_entry_acl_count(from, ARCHIVE_ENTRY_ACL_TYPE_NFS4))
		entry->lost |= 1 << SFS_LOST_ACL;
	err = sfs_tar_acl(from, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system." SFS_ACL_ACCESS, entry,
			  attrs);
	return err ? err : sfs_tar_acl(from, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT,
				       "system." SFS_ACL_DEFAULT, entry, attrs);
}
