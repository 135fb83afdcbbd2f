// SPDX-License-Identifier: GPL-2.0-only
/*
 * iomap.c - answers iomap's question "where is this range of the file?", once for each intent.
 *
 * Reading looks.  A buffered write promises (delalloc.c), it never allocates.  A direct write
 * allocates unwritten blocks at once, in a transaction of its own; they become written when the I/O
 * has completed (writeback.c), so a crash in between shows zeros, never old data.  Both claim the
 * nodes that this may take.
 *
 * iomap leaves a synced direct write alone once the device has it (FUA, or no cache) unless the
 * answer says IOMAP_F_DIRTY.  So the answer does, whenever such a write takes more than that: when
 * it ends past the size on disk, and when the blocks, or that size, have not committed.  Unwritten
 * blocks need no flag: iomap never uses FUA for them.
 *
 * The answer may be stale when it is used; what makes that safe is that only unlinking blocks from
 * a file, or moving them in it, can hurt, and that happens under the inode lock and the mapping's
 * invalidate lock, after direct I/O has drained.
 */
#include "unwritten.h"

#include <linux/pagemap.h>

static void sfs_iomap_fill(struct inode *inode, struct iomap *iomap, u64 lblk, u64 nblks, u64 blk,
			   u16 type)
{
	u64 max_nblks = (u64)MAX_LFS_FILESIZE / SFS_BLOCK_SIZE + 1 - lblk;

	iomap->bdev = inode->i_sb->s_bdev;
	iomap->offset = (loff_t)lblk << SFS_BLOCK_BITS;
	iomap->length = min(nblks, max_nblks) << SFS_BLOCK_BITS;
	iomap->addr = blk ? blk << SFS_BLOCK_BITS : IOMAP_NULL_ADDR;
	iomap->type = type;
	iomap->flags = 0;
	sfs_iomap_set_valid(iomap, atomic64_read(&SFS_I(inode)->ii_seq));
}

/*
 * A block that was promised or unwritten when the answer was given may be written, and its folio
 * reclaimed, by now; one that was mapped may be another file's; the folio may be another one.
 */
bool sfs_iomap_is_valid(struct inode *inode, const struct iomap *iomap)
{
	return iomap->validity_cookie == atomic64_read(&SFS_I(inode)->ii_seq);
}

SFS_DEFINE_IOMAP_VALID(sfs_iomap_is_valid);

void sfs_iomap_from_extent(struct inode *inode, struct iomap *iomap, const struct sfs_extent *ext)
{
	u16 type = IOMAP_HOLE;

	if (ext->e_blk)
		type = ext->e_unwritten ? IOMAP_UNWRITTEN : IOMAP_MAPPED;
	sfs_iomap_fill(inode, iomap, ext->e_lblk, ext->e_nblks, ext->e_blk, type);
}

/*
 * The state of the file at @lblk: a promised run inside a hole counts, and cuts the hole.
 * ii_tree_lock held.
 */
static int sfs_iomap_lookup(struct inode *inode, u64 lblk, struct iomap *iomap)
{
	struct sfs_extent ext;
	u64 d_lblk;
	u64 d_nblks;
	int err;

	err = sfs_extent_find(&SFS_I(inode)->ii_core, lblk, &ext);
	if (err)
		return err;
	if (!ext.e_blk && sfs_delalloc_find(inode, lblk, &d_lblk, &d_nblks)) {
		if (d_lblk <= lblk) {
			sfs_iomap_fill(inode, iomap, lblk, d_lblk + d_nblks - lblk, 0,
				       IOMAP_DELALLOC);
			return 0;
		}
		ext.e_nblks = min(ext.e_nblks, d_lblk - lblk);
	}
	sfs_iomap_from_extent(inode, iomap, &ext);
	return 0;
}

/* Without reading tree nodes from the disk?  Those of most files are all in the inode. */
static bool sfs_lookup_is_quick(struct inode *inode)
{
	const struct sfs_node_disk *root = (const void *)SFS_I(inode)->ii_core.i_root;

	return !root->n_level;
}

