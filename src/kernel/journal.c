// SPDX-License-Identifier: GPL-2.0-only
/*
 * journal.c - transactions: the only caller of jbd2.
 *
 * A struct sfs_trans is a jbd2 handle.  The recipe for a block: access, change, dirty; a freed
 * one: forget.  Nobody computes a checksum on the way: one trigger seals every block when jbd2
 * freezes it for the commit, and since each block carries all that a seal needs in its head, that
 * trigger needs to know nothing else.
 *
 * A volume without a journal gets a plain handle, which is no pointer but the saved allocation
 * scope with the lowest bit set; blocks are then sealed as they get dirty (buf.c).
 */
#include "simplefs.h"

#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/jbd2.h>
#include <linux/sched/mm.h>
#include <linux/writeback.h>

#include "buf.h"

struct sfs_journal {
	journal_t *j_log;
	struct sfs_bdev j_dev;		/* external journal: the device; else zero */
};

#define SFS_PLAIN_TRANS		1UL

static bool sfs_trans_is_plain(struct sfs_trans *t)
{
	return (unsigned long)t & SFS_PLAIN_TRANS;
}

static handle_t *sfs_handle(struct sfs_trans *t)
{
	return (handle_t *)t;
}

static journal_t *sfs_log(struct super_block *sb)
{
	struct sfs_journal *journal = SFS_SB(sb)->si_journal;

	return journal ? journal->j_log : NULL;
}

/* jbd2 holds a spinlock here. */
static void sfs_journal_frozen(struct jbd2_buffer_trigger_type *type, struct buffer_head *bh,
			       void *data, size_t nbytes)
{
	sfs_block_seal(data);
}

static struct jbd2_buffer_trigger_type sfs_journal_trigger = {
	.t_frozen = sfs_journal_frozen,
};

/* ---- handles ---- */

static int sfs_trans_start(struct super_block *sb, unsigned int nblks, unsigned int nrevokes,
			   struct sfs_trans **ret_trans)
{
	journal_t *log = sfs_log(sb);
	handle_t *handle;

	if (sfs_is_shutdown(sb))
		return -EIO;
	if (sb_rdonly(sb))
		return -EROFS;
	if (!log) {
		*ret_trans = (struct sfs_trans *)(memalloc_nofs_save() | SFS_PLAIN_TRANS);
		return 0;
	}
	if (test_bit(SFS_SI_READONLY, &SFS_SB(sb)->si_flags) && !current->journal_info)
		return -EROFS;
	/*
	 * Writeback, completion, eviction and times have nobody who would try again: what they do
	 * not write down is lost.  So nobody is told that there is no memory; there will be.
	 */
	while ((handle = jbd2__journal_start(log, nblks, 0, nrevokes, GFP_NOFS, 0, 0)) ==
	       ERR_PTR(-ENOMEM))
		memalloc_retry_wait(GFP_NOFS);
	if (IS_ERR(handle) && is_journal_aborted(log)) {
		/* jbd2 says "read-only" of it, as it knows no shutdown. */
		sfs_shutdown(&SFS_SB(sb)->si_fs, -EIO, "journal aborted");
		return -EIO;
	}
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	/* It may have waited behind the clean mark. */
	if (test_bit(SFS_SI_READONLY, &SFS_SB(sb)->si_flags) && handle->h_ref == 1) {
		jbd2_journal_stop(handle);
		return -EROFS;
	}
	/*
	 * What a transaction makes readable was written before, and may lie in the volume's cache.
	 * On the same device the commit's flush sees to that; from elsewhere it must be asked for.
	 */
	if (log->j_dev != log->j_fs_dev && !handle->h_transaction->t_need_data_flush)
		handle->h_transaction->t_need_data_flush = 1;
	*ret_trans = (struct sfs_trans *)handle;
	return 0;
}

int sfs_trans_begin(struct super_block *sb, unsigned int nblks, unsigned int nrevokes,
		    struct sfs_trans **ret_trans)
{
	/* An operation that is under way, and so may have changed something, is let through. */
	if (test_bit(SFS_SI_DAMAGED, &SFS_SB(sb)->si_flags) && !current->journal_info)
		return -EROFS;
	return sfs_trans_start(sb, nblks, nrevokes, ret_trans);
}

