// SPDX-License-Identifier: GPL-2.0-only
/*
 * xattr.c - extended attributes as getxattr(2), setxattr(2) and listxattr(2) see them, and those
 * that an inode is born with.
 *
 * The VFS holds the inode lock over every change.  One change is one transaction, whose size is
 * asked of the core before it begins; when the tree has changed meanwhile, it is asked again.
 * Volumes whose features do not speak of attributes have no handlers.
 */
#include "simplefs.h"

#include <linux/capability.h>
#include <linux/posix_acl_xattr.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "xattrs.h"

int sfs_xattr_read(struct inode *inode, u8 space, const char *name, void *buf, size_t nbytes)
{
	struct sfs_xattr x = { .x_space = space, .x_len = strlen(name), .x_name = name };
	struct sfs_inode_info *ii = SFS_I(inode);
	int ret;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	down_read(&ii->ii_tree_lock);
	ret = sfs_xattr_get(&ii->ii_core, &x, buf, nbytes);
	up_read(&ii->ii_tree_lock);
	return ret;
}

/*
 * What the change would take, if @flags allow it.  Nothing, where nothing is to be removed, and
 * nobody insists that there is something.
 */
static int sfs_xattr_ask(struct inode *inode, const struct sfs_xattr *x, int flags,
			 struct sfs_xattr_cost *ret_cost)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	int err = 0;

	down_read(&ii->ii_tree_lock);
	if (flags & (XATTR_CREATE | XATTR_REPLACE))
		err = sfs_xattr_get(&ii->ii_core, x, NULL, 0);
	if (err >= 0 && (flags & XATTR_CREATE))
		err = -EEXIST;
	else if (err >= 0 || (err == -ENODATA && !(flags & XATTR_REPLACE)))
		err = sfs_xattr_cost(&ii->ii_core, x, ret_cost);
	up_read(&ii->ii_tree_lock);
	if (err != -ENODATA || (flags & XATTR_REPLACE))
		return err;
	*ret_cost = (struct sfs_xattr_cost) { 0 };
	return 0;
}

/* One try.  What is promised to the file may want more nodes, where the tree gets more. */
static int sfs_xattr_try(struct inode *inode, const struct sfs_xattr *x, umode_t mode,
			 const struct sfs_xattr_cost *cost)
{
	struct sfs_trans t;
	int err;

	err = sfs_inode_change_begin(inode, cost->c_credits + SFS_CREDITS_INODE, cost->c_revokes,
				     &t);
	if (err)
		return err;
	if (cost->c_grows)
		err = sfs_promise_widen(inode);
	if (!err && cost->c_credits)
		err = sfs_xattr_set(&t, &SFS_I(inode)->ii_core, x, cost);
	if (cost->c_grows)
		sfs_promise_fit(inode);
	if (!err) {
		inode->i_mode = mode;
		inode_set_ctime_to_ts(inode, current_time(inode));
		inode_inc_iversion(inode);
		if (IS_SYNC(inode))
			sfs_trans_sync(&t);
	}
	return sfs_inode_change_end(&t, inode, err);
}

int sfs_xattr_change(struct inode *inode, const struct sfs_xattr *x, int flags, umode_t mode)
{
	struct sfs_xattr_cost cost;
	unsigned int tries = 0;
	int err;

again:
	err = sfs_xattr_ask(inode, x, flags, &cost);
	if (err)
		return err;
	/* Asked for more than its log can hold, jbd2 would complain of us. */
	if (!sfs_journal_can_hold(inode->i_sb, cost.c_credits))
		return -ENOSPC;
	err = sfs_xattr_try(inode, x, mode, &cost);
	if (err > 0)
		goto again;
	if (!sfs_retry(inode, &err, &tries))
		return err;
	/* Nobody else can settle what hides space in a file whose lock we hold. */
	if (S_ISREG(inode->i_mode))
		sfs_promises_recount(inode);
	goto again;
}

/* ---- handlers ---- */

static int sfs_xattr_handler_get(const struct xattr_handler *handler, struct dentry *dentry,
				 struct inode *inode, const char *name, void *buf, size_t nbytes)
{
	return sfs_xattr_read(inode, handler->flags, name, buf, nbytes);
}

static int sfs_xattr_handler_set(const struct xattr_handler *handler, SFS_IDMAP_T *idmap,
				 struct dentry *dentry, struct inode *inode, const char *name,
				 const void *value, size_t nbytes, int flags)
{
	struct sfs_xattr x = {
		.x_space = handler->flags, .x_len = strlen(name), .x_name = name,
		.x_value = value, .x_nbytes = nbytes
	};

	if (nbytes > SFS_XATTR_MAX)
		return -E2BIG;
	return sfs_xattr_change(inode, &x, flags, inode->i_mode);
}

#define SFS_XATTR_HANDLER(word, of_space)	{	\
	.prefix = word,					\
	.flags = of_space,				\
	.get = sfs_xattr_handler_get,			\
	.set = sfs_xattr_handler_set,			\
}

static const struct xattr_handler sfs_xattr_user = SFS_XATTR_HANDLER(XATTR_USER_PREFIX,
								      SFS_XATTR_USER);
static const struct xattr_handler sfs_xattr_trusted = SFS_XATTR_HANDLER(XATTR_TRUSTED_PREFIX,
									 SFS_XATTR_TRUSTED);
