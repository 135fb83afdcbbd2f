// SPDX-License-Identifier: GPL-2.0-only
/*
 * shift.c - a range is taken out of a file, or room is made in it, and what is behind moves along.
 *
 * What is cached behind the seam is written and dropped first, so that all of the file there is in
 * its map; core/shift.c then moves the records, whatever they are: written, unwritten, and what was
 * preallocated past the end, which is past the new end afterwards.  The map of most files changes
 * in one transaction.  That of a file with thousands of records takes more, and a crash, or an
 * error of the disk, between two of them leaves each block at its old place or at its new one, with
 * a hole of the range's length in between.  Room that is made shows in the size with the first of
 * them, what is taken out with the last.
 *
 * The inode and invalidate locks are held over all of it: nobody reads, writes or maps the file's
 * blocks from the seam on while they move.
 */
#include "simplefs.h"

#include <linux/mm.h>
#include <linux/pagemap.h>

/* Nodes that one transaction moves, where the journal can hold so much. */
#define SFS_SHIFT_NODES		128

int sfs_shift_allowed(struct inode *inode, loff_t pos, loff_t nbytes, bool right)
{
	loff_t size = i_size_read(inode);

	if ((pos | nbytes) & (SFS_BLOCK_SIZE - 1))
		return -EINVAL;
	if (!right)
		return pos + nbytes >= size ? -EINVAL : 0;
	if (pos >= size)
		return -EINVAL;
	if (nbytes > inode->i_sb->s_maxbytes - size)
		return -EFBIG;
	return inode_newsize_ok(inode, size + nbytes);
}

/*
 * Nothing from @pos on is cached, dirty or promised after this.  Folios go whole, also one that
 * lies across @pos.  -EBUSY: one is dirty again, by who has pinned it for I/O.
 */
static int sfs_shift_uncache(struct inode *inode, loff_t pos)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 lblk = pos >> SFS_BLOCK_BITS;
	loff_t from = round_down(pos, PAGE_SIZE);
	int err;

	/* With the block before: no completion joins what is parted at the seam. */
	err = filemap_write_and_wait_range(inode->i_mapping,
					   round_down(max_t(loff_t, pos - 1, 0), PAGE_SIZE),
					   LLONG_MAX);
	if (!err)
		err = invalidate_inode_pages2_range(inode->i_mapping, from >> PAGE_SHIFT, -1);
	if (err)
		return err;
	down_write(&ii->ii_tree_lock);
	sfs_delalloc_remove(inode, lblk, SFS_LBLK_MAX + 1 - lblk, true);
	up_write(&ii->ii_tree_lock);
	sfs_unwritten_recount(inode);
	return 0;
}

/*
 * What a failed cut or append has left past the end must not show where it may be inside the file
 * for a while.
 */
static int sfs_shift_hide(struct inode *inode)
{
	int err = sfs_has_past_eof(inode);

	if (err <= 0)
		return err;
	return sfs_unwrite_range(inode, sfs_end_lblk(i_size_read(inode), 0), SFS_LBLK_MAX + 1);
}

/* Extents that are looked at while completions wait. */
#define SFS_SHIFT_CHECKED	4096

static int sfs_shift_check_locked(struct inode *inode, struct sfs_shift *s)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	int done = 0;

	while (!done) {
		down_read(&ii->ii_tree_lock);
		done = sfs_shift_check(&ii->ii_core, s, SFS_SHIFT_CHECKED);
		up_read(&ii->ii_tree_lock);
		if (!done && fatal_signal_pending(current))
			done = -EINTR;
		cond_resched();
	}
	return min(done, 0);
}

/* One transaction.  1: it was the last. */
static int sfs_shift_once(struct inode *inode, struct sfs_shift *s, unsigned int nnodes)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	struct sfs_trans t;
	int done = 0;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_SHIFT(nnodes) + SFS_CREDITS_INODE,
				     SFS_REVOKES_SHIFT(nnodes), &t);
	if (err)
		return err;
	/* The seam is a record more: what is promised before it may want more nodes then. */
	if (!s->s_begun)
		err = sfs_promise_widen(inode);
	if (!err)
		done = sfs_shift_step(&t, in, s, nnodes);
	if (s->s_right ? s->s_begun : done > 0)
		i_size_write(inode, s->s_size);
	sfs_promise_fit(inode);
	sfs_inode_note_tid(&t, inode, true);
	err = sfs_inode_change_end(&t, inode, err ? err : min(done, 0));
	return err ? err : done;
}

static unsigned int sfs_shift_nodes(struct super_block *sb)
{
	unsigned int nnodes = SFS_SHIFT_NODES;

	while (nnodes > SFS_REKEY_NODES_MIN &&
	       !sfs_journal_can_hold(sb, SFS_CREDITS_SHIFT(nnodes) + SFS_CREDITS_INODE))
		nnodes /= 2;
	return nnodes;
}

int sfs_shift_range(struct inode *inode, loff_t pos, loff_t nbytes, bool right)
{
	unsigned int nnodes = sfs_shift_nodes(inode->i_sb);
	unsigned int tries = 0;
	struct sfs_shift s;
	int done = 0;
	int err;

	err = sfs_shift_uncache(inode, pos);
	if (!err)
		err = sfs_shift_hide(inode);
	if (err)
		return err;
	sfs_shift_init(&s, pos >> SFS_BLOCK_BITS, nbytes >> SFS_BLOCK_BITS, i_size_read(inode),
		       right);
	err = sfs_shift_check_locked(inode, &s);
	while (!err && !done) {
		done = sfs_shift_once(inode, &s, nnodes);
		err = min(done, 0);
		if (sfs_retry_alone(inode, &err, &tries))
			done = 0;
		cond_resched();
	}
	return err;
}
