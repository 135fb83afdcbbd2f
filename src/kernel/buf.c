// SPDX-License-Identifier: GPL-2.0-only
/*
 * buf.c - metadata blocks: sfs_buf over buffer heads, and what a transaction does to them.
 *
 * The recipe for a block: access, change, dirty; a freed one: forget.  Nobody computes a checksum
 * on the way: one trigger seals every block when jbd2 freezes it for the commit, and since each
 * block carries all that a seal needs in its head, that trigger needs to know nothing else.  The
 * summaries of zones get their content there as well (core/summary.c).
 * Without a journal blocks are sealed as they get dirty.
 *
 * A struct sfs_buf is a buffer head that only this file looks into.  A block is
 * verified once, when it has come from the device; a private bit remembers.  The check runs under
 * the buffer lock, so that nobody who passed it earlier is changing the block meanwhile.
 */
#include "simplefs.h"

#include <linux/buffer_head.h>
#include <linux/jbd2.h>

#include "buf.h"

enum {
	BH_SfsVerified = BH_JBDPrivateStart,
};
BUFFER_FNS(SfsVerified, sfs_verified)

/* What is written now is of transaction @tid: 64 bits of it, as it is near the last one. */
static void sfs_sequence_reach(struct sfs_fs *fs, u32 tid)
{
	u64 last = READ_ONCE(fs->f_sequence);

	/* One transaction commits at a time: whoever else is here stores the same. */
	WRITE_ONCE(fs->f_sequence, last + (s32)(tid - (u32)last));
}

/* jbd2 holds the state lock of the block's journal head here. */
static void sfs_journal_frozen(struct jbd2_buffer_trigger_type *type, struct buffer_head *bh,
			       void *data, size_t nbytes)
{
	transaction_t *transaction = bh2jh(bh)->b_transaction;
	struct sfs_fs *fs = sfs_log_fs(transaction->t_journal);

	sfs_sequence_reach(fs, transaction->t_tid);
	sfs_summary_freeze(fs, data);
	sfs_block_stamp(fs, data);
	sfs_block_seal(data);
}

static struct jbd2_buffer_trigger_type sfs_journal_trigger = {
	.t_frozen = sfs_journal_frozen,
};

static struct super_block *sfs_fs_sb(struct sfs_fs *fs)
{
	return fs->f_priv;
}

void *sfs_buf_data(struct sfs_buf *buf)
{
	return sfs_bh(buf)->b_data;
}

u64 sfs_buf_blk(struct sfs_buf *buf)
{
	return sfs_bh(buf)->b_blocknr;
}

void sfs_buf_put(struct sfs_buf *buf)
{
	brelse(sfs_bh(buf));
}

void sfs_buf_hold(struct sfs_buf *buf)
{
	get_bh(sfs_bh(buf));
}

/* The bit is set under the buffer lock and says that all checks have passed. */
static const char *sfs_buf_verify(struct sfs_fs *fs, struct buffer_head *bh,
				  const struct sfs_block_ops *ops)
{
	const char *why = NULL;

	lock_buffer(bh);
	if (!buffer_sfs_verified(bh)) {
		why = sfs_block_verify(fs, ops, bh->b_data, bh->b_blocknr);
		if (!why)
			set_buffer_sfs_verified(bh);
	}
	unlock_buffer(bh);
	return why;
}

/*
 * The block, from memory or the device.  When it could not be written, the device has an older one,
 * which fits no other block any more: that is never read back.
 */
static struct buffer_head *sfs_buf_read(struct sfs_fs *fs, u64 blk)
{
	struct buffer_head *bh = sb_getblk(sfs_fs_sb(fs), blk);
	bool lost;

	if (!bh || buffer_uptodate(bh))
		return bh;
	lost = buffer_write_io_error(bh);
	brelse(bh);
	if (!lost)
		return sb_bread(sfs_fs_sb(fs), blk);
	sfs_shutdown(fs, -EIO, "metadata could not be written");
	return NULL;
}

int sfs_buf_get(struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops, u64 owner,
		struct sfs_buf **ret_buf)
{
	struct buffer_head *bh;
	const char *why = NULL;
	int err;

	bh = sfs_buf_read(fs, blk);
	if (!bh)
		return -EIO;
	if (!buffer_sfs_verified(bh))
		why = sfs_buf_verify(fs, bh, ops);
	if (!why)
		why = sfs_block_check(ops, bh->b_data, owner);
	if (why) {
		brelse(bh);
		err = sfs_corrupt(fs, blk, ops->b_owner_is_ino ? owner : 0, ops->b_name, why);
		return why == sfs_why_crc ? -EFSBADCRC : err;
	}
	*ret_buf = (struct sfs_buf *)bh;
	return 0;
}

/*
 * One of jbd2's three ways into a transaction, and the trigger.  Inline, so that the way is called
 * directly.
 */
