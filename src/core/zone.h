/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zone.h - zones in memory with the counts of their groups, and the summaries that keep these on
 * disk (summary.c).  For who allocates, and for the ports.
 */
#ifndef SFS_ZONE_H
#define SFS_ZONE_H

struct sfs_group {
	struct sfs_mutex g_lock;	/* guards the fields below and the group's four bitmaps */
	bool g_loaded;			/* the counts are known */
	u32 g_free;			/* clear bits of the used map, pending frees included */
	u32 g_inode_blks;		/* set bits of the inode map */
	u32 g_room;			/* set bits of the room map */
	u32 g_slots;			/* free slots of the group's inode blocks */
	u32 g_run;			/* no free run is longer than this, an upper bound */
	u32 g_unread;			/* the f_unread in which its maps could not be read, or 0 */
	u32 g_unread_inodes;		/* the same of its inode blocks and their maps */
};

struct sfs_zone {
	struct sfs_group z_group[SFS_ZONE_GROUPS];
};

/* 1 EiB has 2^28 zones: one table of pointers would be 2 GiB, so there are tables of them. */
#define SFS_TABLE_ZONES		512

struct sfs_zone_table {
	struct sfs_zone *t_zone[SFS_TABLE_ZONES];
};

/* ---- summary.c ---- */

extern const struct sfs_block_ops sfs_summary_ops;

/* Content, head included, of the summary at @blk of a zone that nobody uses yet. */
void sfs_summary_fill(struct sfs_fs *fs, u64 blk, void *data);

#endif
