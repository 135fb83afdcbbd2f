// SPDX-License-Identifier: GPL-2.0-only
/*
 * zone_dir.c - the directory of the tables of zones in memory, and a larger one in its place.
 *
 * It is read without a lock.  A reader that is still at a former one misses the tables made since,
 * thinks that nobody has looked at their zones, and finds them under f_zone_lock, or behind it,
 * when it is going to make them.  Nobody looks for a zone past the end of the directory he has:
 * that it is in use was published, with f_zones, after the directory that has room for it.
 *
 * Former ones are kept to the end, and each is at least twice as large as the one before: so all of
 * them together are no larger than the last.
 */
#include "port.h"
#include "format.h"
#include "core.h"

static struct sfs_zone_dir *sfs_zone_dir_make(u64 tables)
{
	struct sfs_zone_dir *dir;

	dir = sfs_mem_alloc(sizeof(*dir) + tables * sizeof(dir->d_table[0]));
	if (dir)
		dir->d_tables = tables;
	return dir;
}

static u64 sfs_tables(u64 zones)
{
	return (zones + SFS_TABLE_ZONES - 1) / SFS_TABLE_ZONES;
}

int sfs_zone_dir_init(struct sfs_fs *fs, u64 zones)
{
	fs->f_zone = sfs_zone_dir_make(sfs_tables(zones));
	return fs->f_zone ? 0 : -ENOMEM;
}

int sfs_zone_dir_extend(struct sfs_fs *fs, u64 zones)
{
	struct sfs_zone_dir *dir;
	struct sfs_zone_dir *old;
	int err = 0;

	sfs_mutex_lock(&fs->f_zone_lock);
	old = fs->f_zone;
	if (sfs_tables(zones) <= old->d_tables)
		goto unlock;
	dir = sfs_zone_dir_make(max(sfs_tables(zones), 2 * old->d_tables));
	err = dir ? 0 : -ENOMEM;
	if (err)
		goto unlock;
	memcpy(dir->d_table, old->d_table, old->d_tables * sizeof(old->d_table[0]));
	dir->d_former = old;
	smp_store_release(&fs->f_zone, dir);
unlock:
	sfs_mutex_unlock(&fs->f_zone_lock);
	return err;
}

void sfs_zone_dir_exit(struct sfs_fs *fs)
{
	struct sfs_zone_dir *dir;

	while ((dir = fs->f_zone)) {
		fs->f_zone = dir->d_former;
		sfs_mem_free(dir);
	}
}
