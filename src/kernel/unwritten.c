// SPDX-License-Identifier: GPL-2.0-only
/*
 * unwritten.c - stores through the page cache to blocks that are unwritten: how many of them an
 * answer of iomap counts, for the nodes that they may want when they arrive, and what goes back.
 *
 * What is dirty is known from the page cache, not from iomap: a folio has its tags there, and under
 * the cache's lock it stays what it is.  Never too few are counted but in one narrow case: a copy
 * of nothing to a large folio that is up to date makes all of it dirty, of which the write has
 * counted its range; the pool pays for the rest.
 */
#include "unwritten.h"

#include <linux/pagemap.h>

#define SFS_LOOK_PAGES		512ULL

/* For the end of an answer: it has counted @nblks anew, the @whole of the folio at its start. */
static void sfs_iomap_note(struct iomap *iomap, u64 nblks, bool whole)
{
	iomap->private = (void *)(uintptr_t)(nblks << 1 | whole);
}

u64 sfs_iomap_counted(const struct iomap *iomap)
{
	return (uintptr_t)iomap->private >> 1;
}

static bool sfs_iomap_counts_whole(const struct iomap *iomap)
{
	return (uintptr_t)iomap->private & 1;
}

/* @fault: the caller is one, and has locked the folio. */
static struct sfs_cached sfs_cached_of(struct xa_state *xas, struct folio *folio, bool fault)
{
	struct sfs_cached c = { };

	c.c_first = (u64)folio->index << (PAGE_SHIFT - SFS_BLOCK_BITS);
	c.c_end = c.c_first + (folio_size(folio) >> SFS_BLOCK_BITS);
	/*
	 * The tags are the truth but where writeback has found no place for the folio, or nothing
	 * inside the file, and leaves one.  While it has it in hand, between the two states, it
	 * holds the lock.
	 */
	c.c_dirty = (xas_get_mark(xas, PAGECACHE_TAG_DIRTY) ||
		     xas_get_mark(xas, PAGECACHE_TAG_WRITEBACK)) &&
		    (folio_test_dirty(folio) || folio_test_writeback(folio) ||
		     (!fault && folio_test_locked(folio)));
	return c;
}

static struct sfs_cached sfs_cached_at(struct inode *inode, u64 lblk)
{
	XA_STATE(xas, &inode->i_mapping->i_pages, lblk >> (PAGE_SHIFT - SFS_BLOCK_BITS));
	struct sfs_cached c = { };
	struct folio *folio;

	/* The lock, not RCU: under it a folio stays what it is. */
	xas_lock_irq(&xas);
	folio = xas_load(&xas);
	if (folio && !xa_is_value(folio))
		c = sfs_cached_of(&xas, folio, false);
	xas_unlock_irq(&xas);
	return c;
}

/*
 * Has a store to @c counted what it made dirty?  Of a folio of one block that is plain.  Of a large
 * one it is not known which blocks are dirty, from 6.6 on: each store counts its own once more.
 */
static bool sfs_cached_counted(const struct sfs_cached *c)
{
	return c->c_dirty && c->c_end - c->c_first == 1;
}

/*
 * The first of blocks [@lblk, @end) that is not like the one at @lblk: all before it have been
 * counted, or none of them.  *@ret_counted says which.
 */
static u64 sfs_cached_alike(struct inode *inode, u64 lblk, u64 end, bool fault, bool *ret_counted)
{
	const unsigned int shift = PAGE_SHIFT - SFS_BLOCK_BITS;
	XA_STATE(xas, &inode->i_mapping->i_pages, lblk >> shift);
	struct sfs_cached c;
	struct folio *folio;
	u64 next = lblk;		/* where the counted ones end */

	*ret_counted = false;
	xas_lock_irq(&xas);
	xas_for_each(&xas, folio, (end - 1) >> shift) {
		if (xa_is_value(folio))
			continue;
		c = sfs_cached_of(&xas, folio, fault);
		if (c.c_first <= lblk) {
			*ret_counted = sfs_cached_counted(&c);
		} else if (*ret_counted && (c.c_first != next || !sfs_cached_counted(&c))) {
			break;
		} else if (!*ret_counted && sfs_cached_counted(&c)) {
			end = c.c_first;
			break;
		}
		next = c.c_end;
	}
	xas_unlock_irq(&xas);
	return *ret_counted ? min(next, end) : end;
}

