// SPDX-License-Identifier: GPL-2.0-only
/*
 * evict.c - an inode leaves memory, and an unlinked one the volume.
 *
 * Blocks go first, in as many transactions as they take, then what else is in the tree, then the
 * record with its slot.  Before,
 * the inode is an orphan; one whose end fails stays so, for the next mount.
 */
#include "simplefs.h"

#include "quota.h"

/* Attributes, and records of which this version knows no more than that they go with the inode. */
static int sfs_strip(struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_trans t;
	int done = 0;
	int err;

	if (sfs_tree_is_empty(in) || !sfs_fs_has_other_kinds(in->i_fs))
		return 0;
	err = sfs_inode_has_others(in);
	if (err <= 0)
		return err;
	while (!done) {
		err = sfs_inode_change_begin(inode, SFS_CREDITS_TREE + SFS_CREDITS_INODE,
					     SFS_REVOKES_TREE, &t);
		if (err)
			return err;
		done = sfs_inode_strip(&t, in);
		err = sfs_inode_change_end(&t, inode, min(done, 0));
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* The last of an unlinked inode: its symlink target and its slot. */
static int sfs_delete_record(struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_trans t;
	bool link = S_ISLNK(inode->i_mode);
	int err;
	int err2;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_IALLOC + SFS_CREDITS_INODE +
				     (link ? SFS_CREDITS_SYMLINK : 0),
				     SFS_REVOKES_IALLOC + (link ? 4 * SFS_REVOKES_TREE : 0), &t);
	if (err)
		return err;
	if (link)
		err = sfs_symlink_clear(&t, in);
	if (!err)
		err = sfs_inode_free(&t, in);	/* its orphan mark goes with it */
	if (!err) {
		sfs_quota_follow(inode);
		dquot_free_inode(inode);
	}
	/* When only the journal refused, the slot is gone all the same, and _end() with it. */
	if (in->i_buf)
		return sfs_inode_change_end(&t, inode, err);
	up_write(&SFS_I(inode)->ii_tree_lock);
	err2 = sfs_trans_end(&t);
	return err ? err : err2;
}

static void sfs_delete_inode(struct inode *inode)
{
	int err = sfs_quota_init(inode);	/* which takes the same itself */

	sb_start_intwrite(inode->i_sb);
	if (!err && S_ISREG(inode->i_mode)) {
		i_size_write(inode, 0);
		err = sfs_free_extents(inode);
	}
	if (!err)
		err = sfs_strip(inode);
	if (!err)
		err = sfs_delete_record(inode);
	sb_end_intwrite(inode->i_sb);
	if (!err)
		return;
	/* It is an orphan: the next mount tries again. */
	set_bit(SFS_SI_UNFINISHED, &SFS_SB(inode->i_sb)->si_flags);
	if (!sfs_is_shutdown(inode->i_sb))
		pr_warn_ratelimited("simplefs (%s): inode %llu stays an orphan: error %d\n",
				    inode->i_sb->s_id, (unsigned long long)inode->i_ino, err);
}

void sfs_evict_inode(struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);

	truncate_inode_pages_final(&inode->i_data);
	/* One that came to nothing may be put by who has a handle and tree locks. */
	if (!is_bad_inode(inode)) {
		flush_work(&ii->ii_ioend_work);
		down_write(&ii->ii_tree_lock);
		sfs_promises_forget(inode);
		up_write(&ii->ii_tree_lock);
	}
	if (!inode->i_nlink && !is_bad_inode(inode) && ii->ii_core.i_fs &&
	    !sb_rdonly(inode->i_sb) && !sfs_is_shutdown(inode->i_sb))
		sfs_delete_inode(inode);
	dquot_drop(inode);
	clear_inode(inode);
}
