// SPDX-License-Identifier: GPL-2.0-only
/*
 * zone.c - zones and groups: their bitmaps on disk, their counts in memory.
 *
 * Beyond f_zones nothing has been written.  A zone begins its life when the allocator needs it: its
 * head is written and flushed, then the watermark moves in a transaction.  A crash between the two
 * leaves blocks that nothing refers to.  In memory a zone appears at first need, with the counts
 * that its summary has (zone_summary.c), so that a mount costs nothing by size; a group that the
 * summary does not know reads the heads of its maps.  A map opened for a change has to agree.
 *
 * f_zone_lock guards growth and the filling of f_zone.  f_zones, f_groups, the pointers and
 * g_loaded are published with release and read with acquire, without a lock; all of them change
 * once or rise.
 */
#include "port.h"
#include "format.h"
#include "core.h"

/* ---- the bitmaps on disk ---- */

static void sfs_used_fill(const struct sfs_fs *fs, u64 group, struct sfs_bitmap_disk *map)
{
	u32 first = 0;
	u32 nfree = sfs_group_fresh(fs, group, &first);

	sfs_bits_set(map->b_bits, 0, first);
	sfs_bits_set(map->b_bits, first + nfree, SFS_GROUP_BLOCKS - first - nfree);
	map->b_count = cpu_to_le32(nfree);
}

void sfs_map_fill(const struct sfs_fs *fs, u64 blk, void *data)
{
	unsigned int map = 0;
	u64 group = 0;
	bool found = sfs_map_at(fs, blk, &group, &map);

	sfs_assert(found);
	if (!found)
		return;
	sfs_block_init(data, fs->f_fsid, sfs_map_ops[map].b_magic, blk, group);
	if (map == SFS_MAP_USED)
		sfs_used_fill(fs, group, data);
}

/* @set: set bits of the whole map. */
static const char *sfs_counts_verify(const struct sfs_bitmap_disk *map, unsigned int kind,
				     u32 nbits, u32 set)
{
	u32 count = le32_to_cpu(map->b_count);

	switch (kind) {
	case SFS_MAP_USED:
		if (set - (SFS_GROUP_BLOCKS - nbits) != nbits - count)
			return "free count differs from the bits";
		break;
	case SFS_MAP_ROOM:
		if (count < set || count > set * (SFS_INODE_SLOTS - 1))
			return "count of free slots is impossible";
		break;
	default:
		if (count != set)
			return "count differs from the bits";
	}
	return NULL;
}

static const char *sfs_map_verify(const struct sfs_fs *fs, const void *data, u64 blk)
{
	const struct sfs_bitmap_disk *map = data;
	u32 nbits, fixed;
	unsigned int kind;
	u64 group;

	if (!sfs_map_at(fs, blk, &group, &kind))
		return "bitmap outside the strips";
	if (le32_to_cpu(map->b_head.h_magic) != sfs_map_ops[kind].b_magic)
		return "another kind of bitmap belongs here";
	if (map->b_head.h_live)
		return "a bitmap with a slot mask";
	if (le64_to_cpu(map->b_head.h_owner) != group)
		return "bitmap of another group";
	if (memchr_inv(map->b_zero, 0, sizeof(map->b_zero)))
		return "reserved bytes are not zero";
	nbits = sfs_group_bits(fs, group);
	fixed = min(sfs_group_fixed(fs, group), nbits);
	if (kind == SFS_MAP_USED) {
		if (sfs_bits_next_clear(map->b_bits, 0, fixed) < fixed)
			return "superblock, zone's head or journal not marked as used";
		if (sfs_bits_next_clear(map->b_bits, nbits, SFS_GROUP_BLOCKS) < SFS_GROUP_BLOCKS)
			return "free blocks past the end of the volume";
	} else {
		if (sfs_bits_next_set(map->b_bits, 0, fixed) < fixed)
			return "inode blocks in superblock, zone's head or journal";
		if (sfs_bits_next_set(map->b_bits, nbits, SFS_GROUP_BLOCKS) < SFS_GROUP_BLOCKS)
			return "inode blocks past the end of the volume";
	}
	return sfs_counts_verify(map, kind, nbits,
				 sfs_bits_count(map->b_bits, 0, SFS_GROUP_BLOCKS));
}

#define SFS_MAP_OPS(magic, name)	\
	{ .b_magic = (magic), .b_name = (name), .b_verify = sfs_map_verify }

