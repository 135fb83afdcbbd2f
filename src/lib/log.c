// SPDX-License-Identifier: GPL-2.0-only
/*
 * log.c - a jbd2 log's superblock: made, found and verified, written.
 *
 * It alone says whether the log is empty, and where it begins if not: whoever replays (replay.c) or
 * writes a transaction (log_write.c) starts and ends here.
 */
#include "lib.h"
#include "log.h"

int sfs_log_corrupt(const struct sfs_log *log, u64 at, const char *why)
{
	return sfs_corrupt(log->l_fs, at, 0, "journal", why);
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

/* ---- opening ---- */

const char *sfs_log_dev_verify(const struct sfs_fs *fs, const void *data, u64 dev_nblks)
{
	const struct sfs_journal_dev_disk *jd = data;
	const char *why;

	if (le32_to_cpu(jd->j_head.h_magic) != SFS_MAGIC_JOURNAL_DEV)
		return "no journal of a simplefs there";
	why = sfs_block_verify(fs, &sfs_journal_dev_ops, data, 0);
	if (why)
		return why;
	if (memcmp(jd->j_uuid, fs->f_journal_uuid, sizeof(jd->j_uuid)))
		return "the journal of another volume";
	/* All else is the same in a copy of the volume, whose the journal is not. */
	if (memcmp(jd->j_fs_uuid, fs->f_uuid, sizeof(jd->j_fs_uuid)))
		return "the journal of a volume with another UUID";
	if (le64_to_cpu(jd->j_blocks) > dev_nblks)
		return "the journal is larger than its device";
	return NULL;
}

/* Where the log lies; @ret_end bounds it. */
static int sfs_log_locate(struct sfs_log *log, struct sfs_dev *log_dev, u64 *ret_end)
{
	const struct sfs_journal_dev_disk *jd = (const void *)log->l_data;
	const struct sfs_fs *fs = log->l_fs;
	const char *why;
	int err;

	if (!(fs->f_incompat & SFS_INCOMPAT_JOURNAL_DEV)) {
		log->l_dev = fs->f_priv;
		log->l_super = fs->f_journal_start;
		*ret_end = fs->f_journal_start + fs->f_journal_blocks;
		return 0;
	}
	if (!log_dev)
		return -ENODEV;
	err = sfs_dev_read(log_dev, 0, log->l_data);
	if (err)
		return err;
	why = sfs_log_dev_verify(fs, log->l_data, sfs_dev_nblks(log_dev));
	if (why)
		return sfs_log_corrupt(log, 0, why);
	log->l_dev = log_dev;
	log->l_super = SFS_JOURNAL_DEV_LOG;
	*ret_end = min_t(u64, le64_to_cpu(jd->j_blocks), INT32_MAX);
	return 0;
}

static const char *sfs_log_super_verify(const struct sfs_log *log, u64 end)
{
	const u8 *d = log->l_data;
	u32 first = sfs_log_get(d, SFS_LOG_OFF_FIRST);
	u32 maxlen = sfs_log_get(d, SFS_LOG_OFF_MAXLEN);
	u32 start = sfs_log_get(d, SFS_LOG_OFF_START);

	if (sfs_log_get(d, SFS_LOG_OFF_MAGIC) != SFS_LOG_MAGIC ||
	    sfs_log_get(d, SFS_LOG_OFF_TYPE) != SFS_LOG_SUPER_V2)
		return "not a log's superblock";
	if (sfs_log_get(d, SFS_LOG_OFF_BLOCKSIZE) != SFS_BLOCK_SIZE)
		return "a log of another block size";
	if (sfs_log_get(d, SFS_LOG_OFF_COMPAT) || sfs_log_get(d, SFS_LOG_OFF_RO_COMPAT) ||
	    sfs_log_get(d, SFS_LOG_OFF_INCOMPAT) != SFS_LOG_INCOMPAT ||
	    d[SFS_LOG_OFF_CRC_TYPE] != SFS_LOG_CRC32C)
		return "a log with other features than ours";
	if (sfs_log_get(d, SFS_LOG_OFF_CRC) !=
	    sfs_log_crc(~0u, d, SFS_LOG_OFF_CRC, SFS_LOG_SUPER_BYTES))
		return "wrong checksum of the log's superblock";
	if (memcmp(d + SFS_LOG_OFF_UUID, log->l_fs->f_journal_uuid, SFS_LOG_UUID_BYTES))
		return "the log of another volume";
	if (first <= log->l_super || maxlen <= first || maxlen > end)
		return "impossible place of the log";
	if (start && (start < first || start >= maxlen))
		return "the log starts outside itself";
	return NULL;
}

int sfs_log_open(struct sfs_fs *fs, struct sfs_dev *log_dev, struct sfs_log *ret_log)
{
	const char *why;
	u64 end = 0;
	int err;

	memset(ret_log, 0, sizeof(*ret_log));
	ret_log->l_fs = fs;
	err = sfs_log_locate(ret_log, log_dev, &end);
	if (!err)
		err = sfs_dev_read(ret_log->l_dev, ret_log->l_super, ret_log->l_data);
	if (err)
		return err;
	why = sfs_log_super_verify(ret_log, end);
	if (why)
		return sfs_log_corrupt(ret_log, ret_log->l_super, why);
	ret_log->l_first = sfs_log_get(ret_log->l_data, SFS_LOG_OFF_FIRST);
	ret_log->l_end = sfs_log_get(ret_log->l_data, SFS_LOG_OFF_MAXLEN);
	ret_log->l_seed = sfs_crc32c(~0u, ret_log->l_data + SFS_LOG_OFF_UUID, SFS_LOG_UUID_BYTES);
	ret_log->l_start = sfs_log_get(ret_log->l_data, SFS_LOG_OFF_START);
	ret_log->l_sequence = sfs_log_get(ret_log->l_data, SFS_LOG_OFF_SEQUENCE);
	ret_log->l_errno = -(s32)sfs_log_get(ret_log->l_data, SFS_LOG_OFF_ERRNO);
	return 0;
}

int sfs_log_needs_replay(struct sfs_fs *fs, bool *ret_needs)
{
	struct sfs_log log;
	int err;

	*ret_needs = false;
	if (!(fs->f_compat & SFS_COMPAT_JOURNAL))
		return 0;
	err = sfs_log_open(fs, NULL, &log);
	if (err == -ENODEV)
		return 0;
	*ret_needs = !err && log.l_start;
	return err;
}

/* ---- writing ---- */

int sfs_log_point(struct sfs_log *log, u32 start, u32 sequence)
{
	u8 *d = log->l_data;
	int err;

	err = sfs_dev_read(log->l_dev, log->l_super, d);
	if (err)
		return err;
	sfs_log_put(d, SFS_LOG_OFF_SEQUENCE, sequence);
	sfs_log_put(d, SFS_LOG_OFF_START, start);
	sfs_log_put(d, SFS_LOG_OFF_ERRNO, 0);
	sfs_log_put(d, SFS_LOG_OFF_CRC,
		    sfs_log_crc(~0u, d, SFS_LOG_OFF_CRC, SFS_LOG_SUPER_BYTES));
	err = sfs_dev_write(log->l_dev, log->l_super, d);
	return err ? err : sfs_dev_sync(log->l_dev);
}

/* What begins like a block of a log, or cannot be read, in [@blk, @end) becomes zero. */
static int sfs_log_zero(struct sfs_log *log, u64 blk, u64 end)
{
	static const u8 zero[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	int err = 0;

	for (; blk < end && !err; blk++) {
		if (sfs_dev_read(log->l_dev, blk, log->l_data) ||
		    sfs_log_get(log->l_data, SFS_LOG_OFF_MAGIC) == SFS_LOG_MAGIC)
			err = sfs_dev_write(log->l_dev, blk, zero);
	}
	return err ? err : sfs_dev_sync(log->l_dev);
}

int sfs_log_renew(struct sfs_fs *fs, struct sfs_dev *log_dev)
{
	struct sfs_log log = { .l_fs = fs };
	u64 end = 0;
	int err;

	err = sfs_log_locate(&log, log_dev, &end);
	/* The head first: with a sound one, what is left of the rest would be replayed. */
	if (!err)
		err = sfs_log_zero(&log, log.l_super, log.l_super + 1);
	if (!err)
		err = sfs_log_zero(&log, log.l_super + 1, end);
	if (err)
		return err;
	sfs_log_make(log.l_data, log.l_super, end - log.l_super, fs->f_journal_uuid);
	err = sfs_dev_write(log.l_dev, log.l_super, log.l_data);
	return err ? err : sfs_dev_sync(log.l_dev);
}
