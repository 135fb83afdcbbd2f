/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buf.h - between buf.c, trans.c, journal.c and super.c: what port.h does not promise the core.
 * These four see jbd2.
 */
#ifndef SFS_BUF_H
#define SFS_BUF_H

#include <linux/jbd2.h>

struct sfs_journal {
	journal_t *j_log;
	struct sfs_bdev j_dev;		/* external journal: the device; else zero */
};

/* NULL: mounted without a journal. */
static inline journal_t *sfs_log(struct super_block *sb)
{
	struct sfs_journal *journal = SFS_SB(sb)->si_journal;

	return journal ? journal->j_log : NULL;
}

/* The volume whose log it is. */
static inline struct sfs_fs *sfs_log_fs(journal_t *log)
{
	return &SFS_SB(log->j_private)->si_fs;
}

static inline bool sfs_trans_is_plain(const struct sfs_trans *t)
{
	return !t->t_handle;
}

static inline handle_t *sfs_handle(const struct sfs_trans *t)
{
	return t->t_handle;
}

static inline struct buffer_head *sfs_bh(struct sfs_buf *buf)
{
	return (struct buffer_head *)buf;
}

/* buf.c */
/* The superblock, before there is a struct sfs_fs to verify with: unchecked, then trusted. */
int sfs_buf_read_raw(struct super_block *sb, u64 blk, struct sfs_buf **ret_buf);
void sfs_buf_trust(struct sfs_buf *buf);
/*
 * Writes and drops what is cached of a device that is let go.  Somebody else may keep it open and
 * write to it: what is then read must be verified anew, jbd2's superblock included.
 */
void sfs_bdev_forget(struct block_device *bdev);
/* Seals and writes a block that is in no transaction; on stable storage when it returns. */
int sfs_buf_write_now(struct sfs_buf *buf);

/* trans.c: without a journal, all metadata to the device; shuts down when that fails. */
int sfs_sync_plain(struct super_block *sb);

#endif