static __always_inline int sfs_buf_enter(struct sfs_trans *t, struct buffer_head *bh,
					 int (*way)(handle_t *handle, struct buffer_head *bh))
{
	int err;

	if (sfs_trans_is_plain(t))
		return 0;
	err = way(sfs_handle(t), bh);
	if (!err)
		jbd2_journal_set_triggers(bh, &sfs_journal_trigger);
	return err;
}

int sfs_buf_new(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops,
		u64 owner, struct sfs_buf **ret_buf)
{
	struct buffer_head *bh;
	int err;

	bh = sb_getblk(sfs_fs_sb(fs), blk);
	if (!bh)
		return -ENOMEM;
	lock_buffer(bh);
	/* Freeing takes the mark away: a bitmap lies, and somebody uses the block. */
	if (buffer_sfs_verified(bh))
		err = sfs_corrupt(fs, blk, 0, ops->b_name, "a block in use is said to be free");
	else
		err = sfs_buf_enter(t, bh, jbd2_journal_get_create_access);
	if (!err) {
		memset(bh->b_data, 0, bh->b_size);
		sfs_block_init(bh->b_data, fs->f_fsid, ops->b_magic, blk, owner);
		set_buffer_uptodate(bh);
		set_buffer_sfs_verified(bh);
	}
	unlock_buffer(bh);
	if (err) {
		brelse(bh);
		return err;
	}
	*ret_buf = (struct sfs_buf *)bh;
	return 0;
}

/* The block leaves the metadata: what comes back under its number is to be checked. */
static void sfs_buf_unverify(struct sfs_buf *buf)
{
	clear_buffer_sfs_verified(sfs_bh(buf));
}

/* Without a journal: sealed at once, written whenever the kernel likes. */
static void sfs_buf_dirty_plain(struct sfs_fs *fs, struct sfs_buf *buf)
{
	struct buffer_head *bh = sfs_bh(buf);

	/* Two writers of one block: the later seal must not be of the earlier content. */
	lock_buffer(bh);
	sfs_summary_freeze(fs, bh->b_data);
	sfs_block_stamp(fs, bh->b_data);
	sfs_block_seal(bh->b_data);
	unlock_buffer(bh);
	mark_buffer_dirty(bh);
}

/* A write of it that is under way must not land on what the block becomes next. */
static void sfs_buf_forget_plain(struct sfs_buf *buf)
{
	struct buffer_head *bh = sfs_bh(buf);

	get_bh(bh);
	bforget(bh);
	wait_on_buffer(bh);
	brelse(bh);
}

static int sfs_journal_check(struct sfs_fs *fs, int err, const char *what)
{
	if (err)
		sfs_shutdown(fs, err, what);
	return err;
}

int sfs_buf_access(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	return sfs_buf_enter(t, sfs_bh(buf), jbd2_journal_get_write_access);
}

int sfs_buf_access_undo(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	return sfs_buf_enter(t, sfs_bh(buf), jbd2_journal_get_undo_access);
}

/* How many of @nbits bits from @bit are clear in an earlier state; all if there is none. */
static unsigned int sfs_state_clear(const void *state, unsigned int bit, unsigned int nbits)
{
	const struct sfs_bitmap_disk *map = state;

	return map ? sfs_bits_next_set(map->b_bits, bit, bit + nbits) - bit : nbits;
}

/*
 * While a transaction commits, b_committed_data is the state before it, and undo access by the one
 * after it has left the state that is being committed in b_frozen_data.  When the commit has ended,
 * jbd2 moves the latter into the place of the former.
 */
unsigned int sfs_buf_reusable(struct sfs_buf *buf, unsigned int bit, unsigned int nbits)
{
	struct journal_head *jh;

	/* Undo access in the caller's transaction keeps the journal head. */
	if (!buffer_jbd(sfs_bh(buf)))
		return nbits;
	jh = bh2jh(sfs_bh(buf));
	spin_lock(&jh->b_state_lock);
	nbits = sfs_state_clear(jh->b_committed_data, bit, nbits);
	nbits = sfs_state_clear(jh->b_frozen_data, bit, nbits);
	spin_unlock(&jh->b_state_lock);
	return nbits;
}

int sfs_buf_dirty(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	if (sfs_trans_is_plain(t)) {
		sfs_buf_dirty_plain(fs, buf);
		return 0;
	}
	return sfs_journal_check(fs, jbd2_journal_dirty_metadata(sfs_handle(t), sfs_bh(buf)),
				 "a changed block could not be journalled");
}

int sfs_buf_order(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	return sfs_trans_is_plain(t) ? sfs_buf_write_now(buf) : 0;
}

int sfs_buf_forget(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	struct buffer_head *bh = sfs_bh(buf);
	int err;

	sfs_buf_unverify(buf);
	if (sfs_trans_is_plain(t)) {
		sfs_buf_forget_plain(buf);
		return 0;
	}
	get_bh(bh);
	err = jbd2_journal_revoke(sfs_handle(t), bh->b_blocknr, bh);
	/* A checkpoint's write that is under way must not land on what the block becomes next. */
	wait_on_buffer(bh);
	brelse(bh);
	return sfs_journal_check(fs, err, "a freed block could not be revoked");
}

