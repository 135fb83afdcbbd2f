// SPDX-License-Identifier: GPL-2.0-only
/*
 * writeback.c - dirty folios on their way to the device, and what happens when they have arrived.
 *
 * Down: writeback asks for the mapping of a dirty range.  A promised run is allocated here, whole,
 * as one unwritten extent if the volume can give it.  Up: when the I/O has completed, a workqueue
 * turns unwritten into written and raises the size on disk, in one transaction a record.  Until
 * that commits, a crash shows a shorter file or zeros.
 *
 * Folios are locked on the way down, so nothing here waits for another folio.
 */
#include "simplefs.h"

#include <linux/list_sort.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/writeback.h>

/*
 * Allocates from the front of the promised run that holds @lblk, a dirty block; call again until
 * that is as far as @lblk.  A run may go on past the end of the file, as far as a write that is
 * under way means to: what it does not get to would be the file's for good.
 */
static int sfs_writeback_alloc(struct inode *inode, u64 lblk)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_extent ext;
	struct sfs_trans t;
	u64 run;
	u64 nblks;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_EXTENT, SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	if (sfs_delalloc_find(inode, lblk, &run, &nblks) && run <= lblk) {
		nblks = min(nblks, max_t(u64, sfs_end_lblk(i_size_read(inode), 0), lblk + 1) - run);
		err = sfs_extent_alloc(&t, &ii->ii_core, run, nblks, true,
				       SFS_ALLOC_CLAIMED | SFS_ALLOC_POOL, &ext);
		if (!err)
			sfs_delalloc_remove(inode, ext.e_lblk, ext.e_nblks, false);
	}
	return sfs_inode_change_end(&t, inode, err);
}

/*
 * Where the dirty byte at @pos is to be written.  An answer covers more than one folio, and only
 * the one that is locked now keeps others from unmapping its blocks: sfs_writeback_covers() is
 * asked before each use.
 */
static int sfs_map_writeback(struct inode *inode, loff_t pos, struct iomap *iomap)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 lblk = pos >> SFS_BLOCK_BITS;
	struct sfs_extent ext;
	unsigned int tries = 0;
	u64 run;
	u64 nblks;
	bool promised;
	int err;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
again:
	down_read(&ii->ii_tree_lock);
	err = sfs_extent_find(&ii->ii_core, lblk, &ext);
	promised = !err && !ext.e_blk && sfs_delalloc_find(inode, lblk, &run, &nblks) &&
		   run <= lblk;
	/* Promises change no file: of a hole, only this block is known to be none. */
	if (!err && !ext.e_blk)
		ext.e_nblks = 1;
	if (!err && !promised)
		sfs_iomap_from_extent(inode, iomap, &ext);
	up_read(&ii->ii_tree_lock);
	if (err || !promised)
		return err;
	err = sfs_writeback_alloc(inode, lblk);
	if (!err || sfs_retry_pending(inode->i_sb, &err, &tries))
		goto again;
	return err;
}

/* Is the last answer one for @pos, and still true?  The folio there is locked. */
static bool sfs_writeback_covers(struct inode *inode, const struct iomap *iomap, loff_t pos)
{
	return pos >= iomap->offset && pos - iomap->offset < iomap->length &&
	       sfs_iomap_is_valid(inode, iomap);
}

static int sfs_writeback_map(struct inode *inode, loff_t pos, struct iomap *iomap)
{
	return sfs_writeback_covers(inode, iomap, pos) ? 0 : sfs_map_writeback(inode, pos, iomap);
}

/* A folio that cannot be written: what was promised for it goes back, its data is lost (EIO). */
static void sfs_discard_range(struct inode *inode, loff_t pos, loff_t nbytes)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 lblk = pos >> SFS_BLOCK_BITS;
	u64 end = sfs_end_lblk(pos, nbytes);

	down_write(&ii->ii_tree_lock);
	sfs_delalloc_remove(inode, lblk, end - lblk, true);
	/* A writer that has seen the promise, but not yet its folio, must ask again. */
	atomic64_inc(&ii->ii_seq);
	up_write(&ii->ii_tree_lock);
}

/*
 * Marks one stretch of [lblk, end) written and raises the size on disk to its end, to @size at
 * most: no written block is left outside the file when the next one fails.  After a @direct write
 * the file has its size from here, too: who then reads behind the old end finds data.
 */
static int sfs_convert_step(struct inode *inode, u64 lblk, u64 end, u64 size, bool direct,
			    u64 *ret_done)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_trans t;
	u64 changed;
	int err;

	err = sfs_inode_change_begin(inode, 3 * SFS_CREDITS_TREE + SFS_CREDITS_INODE,
				     3 * SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	err = sfs_extent_convert(&t, &ii->ii_core, lblk, end - lblk, false, ret_done, &changed);
	if (!err) {
		sfs_unwritten_arrived(inode, changed, direct);
		size = min(size, *ret_done << SFS_BLOCK_BITS);
		if (direct && size > i_size_read(inode))
			i_size_write(inode, size);
		size = min_t(u64, size, i_size_read(inode));
		if (size > ii->ii_core.i_size)
			ii->ii_core.i_size = size;
	}
	sfs_inode_note_tid(&t, inode, true);
	return sfs_inode_change_end(&t, inode, err);
}

