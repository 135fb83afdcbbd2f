// SPDX-License-Identifier: GPL-2.0-only
/*
 * recipe.c - what the recipes of namei.c and rename.c share: their end, a new inode, the last link.
 */
#include "simplefs.h"

#include <linux/posix_acl.h>

#include "namei.h"
#include "quota.h"
#include "xattrs.h"

#define SFS_CREDITS_MAKE	(2 * SFS_CREDITS_TREE + SFS_CREDITS_IALLOC + SFS_CREDITS_ORPHAN + \
				 2 * SFS_CREDITS_INODE)

int sfs_names_begin(struct inode *const inodes[SFS_CHANGE_MAX], unsigned int nblks,
		    unsigned int nrevokes, struct sfs_trans *t)
{
	struct super_block *sb = inodes[0]->i_sb;
	unsigned int i;
	int err = 0;

	for (i = 0; i < SFS_CHANGE_MAX && !err; i++)
		if (inodes[i])
			err = sfs_quota_init(inodes[i]);
	if (err)
		return err;
	return sfs_trans_begin(sb, nblks + sfs_quota_credits(sb, SFS_CHANGE_MAX), nrevokes, t);
}

int sfs_must(struct inode *inode, int err)
{
	if (err)
		sfs_shutdown(sfs_inode_fs(inode), err, "a directory operation failed half-way");
	return err;
}

int sfs_name_end(struct sfs_trans *t, struct inode *dir, struct inode *inode, int err)
{
	int err2;

	if (!err && (IS_DIRSYNC(dir) || (inode && IS_SYNC(inode))))
		sfs_trans_sync(t);
	err2 = sfs_trans_end(t);
	return err ? err : err2;
}

/* ---- making inodes ---- */

/*
 * Whose @inode is to be.  Once: accounts are charged by it, and without a name (O_TMPFILE) it is
 * made while the directory may become another's.
 */
static void sfs_make_owners(SFS_IDMAP_T *idmap, struct inode *dir, umode_t mode,
			    struct inode *inode)
{
	const struct sfs_inode *d = &SFS_I(dir)->ii_core;

	inode_init_owner(idmap, inode, dir, mode);
	down_read(&SFS_I(dir)->ii_tree_lock);
	SFS_I(inode)->ii_core.i_projid = d->i_flags & SFS_INODE_PROJINHERIT ? d->i_projid : 0;
	up_read(&SFS_I(dir)->ii_tree_lock);
}

/* In memory: the VFS inode for slot @ino, which has owners.  Nobody can find it yet. */
static void sfs_make_vfs(struct inode *dir, const struct sfs_make *make, u64 ino, u32 generation,
			 struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u32 projid = ii->ii_core.i_projid;
	struct timespec64 now;

	sfs_inode_init(&ii->ii_core, sfs_inode_fs(dir), ino, make->mode, 0);
	ii->ii_core.i_projid = projid;
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
			   const struct sfs_make *make, const struct sfs_born *born,
			   struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	int err = 0;

	sfs_flags_inherit(dir, inode);
	if (!make->tmpfile)
		err = sfs_name_room(t, dir, dentry);
	if (!err && make->target)
		err = sfs_symlink_write(t, in, make->target, strlen(make->target));
	if (!err)
		err = sfs_born_write(t, in, born);
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
	while (!sfs_tree_is_empty(in) && !err)
		err = sfs_inode_strip(t, in);
	if (S_ISLNK(inode->i_mode) && err >= 0)
		err = sfs_symlink_clear(t, in);
	if (err >= 0)
		err = sfs_inode_free(t, in);
	if (sfs_must(inode, err) && in->i_buf)	/* gone with a journal that died */
		sfs_inode_end(t, in);
	sfs_quota_follow(inode);
	up_write(&SFS_I(inode)->ii_tree_lock);
}

/*
 * @inode has a slot, and @dir, if @err is 0, is begun.  An error, also the caller's, gives the slot
 * back.
 */
static int sfs_make_filled(struct sfs_trans *t, struct inode *dir, struct dentry *dentry,
			   const struct sfs_make *make, const struct sfs_born *born,
			   struct inode *inode, int err)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	int err2;

	down_write_nested(&ii->ii_tree_lock, 1);
	err2 = sfs_inode_begin(t, &ii->ii_core);
	if (sfs_must(dir, err2)) {
		up_write(&ii->ii_tree_lock);
		return err2;
	}
	if (!err)
		err = dquot_alloc_inode(inode);
	if (!err) {
		err = sfs_make_record(t, dir, dentry, make, born, inode);
		if (err)
			dquot_free_inode(inode);
	}
	if (err) {
		sfs_unmake(t, inode);
		return err;
	}
	sfs_inode_changed(t, inode);
	/* That there is such a file at all is part of its data: fdatasync() brings it too. */
	sfs_inode_note_tid(t, inode, true);
	return 0;
}

