// SPDX-License-Identifier: GPL-2.0-only
/*
 * journal.c - the journal before a check: replayed, missed, or damaged and then done without.
 *
 * One that was empty when it was damaged, as that of a volume unmounted in order, takes nothing
 * with it.  What another held is given up only when that is asked for.
 */
#include "fsck.h"

/* The journal is on a device that was not named. */
static bool sfs_miss_log(const struct sfs_fsck *f, bool clean)
{
	if (clean)
		return true;
	if (!f->automatic || f->lost)
		sfs_die(SFS_EXIT_FAILED, "%s: its journal is on another device: name it with -j",
			f->path);
	printf("%s: the journal is on another device: left to the mount\n", f->path);
	return false;
}

/* It cannot be replayed: why, and whether all goes on without it. */
static void sfs_lose_log(struct sfs_fsck *f, int err, bool clean)
{
	bool empty = clean && sfs_is_damage(err) && !f->replay.r_found;

	f->log_err = err;
	f->log_goes = empty || f->discard;
	if (f->journal_only || (!f->log_goes && !f->never))
		sfs_give_up(f, err, "the journal cannot be replayed (see --discard-journal)");
	if (empty)
		printf("%s: the journal is lost; the volume was unmounted in order: it was empty\n",
		       f->path);
	else if (f->discard)
		printf("%s: without the journal: what only that has is given up\n", f->path);
	else
		printf("%s: looking past the journal: what only that has may look like damage\n",
		       f->path);
	/* Of one that is somewhere else the mark says that it is empty. */
	if (!empty && err != -ENODEV)
		f->fs.f_state &= ~SFS_STATE_CLEAN;
}

bool sfs_replay(struct sfs_fsck *f)
{
	bool clean = f->fs.f_state & SFS_STATE_CLEAN;
	int err;

	if (!(f->fs.f_compat & SFS_COMPAT_JOURNAL))
		return true;
	err = sfs_log_replay(&f->fs, f->log_dev, &f->replay);
	if (err == -ENODEV && !f->discard)
		return sfs_miss_log(f, clean);
	if (err) {
		sfs_lose_log(f, err, clean);
		return true;
	}
	f->has_log = true;
	/* A superblock may have been replayed, too. */
	err = f->replay.r_needed ? sfs_dev_read(f->fs.f_priv, 0, f->super) : 0;
	if (err)
		sfs_give_up(f, err, "its superblock cannot be read");
	if (!f->never)
		sfs_refuse_writing(f->path, SFS_EXIT_FAILED, &f->fs);
	if (f->replay.r_needed)
		printf("%s: %s journal: %u transactions, %llu blocks\n", f->path,
		       f->never ? "looking past the" : "replayed the",
		       f->replay.r_next - f->replay.r_tid, (unsigned long long)f->replay.r_blks);
	if (f->replay.r_errno)
		printf("%s: the journal was aborted: error %d\n", f->path, f->replay.r_errno);
	if (!clean || f->replay.r_needed)
		f->fs.f_state &= ~SFS_STATE_CLEAN;
	return true;
}

void sfs_settle_log(struct sfs_fsck *f)
{
	int err = f->never ? 0 : sfs_log_finish(&f->fs, f->log_dev, &f->replay);

	if (err)
		sfs_give_up(f, err, "the replay cannot be written");
	f->settled |= (f->replay.r_needed || f->replay.r_errno) && !f->never;
	f->replay.r_needed = false;
}

/* From now on the volume has none. */
static int sfs_detach_log(struct sfs_fsck *f)
{
	f->fs.f_compat &= ~(u64)SFS_COMPAT_JOURNAL;
	f->fs.f_incompat &= ~(u64)SFS_INCOMPAT_JOURNAL_DEV;
	memset(f->fs.f_journal_uuid, 0, sizeof(f->fs.f_journal_uuid));
	sfs_super_encode(&f->fs, f->super);
	sfs_block_seal(f->super);
	return sfs_dev_put(f->fs.f_priv, 0, f->super);
}

void sfs_renew_log(struct sfs_fsck *f)
{
	bool gone = f->fs.f_incompat & SFS_INCOMPAT_JOURNAL_DEV && !f->log_dev;
	int err;

	/* With an empty journal nothing else would tell that a repair is still to come. */
	err = sfs_volume_mark(f->fs.f_priv, SFS_STATE_ERROR, 0);
	if (!err)
		err = gone ? sfs_detach_log(f) : sfs_log_renew(&f->fs, f->log_dev);
	if (err)
		sfs_give_up(f, err, "its journal cannot be made anew");
	f->has_log = !gone;
	printf("%s: %s\n", f->path, gone ? "it has no journal now" :
	       "the journal was made anew");
}
