// SPDX-License-Identifier: GPL-2.0-only
/*
 * unwritten.c - stores through the page cache to blocks that are unwritten: how many of them an
 * answer of iomap counts, for the nodes that they may want when they arrive, and what goes back.
 *
 * What is dirty is known from the page cache, not from iomap: a folio has its tags there, and under
 * the cache's lock it stays what it is.
 */
#include "unwritten.h"

#include <linux/pagemap.h>

/* For the end of an answer: it has counted @nblks anew, the @whole of the folio at its start. */
static void sfs_iomap_note(struct iomap *iomap, u64 nblks, bool whole)
{
	iomap->private = (void *)(uintptr_t)(nblks << 1 | whole);
}

static struct sfs_cached sfs_cached_of(struct xa_state *xas, struct folio *folio)
{
	struct sfs_cached c = { };

	c.c_first = (u64)folio->index << (PAGE_SHIFT - SFS_BLOCK_BITS);
	c.c_end = c.c_first + (folio_size(folio) >> SFS_BLOCK_BITS);
	c.c_dirty = xas_get_mark(xas, PAGECACHE_TAG_DIRTY) ||
		    xas_get_mark(xas, PAGECACHE_TAG_WRITEBACK);
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
		c = sfs_cached_of(&xas, folio);
	xas_unlock_irq(&xas);
	return c;
}

/*
 * The first of blocks [@lblk, @end) that is not like the one at @lblk, which is in no large folio:
 * one is, or is not in a folio of its own that is dirty, or on its way, and so has been counted.
 * *@ret_counted says which of the two the one at @lblk is.
 */
static u64 sfs_cached_alike(struct inode *inode, u64 lblk, u64 end, bool *ret_counted)
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
		c = sfs_cached_of(&xas, folio);
		if (*ret_counted && (c.c_first != next || !c.c_dirty || c.c_end - c.c_first > 1))
			break;
		if (!*ret_counted && c.c_first != lblk && (c.c_dirty || c.c_end - c.c_first > 1)) {
			end = max(c.c_first, lblk + 1);
			break;
		}
		if (c.c_first == lblk)
			*ret_counted = c.c_dirty;
		next = c.c_end;
	}
	xas_unlock_irq(&xas);
	return *ret_counted ? min(next, end) : end;
}

int sfs_unwritten_claim_some(struct inode *inode, struct iomap *iomap, u64 nblks,
				       bool direct)
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

/*
 * Nodes for what a write makes of the unwritten extent in @iomap.  The answer is about one large
 * folio, of which all blocks count when it becomes dirty; or about blocks that are in none, and
 * that have all been counted, or none of them.
 */
int sfs_unwritten_claim(struct inode *inode, loff_t pos, loff_t nbytes,
				     struct iomap *iomap)
{
	u64 lblk = sfs_pos_lblk(pos);
	u64 nblks = min_t(u64, iomap->length >> SFS_BLOCK_BITS, sfs_range_nblks(pos, nbytes));
	struct sfs_cached c = sfs_cached_at(inode, lblk);
	bool counted;
	int err;

	if (c.c_end - c.c_first > 1) {
		nblks = min(nblks, c.c_end - lblk);
		iomap->length = nblks << SFS_BLOCK_BITS;
		if (!c.c_dirty)
			nblks = c.c_end - c.c_first;
		err = sfs_unwritten_reserve(inode, nblks, false);
		if (!err)
			sfs_iomap_note(iomap, nblks, true);
		return err;
	}
	nblks = min(nblks, round_down(lblk, SFS_FOLIO_NBLKS_MAX) + SFS_FOLIO_NBLKS_MAX - lblk);
	nblks = sfs_cached_alike(inode, lblk, lblk + nblks, &counted) - lblk;
	iomap->length = nblks << SFS_BLOCK_BITS;
	return counted ? 0 : sfs_unwritten_claim_some(inode, iomap, nblks, false);
}

bool sfs_find_large_folio(struct inode *inode, u64 lblk, u64 end, struct sfs_cached *ret)
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
		*ret = sfs_cached_of(&xas, folio);
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

/* Blocks of [@lblk, @end) in folios that are dirty, or on their way. */
static u64 sfs_cached_dirty(struct inode *inode, u64 lblk, u64 end)
{
	const unsigned int shift = PAGE_SHIFT - SFS_BLOCK_BITS;
	XA_STATE(xas, &inode->i_mapping->i_pages, lblk >> shift);
	struct sfs_cached c;
	struct folio *folio;
	u64 nblks = 0;

	xas_lock_irq(&xas);
	xas_for_each(&xas, folio, (end - 1) >> shift) {
		if (xa_is_value(folio))
			continue;
		c = sfs_cached_of(&xas, folio);
		if (c.c_dirty)
			nblks += min(end, c.c_end) - max(lblk, c.c_first);
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

/*
 * What an answer has counted for folios wholly behind what was written goes back: none of them is
 * dirty by this write, and who makes one so counts it himself.
 */
void sfs_unwritten_give_back(struct inode *inode, loff_t pos, ssize_t written,
				const struct iomap *iomap)
{
	u64 nblks = (uintptr_t)iomap->private >> 1;
	bool whole = (uintptr_t)iomap->private & 1;
	u64 lblk = sfs_pos_lblk(pos);
	u64 end = written > 0 ? sfs_end_lblk(pos, written) : lblk;
	/* A write that copied nothing may have made it dirty. */
	struct sfs_cached c = sfs_cached_at(inode, sfs_pos_lblk(pos + max_t(ssize_t, written, 0)));

	if (c.c_dirty)
		end = max(end, c.c_end);
	if (whole && end > lblk)
		return;
	nblks -= min(nblks, end - lblk);
	if (!nblks)
		return;
	down_write(&SFS_I(inode)->ii_tree_lock);
	sfs_unwritten_arrived(inode, nblks, false);
	up_write(&SFS_I(inode)->ii_tree_lock);
}
