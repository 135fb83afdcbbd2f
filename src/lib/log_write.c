// SPDX-License-Identifier: GPL-2.0-only
/*
 * log_write.c - a program's changes as one transaction of the volume's own log.
 *
 * What belongs together is spread over blocks that a disk writes in any order, unless it is told to
 * flush.  So all of it goes into the log first, where nothing of it counts:
 *
 *   1. the log, still empty, is told to go on behind the number T that is used here: whatever this
 *      leaves in its blocks, no later transaction has that number
 *   2. descriptors, copies and the commit record of T; flush
 *   3. the log's superblock points at T; flush.  Here the change happens: whoever comes replays it
 *   4. the blocks are written home; flush
 *   5. the log's superblock says that it is empty, as in 1; flush
 *
 * Before 3 the volume is the old one, after it the new one.  The log's superblock is one sector,
 * written whole or not at all.  Block 0 belongs to the transaction as well: what it says of the
 * volume becomes true with it.  What is written is what jbd2 would (log.h).
 */
#include "lib.h"
#include "log.h"

/* How many tags a descriptor holds: the first one brings a UUID. */
#define SFS_LOG_TAGS \
	((SFS_LOG_TAIL - SFS_LOG_HEAD_BYTES - SFS_LOG_UUID_BYTES) / SFS_LOG_TAG_BYTES)

struct sfs_log_writer {
	struct sfs_log *w_log;
	u32 w_tid;
	u32 w_at;			/* next block of the log */
	u32 w_desc_at;			/* where the descriptor in hand goes */
	unsigned int w_ntags;		/* in it; 0: there is none */
	unsigned int w_off;		/* behind its last tag */
	u8 w_desc[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
};

static void sfs_log_head(u8 *data, u32 type, u32 tid)
{
	memset(data, 0, SFS_BLOCK_SIZE);
	sfs_log_put(data, SFS_LOG_OFF_MAGIC, SFS_LOG_MAGIC);
	sfs_log_put(data, SFS_LOG_OFF_TYPE, type);
	sfs_log_put(data, SFS_LOG_OFF_TID, tid);
}

/* Writes @data with the checksum of the whole block at @crc_at. */
static int sfs_log_put_block(struct sfs_log_writer *w, u32 at, u8 *data, unsigned int crc_at)
{
	sfs_log_put(data, crc_at, sfs_log_crc(w->w_log->l_seed, data, crc_at, SFS_BLOCK_SIZE));
	return sfs_dev_write(w->w_log->l_dev, at, data);
}

/* The descriptor in hand, if there is one, has its last tag. */
static int sfs_log_end_desc(struct sfs_log_writer *w)
{
	unsigned int flags_at = w->w_off - SFS_LOG_TAG_BYTES + SFS_LOG_TAG_FLAGS;

	if (!w->w_ntags)
		return 0;
	if (w->w_ntags == 1)
		flags_at -= SFS_LOG_UUID_BYTES;
	sfs_log_put(w->w_desc, flags_at, sfs_log_get(w->w_desc, flags_at) | SFS_LOG_FLAG_LAST);
	w->w_ntags = 0;
	return sfs_log_put_block(w, w->w_desc_at, w->w_desc, SFS_LOG_TAIL);
}

static void sfs_log_tag(struct sfs_log_writer *w, u64 blk, u32 crc)
{
	u8 *tag = w->w_desc + w->w_off;

	sfs_log_put(tag, SFS_LOG_TAG_BLK, blk);
	sfs_log_put(tag, SFS_LOG_TAG_BLK_HIGH, blk >> 32);
	sfs_log_put(tag, SFS_LOG_TAG_FLAGS, w->w_ntags ? SFS_LOG_FLAG_SAME_UUID : 0);
	sfs_log_put(tag, SFS_LOG_TAG_CRC, crc);
	w->w_off += SFS_LOG_TAG_BYTES;
	if (!w->w_ntags++) {
		memcpy(w->w_desc + w->w_off, w->w_log->l_fs->f_journal_uuid, SFS_LOG_UUID_BYTES);
		w->w_off += SFS_LOG_UUID_BYTES;
	}
}

/*
 * A copy of block @blk, and its tag.  It was judged: none begins with the magic of the log's own
 * blocks, which would have to be disguised.
 */
static int sfs_log_copy(void *arg, u64 blk, const void *data)
{
	struct sfs_log_writer *w = arg;
	u8 tid[4];
	u32 crc;
	int err;

	if (w->w_ntags == SFS_LOG_TAGS) {
		err = sfs_log_end_desc(w);
		if (err)
			return err;
	}
	if (!w->w_ntags) {
		sfs_log_head(w->w_desc, SFS_LOG_DESCRIPTOR, w->w_tid);
		w->w_desc_at = w->w_at++;
		w->w_off = SFS_LOG_HEAD_BYTES;
	}
	sfs_log_put(tid, 0, w->w_tid);
	crc = sfs_crc32c(w->w_log->l_seed, tid, sizeof(tid));
	sfs_log_tag(w, blk, sfs_crc32c(crc, data, SFS_BLOCK_SIZE));
	return sfs_dev_write(w->w_log->l_dev, w->w_at++, data);
}

static int sfs_log_commit(struct sfs_log_writer *w)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	s64 now = sfs_time_now();
	u64 sec = now / 1000000000;