int sfs_unwritten_claim_some(struct inode *inode, struct iomap *iomap, u64 nblks, bool direct)
{
	int err = sfs_unwritten_reserve(inode, nblks, direct);

	if (err == -ENOSPC && nblks > 1) {
		nblks = 1;
		err = sfs_unwritten_reserve(inode, nblks, direct);
	}
	if (err)
		return err;
	iomap->length = min_t(u64, iomap->length, nblks << SFS_BLOCK_BITS);
	sfs_iomap_note(iomap, nblks, false);
	return 0;
}

int sfs_unwritten_claim(struct inode *inode, loff_t pos, loff_t nbytes, bool fault,
			struct iomap *iomap)
{
	u64 lblk = sfs_pos_lblk(pos);
	u64 nblks = min_t(u64, iomap->length >> SFS_BLOCK_BITS, sfs_range_nblks(pos, nbytes));
	bool counted;

	/* The answer is one moment's, with interrupts off: not of too much. */
	nblks = min_t(u64, nblks, SFS_LOOK_PAGES << (PAGE_SHIFT - SFS_BLOCK_BITS));
	nblks = sfs_cached_alike(inode, lblk, lblk + nblks, fault, &counted) - lblk;
	iomap->length = nblks << SFS_BLOCK_BITS;
	return counted ? 0 : sfs_unwritten_claim_some(inode, iomap, nblks, false);
}

bool sfs_find_large_folio(struct inode *inode, u64 lblk, u64 end, bool fault,
			  struct sfs_cached *ret)
{
	const unsigned int shift = PAGE_SHIFT - SFS_BLOCK_BITS;
	XA_STATE(xas, &inode->i_mapping->i_pages, lblk >> shift);
	struct folio *folio;

	xas_lock_irq(&xas);
	xas_for_each(&xas, folio, (end - 1) >> shift) {
		if (!xa_is_value(folio) && folio_size(folio) > SFS_BLOCK_SIZE)
			break;
	}
	if (folio)
		*ret = sfs_cached_of(&xas, folio, fault);
	xas_unlock_irq(&xas);
	return folio;
}

int sfs_unwritten_claim_folio(struct inode *inode, u64 lblk, u64 end, bool zero,
			      struct iomap *iomap)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_extent ext;
	u64 nblks = 0;
	int err;

	for (; lblk < end; lblk = ext.e_lblk + ext.e_nblks) {
		err = sfs_extent_find(&ii->ii_core, lblk, &ext);
		if (err)
			return err;
		if (ext.e_unwritten)
			nblks += min(ext.e_nblks, end - lblk);
	}
	err = nblks ? sfs_unwritten_reserve(inode, nblks, false) : 0;
	if (err == -ENOSPC && zero) {
		ii->ii_unwritten += nblks;
		err = 0;
	}
	if (!err)
		sfs_iomap_note(iomap, nblks, true);
	return err;
}

/* In a long walk, each so many folios: others may have the lock, and the processor. */
static void sfs_walk_pause(struct xa_state *xas, unsigned int *seen)
{
	if (++*seen % XA_CHECK_SCHED)
		return;
	xas_pause(xas);
	xas_unlock_irq(xas);
	cond_resched();
	xas_lock_irq(xas);
}

/* Blocks of [@lblk, @end) in folios that are dirty, or on their way. */
static u64 sfs_cached_dirty(struct inode *inode, u64 lblk, u64 end)
{
	const unsigned int shift = PAGE_SHIFT - SFS_BLOCK_BITS;
	XA_STATE(xas, &inode->i_mapping->i_pages, lblk >> shift);
	unsigned int seen = 0;
	struct sfs_cached c;
	struct folio *folio;
	u64 nblks = 0;

	xas_lock_irq(&xas);
	xas_for_each(&xas, folio, (end - 1) >> shift) {
		if (!xa_is_value(folio)) {
			c = sfs_cached_of(&xas, folio, false);
			/* One that has come in a pause may reach back to what has been seen. */
			c.c_first = max(lblk, c.c_first);
			lblk = max(lblk, min(end, c.c_end));
			if (c.c_dirty && c.c_first < lblk)
				nblks += lblk - c.c_first;
		}
		sfs_walk_pause(&xas, &seen);
	}
	xas_unlock_irq(&xas);
	return nblks;
}

