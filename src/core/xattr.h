/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xattr.h - extended attributes, xattr.c, and lists among them, acl.c.  A part of core.h.
 */
#ifndef SFS_XATTR_H
#define SFS_XATTR_H

/* One attribute, as it is to be found, set or, without a value, removed. */
struct sfs_xattr {
	u8 x_space;			/* SFS_XATTR_USER and the following */
	unsigned int x_len;		/* of the name without its namespace: 1 to SFS_NAME_MAX */
	const char *x_name;
	const void *x_value;		/* NULL: none */
	u32 x_nbytes;			/* at most SFS_XATTR_MAX */
};

/* What a change takes: blocks, and freed blocks of metadata. */
struct sfs_xattr_cost {
	unsigned int c_credits;
	unsigned int c_revokes;
	bool c_grows;			/* the tree may get more nodes */
};

const char *sfs_xattr_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			     unsigned int nbytes);

/*
 * The value of an attribute that is a POSIX access control list, as Linux's system calls have it: a
 * version, and entries by rising tag.  An entry names somebody (a_id) or has SFS_ACL_NOBODY.
 */
struct sfs_acl_entry {
	__le16 a_tag;
	__le16 a_perm;			/* rwx */
	__le32 a_id;
} __attribute__((packed));

struct sfs_acl {
	__le32 a_version;
	struct sfs_acl_entry a_entries[];
} __attribute__((packed));

#define SFS_ACL_ACCESS		"posix_acl_access"	/* names in SFS_XATTR_SYSTEM */
#define SFS_ACL_DEFAULT		"posix_acl_default"
#define SFS_ACL_VERSION		2
#define SFS_ACL_USER_OBJ	0x01
#define SFS_ACL_USER		0x02		/* any number of them */
#define SFS_ACL_GROUP_OBJ	0x04
#define SFS_ACL_GROUP		0x08		/* any number of them */
#define SFS_ACL_MASK		0x10		/* there if somebody is named */
#define SFS_ACL_OTHER		0x20
#define SFS_ACL_NOBODY		0xffffffff

/* Must the attribute @name (@len bytes) in @space be such a list? */
bool sfs_xattr_is_acl(u8 space, const char *name, unsigned int len);
/*
 * NULL, or why @value is no list that Linux would set.  It has @nbytes, of which only the first
 * @have are there and looked at.
 */
const char *sfs_acl_verify(const void *value, unsigned int have, unsigned int nbytes);
/* Are the attributes of @in whole, each where its name finds it?  Reads all of them. */
int sfs_xattr_check(struct sfs_inode *in);
/* Told by the inode alone: there is no attribute.  False: perhaps. */
bool sfs_xattr_is_none(const struct sfs_inode *in);

/*
 * The value of the attribute that @x names: its length, or -ENODATA.  With @nbytes not 0 it is
 * copied to @buf, -ERANGE if that is too short.
 */
int sfs_xattr_get(struct sfs_inode *in, const struct sfs_xattr *x, void *buf, size_t nbytes);
/* Calls @emit for each attribute, x_value and x_nbytes not set, until it returns false. */
typedef bool (*sfs_xattr_fn)(void *arg, const struct sfs_xattr *x);
int sfs_xattr_each(struct sfs_inode *in, sfs_xattr_fn emit, void *arg);

/*
 * What sfs_xattr_set() would take now, at most.  Reads all that the attribute has.  -ENODATA: there
 * is none to be removed.
 */
int sfs_xattr_cost(struct sfs_inode *in, const struct sfs_xattr *x,
		   struct sfs_xattr_cost *ret_cost);
/*
 * New nodes, at most, for attribute @x of an inode that is being made; each is 3 credits, and 1
 * revoke if it comes to nothing.
 */
unsigned int sfs_xattr_first_nodes(const struct sfs_xattr *x);
/*
 * Sets, replaces or removes an attribute between sfs_inode_begin() and _end(): all or nothing.  1:
 * it would take more than @have (NULL: that is known otherwise), as another has changed the tree
 * since that was asked for.  -EAGAIN as sfs_alloc_blks().  -ENOSPC, also for more than
 * SFS_XATTR_COLLISIONS names of one hash.  -ENODATA as above.
 */
int sfs_xattr_set(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_xattr *x,
		  const struct sfs_xattr_cost *have);

#endif