const struct sfs_block_ops sfs_map_ops[SFS_MAPS] = {
	[SFS_MAP_USED] = SFS_MAP_OPS(SFS_MAGIC_USED, "used map"),
	[SFS_MAP_INODE] = SFS_MAP_OPS(SFS_MAGIC_INODE_MAP, "inode map"),
	[SFS_MAP_ROOM] = SFS_MAP_OPS(SFS_MAGIC_ROOM, "room map"),
	[SFS_MAP_ORPHAN] = SFS_MAP_OPS(SFS_MAGIC_ORPHAN, "orphan map"),
};

int sfs_map_get(struct sfs_fs *fs, u64 group, unsigned int map, struct sfs_buf **ret_buf)
{
	return sfs_buf_get(fs, sfs_map_blk(group, map), &sfs_map_ops[map], group, ret_buf);
}

/* ---- zones in memory ---- */

int sfs_zones_init(struct sfs_fs *fs)
{
	int err = sfs_zone_dir_init(fs, fs->f_zones_max);

	if (err)
		return err;
	sfs_mutex_init(&fs->f_zone_lock);
	sfs_mutex_init(&fs->f_run_lock);
	fs->f_run = SFS_GROUP_BLOCKS;
	fs->f_load_max = SFS_LOAD_MAX;
	fs->f_unread = 1;
	fs->f_unread_minute = ~0u;	/* never yet */
	return 0;
}

static void sfs_zone_free(struct sfs_zone *zone)
{
	unsigned int i;

	if (!zone)
		return;
	for (i = 0; i < SFS_ZONE_GROUPS; i++)
		sfs_mutex_destroy(&zone->z_group[i].g_lock);
	sfs_zone_run_exit(zone);
	sfs_mem_free(zone);
}

void sfs_zones_exit(struct sfs_fs *fs)
{
	struct sfs_zone_table *table;
	unsigned int i;
	u64 nr;

	if (!fs->f_zone)
		return;
	for (nr = 0; nr < fs->f_zone->d_tables; nr++) {
		table = fs->f_zone->d_table[nr];
		for (i = 0; table && i < SFS_TABLE_ZONES; i++)
			sfs_zone_free(table->t_zone[i]);
		sfs_mem_free(table);
	}
	sfs_zone_dir_exit(fs);
	sfs_mutex_destroy(&fs->f_zone_lock);
	sfs_mutex_destroy(&fs->f_run_lock);
}

/* ---- groups in memory ---- */

static struct sfs_zone *sfs_zone_make(void)
{
	struct sfs_zone *zone = sfs_mem_alloc(sizeof(*zone));
	unsigned int i;

	if (!zone)
		return NULL;
	for (i = 0; i < SFS_ZONE_GROUPS; i++)
		sfs_mutex_init(&zone->z_group[i].g_lock);
	sfs_zone_run_init(zone);
	return zone;
}

/* Puts @zone where it belongs, unless another was quicker: that one stays then. */
static int sfs_zone_publish(struct sfs_fs *fs, u64 nr, struct sfs_zone **zone)
{
	struct sfs_zone_table **table;
	struct sfs_zone **slot;
	int err = 0;

	sfs_mutex_lock(&fs->f_zone_lock);
	table = &fs->f_zone->d_table[nr / SFS_TABLE_ZONES];
	if (!*table) {
		struct sfs_zone_table *new = sfs_mem_alloc(sizeof(*new));

		if (!new) {
			err = -ENOMEM;
			goto unlock;
		}
		smp_store_release(table, new);
	}
	slot = &(*table)->t_zone[nr % SFS_TABLE_ZONES];
	if (!*slot) {
		smp_store_release(slot, *zone);
		*zone = NULL;
	}
unlock:
	sfs_mutex_unlock(&fs->f_zone_lock);
	return err;
}

/* Nobody changes a zone that is not in memory: what is read before it is published stays true. */
static int sfs_zone_load(struct sfs_fs *fs, u64 nr)
{
	struct sfs_zone *zone = sfs_zone_make();
	int err;

	if (!zone)
		return -ENOMEM;
	err = sfs_summary_load(fs, nr, zone);
	if (!err)
		err = sfs_zone_publish(fs, nr, &zone);
	sfs_zone_free(zone);
	return err;
}

