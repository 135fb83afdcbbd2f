/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grow.h - a volume that is in use becomes larger (grow.c), and who may read how large it is.
 *
 * f_blocks, f_zones_max, f_groups and f_tail change while f_zone_lock is held; all but the tail
 * only rise.  f_tail is read under that lock, as is whatever has to fit another of them exactly:
 * the superblock when it is encoded, the head of a zone when it is made, what is free in zones that
 * are not begun.  The others are read without a lock, by verifiers, searches, trim, handles and
 * statfs, which have no use for more than a bound, one word each:
 *
 *   - What was below it stays below it.  Who reads too small a number does what he would have done
 *     before the growth: looks no further, or calls what is behind the end impossible, and that it
 *     was, since nothing leads there which he could know of.  For blocks behind the old end are had
 *     from a used map, under its g_lock, or from a zone begun, under f_zone_lock, and both come
 *     after f_blocks; so do, by the locks of whoever has them then, the records that speak of them.
 *   - f_groups rises last, with release, and is read with acquire: who sees that there is a group
 *     sees f_blocks, its counts and its maps.  So a map or a summary is never held against an end
 *     that is older than it is; and one that is older than the end passes, with bits and counts
 *     that say of the new blocks that they are taken.
 *   - Space is promised (space.c) when all of that is there.
 */
#ifndef SFS_GROW_H
#define SFS_GROW_H

/* What was made ready. */
struct sfs_grow {
	u64 g_blocks;			/* that the volume will have */
	u32 g_tail;
	bool g_begun;			/* its last zone so far is in use */
};

/*
 * Outside of transactions: all that @fs needs to become as large as a device of @dev_blocks, at
 * least its own size, allows.  *@ret_grow has its own size where that makes no difference.  What
 * can be read is read, blocks that nobody looks at under the old size are written, lasting.  One
 * caller at a time, up to the end of sfs_grow().
 */
int sfs_grow_prepare(struct sfs_fs *fs, u64 dev_blocks, struct sfs_grow *ret_grow);
/*
 * Does it, in @t.  -EAGAIN: a zone was begun since, so it wants to be made ready once more; any
 * error leaves all as it was, or the journal dead.  Credits: SFS_CREDITS_GROW.  The copies of the
 * superblock are the caller's (sfs_copies_update()).  Takes f_zone_lock, and g_lock.
 */
#define SFS_CREDITS_GROW	4	/* superblock, summary, used maps of two groups */
int sfs_grow(struct sfs_trans *t, struct sfs_fs *fs, const struct sfs_grow *grow);

/* ---- geometry.c: f_zone_lock held ---- */

/* The volume has @blocks, but no more groups than before. */
void sfs_geometry_raise(struct sfs_fs *fs, u64 blocks, u32 tail);
/* And the groups that this makes. */
void sfs_geometry_show(struct sfs_fs *fs);

/* ---- space.c ---- */

/* Blocks that exist only now, and that whoever is promised them will find. */
void sfs_space_grown(struct sfs_fs *fs, u64 nblks);

#endif
