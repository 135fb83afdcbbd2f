// SPDX-License-Identifier: GPL-2.0-only
/*
 * zone_run.c - how long a free run a zone may have, and the volume: what lets an allocator pass
 * them over.
 *
 * z_run is never below the g_run of one of the zone's groups, nor f_run below a z_run.  They rise
 * with it, under its g_lock, and only come down when somebody has looked at all that is below them.
 * What nobody knows may be a run of any length.
 *
 * Who raises first changes what is below and then takes the lock; who counts looks while he has it,
 * and never raises: that would hide from who waits for the lock that the bound above is still low.
 */
#include "port.h"
#include "format.h"
#include "core.h"

void sfs_zone_run_init(struct sfs_zone *zone)
{
	sfs_mutex_init(&zone->z_run_lock);
	zone->z_run = SFS_GROUP_BLOCKS;
}

void sfs_zone_run_exit(struct sfs_zone *zone)
{
	sfs_mutex_destroy(&zone->z_run_lock);
}

static void sfs_run_raise(struct sfs_fs *fs, u32 run)
{
	sfs_mutex_lock(&fs->f_run_lock);
	WRITE_ONCE(fs->f_run, max(fs->f_run, run));
	sfs_mutex_unlock(&fs->f_run_lock);
}

void sfs_zone_run_raise(struct sfs_fs *fs, u64 nr, u32 run)
{
	struct sfs_zone *zone = sfs_zone_find(fs, nr);

	sfs_assert(zone);		/* with the group */
	if (!zone)
		return;
	sfs_mutex_lock(&zone->z_run_lock);
	if (run > zone->z_run) {
		WRITE_ONCE(zone->z_run, run);
		sfs_run_raise(fs, run);
	}
	sfs_mutex_unlock(&zone->z_run_lock);
}

void sfs_zone_begun(struct sfs_fs *fs)
{
	sfs_mutex_lock(&fs->f_run_lock);
	WRITE_ONCE(fs->f_run, SFS_GROUP_BLOCKS);
	smp_store_release(&fs->f_zones, fs->f_zones + 1);
	sfs_mutex_unlock(&fs->f_run_lock);
}

void sfs_run_count(struct sfs_fs *fs)
{
	const struct sfs_zone *zone;
	u32 run = 0;
	u64 nr;

	sfs_mutex_lock(&fs->f_run_lock);
	for (nr = 0; nr < smp_load_acquire(&fs->f_zones) && run < SFS_GROUP_BLOCKS; nr++) {
		zone = sfs_zone_find(fs, nr);
		run = max(run, zone ? READ_ONCE(zone->z_run) : SFS_GROUP_BLOCKS);
	}
	WRITE_ONCE(fs->f_run, min(fs->f_run, run));
	sfs_mutex_unlock(&fs->f_run_lock);
}

u32 sfs_zone_run_count(struct sfs_fs *fs, u64 nr)
{
	struct sfs_zone *zone = sfs_zone_find(fs, nr);
	const struct sfs_group *g;
	unsigned int i;
	u32 run = 0;

	if (!zone)
		return SFS_GROUP_BLOCKS;
	sfs_mutex_lock(&zone->z_run_lock);
	/* Those that do not exist have no run, up to the moment when they are going to (grow.h). */
	for (i = 0; i < SFS_ZONE_GROUPS; i++) {
		g = &zone->z_group[i];
		run = max(run, smp_load_acquire(&g->g_loaded) ? READ_ONCE(g->g_run) :
								     SFS_GROUP_BLOCKS);
	}
	run = min(run, zone->z_run);
	WRITE_ONCE(zone->z_run, run);
	sfs_mutex_unlock(&zone->z_run_lock);
	return run;
}