/* One map's b_count, and its set bits if asked for. */
static int sfs_map_count(struct sfs_fs *fs, u64 group, unsigned int map, u32 *ret_count,
			 u32 *ret_set)
{
	const struct sfs_bitmap_disk *disk;
	struct sfs_buf *buf;
	int err;

	err = sfs_map_get(fs, group, map, &buf);
	if (err)
		return err;
	disk = sfs_buf_data(buf);
	*ret_count = le32_to_cpu(disk->b_count);
	if (ret_set)
		*ret_set = sfs_bits_count(disk->b_bits, 0, SFS_GROUP_BLOCKS);
	sfs_buf_put(buf);
	return 0;
}

/* The summary does not know the group.  g_lock held. */
static int sfs_group_load(struct sfs_fs *fs, u64 group, struct sfs_group *g)
{
	u32 nfree, inode_blks, slots, room, orphan_blks;
	int err;

	err = sfs_map_count(fs, group, SFS_MAP_USED, &nfree, NULL);
	if (err)
		return err;
	err = sfs_map_count(fs, group, SFS_MAP_INODE, &inode_blks, NULL);
	if (err)
		return err;
	err = sfs_map_count(fs, group, SFS_MAP_ROOM, &slots, &room);
	if (err)
		return err;
	err = sfs_map_count(fs, group, SFS_MAP_ORPHAN, &orphan_blks, NULL);
	if (err)
		return err;
	if (room > inode_blks)
		return sfs_corrupt(fs, sfs_map_blk(group, SFS_MAP_ROOM), 0, "room map",
				   "more blocks with room than inode blocks");
	g->g_free = nfree;
	g->g_inode_blks = inode_blks;
	g->g_room = room;
	g->g_slots = slots;
	g->g_orphans = orphan_blks;
	g->g_run = nfree;
	smp_store_release(&g->g_loaded, true);
	if (g->g_left_out) {
		g->g_left_out = false;
		sfs_space_found(fs, nfree);
		sfs_counter_add(&fs->f_inodes, (s64)inode_blks * SFS_INODE_SLOTS - slots);
	}
	return 0;
}

/* NULL, or in which count the map is not what @g says. */
static const char *sfs_group_compare(const struct sfs_group *g, unsigned int map,
				     const struct sfs_bitmap_disk *disk)
{
	u32 count = le32_to_cpu(disk->b_count);

	switch (map) {
	case SFS_MAP_USED:
		return count == g->g_free ? NULL : "the summary has another number of free blocks";
	case SFS_MAP_INODE:
		return count == g->g_inode_blks ? NULL :
		       "the summary has another number of inode blocks";
	case SFS_MAP_ROOM:
		return count == g->g_slots &&
		       sfs_bits_count(disk->b_bits, 0, SFS_GROUP_BLOCKS) == g->g_room ? NULL :
		       "the summary has another number of free slots, or of their blocks";
	default:
		return count == g->g_orphans ? NULL :
		       "the summary has another number of blocks with orphans";
	}
}

/* The used map can be had, or, @lost, cannot: then nobody is promised what is free there. */
static void sfs_group_account(struct sfs_fs *fs, struct sfs_group *g, bool lost)
{
	u32 now = lost ? g->g_free : 0;

	if (g->g_lost == now)
		return;
	sfs_space_lost(fs, (s64)now - g->g_lost);
	WRITE_ONCE(g->g_lost, now);
}

static int sfs_map_open_one(struct sfs_fs *fs, u64 group, struct sfs_group *g, unsigned int map,
			    struct sfs_buf **ret_buf)
{
	const char *why = NULL;
	struct sfs_buf *buf;
	int err;

	err = sfs_map_get(fs, group, map, &buf);
	if (err)
		return err;
	if (!(g->g_compared & (1u << map)))
		why = sfs_group_compare(g, map, sfs_buf_data(buf));
	if (why) {
		sfs_buf_put(buf);
		return sfs_corrupt(fs, sfs_map_blk(group, map), 0, sfs_map_ops[map].b_name, why);
	}
	g->g_compared |= 1u << map;
	*ret_buf = buf;
	return 0;
}

int sfs_map_open(struct sfs_fs *fs, u64 group, struct sfs_group *g, unsigned int map,
		 struct sfs_buf **ret_buf)
{
	int err;

	sfs_assert(sfs_mutex_is_held(&g->g_lock));
	err = sfs_map_open_one(fs, group, g, map, ret_buf);
	if (map == SFS_MAP_USED && (!err || sfs_is_bad_block(err)))
		sfs_group_account(fs, g, err);
	return err;
}

#define SFS_UNREAD_SHIFT	36	/* of nanoseconds: about a minute */