void sfs_buf_readahead(struct sfs_fs *fs, u64 blk, unsigned int nblks)
{
	for (; nblks; nblks--, blk++)
		sb_breadahead(sfs_fs_sb(fs), blk);
}

int sfs_buf_read_raw(struct super_block *sb, u64 blk, struct sfs_buf **ret_buf)
{
	struct buffer_head *bh = sb_bread(sb, blk);

	if (!bh)
		return -EIO;
	*ret_buf = (struct sfs_buf *)bh;
	return 0;
}

void sfs_buf_trust(struct sfs_buf *buf)
{
	set_buffer_sfs_verified(sfs_bh(buf));
}

void sfs_bdev_forget(struct block_device *bdev)
{
	sync_blockdev(bdev);	/* an error has been seen by those who waited for the blocks */
	invalidate_bdev(bdev);
}

int sfs_buf_write_now(struct sfs_buf *buf)
{
	struct buffer_head *bh = sfs_bh(buf);
	int err;

	lock_buffer(bh);
	sfs_block_seal(bh->b_data);
	unlock_buffer(bh);
	mark_buffer_dirty(bh);
	err = __sync_dirty_buffer(bh, REQ_SYNC | REQ_PREFLUSH | REQ_FUA);
	if (!err && buffer_write_io_error(bh))
		err = -EIO;
	return err;
}

#define SFS_FORMAT_BATCH	32

/* One block of a run, in its buffer, which stays locked until it has been written. */
static void sfs_buf_format_start(struct sfs_fs *fs, struct buffer_head *bh, sfs_fill_fn fill,
				 const void *arg)
{
	lock_buffer(bh);
	clear_buffer_dirty(bh);		/* of a former life */
	memset(bh->b_data, 0, bh->b_size);
	fill(fs, bh->b_blocknr, bh->b_data, arg);
	sfs_block_stamp(fs, bh->b_data);
	sfs_block_seal(bh->b_data);
	set_buffer_uptodate(bh);
	set_buffer_sfs_verified(bh);
}

static void sfs_buf_format_end(struct buffer_head *bh, int err)
{
	if (err) {
		clear_buffer_sfs_verified(bh);
		clear_buffer_uptodate(bh);
	}
	unlock_buffer(bh);
}

/* All references, or none. */
static int sfs_buf_format_get(struct super_block *sb, u64 blk, unsigned int nblks,
			      struct buffer_head **bhs)
{
	unsigned int n;

	for (n = 0; n < nblks; n++) {
		bhs[n] = sb_getblk(sb, blk + n);
		if (!bhs[n])
			goto put_blocks;
	}
	return 0;
put_blocks:
	while (n--)
		brelse(bhs[n]);
	return -ENOMEM;
}

/*
 * Up to a batch, by a request of our own: nothing refers to the blocks yet, but an error that the
 * buffers' functions leave in the device's mapping makes jbd2 abort the journal since 6.8.  Looking
 * for a buffer takes the lock of its folio since 6.15, which comes before the buffers' locks.
 */
static int sfs_buf_format_batch(struct sfs_fs *fs, u64 blk, unsigned int nblks, sfs_fill_fn fill,
				const void *arg)
{
	struct super_block *sb = sfs_fs_sb(fs);
	struct buffer_head *bhs[SFS_FORMAT_BATCH];
	unsigned int n;
	struct bio *bio;
	int err;

	err = sfs_buf_format_get(sb, blk, nblks, bhs);
	if (err)
		return err;
	bio = bio_alloc(sb->s_bdev, nblks, REQ_OP_WRITE | REQ_SYNC, GFP_NOFS);
	bio->bi_iter.bi_sector = blk << (SFS_BLOCK_BITS - SECTOR_SHIFT);
	for (n = 0; n < nblks; n++) {
		sfs_buf_format_start(fs, bhs[n], fill, arg);
		__bio_add_page(bio, virt_to_page(bhs[n]->b_data), SFS_BLOCK_SIZE,
			       offset_in_page(bhs[n]->b_data));
	}
	/* Of a thin pool that is full, -ENOSPC would be believed. */
	err = submit_bio_wait(bio) ? -EIO : 0;
	bio_put(bio);
	for (n = 0; n < nblks; n++) {
		sfs_buf_format_end(bhs[n], err);
		brelse(bhs[n]);
	}
	return err;
}

int sfs_buf_format(struct sfs_fs *fs, u64 blk, unsigned int nblks, sfs_fill_fn fill,
		   const void *arg)
{
	unsigned int done;
	int err = 0;

	for (done = 0; !err && done < nblks; done += SFS_FORMAT_BATCH)
		err = sfs_buf_format_batch(fs, blk + done,
					   min_t(unsigned int, nblks - done, SFS_FORMAT_BATCH),
					   fill, arg);
	return err;
}

int sfs_buf_flush(struct sfs_fs *fs)
{
	return blkdev_issue_flush(sfs_fs_sb(fs)->s_bdev);
}
