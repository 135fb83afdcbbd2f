// SPDX-License-Identifier: GPL-2.0-only
/*
 * namei.c - names come, go and move: each operation a short recipe in the core's verbs.
 *
 * The pattern: begin a transaction, take the inodes (sfs_change_inodes()), do first what can fail
 * (room for the name, an inode, an orphan mark), then what cannot, and let go.  When space is short
 * although frees are pending, sfs_retry() commits them and the recipe runs once more.
 */
#include "simplefs.h"

#include <linux/namei.h>

#include "namei.h"

#define SFS_CREDITS_NAME	(SFS_CREDITS_TREE + 2 * SFS_CREDITS_INODE + SFS_CREDITS_ORPHAN)
#define SFS_CREDITS_MAKE	(2 * SFS_CREDITS_TREE + SFS_CREDITS_IALLOC + SFS_CREDITS_ORPHAN + \
				 2 * SFS_CREDITS_INODE)

/* A failure after the first change: the operation must not commit in half. */
int sfs_must(struct inode *inode, int err)
{
	if (err)
		sfs_shutdown(sfs_inode_fs(inode), err, "a directory operation failed half-way");
	return err;
}

int sfs_name_end(struct sfs_trans *t, struct inode *dir, int err)
{
	int err2;

	if (!err && (IS_DIRSYNC(dir)))
		sfs_trans_sync(t);
	err2 = sfs_trans_end(t);
	return err ? err : err2;
}

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
	if (!err) {
		inode = sfs_iget(dir->i_sb, ino, false);
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

/* ---- making inodes ---- */

/* In memory: the VFS inode for slot @ino.  Nobody can find it yet. */
static void sfs_make_vfs(SFS_IDMAP_T *idmap, struct inode *dir, const struct sfs_make *make,
			 u64 ino, u32 generation, struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct timespec64 now;

	sfs_inode_init(&ii->ii_core, sfs_inode_fs(dir), ino, make->mode, 0);
	inode_init_owner(idmap, inode, dir, make->mode);
	now = current_time(inode);
	inode_set_atime_to_ts(inode, now);
	inode_set_mtime_to_ts(inode, now);
	inode_set_ctime_to_ts(inode, now);
	ii->ii_core.i_btime = now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
	ii->ii_core.i_generation = generation;
	ii->ii_core.i_parent = S_ISDIR(make->mode) ? dir->i_ino : 0;
	inode->i_ino = ino;
	inode->i_generation = generation;
	inode->i_rdev = make->rdev;
	inode_set_iversion(inode, 1);
	set_nlink(inode, make->tmpfile ? 0 : S_ISDIR(make->mode) ? 2 : 1);
	sfs_set_inode_ops(inode);
}

/*
 * Hashed and locked as new: from here on the inode can be found.  What fails after this is only
 * damage; sfs_unmake() takes it out again before it frees the slot, as the slot's next user is to
 * be found under the same number.
 */
static int sfs_make_found(struct inode *inode)
{
	if (!insert_inode_locked(inode))
		return 0;
	return sfs_corrupt(sfs_inode_fs(inode), sfs_ino_blk(inode->i_ino), inode->i_ino, "inode",
			   "a free slot's inode is in use");
}

/* The record's content: nothing refers to the inode yet, and a failure is undone by the caller. */
static int sfs_make_record(struct sfs_trans *t, struct inode *dir, struct dentry *dentry,
			   const struct sfs_make *make, struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	int err = 0;

	if (make->target)
		err = sfs_symlink_write(t, in, make->target, strlen(make->target));
	if (!err && make->tmpfile)
		err = sfs_orphan_add(t, in);
	if (!err)
		err = sfs_make_found(inode);
	if (!err && !make->tmpfile)
		err = sfs_name_add(t, dir, dentry, in->i_ino, make->mode);
	return err;
}

/* Gives back a slot whose inode did not come to be.  The tree lock is dropped. */
static void sfs_unmake(struct sfs_trans *t, struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	int err = 0;

	if (sfs_inode_is_new(inode))
		remove_inode_hash(inode);
	if (S_ISLNK(inode->i_mode) && !sfs_tree_is_empty(in))
		err = sfs_symlink_clear(t, in);
	if (!err)
		err = sfs_inode_free(t, in);
	if (sfs_must(inode, err))
		sfs_inode_end(t, in);
	up_write(&SFS_I(inode)->ii_tree_lock);
}

/* One try, in @t; @dir is begun by the caller and @inode is new and empty. */
static int sfs_make_in(struct sfs_trans *t, SFS_IDMAP_T *idmap, struct inode *dir,
		       struct dentry *dentry, const struct sfs_make *make, struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u32 generation;
	u64 ino;
	int err;

	if (!make->tmpfile) {
		err = sfs_name_room(t, dir, dentry);
		if (err)
			return err;
	}
	err = sfs_inode_alloc(t, sfs_inode_fs(dir), dir->i_ino, S_ISDIR(make->mode), &ino,
			      &generation);
	if (err)
		return err;
	sfs_make_vfs(idmap, dir, make, ino, generation, inode);
	down_write_nested(&ii->ii_tree_lock, 1);
	err = sfs_inode_begin(t, &ii->ii_core);
	if (sfs_must(dir, err)) {
		up_write(&ii->ii_tree_lock);
		return err;
	}
	err = sfs_make_record(t, dir, dentry, make, inode);
	if (err) {
		sfs_unmake(t, inode);
		return err;
	}
	sfs_inode_changed(t, inode);
	/* That there is such a file at all is part of its data: fdatasync() brings it too. */
	sfs_inode_note_tid(t, inode, true);
	return 0;
}

/*
 * A new inode with (or, a tmpfile, without) a name.  On success @ret_inode is still locked as new.
 */
int sfs_make(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry,
	     const struct sfs_make *make, struct inode **ret_inode)
{
	struct inode *inode;
	struct sfs_trans t;
	unsigned int tries = 0;
	int err;

again:
	inode = new_inode(dir->i_sb);
	if (!inode)
		return -ENOMEM;
	err = sfs_trans_begin(dir->i_sb, SFS_CREDITS_MAKE +
			      (make->target ? SFS_CREDITS_SYMLINK : 0), (make->target ? 5 : 2) *
			      SFS_REVOKES_TREE, &t);
	if (err)
		goto drop_inode;
	err = sfs_inode_change(&t, dir);
	if (!err) {
		err = sfs_make_in(&t, idmap, dir, dentry, make, inode);
		if (!err && !make->tmpfile) {
			sfs_dir_touch(dir);
			if (S_ISDIR(make->mode))
				inc_nlink(dir);
		}
		sfs_inode_changed(&t, dir);
	}
	err = sfs_name_end(&t, dir, err);
	if (!err) {
		*ret_inode = inode;
		return 0;
	}
drop_inode:
	/* Nothing of it is on disk: evict has nothing to delete, nor may it stay cached. */
	SFS_I(inode)->ii_core.i_fs = NULL;
	clear_nlink(inode);
	if (sfs_inode_is_new(inode))
		discard_new_inode(inode);
	else
		iput(inode);
	if (sfs_retry(dir->i_sb, &err, &tries))
		goto again;
	return err;
}

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

	err = sfs_name_room(t, dir, dentry);
	if (!err && !inode->i_nlink)
		err = sfs_orphan_remove(t, &SFS_I(inode)->ii_core);	/* a tmpfile gets a name */
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
	err = sfs_trans_begin(dir->i_sb, SFS_CREDITS_NAME, SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	err = sfs_change_inodes(&t, inodes);
	if (!err) {
		err = sfs_link_in(&t, dir, dentry, inode);
		sfs_changed_inodes(&t, inodes);
	}
	err = sfs_name_end(&t, dir, err);
	if (sfs_retry(dir->i_sb, &err, &tries))
		goto again;
	if (!err) {
		ihold(inode);
		d_instantiate(dentry, inode);
	}
	return err;
}

/* The last link is about to go: an orphan from here on, until evict. */
int sfs_orphan_if_last(struct sfs_trans *t, struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;

	if (!S_ISDIR(inode->i_mode) && inode->i_nlink > 1)
		return 0;
	if (in->i_flags & SFS_INODE_ORPHAN)
		return 0;	/* in the middle of a truncation */
	return sfs_orphan_add(t, in);
}

static int sfs_links_corrupt(struct inode *inode)
{
	return sfs_corrupt(sfs_inode_fs(inode), sfs_ino_blk(inode->i_ino), inode->i_ino, "inode",
			   "fewer links than names");
}

int sfs_check_parent_links(struct inode *dir, struct inode *inode)
{
	return S_ISDIR(inode->i_mode) && dir->i_nlink < 3 ? sfs_links_corrupt(dir) : 0;
}

int sfs_check_links(struct inode *dir, struct inode *inode)
{
	if (inode->i_nlink < (S_ISDIR(inode->i_mode) ? 2 : 1))
		return sfs_links_corrupt(inode);
	return sfs_check_parent_links(dir, inode);
}

void sfs_drop_link(struct inode *dir, struct inode *inode)
{
	if (S_ISDIR(inode->i_mode)) {
		clear_nlink(inode);
		drop_nlink(dir);
	} else {
		drop_nlink(inode);
	}
	sfs_ctime_touch(inode);
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

	err = sfs_trans_begin(dir->i_sb, SFS_CREDITS_NAME, SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	err = sfs_change_inodes(&t, inodes);
	if (!err) {
		err = sfs_unlink_in(&t, dir, dentry, inode);
		sfs_changed_inodes(&t, inodes);
	}
	return sfs_name_end(&t, dir, err);
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
};

const struct inode_operations sfs_special_iops = {
	.setattr = sfs_setattr,
	.getattr = sfs_getattr,
};
