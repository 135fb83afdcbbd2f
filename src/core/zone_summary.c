// SPDX-License-Identifier: GPL-2.0-only
/*
 * zone_summary.c - the summary of a zone: read into the counts in memory, opened for a change.
 *
 * While a zone is in memory the counts of its groups there are the truth, and the block only keeps
 * them.  Who is going to change a group takes write access to the block, in the same transaction,
 * *before* his first change of the counts, and dirties it after the last.  They are written into
 * the block when it freezes for the commit.  That makes it the state of just this transaction: its
 * handles have ended by then, and none of the next one has changed a group of the zone, since the
 * first to do so makes the block freeze by taking access.  So nothing there needs a lock, and none
 * could be taken.  Once is enough for all handles of a transaction: z_tid says which one has the
 * block, until it freezes.  Without a journal the last of several writers leaves what all of them
 * did.
 *
 * The maps have counts of their own, so what a lost summary said costs reading them; and a summary
 * that is not true is found out when a map is opened (zone.c).
 */
#include "port.h"
#include "format.h"
#include "core.h"

#define SFS_SUMMARIES_AHEAD	16	/* zones */

/*
 * Without a journal a crash, of a growth for one, leaves maps that their summary has not heard of.
 * The maps have the bits: they are right.
 */
static bool sfs_summaries_are_old(const struct sfs_fs *fs)
{
	return fs->f_recounted && !(fs->f_compat & SFS_COMPAT_JOURNAL);
}

int sfs_summary_load(struct sfs_fs *fs, u64 nr, struct sfs_zone *zone)
{
	struct sfs_buf *buf;
	unsigned int i;
	int err;

	err = sfs_buf_get(fs, sfs_summary_blk(nr), &sfs_summary_ops, nr, &buf);
	zone->z_lost = sfs_is_bad_block(err);
	if (err && !zone->z_lost)
		return err;
	if (zone->z_lost || sfs_summaries_are_old(fs)) {
		for (i = 0; i < SFS_ZONE_GROUPS; i++)	/* all is zero there */
			zone->z_group[i].g_loaded = !sfs_group_usable(fs, nr * SFS_ZONE_GROUPS + i);
	} else {
		sfs_summary_decode(sfs_buf_data(buf), zone);
	}
	if (!err)
		sfs_buf_put(buf);
	return 0;
}

void sfs_summary_readahead(struct sfs_fs *fs, u64 nr)
{
	u64 later = nr + SFS_SUMMARIES_AHEAD;

	if (later < READ_ONCE(fs->f_zones))
		sfs_buf_readahead(fs, sfs_summary_blk(later), 1);
}

/*
 * The block cannot be had, but what it says can: it is made anew.  If nothing comes of the change
 * that this is for, the device keeps what it has.
 */
static int sfs_summary_renew(struct sfs_trans *t, struct sfs_fs *fs, u64 nr, struct sfs_zone *zone,
			     struct sfs_buf **ret_buf)
{
	u64 blk = sfs_summary_blk(nr);
	struct sfs_buf *buf;
	int err = -EIO;

	sfs_mutex_lock(&fs->f_zone_lock);
	if (!zone->z_lost)		/* or no more: another was quicker */
		err = sfs_buf_get(fs, blk, &sfs_summary_ops, nr, &buf);
	if (!err) {
		err = sfs_buf_access(t, fs, buf);
		if (err)
			sfs_buf_put(buf);
	} else if (sfs_is_bad_block(err)) {
		err = sfs_buf_new(t, fs, blk, &sfs_summary_ops, nr, &buf);
		zone->z_lost = err != 0;
	}
	if (!err)
		*ret_buf = buf;
	sfs_mutex_unlock(&fs->f_zone_lock);
	return err;
}

int sfs_summary_access(struct sfs_trans *t, struct sfs_fs *fs, u64 group,
		       struct sfs_buf **ret_buf)
{
	u64 nr = group / SFS_ZONE_GROUPS;
	struct sfs_zone *zone = sfs_zone_find(fs, nr);
	u32 tid = sfs_trans_tid(t);
	struct sfs_buf *buf;
	int err = -EIO;

	sfs_assert(zone);		/* with the group */
	if (tid > 1 && READ_ONCE(zone->z_tid) == tid) {
		*ret_buf = NULL;
		return 0;
	}
	if (!READ_ONCE(zone->z_lost))
		err = sfs_buf_get(fs, sfs_summary_blk(nr), &sfs_summary_ops, nr, &buf);
	if (sfs_is_bad_block(err))
		return sfs_summary_renew(t, fs, nr, zone, ret_buf);
	if (err)
		return err;
	err = sfs_buf_access(t, fs, buf);
	if (err)
		sfs_buf_put(buf);
	else
		*ret_buf = buf;
	return err;
}

int sfs_summary_dirty(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	struct sfs_zone *zone;
	int err;

	if (!buf)
		return 0;
	zone = sfs_zone_find(fs, sfs_buf_blk(buf) / SFS_ZONE_BLOCKS);
	sfs_assert(zone);
	err = sfs_buf_dirty(t, fs, buf);
	if (!err)
		WRITE_ONCE(zone->z_tid, sfs_trans_tid(t));
	return err;
}
