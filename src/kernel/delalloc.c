// SPDX-License-Identifier: GPL-2.0-only
/*
 * delalloc.c - what a file has been promised but not yet given: delayed allocation.
 *
 * A buffered write into a hole claims free blocks (a number, no addresses) and remembers the run
 * here; writeback turns a whole run into one extent.  Runs never overlap and never touch: adding a
 * neighbour joins them, so what a program wrote in small pieces is allocated in one.
 *
 * A run may end up as many extents, and a block of an unwritten extent makes three of one when it
 * has been written, by way of the page cache or past it, each block perhaps in a full leaf of its
 * own: the tree blocks of the worst case are claimed with the promise, and what was too much comes
 * back as the data arrives (i_nodes).  So writeback and completion never want for space.
 *
 * Everything here wants ii_tree_lock: shared to find, exclusive to change.
 */
#include "simplefs.h"

#include <linux/slab.h>

#include "quota.h"

static struct sfs_delalloc *sfs_delalloc_entry(struct rb_node *node)
{
	return rb_entry_safe(node, struct sfs_delalloc, d_node);
}

static u64 sfs_delalloc_end(const struct sfs_delalloc *d)
{
	return d->d_lblk + d->d_nblks;
}

/* The first run that ends after @lblk. */
static struct sfs_delalloc *sfs_delalloc_search(struct sfs_inode_info *ii, u64 lblk)
{
	struct rb_node *node = ii->ii_delalloc.rb_node;
	struct sfs_delalloc *best = NULL;

	while (node) {
		struct sfs_delalloc *d = sfs_delalloc_entry(node);

		if (sfs_delalloc_end(d) > lblk) {
			best = d;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

bool sfs_delalloc_find(struct inode *inode, u64 lblk, u64 *ret_lblk, u64 *ret_nblks)
{
	struct sfs_delalloc *d = sfs_delalloc_search(SFS_I(inode), lblk);

	if (!d)
		return false;
	*ret_lblk = d->d_lblk;
	*ret_nblks = d->d_nblks;
	return true;
}

static void sfs_delalloc_link(struct sfs_inode_info *ii, struct sfs_delalloc *new)
{
	struct rb_node **link = &ii->ii_delalloc.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (new->d_lblk < sfs_delalloc_entry(parent)->d_lblk)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&new->d_node, parent, link);
	rb_insert_color(&new->d_node, &ii->ii_delalloc);
	ii->ii_delalloc_nruns++;
}

static void sfs_delalloc_unlink(struct sfs_inode_info *ii, struct sfs_delalloc *d)
{
	ii->ii_delalloc_nruns--;
	rb_erase(&d->d_node, &ii->ii_delalloc);
	kfree(d);
}

/* Nodes that the tree may need until all that is promised or dirty has arrived. */
static u64 sfs_nodes_wanted(const struct sfs_inode_info *ii, u64 more_nblks, u64 more_dirty)
{
	/* Counted twice or not: no more can be unwritten than the file has. */
	u64 dirty = min(ii->ii_unwritten + ii->ii_direct + more_dirty, ii->ii_core.i_blocks);
	u64 nrecs = ii->ii_delalloc_nblks + more_nblks + 2 * dirty;

	/* Where the dirty blocks lie is not known. */
	return sfs_extent_nodes(&ii->ii_core, nrecs, ii->ii_delalloc_nruns + !!more_nblks + dirty);
}

/* Claims @nblks and what nodes are missing of @want, together or not at all. */
static int sfs_nodes_claim(struct sfs_inode *in, u64 nblks, u64 want, unsigned int flags)
{
	u64 more = want > in->i_nodes ? want - in->i_nodes : 0;
	int err;

	err = sfs_space_claim(in->i_fs, nblks + more, flags);
	if (err)
		return err;
	in->i_nodes += more;
	sfs_counter_add(&in->i_fs->f_nodes, more);
	return 0;
}

/* The same with the nodes that are wanted then. */
static int sfs_promise_claim(struct sfs_inode_info *ii, u64 nblks, u64 dirty, unsigned int flags)
{
	return sfs_nodes_claim(&ii->ii_core, nblks, sfs_nodes_wanted(ii, nblks, dirty), flags);
}

/* Less is promised: nodes that are not wanted any more go back. */
static void sfs_promise_settle(struct sfs_inode_info *ii)
{
	struct sfs_inode *in = &ii->ii_core;
	u64 want = sfs_nodes_wanted(ii, 0, 0);
	u64 less = in->i_nodes > want ? in->i_nodes - want : 0;

	if (!less)
		return;
	in->i_nodes -= less;
	sfs_counter_add(&in->i_fs->f_nodes, -(s64)less);
	sfs_space_unclaim(in->i_fs, less);
}

int sfs_promise_widen(struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_inode *in = &ii->ii_core;
	u64 dirty = min(ii->ii_unwritten + ii->ii_direct, in->i_blocks);
	u64 nrecs = ii->ii_delalloc_nblks + 2 * dirty;
	u64 want = sfs_extent_nodes_most(in, nrecs, ii->ii_delalloc_nruns + dirty);

	if (!nrecs || want <= in->i_nodes)
		return 0;
	return sfs_nodes_claim(in, 0, want, SFS_ALLOC_PROMISE);
}

void sfs_promise_fit(struct inode *inode)
{
	sfs_promise_settle(SFS_I(inode));
}

static u64 *sfs_unwritten_count(struct sfs_inode_info *ii, bool direct)
{
	return direct ? &ii->ii_direct : &ii->ii_unwritten;
}

int sfs_unwritten_reserve(struct inode *inode, u64 nblks, bool direct)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	int err;

	/* The blocks are the file's: for its nodes half of the last ones may go. */
	err = sfs_promise_claim(ii, 0, nblks, SFS_ALLOC_PROMISE);
	if (!err)
		*sfs_unwritten_count(ii, direct) += nblks;
	return err;
}

void sfs_unwritten_arrived(struct inode *inode, u64 nblks, bool direct)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 *count = sfs_unwritten_count(ii, direct);

