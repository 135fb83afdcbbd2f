// SPDX-License-Identifier: GPL-2.0-only
/*
 * grow.c - a volume that is in use becomes larger, in one transaction.
 *
 * A volume is a number in the superblock, and zones are made when they are needed.  So where the
 * last zone has not been begun nothing else changes.  Where it has, the old end is known to:
 *
 *   - the used maps of the last groups, one or two, which call the tail taken, and what is behind;
 *   - the maps of groups of that zone which did not exist: they are made before, outside of any
 *     transaction, since nobody looks at them under the old size;
 *   - the zone's summary, which says that there is nothing in such groups.
 *
 * With a journal the commit has all of it or nothing.  Without one the superblock comes first and
 * lasts (sfs_buf_order()): after a crash the maps may call new blocks taken, and the summary know
 * nothing of what is in new groups, which a check mends, and another growth bears; they never speak
 * of blocks that the volume does not have.
 *
 * What is free at the start of a small volume stays so when it has become large, though a new one
 * would keep more of it to nobody: some of it may have been promised.
 *
 * In memory the order is that of grow.h: size, counts of new groups, number of groups, bits of old
 * ones, space.
 */
#include "port.h"
#include "format.h"
#include "core.h"

#define SFS_GROW_GROUPS		2	/* that the tail can touch */
static_assert(SFS_TAIL_LARGE <= SFS_GROUP_BLOCKS);

/* Every block that changes, with write access. */
struct sfs_growth {
	u64 w_end;			/* of the blocks that could be given out so far */
	u64 w_first;			/* the group where that is */
	u64 w_ngroups;			/* as many as there are so far */
	unsigned int w_n;		/* groups from w_first on */
	struct sfs_group *w_group[SFS_GROW_GROUPS];
	struct sfs_buf *w_used[SFS_GROW_GROUPS];
	struct sfs_buf *w_summary;	/* NULL: this transaction has dirtied it before */
	struct sfs_buf *w_super;
};

static void sfs_growth_init(struct sfs_fs *fs, struct sfs_growth *w)
{
	memset(w, 0, sizeof(*w));
	w->w_end = fs->f_blocks - fs->f_tail;
	w->w_first = w->w_end / SFS_GROUP_BLOCKS;
	w->w_ngroups = fs->f_groups;
}

/* Groups that begin to exist in the zone where the volume ends, once it has @blocks. */
static u64 sfs_grow_groups(u64 ngroups, u64 blocks)
{
	u64 last = (ngroups - 1) / SFS_ZONE_GROUPS * SFS_ZONE_GROUPS + SFS_ZONE_GROUPS;
	u64 most = (blocks + SFS_GROUP_BLOCKS - 1) / SFS_GROUP_BLOCKS;

	return min(last, most) - ngroups;
}

/* ---- before the transaction ---- */

/* @then: the volume as it will be. */
static void sfs_grow_fill(struct sfs_fs *fs, u64 blk, void *data, const void *then)
{
	(void)fs;
	sfs_map_fill(then, blk, data);
}

/* Maps of one kind lie one behind the other. */
static int sfs_grow_make_maps(struct sfs_fs *fs, const struct sfs_fs *then)
{
	u64 n = sfs_grow_groups(fs->f_groups, then->f_blocks);
	unsigned int m;
	int err = 0;

	for (m = 0; n && m < SFS_MAPS && !err; m++)
		err = sfs_buf_format(fs, sfs_map_blk(fs->f_groups, m), n, sfs_grow_fill, then);
	return err || !n ? err : sfs_buf_flush(fs);
}

