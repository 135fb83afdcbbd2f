// SPDX-License-Identifier: GPL-2.0-only
/*
 * truncate.c - a file gets shorter, longer, or goes.
 *
 * Freeing many extents takes many transactions, and any of them may be the last before a crash.  So
 * the first one sets the size on disk and marks the inode as orphan, the last one unmarks it, and
 * mount finishes what it finds marked.  Extents go from the end backwards, so what remains is
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
 * One transaction's worth of freeing from @lblk on.  The first of them (@begin) sets the size.
 * Returns 1 when nothing is left and the inode is no orphan any more on this account.
 */
static int sfs_truncate_step(struct inode *inode, u64 size, bool begin)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_trans *t;
	int left = 0;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_TRUNCATE, 2 * SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	if (begin) {
		/* An unlinked file is an orphan already and stays one. */
		if (!(in->i_flags & SFS_INODE_ORPHAN))
			err = sfs_orphan_add(t, in);
		if (err)
			goto end_change;
		in->i_size = size;
	}
	left = sfs_extent_punch(t, in, sfs_size_nblks(size), SFS_LBLK_MAX + 1);
	if (left < 0)
		err = left;
	if (left == 1 && inode->i_nlink && (in->i_flags & SFS_INODE_ORPHAN))
		err = sfs_orphan_remove(t, in);
end_change:
	sfs_inode_note_tid(t, inode, true);
	err = sfs_inode_change_end(t, inode, err);
	return err ? err : left;
}

int sfs_truncate(struct inode *inode, u64 size)
{
	bool begin = true;
	int done = 0;

	while (!done) {
		done = sfs_truncate_step(inode, size, begin);
		begin = false;
		cond_resched();
	}
	if (done > 0)
		return 0;
	/* It may have begun: then it is an orphan, which the next mount finishes. */
	set_bit(SFS_SI_UNFINISHED, &SFS_SB(inode->i_sb)->si_flags);
	return done;
}

int sfs_free_extents(struct inode *inode)
{
	return sfs_truncate(inode, 0);
}

/* A file that only grows: the size on disk, nothing to free. */
static int sfs_extend(struct inode *inode, u64 size)
{
	struct sfs_trans *t;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_INODE, 0, &t);
	if (err)
		return err;
	SFS_I(inode)->ii_core.i_size = size;
	sfs_inode_note_tid(t, inode, true);
	return sfs_inode_change_end(t, inode, 0);
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

int sfs_setsize(struct inode *inode, loff_t size)
{
	loff_t old = i_size_read(inode);
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	loff_t edge = min(old, size);
	int err;

	inode_dio_wait(inode);
	/*
	 * Zeroing skips unwritten blocks, and a dirty folio over one would keep its tail: have the
	 * block at the edge written first.
	 */
	if (edge & (SFS_BLOCK_SIZE - 1)) {
		err = filemap_write_and_wait_range(inode->i_mapping, edge, edge);
		if (err)
			return err;
	}
	filemap_invalidate_lock(inode->i_mapping);
	if (size > old)
		err = sfs_zero_range(inode, old, size - old, &sfs_buffered_iomap_ops);
	else
		err = sfs_truncate_page(inode, size, &sfs_buffered_iomap_ops);
	if (err)
		goto unlock;
	/* The zeros must be on disk before the size that shows them. */
	err = filemap_write_and_wait_range(inode->i_mapping, min_t(loff_t, edge, in->i_size), edge);
	if (err)
		goto unlock;
	truncate_setsize(inode, size);
	if (size > old) {
		err = sfs_extend(inode, size);
	} else {
		sfs_drop_promises(inode, size);
		err = sfs_truncate(inode, size);
	}
unlock:
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}
