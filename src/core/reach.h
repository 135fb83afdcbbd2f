/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reach.h - how far one allocation looks for a group that has what it wants.  For alloc.c, ialloc.c
 * and zone.c, which has the functions.
 */
#ifndef SFS_REACH_H
#define SFS_REACH_H

/*
 * How far an allocation looks.  It loads no more than f_load_max groups.  A block that cannot be
 * read, or is damaged, keeps nobody from what other groups have, and the disk is not asked for it
 * again, with a transaction waiting, before some allocation has found nothing else: then all are
 * asked once more, if that was not done within about a minute, and only then there is an error.
 */
struct sfs_reach {
	u32 r_loads;
	bool r_passed_over;		/* groups that were not loaded */
	bool r_again;			/* those that could not be read were asked once more */
	bool r_waits;			/* for a commit, or promises to be settled: no error */
	int r_failed;			/* the error of what could not be read, or written */
};
/* -EAGAIN: @group is not loaded, and enough have been; -ENOSPC: it cannot be read. */
int sfs_group_reach(struct sfs_fs *fs, u64 group, struct sfs_reach *reach,
		    struct sfs_group **ret_group);
/*
 * One more search after one that ended with *@err?  If not, *@err is what the caller returns: for
 * no space the error of what could not be looked at, as all that is free may lie there, unless
 * something of the rest is to be had later.
 */
bool sfs_reach_again(struct sfs_fs *fs, struct sfs_reach *reach, int *err);
/*
 * The same rule for who notes it himself, in g_unread and its like, or asks before he reads.  Both
 * return -ENOSPC for what cannot be used, with the error in @reach.
 */
int sfs_reach_failed(const struct sfs_fs *fs, struct sfs_reach *reach, int err, u32 *unread);
int sfs_reach_ask(const struct sfs_fs *fs, struct sfs_reach *reach, const u32 *unread);
/*
 * Is @unread, a g_unread, of a failure so recent that the disk is better not asked again?  No group
 * asks whose maps were not loaded: sfs_group_get() is told -EIO.
 */
bool sfs_unread_lately(struct sfs_fs *fs, const u32 *unread);

/*
 * Formats the strip of the next zone and moves the watermark, in @t, unless there are more than
 * @ngroups groups by now: then another was quicker.  Takes f_zone_lock.  -ENOSPC: there is no zone
 * left, or its strip cannot be written.
 */
int sfs_zone_grow(struct sfs_trans *t, struct sfs_fs *fs, u64 ngroups, struct sfs_reach *reach);

#endif
