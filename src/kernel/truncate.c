// SPDX-License-Identifier: GPL-2.0-only
/*
 * truncate.c - a file gets shorter, longer, or goes.
 *
 * Freeing many extents takes many transactions, and any of them may be the last before a crash.  So
 * the first one only sets the size on disk and marks the inode as orphan, the last one unmarks it,
 * and mount finishes what it finds marked.  Extents go from the end backwards, so what remains is
 * always a file.
 */
#include "simplefs.h"

#include <linux/pagemap.h>

#define SFS_CREDITS_TRUNCATE	(2 * SFS_CREDITS_TREE + SFS_CREDITS_PUNCH + SFS_CREDITS_INODE + \
				 SFS_CREDITS_ORPHAN)

static u64 sfs_size_nblks(u64 size)
{
	return (size + SFS_BLOCK_SIZE - 1) >> SFS_BLOCK_BITS;
}

/*
 * The size, and the mark of an orphan until all behind it has been freed.  Both sizes change under
 * the tree lock: a completion would raise the one on disk by what it sees of the other.
 */
static int sfs_truncate_begin(struct inode *inode, u64 size)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_trans t;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_INODE + SFS_CREDITS_ORPHAN, 0, &t);
	if (err)
		return err;
	/* An unlinked file is an orphan already and stays one. */
	err = sfs_orphan_add(&t, in);
	if (!err) {
		in->i_size = size;
		i_size_write(inode, size);
	}
	sfs_inode_note_tid(&t, inode, true);
	return sfs_inode_change_end(&t, inode, err);
}

/*
 * One transaction's worth of freeing from @size on.  Returns 1 when nothing is left and the inode
 * is no orphan any more on this account.
 */
static int sfs_truncate_step(struct inode *inode, u64 size)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_trans t;
	int left;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_TRUNCATE, 2 * SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	left = sfs_extent_punch(&t, in, sfs_size_nblks(size), SFS_LBLK_MAX + 1);
	if (left < 0)
		err = left;
	if (left == 1 && inode->i_nlink && (in->i_flags & SFS_INODE_ORPHAN))
		err = sfs_orphan_remove(&t, in);
	sfs_inode_note_tid(&t, inode, true);
	err = sfs_inode_change_end(&t, inode, err);
	if (!err && left == 1)
		clear_bit(SFS_II_HALF_CUT, &SFS_I(inode)->ii_flags);
	return err ? err : left;
}

/* The rest, after sfs_truncate_begin() and when nothing is cached behind @size. */
static int sfs_truncate_finish(struct inode *inode, u64 size)
{
	int done = 0;

	while (!done) {
		done = sfs_truncate_step(inode, size);
		cond_resched();
	}
	if (done > 0)
		return 0;
	/* It is an orphan, which the next mount finishes; see sfs_zero_gap() for one that grows. */
	set_bit(SFS_II_HALF_CUT, &SFS_I(inode)->ii_flags);
	set_bit(SFS_SI_UNFINISHED, &SFS_SB(inode->i_sb)->si_flags);
	return done;
}

int sfs_truncate(struct inode *inode, u64 size)
{
	int err;

	err = sfs_truncate_begin(inode, size);
	return err ? err : sfs_truncate_finish(inode, size);
}

int sfs_truncate_orphan(struct inode *inode)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	int err = 0;

	/* Before the mount is done nobody has the file: nothing of it is cached. */
	if (!(inode->i_sb->s_flags & SB_ACTIVE))
		return sfs_truncate(inode, in->i_size);
	inode_lock(inode);
	if (READ_ONCE(in->i_flags) & SFS_INODE_ORPHAN)
		err = sfs_setsize(inode, i_size_read(inode));
	inode_unlock(inode);
	return err;
}

int sfs_free_extents(struct inode *inode)
{
	return sfs_truncate(inode, 0);
}

/* A file that only grows: the size on disk, nothing to free. */
static int sfs_extend(struct inode *inode, u64 size)
{
	struct sfs_trans t;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_INODE, 0, &t);
	if (err)
		return err;
	SFS_I(inode)->ii_core.i_size = size;
	sfs_inode_note_tid(&t, inode, true);
	return sfs_inode_change_end(&t, inode, 0);
}

/*
 * Before 6.10 iomap takes the end of what it zeroes for the end of the file, and a completion
 * meanwhile may have believed it.
 */
int sfs_zero(struct inode *inode, loff_t pos, loff_t nbytes)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	loff_t size = i_size_read(inode);
	bool raised;
	int err;
	int err2;

	err = sfs_zero_range(inode, pos, nbytes, &sfs_buffered_iomap_ops);
	if (i_size_read(inode) == size)
		return err;
	/* Completions read the one and store the other under the lock. */
	down_write(&ii->ii_tree_lock);
	i_size_write(inode, size);
	raised = ii->ii_core.i_size > size;
	up_write(&ii->ii_tree_lock);
	if (!raised)
		return err;
	err2 = sfs_extend(inode, size);
	return err ? err : err2;
}

