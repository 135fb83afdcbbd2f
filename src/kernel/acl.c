// SPDX-License-Identifier: GPL-2.0-only
/*
 * acl.c - POSIX access control lists, kept as attributes in the form that system calls use.
 *
 * So a tool copies them as it copies any attribute.  A list that says no more than the mode is not
 * kept.  The VFS caches what is read here and asks us under no lock of ours.
 */
#include "simplefs.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>

#include "xattrs.h"

static const char *sfs_acl_name(int type)
{
	return type == ACL_TYPE_ACCESS ? SFS_ACL_ACCESS : SFS_ACL_DEFAULT;
}

/* As a value of *@ret_nbytes, the caller's to free; NULL: there is no memory. */
static void *sfs_acl_encode(const struct posix_acl *acl, u32 *ret_nbytes)
{
	const struct posix_acl_entry *entry, *end;
	struct posix_acl_xattr_header *head;
	struct posix_acl_xattr_entry *out;

	*ret_nbytes = posix_acl_xattr_size(acl->a_count);
	head = kvmalloc(*ret_nbytes, GFP_KERNEL);
	if (!head)
		return NULL;
	out = (void *)(head + 1);
	head->a_version = cpu_to_le32(POSIX_ACL_XATTR_VERSION);
	FOREACH_ACL_ENTRY(entry, acl, end) {
		out->e_tag = cpu_to_le16(entry->e_tag);
		out->e_perm = cpu_to_le16(entry->e_perm);
		out->e_id = cpu_to_le32(ACL_UNDEFINED_ID);
		if (entry->e_tag == ACL_USER)
			out->e_id = cpu_to_le32(from_kuid(&init_user_ns, entry->e_uid));
		else if (entry->e_tag == ACL_GROUP)
			out->e_id = cpu_to_le32(from_kgid(&init_user_ns, entry->e_gid));
		out++;
	}
	return head;
}

static struct posix_acl *sfs_acl_decode(struct inode *inode, const void *value, size_t nbytes)
{
	struct posix_acl *acl = posix_acl_from_xattr(&init_user_ns, value, nbytes);

	if (!IS_ERR(acl) || acl == ERR_PTR(-ENOMEM))
		return acl;
	return ERR_PTR(sfs_corrupt(sfs_inode_fs(inode), 0, inode->i_ino, "access control list",
				   "it is none"));
}

struct posix_acl *sfs_get_acl(struct inode *inode, int type, bool rcu)
{
	const char *name = sfs_acl_name(type);
	struct posix_acl *acl;
	void *value;
	int nbytes;

	if (rcu)
		return ERR_PTR(-ECHILD);
again:
	nbytes = sfs_xattr_read(inode, SFS_XATTR_SYSTEM, name, NULL, 0);
	if (nbytes == -ENODATA)
		return NULL;
	if (nbytes < 0)
		return ERR_PTR(nbytes);
	value = kvmalloc(max(nbytes, 1), GFP_NOFS);
	if (!value)
		return ERR_PTR(-ENOMEM);
	nbytes = sfs_xattr_read(inode, SFS_XATTR_SYSTEM, name, value, max(nbytes, 1));
	if (nbytes >= 0)
		acl = sfs_acl_decode(inode, value, nbytes);
	kvfree(value);
	if (nbytes == -ERANGE)	/* it has grown since */
		goto again;
	if (nbytes == -ENODATA)
		return NULL;
	return nbytes < 0 ? ERR_PTR(nbytes) : acl;
}

int sfs_set_acl(SFS_IDMAP_T *idmap, SFS_ACL_TARGET_T *target, struct posix_acl *acl, int type)
{
	struct inode *inode = sfs_acl_target_inode(target);
	const char *name = sfs_acl_name(type);
	struct sfs_xattr x = {
		.x_space = SFS_XATTR_SYSTEM, .x_len = strlen(name), .x_name = name
	};
	umode_t mode = inode->i_mode;
	void *value = NULL;
	int err;

	if (type == ACL_TYPE_DEFAULT && !S_ISDIR(inode->i_mode))
		return acl ? -EACCES : 0;
	if (type == ACL_TYPE_ACCESS && acl) {
		err = posix_acl_update_mode(idmap, inode, &mode, &acl);
		if (err)
			return err;
	}
	if (acl) {
		value = sfs_acl_encode(acl, &x.x_nbytes);
		if (!value)
			return -ENOMEM;
		x.x_value = value;
	}
	err = sfs_xattr_change(inode, &x, 0, mode);
	kvfree(value);
	if (!err)
		set_cached_acl(inode, type, acl);
	return err;
}

static int sfs_acl_add(struct sfs_born *born, int type, const struct posix_acl *acl)
{
	void *value;
	u32 nbytes;
	int err;

	if (!acl)
		return 0;
	value = sfs_acl_encode(acl, &nbytes);
	if (!value)
		return -ENOMEM;
	err = sfs_born_add(born, SFS_XATTR_SYSTEM, sfs_acl_name(type), value, nbytes);
	kvfree(value);
	return err;
}

int sfs_acls_inherit(struct inode *dir, umode_t *mode, struct sfs_born *born)
{
	struct posix_acl *inherited, *access;
	int err;

	err = posix_acl_create(dir, mode, &inherited, &access);
	if (err)
		return err;
	err = sfs_acl_add(born, ACL_TYPE_DEFAULT, inherited);
	if (!err)
		err = sfs_acl_add(born, ACL_TYPE_ACCESS, access);
	posix_acl_release(inherited);
	posix_acl_release(access);
	return err;
}
