// SPDX-License-Identifier: GPL-2.0-only
/*
 * quotas.c - usage begins to be counted, or ends: tables are made in hidden inodes, or go.
 *
 * All of it is one transaction in the volume's journal, which a mount brings home if this is
 * interrupted.  Where it has none, or none with so much room, blocks are written in place between a
 * superblock that says "damaged" and the new one: fsck.simplefs mends what is left in between.
 */
#include "quotas.h"
#include "usage.h"

static int sfs_write_in_place(struct sfs_fs *fs, void *super)
{
	int err = sfs_volume_mark(fs->f_priv, SFS_STATE_ERROR, SFS_STATE_CLEAN);

	if (!err)
		err = sfs_dev_flush(fs->f_priv);
	return err ? err : sfs_volume_write_super(fs, super);
}

static int sfs_write_log(struct sfs_fs *fs, void *super)
{
	if (!fs->f_journal_start)
		return -E2BIG;
	/* The last word of this program: what the next one writes is newer. */
	fs->f_sequence_max = min(fs->f_sequence + 1, SFS_SEQUENCE_MAX);
	sfs_super_encode(fs, super);
	sfs_block_seal(super);
	return sfs_log_write(fs, NULL, super);
}

int sfs_tune_quotas(const char *path, struct sfs_fs *fs, void *super, unsigned int mask)
{
	int err;

	if (fs->f_state & SFS_STATE_ERROR)
		sfs_die(1, "%s: damaged, for all that is known: fsck.simplefs -f knows more", path);
	err = sfs_fs_init(fs);
	if (!err)
		err = sfs_usage_turn(fs, mask);
	if (err)
		sfs_die(1, "%s: usage cannot be counted: %s; nothing was changed", path,
			strerror(-err));
	err = sfs_write_log(fs, super);
	if (err == -E2BIG)
		err = sfs_write_in_place(fs, super);
	/* From here on its copies can follow. */
	return err ? err : sfs_dev_put(fs->f_priv, 0, super);
}