int sfs_trans_begin_error(struct super_block *sb, struct sfs_trans **ret_trans)
{
	return sfs_trans_start(sb, 1, 0, ret_trans);
}

int sfs_trans_end(struct sfs_trans *t)
{
	if (sfs_trans_is_plain(t)) {
		memalloc_nofs_restore((unsigned long)t & ~SFS_PLAIN_TRANS);
		return 0;
	}
	return jbd2_journal_stop(sfs_handle(t));
}

void sfs_trans_sync(struct sfs_trans *t)
{
	if (!sfs_trans_is_plain(t))
		sfs_handle(t)->h_sync = 1;
}

/* 0 means "none": the one transaction in 2^32 that has it says 1, and sfs_journal_wait() knows. */
u32 sfs_trans_tid(struct sfs_trans *t)
{
	u32 tid;

	if (sfs_trans_is_plain(t))
		return 0;
	tid = sfs_handle(t)->h_transaction->t_tid;
	return tid ? tid : 1;
}

u32 sfs_journal_tid(struct super_block *sb)
{
	journal_t *log = sfs_log(sb);
	u32 tid;

	if (!log)
		return 0;
	read_lock(&log->j_state_lock);
	if (log->j_running_transaction)
		tid = log->j_running_transaction->t_tid;
	else if (log->j_committing_transaction)
		tid = log->j_committing_transaction->t_tid;
	else
		tid = log->j_commit_sequence;
	read_unlock(&log->j_state_lock);
	return tid ? tid : 1;
}

/* ---- blocks ---- */

static int sfs_journal_check(struct sfs_fs *fs, int err, const char *what)
{
	if (err)
		sfs_shutdown(fs, err, what);
	return err;
}

int sfs_buf_access(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	int err;

	if (sfs_trans_is_plain(t))
		return 0;
	err = jbd2_journal_get_write_access(sfs_handle(t), sfs_bh(buf));
	if (!err)
		jbd2_journal_set_triggers(sfs_bh(buf), &sfs_journal_trigger);
	return err;
}

int sfs_buf_access_undo(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	int err;

	if (sfs_trans_is_plain(t))
		return 0;
	err = jbd2_journal_get_undo_access(sfs_handle(t), sfs_bh(buf));
	if (!err)
		jbd2_journal_set_triggers(sfs_bh(buf), &sfs_journal_trigger);
	return err;
}

int sfs_journal_create_access(struct sfs_trans *t, struct sfs_buf *buf)
{
	int err;

	if (sfs_trans_is_plain(t))
		return 0;
	err = jbd2_journal_get_create_access(sfs_handle(t), sfs_bh(buf));
	if (!err)
		jbd2_journal_set_triggers(sfs_bh(buf), &sfs_journal_trigger);
	return err;
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
		sfs_buf_dirty_plain(buf);
		return 0;
	}
	return sfs_journal_check(fs, jbd2_journal_dirty_metadata(sfs_handle(t), sfs_bh(buf)),
				 "a changed block could not be journalled");
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

/* ---- waiting ---- */

/*
 * Without a journal: all metadata to the device.  What has failed to get there is lost, and with it
 * the connection of what got there; the kernel tells it once, so it is remembered here.
 */
static int sfs_sync_plain(struct super_block *sb)
{
	int err = sync_blockdev(sb->s_bdev);

	if (err)
		sfs_shutdown(&SFS_SB(sb)->si_fs, err, "metadata could not be written");
	return err;
}

/*
 * After a commit all that was free before it can be had; others may have had it and freed more
 * meanwhile.  That goes on for a while at most, unless the counts are wrong.
 */
#define SFS_TRIES	100

bool sfs_retry_pending(struct super_block *sb, int *err, unsigned int *tries)
{
	journal_t *log = sfs_log(sb);

	if (*err != -EAGAIN)
		return false;
	*err = ++*tries <= SFS_TRIES ? 0 : -ENOSPC;
	if (!*err && log)
		*err = jbd2_journal_force_commit(log);
	return !*err;
}