	*count -= min(*count, nblks);
	sfs_promise_settle(ii);
}

/* The same of blocks that are to be the file's, for which somebody is charged. */
static int sfs_blocks_claim(struct sfs_inode_info *ii, u64 nblks)
{
	int err = sfs_quota_reserve(&ii->ii_vfs, nblks);

	if (err)
		return err;
	err = sfs_promise_claim(ii, nblks, 0, 0);
	if (err)
		sfs_quota_unreserve(&ii->ii_vfs, nblks);
	return err;
}

int sfs_direct_claim(struct inode *inode, u64 *nblks)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	int err;

	while ((err = sfs_blocks_claim(ii, *nblks)) && *nblks > 1 &&
	       (err == -ENOSPC || err == -EDQUOT))
		*nblks /= 2;
	if (!err)
		ii->ii_delalloc_nblks += *nblks;
	return err;
}

void sfs_direct_taken(struct inode *inode, u64 claimed, u64 taken)
{
	struct sfs_inode_info *ii = SFS_I(inode);

	ii->ii_delalloc_nblks -= claimed;
	ii->ii_direct += taken;
	sfs_space_unclaim(ii->ii_core.i_fs, claimed - taken);
	sfs_quota_claim(inode, taken);
	sfs_quota_unreserve(inode, claimed - taken);
	sfs_promise_settle(ii);
}

/* Direct I/O counts itself (i_dio_count) before it claims, and claims under ii_tree_lock. */
static void sfs_direct_forget(struct inode *inode, int own)
{
	if (atomic_read(&inode->i_dio_count) <= own)
		SFS_I(inode)->ii_direct = 0;
}

void sfs_direct_settle(struct inode *inode, int own)
{
	struct sfs_inode_info *ii = SFS_I(inode);

	/* Others on their way: the last one settles it. */
	if (!READ_ONCE(ii->ii_direct) || atomic_read(&inode->i_dio_count) > own)
		return;
	down_write(&ii->ii_tree_lock);
	sfs_direct_forget(inode, own);
	sfs_promise_settle(ii);
	up_write(&ii->ii_tree_lock);
}

