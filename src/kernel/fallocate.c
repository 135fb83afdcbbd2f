// SPDX-License-Identifier: GPL-2.0-only
/*
 * fallocate.c - reserving, punching and zeroing parts of a file on request; shift.c moves them.
 *
 * Preallocation maps holes as unwritten extents, one transaction each; when it fails, what it has
 * taken goes back.  A punched hole frees whole blocks and zeroes the edges, a zeroed range marks
 * whole blocks as unwritten, where they lie, and preallocates its holes.  All run under the
 * inode lock and, where blocks go, under the mapping's invalidate lock with the page cache cut
 * first.
 */
#include "simplefs.h"

#include <linux/falloc.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "quota.h"

/* A run that was a hole before this call. */
struct sfs_prealloc {
	struct list_head p_list;
	u64 p_lblk;
	u64 p_end;
};

/* Blocks that nobody was charged for before: all that are asked for, or -EDQUOT. */
static int sfs_prealloc_take(struct sfs_trans *t, struct inode *inode, u64 lblk, u64 nblks,
			     struct sfs_extent *ext)
{
	u64 taken;
	int err;

	err = sfs_quota_reserve(inode, nblks);
	if (err)
		return err;
	err = sfs_extent_alloc(t, &SFS_I(inode)->ii_core, lblk, nblks, true, 0, ext);
	taken = err ? 0 : ext->e_nblks;
	sfs_quota_claim(inode, taken);
	sfs_quota_unreserve(inode, nblks - taken);
	return err;
}

/*
 * Maps the first hole in [@lblk, @end) or finds @lblk mapped; @ret_next is where to go on.  Sets
 * @ret_taken if it was a hole and nothing had been promised for it.
 */
static int sfs_prealloc_step(struct inode *inode, u64 lblk, u64 end, u64 *ret_next,
			     bool *ret_taken)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_extent ext;
	struct sfs_trans t;
	bool taken = false;
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
		taken = run > lblk;
		/* A record that nobody was promised: what was promised may want more nodes. */
		if (taken)
			err = sfs_promise_widen(inode);
		if (!err && taken)
			err = sfs_prealloc_take(&t, inode, lblk, nblks, &ext);
		else if (!err)
			err = sfs_extent_alloc(&t, in, lblk, nblks, true,
					       SFS_ALLOC_CLAIMED | SFS_ALLOC_POOL, &ext);
		if (!err && !taken)
			sfs_delalloc_remove(inode, ext.e_lblk, ext.e_nblks, false);
		sfs_promise_fit(inode);
	}
	if (!err) {
		*ret_next = ext.e_lblk + ext.e_nblks;
		*ret_taken = taken;
	}
	sfs_inode_note_tid(&t, inode, true);
	return sfs_inode_change_end(&t, inode, err);
}

int sfs_free_range(struct inode *inode, u64 lblk, u64 end)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_trans t;
	unsigned int tries = 0;
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
		/* A hole in the midst of an extent is a record more. */
		err = sfs_promise_widen(inode);
		if (!err)
			done = sfs_extent_punch(&t, &ii->ii_core, lblk, end);
		sfs_promise_fit(inode);
		sfs_inode_note_tid(&t, inode, true);
		err = sfs_inode_change_end(&t, inode, err ? err : min(done, 0));
		if (sfs_retry_alone(inode, &err, &tries))
			done = 0;
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static void sfs_prealloc_note(struct list_head *taken, u64 lblk, u64 end)
{
	struct sfs_prealloc *p;

	if (!list_empty(taken)) {
		p = list_last_entry(taken, struct sfs_prealloc, p_list);
		if (p->p_end == lblk) {
			p->p_end = end;
			return;
		}
	}
	/* Without this note the blocks could not go back: wait for memory. */
	p = kmalloc(sizeof(*p), GFP_KERNEL | __GFP_NOFAIL);
	p->p_lblk = lblk;
	p->p_end = end;
	list_add_tail(&p->p_list, taken);
}

/*
 * Gives back what has been @taken when the call fails.  Nobody can have written there: no hole is
 * promised or stored to under the inode and invalidate locks.
 */
static void sfs_prealloc_end(struct inode *inode, struct list_head *taken, int err)
{
	struct sfs_prealloc *p;
	struct sfs_prealloc *next;

	list_for_each_entry_safe(p, next, taken, p_list) {
		/* A second error changes nothing: the blocks are the file's, and fsck's. */
		if (err)
			sfs_free_range(inode, p->p_lblk, p->p_end);
		kfree(p);
	}
}

/*
 * May there be room for @nblks, some of which may be there?  What cannot be had at all is not taken
 * bit by bit, until nobody else has any.
 */
static bool sfs_prealloc_fits(struct inode *inode, u64 nblks)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_fs *fs = ii->ii_core.i_fs;

	return nblks <= READ_ONCE(ii->ii_core.i_blocks) + READ_ONCE(ii->ii_delalloc_nblks) +
			max_t(s64, 0, sfs_counter_read(&fs->f_avail)) +
			max_t(s64, 0, sfs_counter_read(&fs->f_nodes));
}

/* All of the range; after an error what is @taken is to go back.  Inode, invalidate locks held. */
static int sfs_prealloc_range(struct inode *inode, loff_t pos, loff_t nbytes,
			      struct list_head *taken)
{
	u64 lblk = pos >> SFS_BLOCK_BITS;
	u64 end = sfs_end_lblk(pos, nbytes);
	unsigned int tries = 0;
	bool hole = false;
	int err = 0;
	u64 next;