	sfs_log_head(data, SFS_LOG_COMMIT, w->w_tid);
	sfs_log_put(data, SFS_LOG_COMMIT_SEC, sec >> 32);
	sfs_log_put(data, SFS_LOG_COMMIT_SEC + 4, sec);
	sfs_log_put(data, SFS_LOG_COMMIT_SEC + 8, now % 1000000000);
	return sfs_log_put_block(w, w->w_at++, data, SFS_LOG_COMMIT_CRC);
}

/* The transaction, from the first block of the log on; lasting, but nothing points at it. */
static int sfs_log_put_trans(struct sfs_log *log, u32 tid, const void *super)
{
	struct sfs_log_writer w = { .w_log = log, .w_tid = tid, .w_at = log->l_first };
	int err;

	err = sfs_log_copy(&w, 0, super);
	if (!err)
		err = sfs_dev_visit_changed(log->l_fs->f_priv, sfs_log_copy, &w);
	if (!err)
		err = sfs_log_end_desc(&w);
	if (!err)
		err = sfs_log_commit(&w);
	sfs_assert(w.w_at <= log->l_end);
	return err ? err : sfs_dev_sync(log->l_dev);
}

/* What a replay would refuse must not get in: it would be refused as a whole. */
static int sfs_log_judge(void *arg, u64 blk, const void *data)
{
	struct sfs_fs *fs = arg;
	const char *why = blk < fs->f_blocks ? sfs_block_verify_any(fs, data, blk) :
					       "past the end of the volume";

	return why ? sfs_corrupt(fs, blk, 0, "block for the log", why) : 0;
}

static u32 sfs_log_space(const struct sfs_log *log)
{
	/* One is the commit record's; one stays free, so that the ring has an end. */
	u32 nblks = log->l_end - log->l_first - 2;

	return nblks - (nblks + SFS_LOG_TAGS) / (SFS_LOG_TAGS + 1);
}

int sfs_log_room(struct sfs_fs *fs, struct sfs_dev *log_dev, u32 *ret_nblks)
{
	struct sfs_log log;
	int err;

	err = sfs_log_open(fs, log_dev, &log);
	if (!err)
		*ret_nblks = sfs_log_space(&log);
	return err;
}

int sfs_log_write(struct sfs_fs *fs, struct sfs_dev *log_dev, const void *super)
{
	struct sfs_log log;
	u32 tid;
	int err;

	err = sfs_log_open(fs, log_dev, &log);
	if (err)
		return err;
	if (log.l_start)
		return -EBUSY;
	if (sfs_dev_changed(fs->f_priv) >= sfs_log_space(&log))
		return -E2BIG;
	err = sfs_log_judge(fs, 0, super);
	if (!err)
		err = sfs_dev_visit_changed(fs->f_priv, sfs_log_judge, fs);
	if (err)
		return err;
	tid = log.l_sequence;
	err = sfs_log_point(&log, 0, tid + 1);
	if (!err)
		err = sfs_log_put_trans(&log, tid, super);
	if (!err)
		err = sfs_log_point(&log, log.l_first, tid);
	if (!err)
		err = sfs_dev_flush(fs->f_priv);
	if (!err)
		err = sfs_dev_write(fs->f_priv, 0, super);
	if (!err)
		err = sfs_dev_sync(fs->f_priv);
	return err ? err : sfs_log_point(&log, 0, tid + 1);
}