void sfs_unwritten_at_most(struct inode *inode, u64 nblks)
{
	struct sfs_inode_info *ii = SFS_I(inode);

	ii->ii_unwritten = min(ii->ii_unwritten, nblks);
	sfs_direct_forget(inode, 0);
	sfs_promise_settle(ii);
}

void sfs_promises_forget(struct inode *inode)
{
	SFS_I(inode)->ii_unwritten = SFS_I(inode)->ii_direct = 0;
	sfs_delalloc_remove(inode, 0, SFS_LBLK_MAX + 1, true);
}

/* The caller has seen that [@lblk, +@nblks) is neither mapped nor promised. */
int sfs_delalloc_reserve(struct inode *inode, u64 lblk, u64 nblks)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_delalloc *next = sfs_delalloc_search(ii, lblk);
	struct sfs_delalloc *prev;
	int err;

	prev = sfs_delalloc_entry(next ? rb_prev(&next->d_node) : rb_last(&ii->ii_delalloc));
	err = sfs_blocks_claim(ii, nblks);
	if (err)
		return err;

	if (prev && sfs_delalloc_end(prev) == lblk) {
		prev->d_nblks += nblks;
		if (next && next->d_lblk == lblk + nblks) {
			prev->d_nblks += next->d_nblks;
			sfs_delalloc_unlink(ii, next);
		}
	} else if (next && next->d_lblk == lblk + nblks) {
		next->d_lblk = lblk;
		next->d_nblks += nblks;
	} else {
		struct sfs_delalloc *new = kmalloc(sizeof(*new), GFP_NOFS);

		if (!new) {
			sfs_space_unclaim(ii->ii_core.i_fs, nblks);
			sfs_quota_unreserve(inode, nblks);
			sfs_promise_settle(ii);
			return -ENOMEM;
		}
		new->d_lblk = lblk;
		new->d_nblks = nblks;
		sfs_delalloc_link(ii, new);
	}
	ii->ii_delalloc_nblks += nblks;
	return 0;
}

/* Takes [@lblk, @end) out of @d, which it overlaps; a hole in the middle makes two of one. */
static void sfs_delalloc_cut(struct sfs_inode_info *ii, struct sfs_delalloc *d, u64 lblk, u64 end)
{
	u64 d_end = sfs_delalloc_end(d);
	struct sfs_delalloc *tail;

	if (lblk <= d->d_lblk && end >= d_end) {
		sfs_delalloc_unlink(ii, d);
	} else if (lblk <= d->d_lblk) {
		d->d_lblk = end;
		d->d_nblks = d_end - end;
	} else if (end >= d_end) {
		d->d_nblks = lblk - d->d_lblk;
	} else {
		/* The promise must not be lost, and there is no one to tell: wait for memory. */
		tail = kmalloc(sizeof(*tail), GFP_NOFS | __GFP_NOFAIL);
		tail->d_lblk = end;
		tail->d_nblks = d_end - end;
		d->d_nblks = lblk - d->d_lblk;
		sfs_delalloc_link(ii, tail);
	}
}

void sfs_delalloc_remove(struct inode *inode, u64 lblk, u64 nblks, bool unclaim)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 end = lblk + nblks;
	struct sfs_delalloc *d;
	u64 removed = 0;

	while ((d = sfs_delalloc_search(ii, lblk)) && d->d_lblk < end) {
		u64 from = max(lblk, d->d_lblk);
		u64 to = min(end, sfs_delalloc_end(d));

		removed += to - from;
		sfs_delalloc_cut(ii, d, from, to);
	}
	ii->ii_delalloc_nblks -= removed;
	if (unclaim && removed) {
		sfs_space_unclaim(ii->ii_core.i_fs, removed);
		sfs_quota_unreserve(inode, removed);
	} else {
		ii->ii_unwritten += removed;
		sfs_quota_claim(inode, removed);
	}
	sfs_promise_settle(ii);
}
