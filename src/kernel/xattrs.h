/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xattrs.h - attributes in the kernel: xattr.c, and acl.c above it.
 */
#ifndef SFS_XATTRS_H
#define SFS_XATTRS_H

/* ---- xattr.c ---- */

/* Handlers and flags of a volume whose features speak of attributes. */
void sfs_xattr_init_super(struct super_block *sb);
ssize_t sfs_listxattr(struct dentry *dentry, char *buf, size_t nbytes);
/* The length of a value; 0 for @nbytes asks for nothing else.  -ENODATA, -ERANGE. */
int sfs_xattr_read(struct inode *inode, u8 space, const char *name, void *buf, size_t nbytes);
/*
 * Sets or removes (no value) one attribute, and with it the inode's @mode, in one transaction.
 * @flags XATTR_CREATE, or XATTR_REPLACE: -ENODATA if there is none, also to remove.  Inode lock
 * held.
 */
int sfs_xattr_change(struct inode *inode, const struct sfs_xattr *x, int flags, umode_t mode);

/* What an inode is born with, and what that takes at most. */
struct sfs_born_xattr {
	struct sfs_born_xattr *b_next;
	struct sfs_xattr b_xattr;
	char b_bytes[];			/* name and value */
};

struct sfs_born {
	struct sfs_born_xattr *b_first;
	unsigned int b_nodes;		/* new nodes that they may take: 3 credits, 1 revoke each */
};

int sfs_born_add(struct sfs_born *born, u8 space, const char *name, const void *value,
		 size_t nbytes);
void sfs_born_free(struct sfs_born *born);
/*
 * Asks security modules for labels of @inode, which has its number and owner.  They may read those
 * of @dir: no tree lock is held.
 */
int sfs_born_label(struct sfs_born *born, struct inode *inode, struct inode *dir,
		   const struct qstr *name);
/* Into the new inode, begun in @t.  An error may leave some of them, for who gives it up. */
int sfs_born_write(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_born *born);

/* ---- acl.c ---- */

struct posix_acl *sfs_get_acl(struct inode *inode, int type, bool rcu);
int sfs_set_acl(SFS_IDMAP_T *idmap, SFS_ACL_TARGET_T *target, struct posix_acl *acl, int type);
/* What a new inode of *@mode in @dir inherits, added to @born; *@mode is what is left of it. */
int sfs_acls_inherit(struct inode *dir, umode_t *mode, struct sfs_born *born);

/* Operations of an inode that may have attributes, and of one that may have an ACL. */
#define SFS_XATTR_IOPS	.listxattr = sfs_listxattr,
#define SFS_ACL_IOPS	SFS_XATTR_IOPS SFS_GET_INODE_ACL .set_acl = sfs_set_acl,

#endif