static int sfs_read_iomap_begin(struct inode *inode, loff_t pos, loff_t nbytes, unsigned int flags,
				struct iomap *iomap, struct iomap *srcmap)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	int err;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (!(flags & IOMAP_NOWAIT))
		down_read(&ii->ii_tree_lock);
	else if (!down_read_trylock(&ii->ii_tree_lock))
		return -EAGAIN;
	if ((flags & IOMAP_NOWAIT) && !sfs_lookup_is_quick(inode))
		err = -EAGAIN;
	else
		err = sfs_iomap_lookup(inode, sfs_pos_lblk(pos), iomap);
	/* A store to a mapping since the caller has written what was dirty: not there yet. */
	if (!err && (flags & (IOMAP_DIRECT | IOMAP_WRITE)) == IOMAP_DIRECT &&
	    iomap->type == IOMAP_DELALLOC)
		iomap->type = IOMAP_HOLE;
	/* Asked under the lock: who raised the size has left his transaction's number, too. */
	if (!err && (flags & IOMAP_WRITE) && (u64)pos + nbytes > ii->ii_core.i_size)
		iomap->flags |= IOMAP_F_DIRTY;
	up_read(&ii->ii_tree_lock);
	return err;
}

const struct iomap_ops sfs_read_iomap_ops = {
	.iomap_begin = sfs_read_iomap_begin,
};

/* Promises blocks for the hole in @iomap, no more of it than the write covers. */
static int sfs_iomap_promise(struct inode *inode, loff_t pos, loff_t nbytes, struct iomap *iomap)
{
	u64 lblk = sfs_pos_lblk(pos);
	u64 nblks = min_t(u64, iomap->length >> SFS_BLOCK_BITS, sfs_range_nblks(pos, nbytes));
	int err;

	err = sfs_delalloc_reserve(inode, lblk, nblks);
	if ((err == -ENOSPC || err == -EDQUOT) && nblks > 1) {
		/* The last blocks go one at a time: a short write beats none. */
		nblks = 1;
		err = sfs_delalloc_reserve(inode, lblk, nblks);
	}
	if (err)
		return err;
	sfs_iomap_fill(inode, iomap, lblk, nblks, 0, IOMAP_DELALLOC);
	iomap->flags |= IOMAP_F_NEW;
	return 0;
}

/*
 * Mostly one written extent has all the blocks of any folio that @lblk, inside the file, may be in:
 * then it is the answer, up to where that is so no longer.
 */
static bool sfs_iomap_is_written(struct inode *inode, u64 lblk, struct iomap *iomap)
{
	u64 end = sfs_end_lblk(iomap->offset, iomap->length);

	if (iomap->type != IOMAP_MAPPED)
		return false;
	if (end < sfs_end_lblk(i_size_read(inode), 0))
		end = round_down(end, SFS_FOLIO_NBLKS_MAX);
	if (end <= lblk)
		return false;
	iomap->length = (end << SFS_BLOCK_BITS) - iomap->offset;
	return true;
}

/*
 * Is all of the folio @c, of which @lblk is about to be made dirty, to be counted?  Before 6.6 who
 * makes it dirty does that.  Since then a write counts what it stores to, and a fault, whose first
 * answer is for the folio's start, makes all of it dirty by that one; as it may be dirty by writes
 * already, each fault counts anew, and what is too much goes back in the next sync.
 */
static bool sfs_iomap_counts_folio(const struct sfs_cached *c, u64 lblk)
{
	return SFS_FOLIO_GOES_WHOLE ? !c->c_dirty : lblk == c->c_first;
}

/*
 * The lookup where a dirty folio goes whole, as it does before 6.6 and in a fault: all unwritten
 * blocks of a large one count when it becomes dirty, whichever of its blocks is stored to.
 * @ret_counted if it is the one at @pos; the next one is looked at in its turn, so the answer ends
 * before it.  One that readahead puts there between this and the write makes the answer untrue
 * (sfs_readahead()); a fault locks its folio before it asks.
 */