/* Into memory, and found to be sound, what the transaction will want. */
static int sfs_grow_read(struct sfs_fs *fs)
{
	struct sfs_growth w;
	struct sfs_buf *buf;
	u64 zone, group;
	int err;

	sfs_growth_init(fs, &w);
	for (group = w.w_first; group < w.w_ngroups; group++) {
		err = sfs_group_get(fs, group, &w.w_group[0]);
		if (err)
			return err;
		sfs_mutex_lock(&w.w_group[0]->g_lock);
		err = sfs_map_open(fs, group, w.w_group[0], SFS_MAP_USED, &buf);
		sfs_mutex_unlock(&w.w_group[0]->g_lock);
		if (err)
			return err;
		sfs_buf_put(buf);
	}
	zone = w.w_first / SFS_ZONE_GROUPS;
	err = sfs_buf_get(fs, sfs_summary_blk(zone), &sfs_summary_ops, zone, &buf);
	if (!err)
		sfs_buf_put(buf);
	/* A lost one is made anew by whoever changes it. */
	return sfs_is_bad_block(err) ? 0 : err;
}

int sfs_grow_prepare(struct sfs_fs *fs, u64 dev_blocks, struct sfs_grow *ret_grow)
{
	struct sfs_fs then = {
		.f_fsid = fs->f_fsid,
		.f_journal_blocks = fs->f_journal_blocks,
		.f_blocks = fs->f_blocks,
		.f_tail = fs->f_tail,
	};
	int err;

	sfs_geometry_size(&then, dev_blocks);
	ret_grow->g_blocks = then.f_blocks;
	ret_grow->g_tail = then.f_tail;
	ret_grow->g_begun = smp_load_acquire(&fs->f_zones) == fs->f_zones_max;
	if (then.f_blocks == fs->f_blocks)
		return 0;
	err = sfs_zone_dir_extend(fs, then.f_zones_max);
	if (err || !ret_grow->g_begun)
		return err;
	err = sfs_grow_read(fs);
	return err ? err : sfs_grow_make_maps(fs, &then);
}

/* ---- in the transaction ---- */

static int sfs_growth_open_groups(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_growth *w)
{
	u64 group;
	int err;

	err = sfs_group_get(fs, w->w_first, &w->w_group[0]);
	if (!err)
		err = sfs_summary_access(t, fs, w->w_first, &w->w_summary);
	for (group = w->w_first; !err && group < w->w_ngroups; group++) {
		sfs_assert(w->w_n < SFS_GROW_GROUPS);
		err = sfs_group_get(fs, group, &w->w_group[w->w_n]);
		if (!err)
			err = sfs_used_lock(t, fs, group, w->w_group[w->w_n],
					    &w->w_used[w->w_n]);
		if (!err)
			sfs_mutex_unlock(&w->w_group[w->w_n++]->g_lock);
	}
	return err;
}

static int sfs_growth_open(struct sfs_trans *t, struct sfs_fs *fs, bool begun,
			   struct sfs_growth *w)
{
	int err;

	sfs_growth_init(fs, w);
	/* Whoever encodes it meanwhile holds the lock: for a moment it is no superblock. */
	sfs_mutex_lock(&fs->f_zone_lock);
	err = sfs_buf_get(fs, 0, &sfs_super_ops, 0, &w->w_super);
	sfs_mutex_unlock(&fs->f_zone_lock);
	if (!err)
		err = sfs_buf_access(t, fs, w->w_super);
	if (!err && begun)
		err = sfs_growth_open_groups(t, fs, w);
	return err;
}

static void sfs_growth_close(struct sfs_growth *w)
{
	while (w->w_n)
		sfs_buf_put(w->w_used[--w->w_n]);
	sfs_buf_put(w->w_summary);
	sfs_buf_put(w->w_super);
}

/* A group that nobody knows yet gets what its maps have; so many blocks are free in it. */
static u32 sfs_grow_new_group(struct sfs_fs *fs, u64 group)
{
	struct sfs_zone *zone = sfs_zone_find(fs, group / SFS_ZONE_GROUPS);
	struct sfs_group *g = &zone->z_group[group % SFS_ZONE_GROUPS];
	u32 bit;
	u32 nfree = sfs_group_fresh(fs, group, &bit);

	sfs_mutex_lock(&g->g_lock);
	sfs_assert(!g->g_free && !g->g_inode_blks);
	g->g_free = nfree;
	g->g_run = nfree;
	sfs_zone_run_raise(fs, group / SFS_ZONE_GROUPS, nfree);
	smp_store_release(&g->g_loaded, true);
	sfs_mutex_unlock(&g->g_lock);
	return nfree;
}

