/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - the jbd2 log on disk, as far as simplefs uses it.
 *
 * All fields are big-endian; numbers here are byte offsets in a 4096-byte block.  A log is version
 * 2 with 64-bit block numbers, revoke records and checksums of version 3, nothing else: each
 * checksum is crc32c seeded with that of the log's UUID.  Block numbers count from the start of
 * the device; the log's superblock lies before the first of them.
 */
#ifndef SFS_LOG_H
#define SFS_LOG_H

#define SFS_LOG_MAGIC		0xc03b3998u
#define SFS_LOG_CRC32C		4
#define SFS_LOG_INCOMPAT	(0x1 | 0x2 | 0x10)	/* revoke, 64-bit, checksum v3 */

/* Every block but copies of data starts with magic, type and the number of its transaction. */
enum {
	SFS_LOG_DESCRIPTOR = 1,		/* tags: where the copies that follow belong */
	SFS_LOG_COMMIT = 2,
	SFS_LOG_SUPER_V2 = 4,
	SFS_LOG_REVOKE = 5,		/* blocks whose copies, up to here, are void */
};
enum {
	SFS_LOG_OFF_MAGIC = 0,
	SFS_LOG_OFF_TYPE = 4,
	SFS_LOG_OFF_TID = 8,
	SFS_LOG_HEAD_BYTES = 12,
};

/* The superblock. */
enum {
	SFS_LOG_OFF_BLOCKSIZE = 12,
	SFS_LOG_OFF_MAXLEN = 16,	/* end of the log */
	SFS_LOG_OFF_FIRST = 20,		/* its first block */
	SFS_LOG_OFF_SEQUENCE = 24,	/* transaction expected at _START */
	SFS_LOG_OFF_START = 28,		/* 0: the log is empty */
	SFS_LOG_OFF_ERRNO = 32,
	SFS_LOG_OFF_COMPAT = 36,
	SFS_LOG_OFF_INCOMPAT = 40,
	SFS_LOG_OFF_RO_COMPAT = 44,
	SFS_LOG_OFF_UUID = 48,
	SFS_LOG_OFF_USERS = 64,
	SFS_LOG_OFF_CRC_TYPE = 80,
	SFS_LOG_OFF_HEAD = 88,
	SFS_LOG_OFF_CRC = 252,
	SFS_LOG_OFF_USER_UUID = 256,
	SFS_LOG_SUPER_BYTES = 1024,	/* what the checksum covers */
};

/* A tag: 16 bytes, and 16 of UUID where the flag does not say "as before". */
enum {
	SFS_LOG_TAG_BLK = 0,
	SFS_LOG_TAG_FLAGS = 4,
	SFS_LOG_TAG_BLK_HIGH = 8,
	SFS_LOG_TAG_CRC = 12,		/* of the transaction's number and the copy */
	SFS_LOG_TAG_BYTES = 16,
	SFS_LOG_UUID_BYTES = 16,
	SFS_LOG_FLAG_ESCAPED = 1,	/* the copy's first word is zero, and was the log's magic */
	SFS_LOG_FLAG_SAME_UUID = 2,
	SFS_LOG_FLAG_LAST = 8,
};

/* Descriptor and revoke blocks end in a checksum of the whole block, itself taken as zero. */
#define SFS_LOG_TAIL		4092

enum {
	SFS_LOG_REVOKE_END = 12,	/* bytes in use, the 16 of the head included */
	SFS_LOG_REVOKE_FIRST = 16,	/* then 8-byte block numbers */
};

enum {
	SFS_LOG_COMMIT_CRC = 16,
	SFS_LOG_COMMIT_SEC = 48,
	SFS_LOG_COMMIT_BYTES = 60,	/* the rest of the block means nothing */
};

static inline u32 sfs_log_get(const u8 *data, unsigned int off)
{
	u32 raw;

	memcpy(&raw, data + off, sizeof(raw));
	return be32toh(raw);
}

static inline u64 sfs_log_get64(const u8 *data, unsigned int off)
{
	return (u64)sfs_log_get(data, off) << 32 | sfs_log_get(data, off + 4);
}

static inline void sfs_log_put(u8 *data, unsigned int off, u32 value)
{
	u32 raw = htobe32(value);

	memcpy(data + off, &raw, sizeof(raw));
}

/* crc32c of @nbytes with the four at @at taken as zero. */
static inline u32 sfs_log_crc(u32 seed, const u8 *data, unsigned int at, unsigned int nbytes)
{
	static const u8 zero[4];
	u32 crc = sfs_crc32c(seed, data, at);

	crc = sfs_crc32c(crc, zero, sizeof(zero));
	return sfs_crc32c(crc, data + at + 4, nbytes - at - 4);
}

/* ---- log.c ---- */

/* A volume's log, its superblock read and verified. */
struct sfs_log {
	struct sfs_fs *l_fs;
	struct sfs_dev *l_dev;
	u64 l_super;			/* block of the log's superblock */
	u32 l_first;			/* the log is the ring [l_first, l_end) */
	u32 l_end;
	u32 l_seed;			/* of its checksums */
	u32 l_start;			/* where its oldest transaction begins; 0: it is empty */
	u32 l_sequence;			/* the number of that, or of the next one */
	int l_errno;			/* why the kernel stopped journalling, or 0 */
	u8 l_data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));	/* scratch */
};

/* Reports damage of the log at its block @at.  -EFSCORRUPTED */
int sfs_log_corrupt(const struct sfs_log *log, u64 at, const char *why);
/*
 * @log_dev is the external journal's device, or NULL: -ENODEV if one is needed.  -EIO,
 * -EFSCORRUPTED after a report.
 */
int sfs_log_open(struct sfs_fs *fs, struct sfs_dev *log_dev, struct sfs_log *ret_log);
/* Its superblock says from now on, lasting: begins at @start with @sequence, and no error. */
int sfs_log_point(struct sfs_log *log, u32 start, u32 sequence);

#endif