static int sfs_iomap_lookup_whole(struct inode *inode, loff_t pos, loff_t nbytes,
				  unsigned int flags, struct iomap *iomap, bool *ret_counted)
{
	u64 lblk = sfs_pos_lblk(pos);
	u64 end = lblk + min_t(u64, sfs_range_nblks(pos, nbytes), SFS_FOLIO_NBLKS_MAX);
	bool zero = flags & IOMAP_ZERO;
	struct sfs_cached c;
	int err;

	if (pos < i_size_read(inode)) {
		err = sfs_iomap_lookup(inode, round_down(lblk, SFS_FOLIO_NBLKS_MAX), iomap);
		if (err || sfs_iomap_is_written(inode, lblk, iomap))
			return err;
	}
	err = sfs_iomap_lookup(inode, lblk, iomap);
	if (err || (zero && (iomap->type == IOMAP_HOLE || iomap->type == IOMAP_UNWRITTEN)))
		return err;
	if (sfs_find_large_folio(inode, lblk, end, flags & IOMAP_FAULT, &c)) {
		*ret_counted = c.c_first <= lblk;
		end = *ret_counted ? c.c_end : c.c_first;
		if (*ret_counted && sfs_iomap_counts_folio(&c, lblk))
			err = sfs_unwritten_claim_folio(inode, c.c_first, end, zero, iomap);
	}
	iomap->length = min_t(u64, iomap->length, (end - lblk) << SFS_BLOCK_BITS);
	return err;
}

static int sfs_buffered_iomap_begin(struct inode *inode, loff_t pos, loff_t nbytes,
				    unsigned int flags, struct iomap *iomap, struct iomap *srcmap)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	bool counted = false;
	int err;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	/* Writeback could not keep the promise: whoever writes shall know, not only who syncs. */
	if (sfs_takes_no_change(inode->i_sb))
		return -EROFS;
	down_write(&ii->ii_tree_lock);
	if (SFS_FOLIO_GOES_WHOLE || (flags & IOMAP_FAULT))
		err = sfs_iomap_lookup_whole(inode, pos, nbytes, flags, iomap, &counted);
	else
		err = sfs_iomap_lookup(inode, sfs_pos_lblk(pos), iomap);
	/* Zeroing a hole is done already. */
	if (!err && iomap->type == IOMAP_HOLE && !(flags & IOMAP_ZERO))
		err = sfs_iomap_promise(inode, pos, nbytes, iomap);
	else if (!err && iomap->type == IOMAP_UNWRITTEN && !(flags & IOMAP_ZERO) && !counted)
		err = sfs_unwritten_claim(inode, pos, nbytes, flags & IOMAP_FAULT, iomap);
	/* Without an answer there is no end of it. */
	if (err)
		sfs_unwritten_arrived(inode, sfs_iomap_counted(iomap), false);
	up_write(&ii->ii_tree_lock);
	return err;
}

/*
 * iomap finds promised blocks that no dirty folio covers: they are given back.  Some may have been
 * allocated meanwhile, with what is before them, and so counted as dirty.
 */
static void sfs_delalloc_release_range(struct inode *inode, loff_t pos, loff_t nbytes)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	u64 lblk = sfs_pos_lblk(pos);
	u64 nblks = sfs_range_nblks(pos, nbytes);

	down_write(&ii->ii_tree_lock);
	sfs_delalloc_remove(inode, lblk, nblks, true);
	sfs_unwritten_arrived(inode, sfs_clean_unwritten(inode, lblk, lblk + nblks), false);
	up_write(&ii->ii_tree_lock);
}

SFS_DEFINE_PUNCH(sfs_delalloc_release, sfs_delalloc_release_range)

static int sfs_buffered_iomap_end(struct inode *inode, loff_t pos, loff_t nbytes, ssize_t written,
				  unsigned int flags, struct iomap *iomap)
{
	if (iomap->private && written < nbytes)
		sfs_unwritten_give_back(inode, pos, written, iomap);
	/* Only what this write promised: an older promise has its dirty folio, as a fault's has. */
	if (iomap->type != IOMAP_DELALLOC || !(iomap->flags & IOMAP_F_NEW) ||
	    (flags & IOMAP_FAULT))
		return 0;
	return sfs_write_delalloc_release(inode, pos, nbytes, written, flags, iomap,
					  sfs_delalloc_release);
}

const struct iomap_ops sfs_buffered_iomap_ops = {
	.iomap_begin = sfs_buffered_iomap_begin,
	.iomap_end = sfs_buffered_iomap_end,
};

