// SPDX-License-Identifier: GPL-2.0-only
/*
 * symlink.c - following symbolic links.
 *
 * The target is read from the inode's tree each time; most lie in the root node, in memory.
 */
#include "simplefs.h"

#include <linux/delayed_call.h>
#include <linux/slab.h>

#include "xattrs.h"

static const char *sfs_get_link(struct dentry *dentry, struct inode *inode,
				struct delayed_call *done)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	char *target;
	int err;

	/* A walk under RCU must not sleep: come again. */
	if (!dentry)
		return ERR_PTR(-ECHILD);
	target = kmalloc(SFS_SYMLINK_MAX + 1, GFP_KERNEL);
	if (!target)
		return ERR_PTR(-ENOMEM);
	down_read(&ii->ii_tree_lock);
	err = sfs_symlink_read(&ii->ii_core, target, SFS_SYMLINK_MAX + 1);
	up_read(&ii->ii_tree_lock);
	if (err) {
		kfree(target);
		return ERR_PTR(err);
	}
	set_delayed_call(done, kfree_link, target);
	return target;
}

const struct inode_operations sfs_symlink_iops = {
	.get_link = sfs_get_link,
	.setattr = sfs_setattr,
	.getattr = sfs_getattr,
	SFS_FILEATTR_IOPS
	SFS_XATTR_IOPS
};