/* The @i-th group that changes: what could not be given out so far is free, *@ret_nfree blocks. */
static int sfs_grow_old_group(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_growth *w,
			      unsigned int i, u64 *ret_nfree)
{
	struct sfs_bitmap_disk *map = sfs_buf_data(w->w_used[i]);
	u64 start = (w->w_first + i) * SFS_GROUP_BLOCKS;
	u64 end = min_t(u64, fs->f_blocks - fs->f_tail, start + SFS_GROUP_BLOCKS);
	struct sfs_group *g = w->w_group[i];
	u32 from = max(w->w_end, start) - start;
	u32 to = end > start ? end - start : 0;
	int err;
	u32 n;

	if (from >= to)
		return 0;
	sfs_mutex_lock(&g->g_lock);
	n = sfs_bits_count(map->b_bits, from, to);
	sfs_bits_clear(map->b_bits, from, to - from);
	g->g_free += n;
	g->g_run = g->g_free;		/* none can be longer */
	sfs_zone_run_raise(fs, (w->w_first + i) / SFS_ZONE_GROUPS, g->g_run);
	map->b_count = cpu_to_le32(g->g_free);
	err = sfs_buf_dirty(t, fs, w->w_used[i]);
	sfs_mutex_unlock(&g->g_lock);
	*ret_nfree += n;
	return err;
}

static int sfs_grow_groups_of_zone(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_growth *w,
				   u64 *nfree)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < w->w_n && !err; i++)
		err = sfs_grow_old_group(t, fs, w, i, nfree);
	return err ? err : sfs_summary_dirty(t, fs, w->w_summary);
}

/*
 * From here on only a dead journal is an error, or without one a superblock that is not written.
 * f_zone_lock held.
 */
static int sfs_grow_change(struct sfs_trans *t, struct sfs_fs *fs, const struct sfs_grow *grow,
			   struct sfs_growth *w)
{
	u64 new_groups = grow->g_begun ? sfs_grow_groups(w->w_ngroups, grow->g_blocks) : 0;
	u64 was = sfs_zones_fresh(fs, fs->f_zones);
	u64 nfree, i;
	int err;

	sfs_geometry_raise(fs, grow->g_blocks, grow->g_tail);
	sfs_super_encode(fs, sfs_buf_data(w->w_super));
	err = sfs_buf_dirty(t, fs, w->w_super);
	if (!err)
		err = sfs_buf_order(t, fs, w->w_super);
	if (err) {
		sfs_shutdown(fs, err, "the new size could not be written");
		return err;
	}
	nfree = sfs_zones_fresh(fs, fs->f_zones) - was;
	for (i = 0; i < new_groups; i++)
		nfree += sfs_grow_new_group(fs, w->w_ngroups + i);
	sfs_geometry_show(fs);
	if (grow->g_begun)
		err = sfs_grow_groups_of_zone(t, fs, w, &nfree);
	if (!err)
		sfs_space_grown(fs, nfree);
	return err;
}

int sfs_grow(struct sfs_trans *t, struct sfs_fs *fs, const struct sfs_grow *grow)
{
	struct sfs_growth w;
	int err;

	err = sfs_growth_open(t, fs, grow->g_begun, &w);
	if (!err) {
		sfs_mutex_lock(&fs->f_zone_lock);
		if (grow->g_begun == (fs->f_zones == fs->f_zones_max))
			err = sfs_grow_change(t, fs, grow, &w);
		else
			err = -EAGAIN;
		sfs_mutex_unlock(&fs->f_zone_lock);
	}
	sfs_growth_close(&w);
	return err;
}