/*
 * From here on all that could not be read may be asked for again.  False: that was said not long
 * ago, and a disk takes its time to find out that it cannot read.
 */
static bool sfs_unread_step(struct sfs_fs *fs)
{
	u32 minute = sfs_time_now() >> SFS_UNREAD_SHIFT;

	if (READ_ONCE(fs->f_unread_minute) == minute)
		return false;
	WRITE_ONCE(fs->f_unread_minute, minute);
	/* Groups that were passed over for it may be loaded again. */
	WRITE_ONCE(fs->f_load_next, 0);
	/* A lost step is no loss; 0 is none. */
	WRITE_ONCE(fs->f_unread, max(READ_ONCE(fs->f_unread) + 1, 1u));
	return true;
}

bool sfs_unread_lately(struct sfs_fs *fs, const u32 *unread)
{
	return READ_ONCE(*unread) == READ_ONCE(fs->f_unread) && !sfs_unread_step(fs);
}

int sfs_group_get(struct sfs_fs *fs, u64 group, struct sfs_group **ret_group)
{
	struct sfs_zone *zone;
	struct sfs_group *g;
	int err;

	if (group >= sfs_groups_ready(fs))
		return -ENOSPC;
	zone = sfs_zone_find(fs, group / SFS_ZONE_GROUPS);
	if (!zone) {
		err = sfs_zone_load(fs, group / SFS_ZONE_GROUPS);
		if (err)
			return err;
		zone = sfs_zone_find(fs, group / SFS_ZONE_GROUPS);
	}
	g = &zone->z_group[group % SFS_ZONE_GROUPS];
	if (!smp_load_acquire(&g->g_loaded)) {
		if (sfs_unread_lately(fs, &g->g_unread))
			return -EIO;
		sfs_mutex_lock(&g->g_lock);
		err = g->g_loaded ? 0 : sfs_group_load(fs, group, g);
		if (sfs_is_bad_block(err))
			WRITE_ONCE(g->g_unread, READ_ONCE(fs->f_unread));
		sfs_mutex_unlock(&g->g_lock);
		if (err)
			return err;
	}
	*ret_group = g;
	return 0;
}

/* NULL: nobody has looked at its zone. */
static struct sfs_group *sfs_group_find(const struct sfs_fs *fs, u64 group)
{
	struct sfs_zone *zone = sfs_zone_find(fs, group / SFS_ZONE_GROUPS);

	return zone ? &zone->z_group[group % SFS_ZONE_GROUPS] : NULL;
}

static bool sfs_group_is_loaded(const struct sfs_fs *fs, u64 group)
{
	const struct sfs_group *g = sfs_group_find(fs, group);

	return g && smp_load_acquire(&g->g_loaded);
}

/* ---- what cannot be read: who looks for a group of several ---- */

int sfs_reach_ask(const struct sfs_fs *fs, struct sfs_reach *reach, const u32 *unread)
{
	if (READ_ONCE(*unread) != READ_ONCE(fs->f_unread))
		return 0;
	reach->r_failed = -EIO;
	return -ENOSPC;
}

int sfs_reach_failed(const struct sfs_fs *fs, struct sfs_reach *reach, int err, u32 *unread)
{
	WRITE_ONCE(*unread, READ_ONCE(fs->f_unread));
	reach->r_failed = err;
	return -ENOSPC;
}

bool sfs_reach_again(struct sfs_fs *fs, struct sfs_reach *reach, int *err)
{
	if (*err != -ENOSPC || !reach->r_failed || reach->r_waits)
		return false;
	if (reach->r_again || !sfs_unread_step(fs)) {
		*err = reach->r_failed;
		return false;
	}
	reach->r_failed = 0;
	reach->r_again = true;
	return true;
}

int sfs_group_reach(struct sfs_fs *fs, u64 group, struct sfs_reach *reach,
		    struct sfs_group **ret_group)
{
	struct sfs_group *g = sfs_group_find(fs, group);
	int err;

	err = g ? sfs_reach_ask(fs, reach, &g->g_unread) : 0;
	if (err)
		return err;
	if (!sfs_group_is_loaded(fs, group)) {
		if (reach->r_loads >= fs->f_load_max) {
			reach->r_passed_over = true;
			return -EAGAIN;
		}
		reach->r_loads++;
	}
	err = sfs_group_get(fs, group, ret_group);
	if (!sfs_is_bad_block(err))
		return err;
	reach->r_failed = err;		/* noted by who loads */
	return -ENOSPC;
}

