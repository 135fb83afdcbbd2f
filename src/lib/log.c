// SPDX-License-Identifier: GPL-2.0-only
/*
 * log.c - the superblock of a jbd2 log, as mkfs writes it.
 */
#include "lib.h"
#include "log.h"

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
