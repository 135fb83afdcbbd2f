/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unwritten.h - what unwritten.c knows of the page cache, for the answers that iomap.c gives.
 *
 * ii_tree_lock is held exclusively where nothing else is said.
 */
#ifndef SFS_UNWRITTEN_H
#define SFS_UNWRITTEN_H

#include "simplefs.h"

/* No folio of a file has more blocks than that, or lies across a multiple of it. */
#define SFS_FOLIO_NBLKS_MAX	(PMD_SIZE >> SFS_BLOCK_BITS)

/* What the page cache has at a block. */
struct sfs_cached {
	u64 c_first;			/* the blocks of its folio, or of none */
	u64 c_end;
	bool c_dirty;			/* it is, or on its way */
};

/*
 * The first folio in blocks [@lblk, @end) that has more than one block; false: there is none.
 * @fault, here and below: the caller is one, and has locked the folio that it asks about.
 */
bool sfs_find_large_folio(struct inode *inode, u64 lblk, u64 end, bool fault,
			  struct sfs_cached *ret);

/*
 * Claims nodes for a write to @nblks of the unwritten extent in @iomap, or else to the first one,
 * by way of the page cache or @direct.  @iomap is cut to what they are for.
 */
int sfs_unwritten_claim_some(struct inode *inode, struct iomap *iomap, u64 nblks, bool direct);
/*
 * The same for what a write to [@pos, +@nbytes) makes of the unwritten extent in @iomap, which may
 * be dirty, and counted, already.
 */
int sfs_unwritten_claim(struct inode *inode, loff_t pos, loff_t nbytes, bool fault,
			struct iomap *iomap);
/*
 * For what is unwritten of the folio [@lblk, @end), all of which becomes dirty, past the end of the
 * file, too: it may grow before that is written.  This must not fail when the store is of zeros,
 * @zero: a cut, which frees blocks, may begin with them.  Then what is kept pays if it has to.
 */
int sfs_unwritten_claim_folio(struct inode *inode, u64 lblk, u64 end, bool zero,
			      struct iomap *iomap);
/*
 * An answer of @iomap at @pos has ended, with @written bytes copied or an error: what it counted
 * for folios that are not dirty, nor written, goes back.  Takes ii_tree_lock.
 */
void sfs_unwritten_give_back(struct inode *inode, loff_t pos, ssize_t written,
			     const struct iomap *iomap);
/* As many are counted by the answer, and no longer wanted if it is not given after all. */
u64 sfs_iomap_counted(const struct iomap *iomap);
/* Unwritten blocks in [@lblk, @end) that are clean; what cannot be read has none. */
u64 sfs_clean_unwritten(struct inode *inode, u64 lblk, u64 end);

#endif