/* Is @group's map there again? */
static bool sfs_group_look(struct sfs_fs *fs, u64 group, struct sfs_group *g)
{
	struct sfs_buf *used = NULL;
	int err;

	sfs_mutex_lock(&g->g_lock);
	err = sfs_map_open(fs, group, g, SFS_MAP_USED, &used);
	sfs_buf_put(used);
	if (err)
		WRITE_ONCE(g->g_unread, READ_ONCE(fs->f_unread));
	sfs_mutex_unlock(&g->g_lock);
	return !err;
}

bool sfs_lost_look(struct sfs_fs *fs)
{
	u64 ngroups = sfs_groups_ready(fs);
	struct sfs_group *g;
	bool found = false;
	u64 group;

	if (!sfs_counter_read(&fs->f_lost))
		return false;
	for (group = 0; group < ngroups; group++) {
		g = sfs_group_find(fs, group);
		if (g && READ_ONCE(g->g_lost) && !sfs_unread_lately(fs, &g->g_unread))
			found |= sfs_group_look(fs, group, g);
	}
	return found;
}

#define SFS_LOAD_GROUPS		512	/* that one call reads, 16 zones */

int sfs_load_next(struct sfs_fs *fs)
{
	u64 ngroups = sfs_groups_ready(fs);
	u64 group = READ_ONCE(fs->f_load_next);
	struct sfs_group *g;
	u32 loads = 0;
	u32 run = 0;
	int failed = 0;
	bool is_new;
	u64 nr, end;
	int err;

	while ((!loads || run < SFS_RUN_DECENT) && loads < SFS_LOAD_GROUPS && group < ngroups) {
		nr = group / SFS_ZONE_GROUPS;
		sfs_summary_readahead(fs, nr);
		end = min((nr + 1) * SFS_ZONE_GROUPS, ngroups);
		for (; group < end; group++) {
			is_new = !sfs_group_is_loaded(fs, group);
			err = sfs_group_get(fs, group, &g);
			if (err)
				failed = err;
			else
				loads += is_new;
		}
		WRITE_ONCE(fs->f_load_next, group);	/* a step back, by another, is no loss */
		run = sfs_zone_run_count(fs, nr);
	}
	return loads ? (int)loads : failed;
}

/* ---- growth ---- */

void sfs_head_fill(struct sfs_fs *fs, u64 blk, void *data, const void *super)
{
	u64 zone = blk / SFS_ZONE_BLOCKS;

	if (blk == sfs_summary_blk(zone))
		sfs_summary_fill(fs, blk, data);
	else if (blk != sfs_copy_blk(zone))
		sfs_map_fill(fs, blk, data);
	else if (!fs->f_unmade)
		sfs_copy_make(super, blk, data);
}

int sfs_zone_format(struct sfs_fs *fs, u64 zone, const void *super)
{
	int err = sfs_buf_format(fs, sfs_zone_head(zone), SFS_ZONE_HEAD, sfs_head_fill, super);

	return err ? err : sfs_buf_flush(fs);
}

/* f_zone_lock held. */
static int sfs_zone_begin(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *super,
			  struct sfs_reach *reach)
{
	int err;

	err = sfs_buf_access(t, fs, super);
	if (err)
		return err;
	err = sfs_zone_format(fs, fs->f_zones, sfs_buf_data(super));
	if (err == -EIO)
		return sfs_reach_failed(fs, reach, err, &fs->f_unwritten_strip);
	if (err)
		return err;
	sfs_zone_begun(fs);
	sfs_super_encode(fs, sfs_buf_data(super));
	return sfs_buf_dirty(t, fs, super);
}

int sfs_zone_grow(struct sfs_trans *t, struct sfs_fs *fs, u64 ngroups, struct sfs_reach *reach)
{
	struct sfs_buf *super;
	int err = 0;

	sfs_mutex_lock(&fs->f_zone_lock);
	if (sfs_groups_ready(fs) > ngroups)
		goto unlock;
	err = -ENOSPC;
	if (fs->f_zones >= fs->f_zones_max || sfs_reach_ask(fs, reach, &fs->f_unwritten_strip))
		goto unlock;
	err = sfs_buf_get(fs, 0, &sfs_super_ops, 0, &super);
	if (err)
		goto unlock;
	err = sfs_zone_begin(t, fs, super, reach);
	sfs_buf_put(super);
unlock:
	sfs_mutex_unlock(&fs->f_zone_lock);
	return err;
}