/* Attributes take @nnodes new nodes: each is one block, and one of a map and a summary. */
static unsigned int sfs_make_credits(const struct sfs_make *make, unsigned int nnodes)
{
	return SFS_CREDITS_MAKE + (make->target ? SFS_CREDITS_SYMLINK : 0) + 3 * nnodes;
}

/*
 * Labels of @inode.  *@ret_again: there is no room, @nnodes, for what they and what is inherited
 * take; what is remembered now is enough the next time.
 */
static int sfs_make_labels(struct inode *dir, struct dentry *dentry, struct inode *inode,
			   const struct sfs_make *make, unsigned int nnodes,
			   struct sfs_born *born, bool *ret_again)
{
	struct sfs_sb_info *si = SFS_SB(dir->i_sb);
	unsigned int inherited = born->b_nodes;
	int err;

	err = sfs_born_label(born, inode, dir, dentry ? &dentry->d_name : NULL);
	if (err || born->b_nodes <= nnodes)
		return err;
	if (!sfs_journal_can_hold(dir->i_sb, sfs_make_credits(make, born->b_nodes)))
		return -ENOSPC;
	/* Whoever else writes it knew of less than he has room for: it rises. */
	WRITE_ONCE(si->si_label_nodes, born->b_nodes - inherited);
	*ret_again = true;
	return -EAGAIN;
}

/* In @t; @inode is new and empty. */
static int sfs_make_in(struct sfs_trans *t, struct inode *dir, struct dentry *dentry,
		       const struct sfs_make *make, struct sfs_born *born, unsigned int nnodes,
		       struct inode *inode, bool *ret_again)
{
	u32 generation;
	u64 ino;
	int err;
	int err2;

	err = sfs_inode_alloc(t, sfs_inode_fs(dir), dir->i_ino, S_ISDIR(make->mode), &ino,
			      &generation);
	if (err)
		return err;
	sfs_make_vfs(dir, make, ino, generation, inode);
	err = sfs_make_labels(dir, dentry, inode, make, nnodes, born, ret_again);
	err2 = sfs_inode_change(t, dir);
	err = sfs_make_filled(t, dir, dentry, make, born, inode, err ? err : err2);
	if (!err && !make->tmpfile) {
		sfs_dir_touch(dir);
		if (S_ISDIR(make->mode))
			inc_nlink(dir);
	}
	if (!err2)
		sfs_inode_changed(t, dir);
	return err;
}

/* One try.  @born has what is inherited, and gets labels besides. */
static int sfs_make_try(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry,
			const struct sfs_make *make, struct sfs_born *born,
			struct inode **ret_inode, bool *ret_again)
{
	unsigned int nnodes = born->b_nodes + READ_ONCE(SFS_SB(dir->i_sb)->si_label_nodes);
	unsigned int credits = sfs_make_credits(make, nnodes);
	struct inode *inode;
	struct sfs_trans t;
	int err;

	if (nnodes && !sfs_journal_can_hold(dir->i_sb, credits))
		return -ENOSPC;
	inode = new_inode(dir->i_sb);
	if (!inode)
		return -ENOMEM;
	sfs_make_owners(idmap, dir, make->mode, inode);
	err = sfs_quota_init(dir);
	if (!err)
		err = sfs_quota_init(inode);
	if (!err)
		err = sfs_trans_begin(dir->i_sb, credits + sfs_quota_credits(dir->i_sb, 2),
				      (make->target ? 5 : 2) * SFS_REVOKES_TREE + nnodes, &t);
	if (!err) {
		err = sfs_make_in(&t, dir, dentry, make, born, nnodes, inode, ret_again);
		err = sfs_name_end(&t, dir, NULL, err);
	}
	if (!err) {
		if (!born->b_first)
			cache_no_acl(inode);
		*ret_inode = inode;
		return 0;
	}
	/* Nothing of it is on disk: evict has nothing to delete, nor may it stay cached. */
	SFS_I(inode)->ii_core.i_fs = NULL;
	clear_nlink(inode);
	if (sfs_inode_is_new(inode))
		discard_new_inode(inode);
	else
		iput(inode);
	return err;
}

int sfs_make(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry,
	     const struct sfs_make *make, struct inode **ret_inode)
{
	unsigned int tries = 0;
	bool again;
	int err;

	/* The VFS asks before most, not before the whiteout of a rename: nobody is no owner. */
	if (!fsuidgid_has_mapping(dir->i_sb, idmap))
		return -EOVERFLOW;
	do {
		struct sfs_make own = *make;
		struct sfs_born born = { 0 };

		again = false;
		err = sfs_acls_inherit(dir, &own.mode, &born);
		if (!err)
			err = sfs_make_try(idmap, dir, dentry, &own, &born, ret_inode, &again);
		sfs_born_free(&born);
	} while (again || sfs_retry(dir, &err, &tries));
	return err;
}

/* ---- links ---- */

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
