// SPDX-License-Identifier: GPL-2.0-only
/*
 * fallocate.c - reserving, punching and zeroing parts of a file on request.
 *
 * Preallocation maps holes as unwritten extents, one transaction each.  A punched hole frees whole
 * blocks and zeroes the edges.  Both run under the inode lock and, where blocks go, under the
 * mapping's invalidate lock with the page cache cut first.
 */
#include "simplefs.h"

#include <linux/falloc.h>
#include <linux/pagemap.h>

/* Maps the first hole in [@lblk, @end) or finds @lblk mapped; @ret_next is where to go on. */
static int sfs_prealloc_step(struct inode *inode, u64 lblk, u64 end, u64 *ret_next)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_extent ext;
	struct sfs_trans *t;
	u64 run;
	u64 nblks;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_EXTENT, SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	err = sfs_extent_find(in, lblk, &ext);
	if (!err && !ext.e_blk) {
		/* Promised blocks are allocated now, out of their promise. */
		nblks = min(end - lblk, ext.e_nblks);
		if (sfs_delalloc_find(inode, lblk, &run, &ext.e_nblks) && run < lblk + nblks) {
			if (run > lblk)
				nblks = run - lblk;
			else
				nblks = min(nblks, run + ext.e_nblks - lblk);
		} else {
			run = SFS_LBLK_MAX + 1;
		}
		err = sfs_extent_alloc(t, in, lblk, nblks, true,
				       run <= lblk ? SFS_ALLOC_CLAIMED | SFS_ALLOC_POOL : 0, &ext);
		if (!err && run <= lblk)
			sfs_delalloc_remove(inode, ext.e_lblk, ext.e_nblks, false);
	}
	if (!err)
		*ret_next = ext.e_lblk + ext.e_nblks;
	sfs_inode_note_tid(t, inode, true);
	return sfs_inode_change_end(t, inode, err);
}

static int sfs_prealloc(struct inode *inode, loff_t pos, loff_t nbytes)
{
	u64 lblk = pos >> SFS_BLOCK_BITS;
	u64 end = sfs_end_lblk(pos, nbytes);
	bool retried = false;
	int err = 0;

	while (!err && lblk < end) {
		if (signal_pending(current))
			return -EINTR;
		err = sfs_prealloc_step(inode, lblk, end, &lblk);
		if (err == -ENOSPC && !retried) {
			retried = true;
			err = sfs_journal_force(inode->i_sb);
		}
	}
	return err;
}

/* Frees the whole blocks of [@lblk, @end), whose folios are gone. */
static int sfs_free_range(struct inode *inode, u64 lblk, u64 end)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_trans *t;
	int done = 0;
	int err;

	down_write(&ii->ii_tree_lock);
	sfs_delalloc_remove(inode, lblk, end - lblk, true);
	up_write(&ii->ii_tree_lock);
	while (!done) {
		err = sfs_inode_change_begin(inode, 2 * SFS_CREDITS_TREE + SFS_CREDITS_PUNCH +
					     SFS_CREDITS_INODE, 2 * SFS_REVOKES_TREE, &t);
		if (err)
			return err;
		done = sfs_extent_punch(t, &ii->ii_core, lblk, end);
		sfs_inode_note_tid(t, inode, true);
		err = sfs_inode_change_end(t, inode, min(done, 0));
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* Makes [@pos, +@nbytes) read as zeros by freeing it.  Inode and invalidate locks held. */
static int sfs_punch(struct inode *inode, loff_t pos, loff_t nbytes)
{
	loff_t end = min(pos + nbytes, i_size_read(inode));
	u64 lblk = sfs_end_lblk(pos, 0);
	u64 end_lblk = end >> SFS_BLOCK_BITS;
	int err;

	if (end <= pos)
		return 0;
	if (end == i_size_read(inode))
		end_lblk = sfs_end_lblk(end, 0);
	err = filemap_write_and_wait_range(inode->i_mapping, pos, end - 1);
	if (err)
		return err;
	truncate_pagecache_range(inode, pos, end - 1);
	/* The edges, and only they: whole blocks in between are about to go. */
	if (lblk >= end_lblk)
		return sfs_zero_range(inode, pos, end - pos, &sfs_buffered_iomap_ops);
	if (pos & (SFS_BLOCK_SIZE - 1)) {
		err = sfs_zero_range(inode, pos, (loff_t)(lblk << SFS_BLOCK_BITS) - pos,
				     &sfs_buffered_iomap_ops);
		if (err)
			return err;
	}
	if ((u64)end > end_lblk << SFS_BLOCK_BITS) {
		err = sfs_zero_range(inode, end_lblk << SFS_BLOCK_BITS,
				     end - (loff_t)(end_lblk << SFS_BLOCK_BITS),
				     &sfs_buffered_iomap_ops);
		if (err)
			return err;
	}
	return sfs_free_range(inode, lblk, end_lblk);
}

long sfs_fallocate(struct file *file, int mode, loff_t pos, loff_t nbytes)
{
	struct inode *inode = file_inode(file);
	loff_t new_size = 0;
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;

	inode_lock(inode);
	inode_dio_wait(inode);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && pos + nbytes > i_size_read(inode)) {
		new_size = pos + nbytes;
		err = inode_newsize_ok(inode, new_size);
		if (err)
			goto unlock;
	}
	err = file_modified(file);
	if (err)
		goto unlock;
	filemap_invalidate_lock(inode->i_mapping);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		err = sfs_punch(inode, pos, nbytes);
	if (!err && !(mode & FALLOC_FL_PUNCH_HOLE))
		err = sfs_prealloc(inode, pos, nbytes);
	filemap_invalidate_unlock(inode->i_mapping);
	if (!err && new_size)
		err = sfs_setsize(inode, new_size);
	if (!err && (file->f_flags & O_SYNC || IS_SYNC(inode)))
		err = sfs_fsync(file, 0, LLONG_MAX, 0);
unlock:
	inode_unlock(inode);
	return err;
}
