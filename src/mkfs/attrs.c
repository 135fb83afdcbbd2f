// SPDX-License-Identifier: GPL-2.0-only
/*
 * attrs.c - mkfs -d: which extended attributes of a file a volume keeps, and in what form.
 *
 * Nothing is kept that no program could set on a mounted volume: neither what the kernel takes for
 * damage, nor what nobody could ever see or remove.  Sorted, so that two copies of a tree give one
 * volume, whatever order their attributes are listed in.
 */
#include <linux/limits.h>

#include "attrs.h"

static const struct {
	const char *prefix;
	u8 space;
} sfs_spaces[] = {
	{ "user.", SFS_XATTR_USER },
	{ "trusted.", SFS_XATTR_TRUSTED },
	{ "security.", SFS_XATTR_SECURITY },
	{ "system.", SFS_XATTR_SYSTEM },
};

/* Sets namespace and name.  False: a volume has no such attributes. */
static bool sfs_attr_name(struct sfs_xattr *x, const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sfs_spaces); i++) {
		size_t len = strlen(sfs_spaces[i].prefix);

		if (strncmp(name, sfs_spaces[i].prefix, len))
			continue;
		x->x_space = sfs_spaces[i].space;
		x->x_name = name + len;
		x->x_len = strlen(x->x_name);
		return x->x_len && (x->x_space != SFS_XATTR_SYSTEM ||
				    sfs_xattr_is_acl(x->x_space, x->x_name, x->x_len));
	}
	return false;
}

static bool sfs_attr_is_access(const struct sfs_xattr *x)
{
	return x->x_space == SFS_XATTR_SYSTEM && !strcmp(x->x_name, SFS_ACL_ACCESS);
}

/* Can a file of this type have it?  The kernel's rules, not the format's. */
static bool sfs_attr_has_place(const struct sfs_xattr *x, mode_t mode)
{
	if (x->x_space == SFS_XATTR_USER)
		return S_ISREG(mode) || S_ISDIR(mode);
	if (x->x_space == SFS_XATTR_SYSTEM)
		return sfs_attr_is_access(x) ? !S_ISLNK(mode) : S_ISDIR(mode);
	return true;
}

/* The mode of a file with this list: the mask, if there is one, is what a group may at most. */
static mode_t sfs_acl_mode(const struct sfs_xattr *x, mode_t mode)
{
	const struct sfs_acl *acl = x->x_value;
	unsigned int n = (x->x_nbytes - sizeof(*acl)) / sizeof(*acl->a_entries);
	unsigned int i;

	for (i = 0; i < n; i++) {
		mode_t perm = le16_to_cpu(acl->a_entries[i].a_perm);

		switch (le16_to_cpu(acl->a_entries[i].a_tag)) {
		case SFS_ACL_USER_OBJ:
			mode = (mode & ~0700) | perm << 6;
			break;
		case SFS_ACL_GROUP_OBJ:
		case SFS_ACL_MASK:
			mode = (mode & ~0070) | perm << 3;
			break;
		case SFS_ACL_OTHER:
			mode = (mode & ~0007) | perm;
			break;
		}
	}
	return mode;
}

static bool sfs_attrs_have(const struct sfs_attrs *attrs, const struct sfs_xattr *x)
{
	unsigned int i;

	for (i = 0; i < attrs->a_n; i++)
		if (attrs->a_list[i].x_space == x->x_space &&
		    !strcmp(attrs->a_list[i].x_name, x->x_name))
			return true;
	return false;
}

/* Name, NUL and value lie in one piece of memory. */
static int sfs_attrs_copy(struct sfs_attrs *attrs, const struct sfs_xattr *x)
{
	unsigned int room = attrs->a_room ? attrs->a_room * 2 : 16;
	struct sfs_xattr *to;
	void *list;
	char *bytes;

	if (attrs->a_n == attrs->a_room) {
		list = realloc(attrs->a_list, room * sizeof(*attrs->a_list));
		if (!list)
			return -ENOMEM;
		attrs->a_list = list;
		attrs->a_room = room;
	}
	bytes = malloc(x->x_len + 1 + x->x_nbytes);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, x->x_name, x->x_len + 1);
	if (x->x_nbytes)
		memcpy(bytes + x->x_len + 1, x->x_value, x->x_nbytes);
	to = &attrs->a_list[attrs->a_n++];
	*to = *x;
	to->x_name = bytes;
	to->x_value = bytes + x->x_len + 1;
	return 0;
}

int sfs_attrs_add(struct sfs_attrs *attrs, struct sfs_entry *entry, const char *name,
		  const void *value, size_t nbytes)
{
	struct sfs_xattr x = { .x_value = value };
	const char *why = NULL;

	if (!sfs_attr_name(&x, name)) {
		entry->lost |= 1 << sfs_lost_of_xattr(name);
		return 0;
	}
	if (strlen(name) > XATTR_NAME_MAX || nbytes > SFS_XATTR_MAX) {
		entry->lost |= 1 << SFS_LOST_LONG;
		return 0;
	}
	if (!sfs_attr_has_place(&x, entry->st.st_mode)) {
		entry->lost |= 1 << SFS_LOST_PLACE;
		return 0;
	}
	if (sfs_attrs_have(attrs, &x))
		return 0;
	x.x_nbytes = nbytes;
	if (x.x_space == SFS_XATTR_SYSTEM)
		why = sfs_acl_verify(value, nbytes, nbytes);
	if (why) {
		sfs_warn("%s: %s: %s", entry->name, name, why);
		return -EINVAL;
	}
	if (sfs_attr_is_access(&x)) {
		entry->st.st_mode = sfs_acl_mode(&x, entry->st.st_mode);
		if (nbytes == sizeof(struct sfs_acl) + 3 * sizeof(struct sfs_acl_entry))
			return 0;
	}
	return sfs_attrs_copy(attrs, &x);
}

static int sfs_by_space_and_name(const void *a, const void *b)
{
	const struct sfs_xattr *x = a;
	const struct sfs_xattr *y = b;

	return x->x_space != y->x_space ? (int)x->x_space - y->x_space :
	       strcmp(x->x_name, y->x_name);
}

void sfs_attrs_give(struct sfs_attrs *attrs, struct sfs_entry *entry)
{
	if (attrs->a_n)
		qsort(attrs->a_list, attrs->a_n, sizeof(*attrs->a_list), sfs_by_space_and_name);
	entry->xattrs = attrs->a_list;
	entry->nxattrs = attrs->a_n;
}

void sfs_attrs_clear(struct sfs_attrs *attrs)
{
	while (attrs->a_n)
		free((char *)attrs->a_list[--attrs->a_n].x_name);
}

void sfs_attrs_free(struct sfs_attrs *attrs)
{
	sfs_attrs_clear(attrs);
	free(attrs->a_list);
}