u64 sfs_clean_unwritten(struct inode *inode, u64 lblk, u64 end)
{
	struct sfs_extent ext;
	u64 nblks = 0;
	u64 to;

	for (; lblk < end; lblk = to) {
		if (sfs_extent_find(&SFS_I(inode)->ii_core, lblk, &ext))
			break;
		to = min(end, ext.e_lblk + ext.e_nblks);
		if (ext.e_unwritten)
			nblks += to - lblk - sfs_cached_dirty(inode, lblk, to);
	}
	return nblks;
}

/* How many of @nblks, which were counted for the folio at @lblk, are clean and unwritten? */
static u64 sfs_clean_of_folio(struct inode *inode, u64 lblk, u64 nblks)
{
	struct sfs_cached c = sfs_cached_at(inode, lblk);

	if (c.c_first < c.c_end)
		return min(nblks, sfs_clean_unwritten(inode, c.c_first, c.c_end));
	/* It is gone, and was clean then. */
	return sfs_clean_unwritten(inode, lblk, lblk + 1) ? nblks : 0;
}

/*
 * What is dirty keeps its count until it arrives, whoever made it so: a write that copied nothing
 * may have done that, too.  What is written by now has arrived, and has given back its count.  The
 * rest is as it was before the answer.
 */
void sfs_unwritten_give_back(struct inode *inode, loff_t pos, ssize_t written,
			     const struct iomap *iomap)
{
	u64 nblks = sfs_iomap_counted(iomap);
	u64 lblk = sfs_pos_lblk(pos);
	u64 end = written > 0 ? sfs_end_lblk(pos, written) : lblk;

	down_write(&SFS_I(inode)->ii_tree_lock);
	if (!sfs_iomap_counts_whole(iomap))
		nblks = min(nblks, sfs_clean_unwritten(inode, end, max(end, lblk + nblks)));
	else
		nblks = written > 0 ? 0 : sfs_clean_of_folio(inode, lblk, nblks);
	sfs_unwritten_arrived(inode, nblks, false);
	up_write(&SFS_I(inode)->ii_tree_lock);
}

/* Pages of folios with @tag; one that is made so meanwhile may be missed. */
static u64 sfs_pages_tagged(struct address_space *mapping, xa_mark_t tag)
{
	XA_STATE(xas, &mapping->i_pages, 0);
	unsigned int seen = 0;
	struct folio *folio;
	u64 n = 0;

	/* The lock, not RCU: under it a folio stays what it is. */
	xas_lock_irq(&xas);
	xas_for_each_marked(&xas, folio, ULONG_MAX, tag) {
		n += folio_nr_pages(folio);
		sfs_walk_pause(&xas, &seen);
	}
	xas_unlock_irq(&xas);
	return n;
}

void sfs_unwritten_recount(struct inode *inode)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 n;

	lockdep_assert_held_write(&inode->i_rwsem);
	lockdep_assert_held_write(&inode->i_mapping->invalidate_lock);
	/* In this order: what is on its way by the second look was seen as dirty. */
	n = sfs_pages_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY);
	n += sfs_pages_tagged(inode->i_mapping, PAGECACHE_TAG_WRITEBACK);
	n <<= PAGE_SHIFT - SFS_BLOCK_BITS;
	down_write(&ii->ii_tree_lock);
	sfs_unwritten_at_most(inode, n);
	up_write(&ii->ii_tree_lock);
}

void sfs_promises_recount(struct inode *inode)
{
	filemap_invalidate_lock(inode->i_mapping);
	sfs_unwritten_recount(inode);
	filemap_invalidate_unlock(inode->i_mapping);
}

void sfs_unwritten_settle(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;

	sfs_direct_settle(inode, 0);
	if (!READ_ONCE(SFS_I(inode)->ii_unwritten) || !inode_trylock(inode))
		return;
	if (down_write_trylock(&mapping->invalidate_lock)) {
		sfs_unwritten_recount(inode);
		up_write(&mapping->invalidate_lock);
	}
	inode_unlock(inode);
}
