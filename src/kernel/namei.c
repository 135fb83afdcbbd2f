// SPDX-License-Identifier: GPL-2.0-only
/*
 * namei.c - names come, go and move: each operation a short recipe in the core's verbs.
 *
 * The pattern: begin a transaction, take the inodes (sfs_change_inodes()), do first what can fail
 * (room for the name, an inode, an orphan mark), then what cannot, and let go.  When space is short
 * although frees are pending, sfs_retry() commits them and the recipe runs once more.  Steps that
 * several share are in recipe.c.
 */
#include "simplefs.h"

#include <linux/namei.h>

#include "namei.h"
#include "quota.h"
#include "xattrs.h"

#define SFS_CREDITS_NAME	(SFS_CREDITS_TREE + 2 * SFS_CREDITS_INODE + SFS_CREDITS_ORPHAN)

static struct dentry *sfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct sfs_inode_info *di = SFS_I(dir);
	struct inode *inode = NULL;
	u64 ino;
	u8 type;
	int err;

	if (dentry->d_name.len > SFS_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	down_read(&di->ii_tree_lock);
	err = sfs_dirent_find(&di->ii_core, dentry->d_name.name, dentry->d_name.len, &ino, &type);
	up_read(&di->ii_tree_lock);
	if (err && err != -ENOENT)
		return ERR_PTR(err);
	if (!err && sfs_inode_is_hidden(di->ii_core.i_fs, ino))
		return ERR_PTR(sfs_corrupt(di->ii_core.i_fs, 0, ino, "directory",
					   "name of a hidden inode"));
	if (!err) {
		inode = sfs_iget(dir->i_sb, ino, SFS_BY_NAME);
		/* A name for an inode that is not there is damage, not a missing file. */
		if (inode == ERR_PTR(-ESTALE))
			return ERR_PTR(sfs_corrupt(&SFS_SB(dir->i_sb)->si_fs, 0, ino, "directory",
						   "name of an inode that is not in use"));
		if (!IS_ERR(inode) && (!inode->i_nlink || sfs_mode_type(inode->i_mode) != type)) {
			iput(inode);
			return ERR_PTR(sfs_corrupt(&SFS_SB(dir->i_sb)->si_fs, 0, ino, "directory",
						   "name and inode do not fit together"));
		}
	}
	return d_splice_alias(inode, dentry);
}

/* ---- new ones ---- */

static int sfs_make_named(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry,
			  const struct sfs_make *make)
{
	struct inode *inode;
	int err;

	err = sfs_make(idmap, dir, dentry, make, &inode);
	if (!err)
		d_instantiate_new(dentry, inode);
	return err;
}

static int sfs_create(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry,
		      umode_t mode SFS_CREATE_EXCL)
{
	struct sfs_make make = { .mode = mode };

	return sfs_make_named(idmap, dir, dentry, &make);
}

static int sfs_mknod(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry, umode_t mode,
		     dev_t rdev)
{
	struct sfs_make make = { .mode = mode, .rdev = rdev };

	return sfs_make_named(idmap, dir, dentry, &make);
}

static SFS_MKDIR_T sfs_mkdir(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry,
			     umode_t mode)
{
	struct sfs_make make = { .mode = S_IFDIR | mode };

	return SFS_MKDIR_RESULT(sfs_make_named(idmap, dir, dentry, &make));
}

static int sfs_symlink(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry,
		       const char *target)
{
	struct sfs_make make = { .mode = S_IFLNK | 0777, .target = target };

	if (strlen(target) > SFS_SYMLINK_MAX)
		return -ENAMETOOLONG;
	return sfs_make_named(idmap, dir, dentry, &make);
}

