/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zone.h - zones in memory with the counts of their groups, and the summaries that keep these on
 * disk (zone_summary.c).  For who allocates, and for the ports.
 */
#ifndef SFS_ZONE_H
#define SFS_ZONE_H

/* What zone_summary.c keeps on disk is changed with write access to the zone's summary only. */
struct sfs_group {
	struct sfs_mutex g_lock;	/* guards the fields below and the group's four bitmaps */
	bool g_loaded;			/* the counts are known */
	u8 g_compared;			/* maps, a bit each, that were found to have these counts */
	u32 g_free;			/* clear bits of the used map, pending frees included */
	u32 g_inode_blks;		/* set bits of the inode map */
	u32 g_room;			/* set bits of the room map */
	u32 g_slots;			/* free slots of the group's inode blocks */
	u32 g_orphans;			/* set bits of the orphan map */
	u32 g_run;			/* no free run is longer than this, an upper bound */
	bool g_left_out;		/* of a recount: its maps could not be read */
	u32 g_lost;			/* g_free, while the used map cannot be read: no account */
	u32 g_unread;			/* the f_unread in which its maps could not be read, or 0 */
	u32 g_unread_inodes;		/* the same of its inode blocks and their maps */
};

struct sfs_zone {
	struct sfs_group z_group[SFS_ZONE_GROUPS];
	struct sfs_mutex z_run_lock;	/* innermost */
	u32 z_run;			/* an upper bound of all g_run; changed under it */
	bool z_lost;			/* it has no summary on disk; under f_zone_lock */
	u32 z_tid;			/* of the transaction that has the summary dirty, or 0 */
};

/* 1 EiB has 2^28 zones: one table of pointers would be 2 GiB, so there are tables of them. */
#define SFS_TABLE_ZONES		512

struct sfs_zone_table {
	struct sfs_zone *t_zone[SFS_TABLE_ZONES];
};

/* The tables.  When the volume grows past what one can have, another takes its place. */
struct sfs_zone_dir {
	struct sfs_zone_dir *d_former;	/* a reader may still be at it */
	u64 d_tables;
	struct sfs_zone_table *d_table[];
};

#define SFS_RUN_DECENT		1024	/* blocks, 4 MiB: a large file is content with such a run */

/* ---- space.c ---- */

/* Free blocks that cannot be had, or, below 0, can be again.  What was promised before stays so. */
void sfs_space_lost(struct sfs_fs *fs, s64 nblks);
/* So many more are free than had been counted, or, below 0, fewer. */
void sfs_space_found(struct sfs_fs *fs, s64 nblks);

/* ---- zone.c ---- */

/*
 * For who is about to say that there is no space, as no allocation looks any more: asks for maps
 * that could not be read, if that was not done within about a minute.  True: some can be now, and
 * what is free there is back in the account.  Reads; takes g_locks.
 */
bool sfs_lost_look(struct sfs_fs *fs);

/* ---- zone_dir.c ---- */

/* The directory, for zones to be looked for below @zones.  -ENOMEM. */
int sfs_zone_dir_init(struct sfs_fs *fs, u64 zones);
/* The same of a volume in use.  Takes f_zone_lock. */
int sfs_zone_dir_extend(struct sfs_fs *fs, u64 zones);
void sfs_zone_dir_exit(struct sfs_fs *fs);	/* its tables are gone */

/* ---- zone_run.c ---- */

void sfs_zone_run_init(struct sfs_zone *zone);
void sfs_zone_run_exit(struct sfs_zone *zone);
/* Publishes one zone more, whose head has been written.  f_zone_lock held. */
void sfs_zone_begun(struct sfs_fs *fs);
/* Looks at all zones in use: how long a run the volume may have. */
void sfs_run_count(struct sfs_fs *fs);
/* A group of zone @nr has a free run of @run blocks now.  Its g_lock is held. */
void sfs_zone_run_raise(struct sfs_fs *fs, u64 nr, u32 run);
/* Looks at all groups of zone @nr: how long a run they may have. */
u32 sfs_zone_run_count(struct sfs_fs *fs, u64 nr);

/* ---- summary.c: the block; zone_summary.c: reading and changing it ---- */

extern const struct sfs_block_ops sfs_summary_ops;

/* The zone in memory, one below f_zones; NULL: nobody has looked at it. */
static inline struct sfs_zone *sfs_zone_find(const struct sfs_fs *fs, u64 nr)
{
	const struct sfs_zone_dir *dir = smp_load_acquire(&fs->f_zone);
	struct sfs_zone_table *table;

	table = smp_load_acquire(&dir->d_table[nr / SFS_TABLE_ZONES]);
	if (!table)
		return NULL;
	return smp_load_acquire(&table->t_zone[nr % SFS_TABLE_ZONES]);
}

/* Content, head included, of the summary at @blk of a zone that nobody uses yet. */
void sfs_summary_fill(struct sfs_fs *fs, u64 blk, void *data);
/* What the block @data says of the groups of its zone; of one that only the maps know, nothing. */
void sfs_summary_decode(const void *data, struct sfs_zone *ret_zone);
/*
 * The counts of the groups of zone @nr, into @zone, which nobody else sees yet.  What the summary
 * does not say, also where it is unreadable or damaged, stays to be read from the maps.
 */
int sfs_summary_load(struct sfs_fs *fs, u64 nr, struct sfs_zone *zone);
/* Who loads one zone after the other, from @nr on: asks for the summary of one that comes later. */
void sfs_summary_readahead(struct sfs_fs *fs, u64 nr);
/*
 * Before the first change of @group, which is loaded, in @t: write access to its zone's summary.
 * *@ret_buf is NULL if the transaction has dirtied it before, and that is all there is to do.  One
 * that is lost is made anew.  Takes f_zone_lock; no g_lock is held.
 */
int sfs_summary_access(struct sfs_trans *t, struct sfs_fs *fs, u64 group,
		       struct sfs_buf **ret_buf);
/* After the last change: what sfs_summary_access() has given, NULL or not; the caller puts it. */
int sfs_summary_dirty(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf);
/*
 * For the ports, of any block that freezes for its commit, or is written, before it is sealed: a
 * summary gets the counts that there are in memory.  Takes no lock.
 */
void sfs_summary_freeze(struct sfs_fs *fs, void *data);

#endif
