// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs.c - the state of a volume that is open: from its superblock to all that is asked of it.
 *
 * Opening costs nothing by size; only after an unclean stop the counters have to be made anew, from
 * the summaries of all zones begun.  One thread at a time: nobody else has the volume yet, or any
 * more.
 */
#include "port.h"
#include "format.h"
#include "core.h"

int sfs_fs_init(struct sfs_fs *fs)
{
	int err;

	err = sfs_zones_init(fs);
	if (err)
		return err;
	fs->f_kinds = sfs_kinds;
	sfs_space_set(fs, fs->f_disk_free);
	sfs_counter_set(&fs->f_inodes, fs->f_disk_inodes);
	return 0;
}

void sfs_fs_exit(struct sfs_fs *fs)
{
	sfs_zones_exit(fs);
}

/* Who loads it later counts it then. */
static void sfs_group_leave_out(struct sfs_fs *fs, u64 group)
{
	struct sfs_zone *zone = sfs_zone_find(fs, group / SFS_ZONE_GROUPS);

	if (zone)
		zone->z_group[group % SFS_ZONE_GROUPS].g_left_out = true;
}

int sfs_fs_recount(struct sfs_fs *fs, u64 *ret_nbad)
{
	u64 nfree = sfs_zones_fresh(fs, fs->f_zones);
	u64 ngroups = sfs_groups_ready(fs);
	u64 inodes = 0;
	u64 lost = 0;
	u64 nbad = 0;
	struct sfs_group *g;
	u64 group;
	int err;

	/* Already for the zones that this loads. */
	fs->f_recounted = true;
	for (group = 0; group < ngroups; group++) {
		if (group % SFS_ZONE_GROUPS == 0)
			sfs_summary_readahead(fs, group / SFS_ZONE_GROUPS);
		err = sfs_group_get(fs, group, &g);
		if (ret_nbad && sfs_is_bad_block(err)) {
			nbad++;
			sfs_group_leave_out(fs, group);
			continue;
		}
		if (err)
			return err;
		nfree += g->g_free;
		lost += g->g_lost;
		inodes += (u64)g->g_inode_blks * SFS_INODE_SLOTS - g->g_slots;
	}
	WRITE_ONCE(fs->f_load_next, ngroups);
	sfs_space_set(fs, nfree);
	sfs_space_lost(fs, lost);
	sfs_counter_set(&fs->f_inodes, inodes);
	if (ret_nbad)
		*ret_nbad = nbad;
	return 0;
}
