// SPDX-License-Identifier: GPL-2.0-only
/*
 * rename.c - moving a name, over another or in exchange for it.
 *
 * One transaction takes both directories, what moves and what is replaced.  Room for both names and
 * the orphan mark come first; from the first name on nothing may fail.  A whiteout is made before,
 * as an orphan, and gets its link in the same transaction that puts it in its place.
 */
#include "simplefs.h"

#include "namei.h"

#define SFS_CREDITS_RENAME	(3 * SFS_CREDITS_TREE + SFS_CREDITS_IALLOC + SFS_CREDITS_ORPHAN + \
				 5 * SFS_CREDITS_INODE)


struct sfs_rename {
	struct inode *old_dir;
	struct dentry *old;
	struct inode *new_dir;
	struct dentry *new;
	struct inode *inode;		/* what moves */
	struct inode *target;		/* what is at the new name, or NULL */
	struct inode *whiteout;		/* begun and new, or NULL */
};

/* A directory that moves tells its new parent and leaves its old one. */
static void sfs_rename_parent(struct inode *inode, struct inode *from, struct inode *to)
{
	if (!S_ISDIR(inode->i_mode) || from == to)
		return;
	SFS_I(inode)->ii_core.i_parent = to->i_ino;
	drop_nlink(from);
	inc_nlink(to);
}

static int sfs_rename_exchange_in(struct sfs_trans *t, const struct sfs_rename *r)
{
	int err;

	err = sfs_check_parent_links(r->old_dir, r->inode);
	if (!err)
		err = sfs_check_parent_links(r->new_dir, r->target);
	if (!err)
		err = sfs_check_project(r->new_dir, r->inode);
	if (!err)
		err = sfs_check_project(r->old_dir, r->target);
	/* Same names, same records' lengths: both only change what they hold. */
	if (!err)
		err = sfs_name_room(t, r->old_dir, r->old);
	if (!err)
		err = sfs_name_room(t, r->new_dir, r->new);
	if (!err)
		err = sfs_name_set(t, r->old_dir, r->old, r->target->i_ino, r->target->i_mode);
	if (err)
		return err;
	err = sfs_must(r->new_dir,
		       sfs_name_set(t, r->new_dir, r->new, r->inode->i_ino, r->inode->i_mode));
	if (err)
		return err;
	sfs_rename_parent(r->inode, r->old_dir, r->new_dir);
	sfs_rename_parent(r->target, r->new_dir, r->old_dir);
	sfs_ctime_touch(r->target);
	return 0;
}

static int sfs_rename_plain_in(struct sfs_trans *t, const struct sfs_rename *r)
{
	int err;

	if (r->target && S_ISDIR(r->target->i_mode) &&
	    !sfs_dirent_dir_is_empty(&SFS_I(r->target)->ii_core))
		return -ENOTEMPTY;
	err = sfs_check_parent_links(r->old_dir, r->inode);
	if (!err && r->target)
		err = sfs_check_links(r->new_dir, r->target);
	if (!err)
		err = sfs_check_project(r->new_dir, r->inode);
	if (!err)
		err = sfs_name_room(t, r->new_dir, r->new);
	if (!err)
		err = sfs_name_room(t, r->old_dir, r->old);
	if (!err && r->target)
		err = sfs_orphan_if_last(t, r->target);
	if (err)
		return err;

	/* The new name first: a join after the old one's removal could eat the room. */
	if (r->target)
		err = sfs_name_set(t, r->new_dir, r->new, r->inode->i_ino, r->inode->i_mode);
	else
		err = sfs_name_add(t, r->new_dir, r->new, r->inode->i_ino, r->inode->i_mode);
	if (!err && r->whiteout)
		err = sfs_name_set(t, r->old_dir, r->old, r->whiteout->i_ino, r->whiteout->i_mode);
	else if (!err)
		err = sfs_name_remove(t, r->old_dir, r->old);
	if (sfs_must(r->new_dir, err))
		return err;
	if (r->target)
		sfs_drop_link(r->new_dir, r->target);
	sfs_rename_parent(r->inode, r->old_dir, r->new_dir);
	return 0;
}

static int sfs_rename_try(const struct sfs_rename *r, unsigned int flags)
{
	struct inode *const inodes[SFS_CHANGE_MAX] = {
		r->old_dir, r->new_dir, r->inode, r->target,
	};
	struct sfs_trans t;
	int err;

	err = sfs_names_begin(inodes, SFS_CREDITS_RENAME, 3 * SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	err = sfs_change_inodes(&t, inodes);
	if (err)
		goto end_trans;
	if (flags & RENAME_EXCHANGE)
		err = sfs_rename_exchange_in(&t, r);
	else
		err = sfs_rename_plain_in(&t, r);
	if (!err) {
		sfs_dir_touch(r->old_dir);
		sfs_dir_touch(r->new_dir);
		sfs_ctime_touch(r->inode);
	}
	sfs_changed_inodes(&t, inodes);
	if (!err && r->whiteout) {
		/* It was made as an orphan, so that a crash in between leaves nothing behind. */
		err = sfs_must(r->old_dir, sfs_inode_change(&t, r->whiteout));
		if (!err) {
			err = sfs_must(r->old_dir,
				       sfs_orphan_remove(&t, &SFS_I(r->whiteout)->ii_core));
			set_nlink(r->whiteout, 1);
			sfs_inode_changed(&t, r->whiteout);
		}
	}
end_trans:
	/* Two directories change, and what was at either name; each may want it on disk. */
	return sfs_name_end(&t, IS_DIRSYNC(r->old_dir) ? r->old_dir : r->new_dir,
			    r->target && IS_SYNC(r->target) ? r->target : r->inode, err);
}

/*
 * Data that nobody has synced is written before its file takes the place of another: after a crash
 * there is one of the two.  Only what the file's size on disk does not show yet is waited for, no
 * commit.  An error is for those who sync.
 */
static void sfs_rename_flush(const struct sfs_rename *r)
{
	struct sfs_inode_info *ii = SFS_I(r->inode);

	if (!r->target || !S_ISREG(r->inode->i_mode) || r->inode == r->target)
		return;
	if (!READ_ONCE(ii->ii_delalloc_nblks) &&
	    i_size_read(r->inode) <= READ_ONCE(ii->ii_core.i_size))
		return;
	filemap_flush(r->inode->i_mapping);
	filemap_fdatawait_keep_errors(r->inode->i_mapping);
}

int sfs_rename(SFS_IDMAP_T *idmap, struct inode *old_dir, struct dentry *old,
	       struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	struct sfs_rename r = {
		.old_dir = old_dir, .old = old, .new_dir = new_dir, .new = new,
		.inode = d_inode(old), .target = d_inode(new),
	};
	struct sfs_make whiteout = {
		.mode = S_IFCHR | WHITEOUT_MODE, .rdev = WHITEOUT_DEV, .tmpfile = true,
	};
	unsigned int tries = 0;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_WHITEOUT) {
		err = sfs_make(idmap, old_dir, NULL, &whiteout, &r.whiteout);
		if (err)
			return err;
	}
	if (!(flags & RENAME_EXCHANGE))
		sfs_rename_flush(&r);
	do {
		err = sfs_rename_try(&r, flags);
	} while (sfs_retry(old_dir, &err, &tries));
	if (r.whiteout) {
		unlock_new_inode(r.whiteout);
		iput(r.whiteout);
	}
	return err;
}