bool sfs_retry(struct super_block *sb, int *err, unsigned int *tries)
{
	if (*err != -ENOSPC || *tries || !sfs_counter_read(&SFS_SB(sb)->si_fs.f_nodes))
		return sfs_retry_pending(sb, err, tries);
	if (!down_read_trylock(&sb->s_umount))
		return false;
	sync_inodes_sb(sb);
	up_read(&sb->s_umount);
	*tries = 1;
	*err = 0;
	return true;
}

int sfs_journal_wait(struct super_block *sb, u32 tid)
{
	journal_t *log = sfs_log(sb);
	bool flush = true;
	int err;

	if (!log) {
		err = sfs_sync_plain(sb);
		return err ? err : blkdev_issue_flush(sb->s_bdev);
	}
	if (tid) {
		flush = !jbd2_trans_will_send_data_barrier(log, tid);
		err = tid == 1 ? jbd2_complete_transaction(log, 0) : 0;
		if (!err)
			err = jbd2_complete_transaction(log, tid);
		if (err)
			return err;
	}
	/* A transaction that failed to commit counts as completed, too. */
	if (is_journal_aborted(log))
		return -EIO;
	return flush ? blkdev_issue_flush(sb->s_bdev) : 0;
}

bool sfs_journal_has(struct super_block *sb, u32 tid)
{
	journal_t *log = sfs_log(sb);

	/* 1 may be 0, see sfs_trans_tid(). */
	return log && tid != 1 && (!tid || jbd2_transaction_committed(log, tid));
}

int sfs_journal_sync(struct super_block *sb, int wait)
{
	journal_t *log = sfs_log(sb);
	bool flush = wait;
	tid_t tid;
	int err = 0;

	if (!log)
		return wait ? sfs_journal_wait(sb, 0) : 0;
	if (jbd2_journal_start_commit(log, &tid) && wait) {
		flush = !jbd2_trans_will_send_data_barrier(log, tid);
		err = jbd2_log_wait_commit(log, tid);
	}
	if (!err && wait && is_journal_aborted(log))
		err = -EIO;
	/* Without a commit nobody has told the device about overwritten data. */
	if (!err && flush)
		err = blkdev_issue_flush(sb->s_bdev);
	return err;
}

int sfs_journal_freeze(struct super_block *sb, int (*mark)(struct super_block *sb))
{
	journal_t *log = sfs_log(sb);
	int err;

	if (!log) {
		err = sfs_sync_plain(sb);
		return err ? err : mark(sb);
	}
	jbd2_journal_lock_updates(log);
	err = jbd2_journal_flush(log, 0);
	if (!err)
		err = mark(sb);
	jbd2_journal_unlock_updates(log);
	return err;
}

void sfs_journal_abort(struct super_block *sb, int err)
{
	journal_t *log = sfs_log(sb);

	if (log && !is_journal_aborted(log))
		jbd2_journal_abort(log, err);
}

/* ---- opening and closing ---- */

static const char *sfs_journal_dev_verify(const struct sfs_fs *fs, const void *data)
{
	const struct sfs_journal_dev_disk *jd = data;
	const char *why;

	if (le32_to_cpu(jd->j_head.h_magic) != SFS_MAGIC_JOURNAL_DEV)
		return "no simplefs journal there";
	why = sfs_block_verify(fs, data, 0, false);
	if (why)
		return why;
	if (memcmp(jd->j_ident, SFS_JOURNAL_IDENT, sizeof(jd->j_ident)))
		return "no journal label";
	if (memcmp(jd->j_uuid, fs->f_journal_uuid, sizeof(jd->j_uuid)))
		return "it belongs to another volume";
	return NULL;
}

/* The external device, if there is one. */
static void sfs_journal_close_dev(struct super_block *sb, struct sfs_journal *journal)
{
	if (!journal->j_dev.bdev)
		return;
	sfs_bdev_forget(journal->j_dev.bdev);
	sfs_bdev_close(&journal->j_dev, sb);
}

