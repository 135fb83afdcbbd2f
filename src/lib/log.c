// SPDX-License-Identifier: GPL-2.0-only
/*
 * log.c - the superblock of a jbd2 log, as mkfs writes it.
 *
 * All its fields are big-endian 32-bit words; the offsets are the journal's own format (version 2,
 * with 64-bit block numbers, revoke records and checksums of version 3).
 */
#include "lib.h"

#define SFS_LOG_MAGIC		0xc03b3998u
#define SFS_LOG_SUPER_V2	4
#define SFS_LOG_CRC32C		4
#define SFS_LOG_INCOMPAT	(0x1 | 0x2 | 0x10)	/* revoke, 64-bit, checksum v3 */

/* Offsets in the superblock. */
enum {
	SFS_LOG_OFF_MAGIC = 0,
	SFS_LOG_OFF_TYPE = 4,
	SFS_LOG_OFF_BLOCKSIZE = 12,
	SFS_LOG_OFF_MAXLEN = 16,
	SFS_LOG_OFF_FIRST = 20,
	SFS_LOG_OFF_SEQUENCE = 24,
	SFS_LOG_OFF_INCOMPAT = 40,
	SFS_LOG_OFF_UUID = 48,
	SFS_LOG_OFF_USERS = 64,
	SFS_LOG_OFF_CRC_TYPE = 80,
	SFS_LOG_OFF_CRC = 252,
	SFS_LOG_OFF_USER_UUID = 256,
	SFS_LOG_SUPER_BYTES = 1024,
};

static void sfs_log_put(u8 *data, unsigned int off, u32 value)
{
	u32 raw = htobe32(value);

	memcpy(data + off, &raw, sizeof(raw));
}

void sfs_log_make(void *data, u32 start, u32 nblks, const u8 uuid[16])
{
	u8 *d = data;

	memset(d, 0, SFS_BLOCK_SIZE);
	sfs_log_put(d, SFS_LOG_OFF_MAGIC, SFS_LOG_MAGIC);
	sfs_log_put(d, SFS_LOG_OFF_TYPE, SFS_LOG_SUPER_V2);
	sfs_log_put(d, SFS_LOG_OFF_BLOCKSIZE, SFS_BLOCK_SIZE);
	sfs_log_put(d, SFS_LOG_OFF_MAXLEN, start + nblks);
	sfs_log_put(d, SFS_LOG_OFF_FIRST, start + 1);
	/* Not 1: an older log's blocks under the same numbers must not fit. */
	sfs_log_put(d, SFS_LOG_OFF_SEQUENCE, (sfs_crc32c(~0u, uuid, 16) >> 1) | 1);
	sfs_log_put(d, SFS_LOG_OFF_INCOMPAT, SFS_LOG_INCOMPAT);
	memcpy(d + SFS_LOG_OFF_UUID, uuid, 16);
	sfs_log_put(d, SFS_LOG_OFF_USERS, 1);
	d[SFS_LOG_OFF_CRC_TYPE] = SFS_LOG_CRC32C;
	memcpy(d + SFS_LOG_OFF_USER_UUID, uuid, 16);
	sfs_log_put(d, SFS_LOG_OFF_CRC, sfs_crc32c(~0u, d, SFS_LOG_SUPER_BYTES));
}
