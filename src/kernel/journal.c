// SPDX-License-Identifier: GPL-2.0-only
/*
 * journal.c - the log of a volume: opened, checked, replayed and closed; its device, where it has
 * one.
 */
#include "simplefs.h"

#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/jbd2.h>

#include "buf.h"

static const char *sfs_journal_dev_verify(const struct sfs_fs *fs, const void *data)
{
	const struct sfs_journal_dev_disk *jd = data;
	const char *why;

	if (le32_to_cpu(jd->j_head.h_magic) != SFS_MAGIC_JOURNAL_DEV)
		return "no simplefs journal there";
	why = sfs_block_verify(fs, &sfs_journal_dev_ops, data, 0);
	if (why)
		return why;
	if (memcmp(jd->j_uuid, fs->f_journal_uuid, sizeof(jd->j_uuid)))
		return "it belongs to another volume";
	/* All else is the same in a copy of the volume, whose the journal is not. */
	if (memcmp(jd->j_fs_uuid, fs->f_uuid, sizeof(jd->j_fs_uuid)))
		return "it belongs to a volume with another UUID";
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

/* In the thread that commits, when the log has it. */
static void sfs_journal_committed(journal_t *log, transaction_t *transaction)
{
	sfs_freed_committed(log->j_private, transaction->t_tid);
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
	log->j_commit_callback = sfs_journal_committed;
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

dev_t sfs_journal_dev(struct super_block *sb)
{
	struct sfs_journal *journal = smp_load_acquire(&SFS_SB(sb)->si_journal);

	if (!journal)
		return 0;
	return journal->j_dev.bdev ? journal->j_dev.bdev->bd_dev : sb->s_dev;
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
	smp_store_release(&si->si_journal, journal);
	return 0;

free_journal:
	sfs_journal_close_dev(sb, journal);
	kfree(journal);
	return err;
}

/* A replay would change blocks under whoever has them in memory. */
int sfs_journal_open_late(struct super_block *sb, const char *path, dev_t dev)
{
	if (sfs_journal_has_log(sb, path, dev)) {
		pr_err("simplefs (%s): this journal has to be replayed: unmount, and mount with it\n",
		       sb->s_id);
		return -EROFS;
	}
	return sfs_journal_open(sb, path, dev);
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
