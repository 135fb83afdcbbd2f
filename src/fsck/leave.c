// SPDX-License-Identifier: GPL-2.0-only
/*
 * leave.c - how a volume is left that cannot be put in order: what has been changed by then.
 */
#include "fsck.h"

const char *sfs_changed(const struct sfs_fsck *f)
{
	if (f->written)
		return "nothing more was changed";
	if (f->restored)
		return "nothing was changed but for the superblock";
	return f->settled ? "nothing was changed but for the replay" : "nothing was changed";
}

void sfs_give_up(const struct sfs_fsck *f, int err, const char *what)
{
	if (sfs_is_damage(err))
		sfs_die(SFS_EXIT_DAMAGED, "%s: %s; %s", f->path, what, sfs_changed(f));
	sfs_die(SFS_EXIT_FAILED, "%s: %s: %s", f->path, what, strerror(-err));
}