/* Promises past the end go back; the folios they were for are gone. */
static void sfs_drop_promises(struct inode *inode, loff_t size)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 lblk = sfs_size_nblks(size);

	down_write(&ii->ii_tree_lock);
	sfs_delalloc_remove(inode, lblk, SFS_LBLK_MAX + 1 - lblk, true);
	up_write(&ii->ii_tree_lock);
}

/* Are there blocks past the end of the file, as preallocation leaves them?  Inode lock held. */
int sfs_has_past_eof(struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 lblk = sfs_size_nblks(i_size_read(inode));
	struct sfs_extent ext;
	int err;

	if (!inode->i_blocks || lblk > SFS_LBLK_MAX)
		return 0;
	down_read(&ii->ii_tree_lock);
	err = sfs_extent_next(&ii->ii_core, lblk, &ext);
	up_read(&ii->ii_tree_lock);
	return err == -ENOENT ? 0 : err ? err : 1;
}

int sfs_unwrite_range(struct inode *inode, u64 lblk, u64 end)
{
	struct sfs_trans t;
	unsigned int tries = 0;
	u64 changed;
	int err = 0;

	while (!err && lblk < end) {
		err = sfs_inode_change_begin(inode, 3 * SFS_CREDITS_TREE + SFS_CREDITS_INODE,
					     3 * SFS_REVOKES_TREE, &t);
		if (err)
			return err;
		/* One record becomes up to three. */
		err = sfs_promise_widen(inode);
		if (!err)
			err = sfs_extent_convert(&t, &SFS_I(inode)->ii_core, lblk, end - lblk, true,
						 &lblk, &changed);
		sfs_promise_fit(inode);
		sfs_inode_note_tid(&t, inode, true);
		err = sfs_inode_change_end(&t, inode, err);
		sfs_retry_alone(inode, &err, &tries);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/*
 * The block at @from is written first if it is not whole: zeroing skips unwritten blocks, and a
 * dirty folio over one would keep its tail.
 */
static int sfs_zero_from(struct inode *inode, loff_t from, loff_t end)
{
	int err = 0;

	if (from & (SFS_BLOCK_SIZE - 1))
		err = filemap_write_and_wait_range(inode->i_mapping, from, from);
	return err || from == end ? err : sfs_zero(inode, from, end - from);
}

/*
 * Blocks past the end may hold data where a cut or an append failed half-way.  Zeros in their
 * folios would not do: writeback drops what lies past the end, and the new size may be on the disk
 * before them.  So it is with what is written there: of a block that has been written already
 * nobody waits for the data before the size that shows it.
 */
int sfs_zero_gap(struct inode *inode, loff_t pos, loff_t end)
{
	loff_t old = i_size_read(inode);
	int err;

	err = sfs_has_past_eof(inode);
	if (err > 0) {
		truncate_pagecache(inode, old);
		err = sfs_unwrite_range(inode, sfs_size_nblks(old), sfs_size_nblks(end));
	}
	return err ? err : sfs_zero_from(inode, old, pos);
}

/*
 * What has to be on disk before the file may end at @edge there: what is cached between the two
 * ends, and the block that @edge is in.  Nothing else is waited for, least of all what is about to
 * go: a cut to 0 writes nothing.
 */
static int sfs_flush_edge(struct inode *inode, loff_t edge)
{
	loff_t from = min_t(loff_t, round_down(edge, SFS_BLOCK_SIZE),
			    READ_ONCE(SFS_I(inode)->ii_core.i_size));

	if (from == edge)
		return 0;
	return filemap_write_and_wait_range(inode->i_mapping, from, edge - 1);
}

static int sfs_setsize_down(struct inode *inode, loff_t size)
{
	loff_t old = i_size_read(inode);
	int err;

	/* First what may fail, then the page cache, of which there is no way back. */
	err = sfs_truncate_begin(inode, size);
	if (err)
		return err;
	truncate_pagecache(inode, size);
	if (!size && old)
		set_bit(SFS_II_REPLACED, &SFS_I(inode)->ii_flags);
	sfs_drop_promises(inode, size);
	return sfs_truncate_finish(inode, size);
}

/* The size in memory follows the size on disk; neither changes when this fails early. */
int sfs_setsize_locked(struct inode *inode, loff_t size)
{
	loff_t old = i_size_read(inode);
	loff_t edge = min(old, size);
	int err;

	if (size > old)
		err = sfs_zero_gap(inode, size, size);
	else
		err = sfs_zero_from(inode, size, round_up(size, SFS_BLOCK_SIZE));
	/* The zeros must be on disk before the size that shows them. */
	if (!err)
		err = sfs_flush_edge(inode, edge);
	if (err)
		return err;
	if (size <= old)
		return sfs_setsize_down(inode, size);
	err = sfs_extend(inode, size);
	if (!err)
		truncate_setsize(inode, size);
	return err;
}

int sfs_setsize(struct inode *inode, loff_t size)
{
	int err;

	inode_dio_wait(inode);
	/* No store through a mapping from here on: it would have to lock its folio under this. */
	filemap_invalidate_lock(inode->i_mapping);
	err = sfs_setsize_locked(inode, size);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}
