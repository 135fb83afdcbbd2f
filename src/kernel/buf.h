/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buf.h - between buf.c, journal.c and mount.c: what port.h does not promise the core.
 */
#ifndef SFS_BUF_H
#define SFS_BUF_H

struct block_device;
struct buffer_head;

static inline struct buffer_head *sfs_bh(struct sfs_buf *buf)
{
	return (struct buffer_head *)buf;
}

/* buf.c */
void sfs_buf_unverify(struct sfs_buf *buf);
void sfs_buf_dirty_plain(struct sfs_buf *buf);
void sfs_buf_forget_plain(struct sfs_buf *buf);
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

/* journal.c: for a locked buffer about to be filled. */
int sfs_journal_create_access(struct sfs_trans *t, struct sfs_buf *buf);

#endif