static int sfs_tmpfile(SFS_IDMAP_T *idmap, struct inode *dir, struct file *file, umode_t mode)
{
	struct sfs_make make = { .mode = mode, .tmpfile = true };
	struct inode *inode;
	int err;

	err = sfs_make(idmap, dir, NULL, &make, &inode);
	if (!err) {
		/* d_tmpfile() counts the link down itself. */
		set_nlink(inode, 1);
		d_tmpfile(file, inode);
		unlock_new_inode(inode);
	}
	return finish_open_simple(file, err);
}

/* ---- links ---- */

static int sfs_link_in(struct sfs_trans *t, struct inode *dir, struct dentry *dentry,
		       struct inode *inode)
{
	int err;

	err = sfs_check_project(dir, inode);
	if (!err)
		err = sfs_name_room(t, dir, dentry);
	/* A tmpfile gets a name; one that is half cut stays marked, as with a name it would be. */
	if (!err && !inode->i_nlink && !sfs_is_half_cut(inode))
		err = sfs_orphan_remove(t, &SFS_I(inode)->ii_core);
	if (err)
		return err;
	err = sfs_must(dir, sfs_name_add(t, dir, dentry, inode->i_ino, inode->i_mode));
	if (err)
		return err;
	set_nlink(inode, inode->i_nlink + 1);
	sfs_dir_touch(dir);
	sfs_ctime_touch(inode);
	return 0;
}

static int sfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct inode *const inodes[SFS_CHANGE_MAX] = { dir, inode };
	struct sfs_trans t;
	unsigned int tries = 0;
	int err;

again:
	err = sfs_names_begin(inodes, SFS_CREDITS_NAME, SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	err = sfs_change_inodes(&t, inodes);
	if (!err) {
		err = sfs_link_in(&t, dir, dentry, inode);
		sfs_changed_inodes(&t, inodes);
	}
	err = sfs_name_end(&t, dir, inode, err);
	if (sfs_retry(dir, &err, &tries))
		goto again;
	if (!err) {
		ihold(inode);
		d_instantiate(dentry, inode);
	}
	return err;
}

static int sfs_unlink_in(struct sfs_trans *t, struct inode *dir, struct dentry *dentry,
			 struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	bool marked = in->i_flags & SFS_INODE_ORPHAN;
	int err;

	err = sfs_check_links(dir, inode);
	if (!err)
		err = sfs_orphan_if_last(t, inode);
	if (err)
		return err;
	err = sfs_name_remove(t, dir, dentry);
	if (err) {
		if (!marked)
			(void)sfs_must(dir, sfs_orphan_remove(t, in));
		return err;
	}
	sfs_dir_touch(dir);
	sfs_drop_link(dir, inode);
	return 0;
}

static int sfs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct inode *const inodes[SFS_CHANGE_MAX] = { dir, inode };
	struct sfs_trans t;
	int err;

	err = sfs_names_begin(inodes, SFS_CREDITS_NAME, SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	err = sfs_change_inodes(&t, inodes);
	if (!err) {
		err = sfs_unlink_in(&t, dir, dentry, inode);
		sfs_changed_inodes(&t, inodes);
	}
	return sfs_name_end(&t, dir, inode, err);
}

static int sfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (!sfs_dirent_dir_is_empty(&SFS_I(d_inode(dentry))->ii_core))
		return -ENOTEMPTY;
	return sfs_unlink(dir, dentry);
}

const struct inode_operations sfs_dir_iops = {
	.create = sfs_create,
	.lookup = sfs_lookup,
	.link = sfs_link,
	.unlink = sfs_unlink,
	.symlink = sfs_symlink,
	.mkdir = sfs_mkdir,
	.rmdir = sfs_rmdir,
	.mknod = sfs_mknod,
	.rename = sfs_rename,
	.tmpfile = sfs_tmpfile,
	.setattr = sfs_setattr,
	.getattr = sfs_getattr,
	SFS_FILEATTR_IOPS
	SFS_ACL_IOPS
};

const struct inode_operations sfs_special_iops = {
	.setattr = sfs_setattr,
	.getattr = sfs_getattr,
	SFS_FILEATTR_IOPS
	SFS_ACL_IOPS
};
