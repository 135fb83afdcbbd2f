/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fsck.h - fsck.simplefs: what its files share.
 */
#ifndef SFS_FSCK_H
#define SFS_FSCK_H

#include "lib.h"

struct sfs_fsck {
	const char *path;
	const char *journal;
	const char *progress;		/* -C, a number */
	const char *undo_file;		/* -z: what is overwritten goes there */
	const char *undo;		/* --undo: and comes from there */
	bool automatic;
	bool never;
	bool always;
	bool force;
	bool journal_only;
	bool discard;			/* a journal that cannot be replayed is given up */
	bool unused;
	struct sfs_dev *log_dev;
	struct sfs_replay replay;
	int log_err;			/* why it cannot be replayed, or 0 */
	bool log_goes;			/* ... and nothing is lost with it, or that was agreed to */
	struct sfs_fs fs;
	bool lost;			/* block 0 is taken from a copy */
	bool restored;			/* ... and has been written */
	bool settled;			/* the replay has been written */
	bool has_log;			/* the journal is there, to be written through */
	u32 room;			/* for so many blocks at once */
	bool salvaged;			/* in the cache is what the volume is to be made of */
	bool repaired;			/* in the cache is a repair that was not written yet */
	bool written;			/* some of what was finished has been written */
	unsigned int finished;		/* orphans, written or not */
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
};

/* ---- leave.c ---- */

/* What of the volume is other than it was found, now that it is left. */
const char *sfs_changed(const struct sfs_fsck *f);
/* Ends the program over an error that no repair can follow. */
__attribute__((noreturn))
void sfs_give_up(const struct sfs_fsck *f, int err, const char *what);

/* ---- journal.c ---- */

/* False: its device was not named, and whoever mounts will have to replay it. */
bool sfs_replay(struct sfs_fsck *f);
/* What was replayed becomes lasting, before a change that the journal does not know. */
void sfs_settle_log(struct sfs_fsck *f);
/*
 * An empty journal in place of one that goes, lasting; where that is on a device that is not at
 * hand, none, in the cache and the fields of the volume.  After the check.
 */
void sfs_renew_log(struct sfs_fsck *f);

/* ---- super.c, orphans.c, salvage.c, repair.c ---- */

/*
 * Block 0 of @dev, or what a copy says of it, sealed, into @super.  True: the latter, which then is
 * in the cache as block 0 and has to be checked; it was told.  Ends the program where there is
 * neither, or what is there is somebody else's, which only @force takes for nothing.
 */
bool sfs_super_take(struct sfs_dev *dev, const char *path, bool force, void *super);
/* After the check of a volume taken so, before the first write: its sequence, also into @super. */
int sfs_super_number(struct sfs_fs *fs, void *super);

/*
 * Finishes every inode that the orphan maps name, in the cache; adds how many to @ret_count.  Goes
 * on past damage, which was reported and comes back at the end.  @pause is called after each step:
 * all that was done by then belongs together, and may be made lasting.  Its error ends the work.
 */
typedef int (*sfs_pause_fn)(void *arg);
int sfs_finish_orphans(struct sfs_fs *fs, unsigned int *ret_count, sfs_pause_fn pause, void *arg);

/*
 * Makes true in itself, in the cache, what of SFS_REMEDY_NONE is damaged inodes and trees, and
 * tells what it takes for that; @found, of a check that could read all, is of no use after it.
 * -ENOSPC: there is no block for a node.  What else is left, and follows, the next check tells;
 * none is needed if there was not *@ret_any.
 */
int sfs_salvage(struct sfs_fs *fs, struct sfs_found *found, bool *ret_any);

/* ---- spare.c, runs.c ---- */

/*
 * A run of up to @want blocks from *@at on that a sound used map calls free and nothing in @found
 * holds, and *@at behind it: how many, from *@ret_blk on.  0: there is none.
 */
u64 sfs_spare_find(struct sfs_fs *fs, const struct sfs_found *found, u64 *at, u64 want,
		   u64 *ret_blk);

/* Data that has to be at two places. */
struct sfs_move {
	u64 m_ino;
	u64 m_lblk;
	u64 m_from;
	u64 m_to;
	u64 m_nblks;
};

struct sfs_moves {
	struct sfs_move *s_move;	/* by inode, then by m_lblk */
	size_t s_n;
};

/*
 * Places for what of @found has to be copied, which are held from then on: before the bitmaps are
 * made anew.  -ENOSPC.
 */
int sfs_runs_place(struct sfs_fs *fs, struct sfs_found *found, struct sfs_moves *ret_moves);
/* The files hold what was placed, or nothing, in the cache.  The bitmaps are true. */
int sfs_runs_repair(struct sfs_fs *fs, const struct sfs_found *found,
		    const struct sfs_moves *moves);
/* The data itself, lasting, into blocks that are free so far: whoever writes the rest waits. */
int sfs_runs_copy(struct sfs_fs *fs, const struct sfs_moves *moves);

/*
 * Writes anew, in the cache, what follows from a check that found nothing of SFS_REMEDY_NONE.
 * After it @fs has true counters; *@ret_moves, to be freed, is what sfs_runs_copy() has to do.
 */
int sfs_repair(struct sfs_fs *fs, struct sfs_found *found, struct sfs_moves *ret_moves);
/* The same of the copies of the superblock alone; *@ret_n of them did not say what it says. */
int sfs_renew_copies(struct sfs_fs *fs, u64 *ret_n);

#endif