/* Opens and checks the external device; @ret_nblks is the length of the log on it. */
static int sfs_journal_open_dev(struct super_block *sb, struct sfs_journal *journal,
				const char *path, dev_t dev, u64 *ret_nblks)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	const struct sfs_journal_dev_disk *jd;
	struct buffer_head *bh;
	const char *why;
	u64 dev_nblks;
	int err;

	if (!path && !dev) {
		pr_err("simplefs (%s): the journal is on another device: say journal_path=\n",
		       sb->s_id);
		return -EINVAL;
	}
	err = sfs_bdev_open(&journal->j_dev, sb, path, dev);
	if (err) {
		pr_err("simplefs (%s): cannot open the journal device: error %d\n", sb->s_id, err);
		journal->j_dev.bdev = NULL;
		return err;
	}
	err = sfs_bdev_set_blocksize(&journal->j_dev, SFS_BLOCK_SIZE);
	if (err)
		return err;
	bh = __bread(journal->j_dev.bdev, 0, SFS_BLOCK_SIZE);
	if (!bh)
		return -EIO;
	jd = (const struct sfs_journal_dev_disk *)bh->b_data;
	why = sfs_journal_dev_verify(fs, jd);
	dev_nblks = bdev_nr_bytes(journal->j_dev.bdev) >> SFS_BLOCK_BITS;
	if (!why && (le64_to_cpu(jd->j_blocks) > dev_nblks ||
		     le64_to_cpu(jd->j_blocks) < SFS_JOURNAL_MIN))
		why = "its size is wrong";
	if (why)
		pr_err("simplefs (%s): journal device: %s\n", sb->s_id, why);
	else
		*ret_nblks = min_t(u64, le64_to_cpu(jd->j_blocks) - SFS_JOURNAL_DEV_LOG,
				   INT_MAX / 2);
	brelse(bh);
	return why ? -EINVAL : 0;
}

/*
 * The log must be the one that the superblock names, and begin behind its head, before anything of
 * it is replayed: jbd2 would have it begin anywhere on the device, and write there.  @ret_is_empty:
 * nothing is to be replayed.
 */
static int sfs_journal_check_head(struct super_block *sb, struct block_device *bdev, u64 start,
				  bool *ret_is_empty)
{
	struct buffer_head *bh = __bread(bdev, start, SFS_BLOCK_SIZE);
	const journal_superblock_t *jsb;
	int err = 0;

	if (!bh) {
		pr_err("simplefs (%s): the journal cannot be read: blk=%llu\n", sb->s_id, start);
		return -EIO;
	}
	jsb = (const journal_superblock_t *)bh->b_data;
	if (memcmp(jsb->s_uuid, SFS_SB(sb)->si_fs.f_journal_uuid, sizeof(jsb->s_uuid))) {
		pr_err("simplefs (%s): the journal is another volume's: blk=%llu\n", sb->s_id,
		       start);
		err = -EINVAL;
	} else if (be32_to_cpu(jsb->s_first) <= start ||
		   (jsb->s_start && be32_to_cpu(jsb->s_start) <= start)) {
		pr_err("simplefs (%s): the journal begins outside of itself: blk=%llu\n",
		       sb->s_id, start);
		err = -EINVAL;
	} else {
		*ret_is_empty = !jsb->s_start;
	}
	brelse(bh);
	return err;
}

bool sfs_journal_has_log(struct super_block *sb, const char *path, dev_t dev)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	struct sfs_journal journal = { };
	bool is_empty = true;
	u64 log_nblks;

	if (fs->f_journal_start)
		(void)sfs_journal_check_head(sb, sb->s_bdev, fs->f_journal_start, &is_empty);
	if (!(fs->f_incompat & SFS_INCOMPAT_JOURNAL_DEV) || (!path && !dev))
		return !is_empty;
	if (!sfs_journal_open_dev(sb, &journal, path, dev, &log_nblks))
		(void)sfs_journal_check_head(sb, journal.j_dev.bdev, SFS_JOURNAL_DEV_LOG,
					     &is_empty);
	sfs_journal_close_dev(sb, &journal);
	return !is_empty;
}

/*
 * jbd2 takes the start only for the log's superblock: the blocks it names, s_first and s_maxlen
 * and so the length given here, count from the start of the device.
 */