static const struct xattr_handler sfs_xattr_security = SFS_XATTR_HANDLER(XATTR_SECURITY_PREFIX,
									  SFS_XATTR_SECURITY);

static const struct xattr_handler *SFS_CONST_HANDLERS sfs_xattr_handlers[] = {
	&sfs_xattr_user,
	&sfs_xattr_trusted,
	&sfs_xattr_security,
	SFS_ACL_HANDLERS
	NULL
};

void sfs_xattr_init_super(struct super_block *sb)
{
	if (!(SFS_SB(sb)->si_fs.f_compat & SFS_COMPAT_XATTR))
		return;
	sb->s_xattr = sfs_xattr_handlers;
	sb->s_flags |= SB_POSIXACL;
}

/* ---- listing ---- */

struct sfs_xattr_list {
	bool l_trusted;			/* those are for the caller */
	bool l_acl;
	char *l_buf;			/* NULL: only the length is asked for */
	size_t l_nbytes;
	size_t l_used;
};

/* The words before a name of @space, or NULL where it is not for the caller. */
static const char *sfs_xattr_prefix(const struct sfs_xattr_list *list, u8 space)
{
	switch (space) {
	case SFS_XATTR_USER:
		return XATTR_USER_PREFIX;
	case SFS_XATTR_TRUSTED:
		return list->l_trusted ? XATTR_TRUSTED_PREFIX : NULL;
	case SFS_XATTR_SECURITY:
		return XATTR_SECURITY_PREFIX;
	default:
		return list->l_acl ? XATTR_SYSTEM_PREFIX : NULL;
	}
}

static bool sfs_xattr_list_one(void *arg, const struct sfs_xattr *x)
{
	struct sfs_xattr_list *list = arg;
	const char *prefix = sfs_xattr_prefix(list, x->x_space);
	size_t len = prefix ? strlen(prefix) : 0;
	size_t at = list->l_used;

	if (!prefix)
		return true;
	list->l_used += len + x->x_len + 1;
	/* No system call can return more. */
	if (list->l_used > (list->l_buf ? list->l_nbytes : XATTR_LIST_MAX))
		return false;
	if (!list->l_buf)
		return true;
	memcpy(list->l_buf + at, prefix, len);
	memcpy(list->l_buf + at + len, x->x_name, x->x_len);
	list->l_buf[list->l_used - 1] = 0;
	return true;
}

ssize_t sfs_listxattr(struct dentry *dentry, char *buf, size_t nbytes)
{
	struct inode *inode = d_inode(dentry);
	struct sfs_xattr_list list = {
		.l_trusted = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN),
		.l_acl = IS_POSIXACL(inode), .l_buf = buf, .l_nbytes = nbytes
	};
	struct sfs_inode_info *ii = SFS_I(inode);
	int err;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	down_read(&ii->ii_tree_lock);
	err = sfs_xattr_each(&ii->ii_core, sfs_xattr_list_one, &list);
	up_read(&ii->ii_tree_lock);
	if (err)
		return err;
	if (list.l_used > XATTR_LIST_MAX)
		return -E2BIG;
	return buf && list.l_used > nbytes ? -ERANGE : (ssize_t)list.l_used;
}

/* ---- at birth ---- */

int sfs_born_add(struct sfs_born *born, u8 space, const char *name, const void *value,
		 size_t nbytes)
{
	size_t len = strlen(name);
	struct sfs_born_xattr *b;

	if (!len || len > SFS_NAME_MAX || nbytes > SFS_XATTR_MAX)
		return -E2BIG;
	b = kvmalloc(sizeof(*b) + len + nbytes, GFP_NOFS);
	if (!b)
		return -ENOMEM;
	memcpy(b->b_bytes, name, len);
	memcpy(b->b_bytes + len, value, nbytes);
	b->b_xattr = (struct sfs_xattr) {
		.x_space = space, .x_len = len, .x_name = b->b_bytes,
		.x_value = b->b_bytes + len, .x_nbytes = nbytes
	};
	born->b_nodes += sfs_xattr_first_nodes(&b->b_xattr);
	b->b_next = born->b_first;
	born->b_first = b;
	return 0;
}

void sfs_born_free(struct sfs_born *born)
{
	struct sfs_born_xattr *b;

	while ((b = born->b_first)) {
		born->b_first = b->b_next;
		kvfree(b);
	}
	born->b_nodes = 0;
}

static int sfs_born_labels(struct inode *inode, const struct xattr *labels, void *arg)
{
	const struct xattr *label;
	int err = 0;

	for (label = labels; label->name && !err; label++)
		err = sfs_born_add(arg, SFS_XATTR_SECURITY, label->name, label->value,
				   label->value_len);
	return err;
}

int sfs_born_label(struct sfs_born *born, struct inode *inode, struct inode *dir,
		   const struct qstr *name)
{
	/* A volume without attributes is labelled as a whole, where a policy says how. */
	if (!inode->i_sb->s_xattr)
		return 0;
	return security_inode_init_security(inode, dir, name, sfs_born_labels, born);
}

int sfs_born_write(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_born *born)
{
	const struct sfs_born_xattr *b;
	int err = 0;

	for (b = born->b_first; b && !err; b = b->b_next)
		err = sfs_xattr_set(t, in, &b->b_xattr, NULL);
	return err;
}