	if (!sfs_prealloc_fits(inode, end - lblk) &&
	    !(sfs_lost_look(SFS_I(inode)->ii_core.i_fs) && sfs_prealloc_fits(inode, end - lblk)))
		return -ENOSPC;
	/*
	 * Holes under a dirty folio would be written with it, and nobody has counted them; and what
	 * is on its way to blocks that go back when this fails would arrive in another's.  An error
	 * of that is for fsync to tell.
	 */
	filemap_fdatawrite_range(inode->i_mapping, pos, pos + nbytes - 1);
	filemap_fdatawait_range_keep_errors(inode->i_mapping, pos, pos + nbytes - 1);
	while (!err && lblk < end) {
		/* Who is told EINTR begins anew: under a timer it would not come to an end. */
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		err = sfs_prealloc_step(inode, lblk, end, &next, &hole);
		if (sfs_retry_alone(inode, &err, &tries))
			continue;
		if (err)
			break;
		if (hole)
			sfs_prealloc_note(taken, lblk, next);
		lblk = next;
	}
	return err;
}

/* And the file's size, if @new_size is one; what cannot get it keeps nothing. */
static int sfs_prealloc(struct inode *inode, loff_t pos, loff_t nbytes, loff_t new_size)
{
	LIST_HEAD(taken);
	int err;

	err = sfs_prealloc_range(inode, pos, nbytes, &taken);
	if (!err && new_size)
		err = sfs_setsize_locked(inode, new_size);
	sfs_prealloc_end(inode, &taken, err);
	return err;
}

/*
 * The part inside the file, up to @stop: out of the cache, and zeros at the edges, where blocks
 * outside [@lblk, @end_lblk) stay.
 */
static int sfs_punch_cached(struct inode *inode, loff_t pos, loff_t stop, u64 lblk, u64 end_lblk)
{
	loff_t head = lblk << SFS_BLOCK_BITS;
	loff_t tail = end_lblk << SFS_BLOCK_BITS;
	int err;

	err = filemap_write_and_wait_range(inode->i_mapping, pos, stop - 1);
	if (err)
		return err;
	truncate_pagecache_range(inode, pos, stop - 1);
	if (lblk >= end_lblk)
		return sfs_zero(inode, pos, stop - pos);
	if (pos < head)
		err = sfs_zero(inode, pos, head - pos);
	if (!err && stop > tail)
		err = sfs_zero(inode, tail, stop - tail);
	return err;
}

/*
 * Makes [@pos, @end) read as zeros, whole blocks by @blocks, which is told nothing that is cached.
 * What lies past the end of the file is no more than that.  Inode and invalidate locks held.
 */
static int sfs_clear(struct inode *inode, loff_t pos, loff_t end,
		     int (*blocks)(struct inode *inode, u64 lblk, u64 end))
{
	loff_t stop = min(end, i_size_read(inode));
	u64 lblk = sfs_end_lblk(pos, 0);
	u64 end_lblk = end >> SFS_BLOCK_BITS;
	int err;

	/* The block that the file ends in goes whole with its last byte. */
	if (end >= i_size_read(inode))
		end_lblk = max(end_lblk, sfs_end_lblk(i_size_read(inode), 0));
	if (pos < stop) {
		err = sfs_punch_cached(inode, pos, stop, lblk, end_lblk);
		if (err)
			return err;
	}
	return lblk < end_lblk ? blocks(inode, lblk, end_lblk) : 0;
}

long sfs_fallocate(struct file *file, int mode, loff_t pos, loff_t nbytes)
{
	struct inode *inode = file_inode(file);
	bool shift = mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE);
	loff_t new_size = 0;
	int err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |
		     FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE))
		return -EOPNOTSUPP;
	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;

	inode_lock(inode);
	/* The VFS has asked before, without the lock. */
	if (IS_IMMUTABLE(inode) || (IS_APPEND(inode) && (mode & ~FALLOC_FL_KEEP_SIZE))) {
		err = -EPERM;
		goto unlock;
	}
	if (IS_SWAPFILE(inode)) {
		err = -ETXTBSY;
		goto unlock;
	}
	inode_dio_wait(inode);
	if (shift) {
		err = sfs_shift_allowed(inode, pos, nbytes, mode & FALLOC_FL_INSERT_RANGE);
	} else if (!(mode & FALLOC_FL_KEEP_SIZE) && pos + nbytes > i_size_read(inode)) {
		new_size = pos + nbytes;
		err = inode_newsize_ok(inode, new_size);
	}
	if (err)
		goto unlock;
	err = file_modified(file);
	if (err)
		goto unlock;
	filemap_invalidate_lock(inode->i_mapping);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		err = sfs_clear(inode, pos, pos + nbytes, sfs_free_range);
	else if (mode & FALLOC_FL_ZERO_RANGE)
		err = sfs_clear(inode, pos, pos + nbytes, sfs_unwrite_range);
	else if (shift)
		err = sfs_shift_range(inode, pos, nbytes, mode & FALLOC_FL_INSERT_RANGE);
	if (!err && !shift && !(mode & FALLOC_FL_PUNCH_HOLE))
		err = sfs_prealloc(inode, pos, nbytes, new_size);
	filemap_invalidate_unlock(inode->i_mapping);
	if (!err && (file->f_flags & O_SYNC || IS_SYNC(inode)))
		err = sfs_fsync(file, 0, LLONG_MAX, 0);
unlock:
	inode_unlock(inode);
	return err;
}