static journal_t *sfs_journal_init(struct super_block *sb, struct sfs_journal *journal,
				   u64 log_nblks)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	struct block_device *bdev = sb->s_bdev;
	u64 start = fs->f_journal_start;
	bool is_empty;
	journal_t *log;
	int err;

	if (journal->j_dev.bdev) {
		bdev = journal->j_dev.bdev;
		start = SFS_JOURNAL_DEV_LOG;
	} else {
		log_nblks = fs->f_journal_blocks;
	}
	err = sfs_journal_check_head(sb, bdev, start, &is_empty);
	if (err)
		return ERR_PTR(err);
	log = jbd2_journal_init_dev(bdev, sb->s_bdev, start, start + log_nblks, SFS_BLOCK_SIZE);
	/* NULL up to 6.5, an error since. */
	if (!log)
		log = ERR_PTR(-ENOMEM);
	if (IS_ERR(log)) {
		pr_err("simplefs (%s): no valid journal: error %ld\n", sb->s_id, PTR_ERR(log));
		return log;
	}
	log->j_private = sb;
	write_lock(&log->j_state_lock);
	log->j_flags |= SFS_JOURNAL_FLAGS;
	write_unlock(&log->j_state_lock);
	return log;
}

/* Replays what a crash left, whatever the superblock says of it. */
static int sfs_journal_load(struct super_block *sb, journal_t *log)
{
	int err;

	err = jbd2_journal_load(log);
	if (err) {
		pr_err("simplefs (%s): the journal cannot be loaded: error %d\n", sb->s_id, err);
		return err;
	}
	if (!jbd2_journal_set_features(log, 0, 0, JBD2_FEATURE_INCOMPAT_REVOKE |
				       JBD2_FEATURE_INCOMPAT_64BIT |
				       JBD2_FEATURE_INCOMPAT_CSUM_V3)) {
		pr_err("simplefs (%s): the journal lacks a feature\n", sb->s_id);
		return -EINVAL;
	}
	return 0;
}

int sfs_journal_errno(struct super_block *sb)
{
	return jbd2_journal_errno(sfs_log(sb));
}

void sfs_journal_clear_errno(struct super_block *sb)
{
	jbd2_journal_clear_err(sfs_log(sb));
	jbd2_journal_ack_err(sfs_log(sb));
	jbd2_journal_update_sb_errno(sfs_log(sb));
}

int sfs_journal_open(struct super_block *sb, const char *path, dev_t dev)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	struct sfs_journal *journal;
	u64 log_nblks = 0;
	journal_t *log;
	int err = 0;

	if (!(si->si_fs.f_compat & SFS_COMPAT_JOURNAL))
		return 0;
	journal = kzalloc(sizeof(*journal), GFP_KERNEL);
	if (!journal)
		return -ENOMEM;
	if (si->si_fs.f_incompat & SFS_INCOMPAT_JOURNAL_DEV)
		err = sfs_journal_open_dev(sb, journal, path, dev, &log_nblks);
	if (err)
		goto free_journal;
	log = sfs_journal_init(sb, journal, log_nblks);
	if (IS_ERR(log)) {
		err = PTR_ERR(log);
		goto free_journal;
	}
	err = sfs_journal_load(sb, log);
	if (err) {
		jbd2_journal_destroy(log);
		goto free_journal;
	}
	journal->j_log = log;
	si->si_journal = journal;
	return 0;

free_journal:
	sfs_journal_close_dev(sb, journal);
	kfree(journal);
	return err;
}

int sfs_journal_close(struct super_block *sb)
{
	struct sfs_journal *journal = SFS_SB(sb)->si_journal;
	int err;

	if (!journal)
		return sfs_sync_plain(sb);
	if (!journal->j_log)
		return 0;
	err = jbd2_journal_destroy(journal->j_log);
	journal->j_log = NULL;
	return err;
}

/* After kill_block_super(): the device goes last, as its own removal may want the superblock. */
void sfs_journal_release(struct super_block *sb, struct sfs_sb_info *si)
{
	struct sfs_journal *journal = si->si_journal;

	if (!journal)
		return;
	sfs_journal_close_dev(sb, journal);
	kfree(journal);
	si->si_journal = NULL;
}
