// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_summaries.c - do the summaries of zones say what the bitmaps say?
 *
 * Those are the truth once nothing is wrong with them; else a repair makes both anew, and there is
 * nothing to be learned from how they differ.
 */
#include "found.h"

static void sfs_check_summary(struct sfs_checker *c, u64 zone, bool compare)
{
	struct sfs_summary_disk made;
	struct sfs_buf *buf;
	int err;

	err = sfs_buf_get(c->fs, sfs_summary_blk(zone), &sfs_summary_ops, zone, &buf);
	if (sfs_is_damage(err))
		SFS_PROBLEM(c, SFS_PROBLEM_SUMMARY_LOST, zone);
	else
		sfs_check_err(c, err);
	if (err)
		return;
	if (compare)
		err = sfs_summary_make(c->fs, zone, &made);
	sfs_check_err(c, err);
	if (compare && !err && !sfs_summary_is_true(sfs_buf_data(buf), &made))
		SFS_PROBLEM(c, SFS_PROBLEM_SUMMARY, zone);
	sfs_buf_put(buf);
}

void sfs_check_summaries(struct sfs_checker *c)
{
	bool compare = sfs_maps_are_true(c);
	u64 zone;

	for (zone = 0; zone < c->fs->f_zones && !c->err; zone++)
		sfs_check_summary(c, zone, compare);
}
