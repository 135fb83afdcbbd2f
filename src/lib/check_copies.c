// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_copies.c - do the copies of the superblock say what block 0 says?
 *
 * Block 0 is the truth, or there would be nothing to compare with.  A copy that is behind, as a
 * name or a size was given and not yet to all of them, is no damage.
 */
#include "found.h"

static void sfs_check_copy(struct sfs_checker *c, u64 zone, const void *super)
{
	u64 blk = sfs_copy_blk(zone);
	struct sfs_buf *buf;
	int err;

	err = sfs_buf_get(c->fs, blk, &sfs_copy_ops, 0, &buf);
	if (sfs_is_damage(err)) {
		SFS_PROBLEM(c, SFS_PROBLEM_COPY_LOST, blk);
	} else if (err) {
		sfs_check_err(c, err);
	} else {
		const void *copy = sfs_buf_data(buf);

		if (!sfs_copy_is_true(super, copy) && !sfs_copy_is_behind(super, copy))
			SFS_PROBLEM(c, SFS_PROBLEM_COPY_OLD, blk);
		sfs_buf_put(buf);
	}
}

void sfs_check_copies(struct sfs_checker *c)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u64 zone;

	sfs_check_err(c, sfs_dev_read(c->fs->f_priv, 0, super));
	for (zone = 0; zone < c->fs->f_zones && !c->err; zone++)
		sfs_check_copy(c, zone, super);
}
