// SPDX-License-Identifier: GPL-2.0-only
/*
 * delalloc.c - what a file has been promised but not yet given: delayed allocation.
 *
 * A buffered write into a hole claims free blocks (a number, no addresses) and remembers the run
 * here; writeback turns a whole run into one extent.  Runs never overlap and never touch: adding a
 * neighbour joins them, so what a program wrote in small pieces is allocated in one.  Since a run
 * may end up as several extents, tree blocks come out of the pool that ordinary claims leave alone.
 *
 * Everything here wants ii_tree_lock: shared to find, exclusive to change.
 */
#include "simplefs.h"

#include <linux/slab.h>

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
}

static void sfs_delalloc_unlink(struct sfs_inode_info *ii, struct sfs_delalloc *d)
{
	rb_erase(&d->d_node, &ii->ii_delalloc);
	kfree(d);
}

/* The caller has seen that [@lblk, +@nblks) is neither mapped nor promised. */
int sfs_delalloc_reserve(struct inode *inode, u64 lblk, u64 nblks)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_delalloc *next = sfs_delalloc_search(ii, lblk);
	struct sfs_delalloc *prev;
	int err;

	prev = sfs_delalloc_entry(next ? rb_prev(&next->d_node) : rb_last(&ii->ii_delalloc));
	err = sfs_space_claim(ii->ii_core.i_fs, nblks, 0);
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
	if (unclaim && removed)
		sfs_space_unclaim(ii->ii_core.i_fs, removed);
}