/* Allocates for the hole at @lblk, in a transaction.  The tree lock is taken here. */
static int sfs_dio_alloc(struct inode *inode, u64 lblk, u64 nblks, struct iomap *iomap)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_extent ext;
	struct sfs_trans t;
	int err;

	err = sfs_inode_change_begin(inode, SFS_CREDITS_EXTENT, SFS_REVOKES_TREE, &t);
	if (err)
		return err;
	/* Somebody may have been quicker: then what they made is in @iomap. */
	err = sfs_iomap_lookup(inode, lblk, iomap);
	if (err || iomap->type != IOMAP_HOLE)
		goto end;
	nblks = min_t(u64, nblks, iomap->length >> SFS_BLOCK_BITS);
	err = sfs_direct_claim(inode, &nblks);
	if (err)
		goto end;
	err = sfs_extent_alloc(&t, &ii->ii_core, lblk, nblks, true, SFS_ALLOC_CLAIMED, &ext);
	sfs_direct_taken(inode, nblks, err ? 0 : ext.e_nblks);
	if (err)
		goto end;
	sfs_iomap_from_extent(inode, iomap, &ext);
	iomap->flags |= IOMAP_F_NEW;
end:
	return sfs_inode_change_end(&t, inode, err);
}

/* Nodes for a direct write to the unwritten extent in @iomap.  -EAGAIN: @flags forbid to wait. */
static int sfs_dio_unwritten(struct inode *inode, loff_t pos, loff_t nbytes, unsigned int flags,
			     struct iomap *iomap)
{
	u64 nblks = min_t(u64, iomap->length >> SFS_BLOCK_BITS, sfs_range_nblks(pos, nbytes));
	struct sfs_inode_info *ii = SFS_I(inode);
	int err;

	if (!(flags & IOMAP_NOWAIT))
		down_write(&ii->ii_tree_lock);
	else if (!down_write_trylock(&ii->ii_tree_lock))
		return -EAGAIN;
	err = sfs_unwritten_claim_some(inode, iomap, nblks, true);
	up_write(&ii->ii_tree_lock);
	if ((flags & IOMAP_NOWAIT) && (err == -ENOSPC || (!err && iomap->offset + iomap->length <
							  (u64)pos + nbytes)))
		return -EAGAIN;
	return err;
}

static int sfs_dio_iomap_begin(struct inode *inode, loff_t pos, loff_t nbytes, unsigned int flags,
			       struct iomap *iomap, struct iomap *srcmap)
{
	u64 lblk = sfs_pos_lblk(pos);
	unsigned int tries = 0;
	int err;

again:
	err = sfs_read_iomap_begin(inode, pos, nbytes, flags, iomap, srcmap);
	if (err || !(flags & IOMAP_WRITE))
		return err;
	/* One answer must do: the next one could say EAGAIN of what has been written in part. */
	if ((flags & IOMAP_NOWAIT) && iomap->offset + iomap->length < (u64)pos + nbytes)
		return -EAGAIN;
	if (iomap->type == IOMAP_UNWRITTEN) {
		err = sfs_dio_unwritten(inode, pos, nbytes, flags, iomap);
		if (!(flags & IOMAP_NOWAIT) && sfs_retry(inode, &err, &tries))
			goto again;
		if (err)
			return err;
	}
	if (iomap->type == IOMAP_MAPPED || iomap->type == IOMAP_UNWRITTEN) {
		/* To sync such a write takes more than to have it on the disk. */
		if (!sfs_journal_has(inode->i_sb, READ_ONCE(SFS_I(inode)->ii_datasync_tid)))
			iomap->flags |= IOMAP_F_DIRTY;
		return 0;
	}
	/* Promised blocks mean dirty folios that could not be invalidated: use the page cache. */
	if (iomap->type == IOMAP_DELALLOC)
		return -ENOTBLK;
	if (flags & IOMAP_NOWAIT)
		return -EAGAIN;
	err = sfs_dio_alloc(inode, lblk, sfs_range_nblks(pos, nbytes), iomap);
	/* Whatever another has made of the hole meanwhile is judged like what was there before. */
	if (sfs_retry(inode, &err, &tries) || (!err && !(iomap->flags & IOMAP_F_NEW)))
		goto again;
	return err;
}

const struct iomap_ops sfs_dio_iomap_ops = {
	.iomap_begin = sfs_dio_iomap_begin,
};