int sfs_convert_written(struct inode *inode, loff_t pos, loff_t nbytes, bool direct)
{
	u64 lblk = pos >> SFS_BLOCK_BITS;
	u64 end = sfs_end_lblk(pos, nbytes);
	unsigned int nofs = memalloc_nofs_save();
	unsigned int tries = 0;
	int err = 0;

	while ((!err && lblk < end) || sfs_retry_pending(inode->i_sb, &err, &tries))
		err = sfs_convert_step(inode, lblk, end, pos + nbytes, direct, &lblk);
	memalloc_nofs_restore(nofs);
	return err;
}

static void sfs_finish_ioend(struct iomap_ioend *ioend)
{
	struct inode *inode = ioend->io_inode;
	int err = blk_status_to_errno(sfs_ioend_bio(ioend)->bi_status);

	if (!err && sfs_is_shutdown(inode->i_sb))
		err = -EIO;
	if (!err)
		err = sfs_convert_written(inode, ioend->io_offset, ioend->io_size, false);
	iomap_finish_ioends(ioend, err);
}

void sfs_ioend_work(struct work_struct *work)
{
	struct sfs_inode_info *ii = container_of(work, struct sfs_inode_info, ii_ioend_work);
	struct iomap_ioend *ioend;
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&ii->ii_ioend_lock, flags);
	list_replace_init(&ii->ii_ioends, &done);
	spin_unlock_irqrestore(&ii->ii_ioend_lock, flags);

	iomap_sort_ioends(&done);
	while ((ioend = list_first_entry_or_null(&done, struct iomap_ioend, io_list))) {
		list_del_init(&ioend->io_list);
		iomap_ioend_try_merge(ioend, &done);
		sfs_finish_ioend(ioend);
		cond_resched();
	}
}

/* In interrupt context: the work needs transactions, so hand it over. */
static void sfs_ioend_done(struct bio *bio)
{
	struct iomap_ioend *ioend = sfs_ioend_from_bio(bio);
	struct sfs_inode_info *ii = SFS_I(ioend->io_inode);
	unsigned long flags;

	spin_lock_irqsave(&ii->ii_ioend_lock, flags);
	if (list_empty(&ii->ii_ioends))
		queue_work(SFS_SB(ioend->io_inode->i_sb)->si_ioend_wq, &ii->ii_ioend_work);
	list_add_tail(&ioend->io_list, &ii->ii_ioends);
	spin_unlock_irqrestore(&ii->ii_ioend_lock, flags);
}

/*
 * Only I/O that changes the map or the size on disk needs our completion.  It ends where the file
 * does now, as the newer kernels say themselves: somebody who appends to its last block meanwhile
 * must not find the size on disk past what was written.
 */
static void sfs_prepare_ioend(struct iomap_ioend *ioend)
{
	u64 size = READ_ONCE(SFS_I(ioend->io_inode)->ii_core.i_size);
	loff_t end = i_size_read(ioend->io_inode);

	if (end > ioend->io_offset && end - ioend->io_offset < ioend->io_size)
		ioend->io_size = end - ioend->io_offset;

	if (sfs_ioend_is_unwritten(ioend) || ioend->io_offset + ioend->io_size > size)
		sfs_ioend_set_end_io(ioend, sfs_ioend_done);
}

SFS_DEFINE_WRITEPAGES(sfs_writepages, sfs_writeback_map, sfs_prepare_ioend, sfs_discard_range)

static int sfs_read_folio(struct file *file, struct folio *folio)
{
	return sfs_iomap_read_folio(folio, &sfs_read_iomap_ops);
}

/*
 * The folios are in the cache, and nobody can lock them before they have been read: who holds an
 * answer in which the large ones were counted asks again.
 */
static void sfs_readahead(struct readahead_control *rac)
{
	if (SFS_FOLIO_GOES_WHOLE)
		atomic64_inc(&SFS_I(rac->mapping->host)->ii_seq);
	sfs_iomap_readahead(rac, &sfs_read_iomap_ops);
}

static sector_t sfs_bmap(struct address_space *mapping, sector_t block)
{
	return iomap_bmap(mapping, block, &sfs_read_iomap_ops);
}

static int sfs_swap_activate(struct swap_info_struct *sis, struct file *file, sector_t *span)
{
	return iomap_swapfile_activate(sis, file, span, &sfs_read_iomap_ops);
}

const struct address_space_operations sfs_aops = {
	.read_folio = sfs_read_folio,
	.readahead = sfs_readahead,
	.writepages = sfs_writepages,
	.dirty_folio = SFS_DIRTY_FOLIO,
	.release_folio = iomap_release_folio,
	.invalidate_folio = iomap_invalidate_folio,
	.is_partially_uptodate = iomap_is_partially_uptodate,
	.migrate_folio = filemap_migrate_folio,
	SFS_ERROR_REMOVE_FOLIO
	.direct_IO = noop_direct_IO,
	.bmap = sfs_bmap,
	.swap_activate = sfs_swap_activate,
};
