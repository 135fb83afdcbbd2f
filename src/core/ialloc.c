// SPDX-License-Identifier: GPL-2.0-only
/*
 * ialloc.c - inode slots: which inode block, which slot of it, and which hold orphans.
 *
 * There are no inode tables.  An inode goes into a block of its group that has room (room map),
 * else a free block becomes an inode block; the block whose last inode goes is given back.  Files
 * lie in their directory's group; directories move to the next group every few of them, so that
 * siblings stay together and a busy tree does not fill one group.  The orphan map marks the blocks
 * that a mount must look into.
 *
 * g_lock guards the maps, h_live of the group's inode blocks, and SFS_INODE_ORPHAN in the records
 * on disk: it is set there at once, not by sfs_inode_end(), since neighbours in the block look;
 * sfs_inode_encode() writes the same value again under a tree lock, so it is read and written
 * whole.  h_live is read without g_lock by who has a number and looks whether it is in use: a
 * change of it is one store, which touches no other slot's bit.
 *
 * What can fail (reading, access) comes before the first change.
 */
#include "port.h"
#include "format.h"
#include "core.h"

#define SFS_DIRS_A_GROUP	64		/* directories before the rotor moves on */
#define SFS_DIR_ROOM		(SFS_GROUP_BLOCKS / 8)	/* fuller groups get no new directories */
#define SFS_LIVE_ALL		0xff
#define SFS_SLOTS_LEFT		(SFS_INODE_SLOTS - 1)	/* of a block with one inode */

#define SFS_IN_MAP(map)		(1u << (map))

/* A group under its g_lock, with some of its maps open for change in a transaction. */
struct sfs_open {
	struct sfs_fs *o_fs;
	u64 o_nr;
	struct sfs_group *o_group;
	struct sfs_buf *o_map[SFS_MAPS];	/* NULL: not opened */
	struct sfs_buf *o_summary;		/* of its zone, with write access */
};

static struct sfs_bitmap_disk *sfs_open_map(const struct sfs_open *o, unsigned int map)
{
	return sfs_buf_data(o->o_map[map]);
}

static int sfs_open_lock(struct sfs_open *o, struct sfs_trans *t, struct sfs_fs *fs, u64 nr)
{
	int err;

	memset(o, 0, sizeof(*o));
	o->o_fs = fs;
	o->o_nr = nr;
	err = sfs_group_get(fs, nr, &o->o_group);
	if (!err)
		err = sfs_summary_access(t, fs, nr, &o->o_summary);
	if (!err)
		sfs_mutex_lock(&o->o_group->g_lock);
	return err;
}

/* Opens the maps of @mask that are not open yet.  What is open stays so when this fails. */
static int sfs_open_maps(struct sfs_open *o, struct sfs_trans *t, unsigned int mask)
{
	struct sfs_buf *buf;
	unsigned int map;
	int err;

	for (map = 0; map < SFS_MAPS; map++) {
		if (!(mask & SFS_IN_MAP(map)) || o->o_map[map])
			continue;
		err = sfs_map_open(o->o_fs, o->o_nr, o->o_group, map, &buf);
		if (err)
			return err;
		if (map == SFS_MAP_USED)
			err = sfs_buf_access_undo(t, o->o_fs, buf);
		else
			err = sfs_buf_access(t, o->o_fs, buf);
		if (err) {
			sfs_buf_put(buf);
			return err;
		}
		o->o_map[map] = buf;
	}
	return 0;
}

static int sfs_open_dirty(struct sfs_open *o, struct sfs_trans *t)
{
	unsigned int map;
	int err;

	err = sfs_summary_dirty(t, o->o_fs, o->o_summary);
	for (map = 0; map < SFS_MAPS && !err; map++)
		if (o->o_map[map])
			err = sfs_buf_dirty(t, o->o_fs, o->o_map[map]);
	return err;
}

static void sfs_open_unlock(struct sfs_open *o)
{
	unsigned int map;

	for (map = 0; map < SFS_MAPS; map++)
		sfs_buf_put(o->o_map[map]);
	sfs_mutex_unlock(&o->o_group->g_lock);
	sfs_buf_put(o->o_summary);
}

static void sfs_open_set(struct sfs_open *o, unsigned int map, u32 bit, bool set)
{
	u8 *bits = sfs_open_map(o, map)->b_bits;

	if (set)
		sfs_bits_set(bits, bit, 1);
	else
		sfs_bits_clear(bits, bit, 1);
}

/* Writes the counts of the group into its open maps. */
static void sfs_open_counts(struct sfs_open *o)
{
	if (o->o_map[SFS_MAP_INODE])
		sfs_open_map(o, SFS_MAP_INODE)->b_count = cpu_to_le32(o->o_group->g_inode_blks);
	if (o->o_map[SFS_MAP_ROOM])
		sfs_open_map(o, SFS_MAP_ROOM)->b_count = cpu_to_le32(o->o_group->g_slots);
	if (o->o_map[SFS_MAP_ORPHAN])
		sfs_open_map(o, SFS_MAP_ORPHAN)->b_count = cpu_to_le32(o->o_group->g_orphans);
}

static bool sfs_open_test(const struct sfs_open *o, unsigned int map, u32 bit)
{
	return sfs_bits_test(sfs_open_map(o, map)->b_bits, bit);
}

static int sfs_open_corrupt(const struct sfs_open *o, u32 bit, const char *what, const char *why)
{
	return sfs_corrupt(o->o_fs, o->o_nr * SFS_GROUP_BLOCKS + bit, 0, what, why);
}

/* ---- a new inode ---- */

/*
 * Makes @slot live.  Its generation is none that can be foreseen: counted up, the first inode after
 * a crash would be called what one was that the crash took back, and had a handle.
 */
static u32 sfs_slot_begin(struct sfs_inodes_disk *inodes, unsigned int slot)
{
	struct sfs_inode_disk *disk = &inodes->n_slot[slot];
	u32 generation = sfs_random32();

	generation += generation == le32_to_cpu(disk->i_generation);
	sfs_inode_blank(disk, generation);
	WRITE_ONCE(inodes->n_head.h_live, inodes->n_head.h_live | 1u << slot);
	return generation;
}

/* The block with room nearest behind @goal, else the first. */
static u32 sfs_room_find(const struct sfs_open *o, u32 goal)
{
	const u8 *bits = sfs_open_map(o, SFS_MAP_ROOM)->b_bits;
	u32 bit = sfs_bits_next_set(bits, goal, SFS_GROUP_BLOCKS);

	return bit < SFS_GROUP_BLOCKS ? bit : sfs_bits_next_set(bits, 0, goal);
}

/* A slot of a block that has inodes already; the room map is open. */
static int sfs_slot_alloc(struct sfs_open *o, struct sfs_trans *t, u32 goal, u64 *ret_ino,
			  u32 *ret_generation)
{
	struct sfs_group *g = o->o_group;
	u32 bit = sfs_room_find(o, goal);
	u64 blk = o->o_nr * SFS_GROUP_BLOCKS + bit;
	struct sfs_inodes_disk *inodes;
	struct sfs_buf *buf;
	unsigned int slot;
	u8 live;
	int err;

	err = sfs_buf_get(o->o_fs, blk, &sfs_inodes_ops, o->o_nr, &buf);
	if (err)
		return err;
	inodes = sfs_buf_data(buf);
	live = inodes->n_head.h_live;
	slot = __builtin_ctz(~(unsigned int)live);
	live |= 1u << slot;
	if (slot >= SFS_INODE_SLOTS) {
		err = sfs_open_corrupt(o, bit, "room map", "a full inode block has room");
		goto put_buf;
	}
	if (g->g_slots - 1 < g->g_room - (live == SFS_LIVE_ALL)) {
		err = sfs_open_corrupt(o, bit, "room map", "more free slots than counted");
		goto put_buf;
	}
	err = sfs_buf_access(t, o->o_fs, buf);
	if (err)
		goto put_buf;

	*ret_generation = sfs_slot_begin(inodes, slot);
	*ret_ino = blk << SFS_INODE_SLOT_BITS | slot;
	g->g_slots--;
	if (live == SFS_LIVE_ALL) {
		sfs_open_set(o, SFS_MAP_ROOM, bit, false);
		g->g_room--;
	}
	sfs_open_counts(o);
	err = sfs_buf_dirty(t, o->o_fs, buf);
	if (!err)
		err = sfs_open_dirty(o, t);
put_buf:
	sfs_buf_put(buf);
	return err;
}

/* A fresh inode block, claimed; used, inode and room map are open.  -EAGAIN as sfs_alloc_blks(). */
static int sfs_block_alloc(struct sfs_open *o, struct sfs_trans *t, u32 goal, u64 *ret_ino,
			   u32 *ret_generation, bool *ret_taken)
{
	struct sfs_search s = { .s_goal = goal, .s_want = 1, .s_need = 1, .s_thorough = true };
	struct sfs_group *g = o->o_group;
	struct sfs_inodes_disk *inodes;
	struct sfs_buf *buf;
	u32 bit;
	u64 blk;
	int err;

	if (!sfs_used_find(o->o_fs, o->o_nr, g, o->o_map[SFS_MAP_USED], &s, &bit))
		return -EAGAIN;
	if (sfs_open_test(o, SFS_MAP_INODE, bit) || sfs_open_test(o, SFS_MAP_ROOM, bit))
		return sfs_open_corrupt(o, bit, "inode map", "an inode block is said to be free");
	blk = o->o_nr * SFS_GROUP_BLOCKS + bit;
	err = sfs_buf_new(t, o->o_fs, blk, &sfs_inodes_ops, o->o_nr, &buf);
	if (err)
		return err;

	inodes = sfs_buf_data(buf);
	*ret_generation = sfs_slot_begin(inodes, 0);
	*ret_ino = blk << SFS_INODE_SLOT_BITS;
	sfs_used_take(o->o_fs, g, o->o_map[SFS_MAP_USED], bit, 1);
	*ret_taken = true;
	sfs_open_set(o, SFS_MAP_INODE, bit, true);
	sfs_open_set(o, SFS_MAP_ROOM, bit, true);
	g->g_inode_blks++;
	g->g_room++;
	g->g_slots += SFS_SLOTS_LEFT;
	sfs_open_counts(o);
	err = sfs_buf_dirty(t, o->o_fs, buf);
	sfs_buf_put(buf);
	return err ? err : sfs_open_dirty(o, t);
}

/*
 * -ENOSPC: neither a slot nor a block here; -EAGAIN: a block, but not yet; and as
 * sfs_group_reach().
 */
static int sfs_group_ialloc(struct sfs_trans *t, struct sfs_fs *fs, u64 group, u32 goal,
			    struct sfs_reach *reach, u64 *ret_ino, u32 *ret_generation)
{
	bool taken = false;
	struct sfs_group *g;
	struct sfs_open o;
	int err;

	err = sfs_group_reach(fs, group, reach, &g);
	if (!err)
		err = sfs_reach_ask(fs, reach, &g->g_unread_inodes);
	/* A look without the lock: the worst that comes of it is another choice. */
	if (!err && !READ_ONCE(g->g_room) && !READ_ONCE(g->g_free))
		err = -ENOSPC;
	if (!err)
		err = sfs_open_lock(&o, t, fs, group);
	if (err)
		return err;
	*ret_ino = 0;
	if (o.o_group->g_room) {
		err = sfs_open_maps(&o, t, SFS_IN_MAP(SFS_MAP_ROOM));
		if (!err)
			err = sfs_slot_alloc(&o, t, goal, ret_ino, ret_generation);
		goto unlock;
	}
	err = -ENOSPC;
	if (!o.o_group->g_free)
		goto unlock;
	if (sfs_space_claim(fs, 1, 0)) {
		/* Promised, perhaps in the worst case only. */
		reach->r_waits = true;
		goto unlock;
	}
	err = sfs_open_maps(&o, t, SFS_IN_MAP(SFS_MAP_USED) | SFS_IN_MAP(SFS_MAP_INODE) |
			    SFS_IN_MAP(SFS_MAP_ROOM));
	if (!err)
		err = sfs_block_alloc(&o, t, goal, ret_ino, ret_generation, &taken);
	if (!taken)
		sfs_space_unclaim(fs, 1);
unlock:
	sfs_open_unlock(&o);
	/* Set with the first change: until then another group will do. */
	if (!sfs_is_bad_block(err) || *ret_ino)
		return err;
	return sfs_reach_failed(fs, reach, err, &g->g_unread_inodes);
}

/* Neither of the two is an end: another group may do, or this one later. */
static bool sfs_goes_on(int err)
{
	return err == -ENOSPC || err == -EAGAIN;
}

/* The first group from the rotor's on that is not nearly full; -ENOSPC if none is at hand. */
static int sfs_dir_spread(struct sfs_fs *fs, u64 ngroups, struct sfs_reach *reach, u64 *ret_group)
{
	u64 rotor = READ_ONCE(fs->f_dir_rotor);
	struct sfs_group *g;
	u64 group, i;
	int err;

	WRITE_ONCE(fs->f_dir_rotor, rotor + 1);	/* a lost step is no loss */
	for (i = 0; i < min_t(u64, ngroups, SFS_ZONE_GROUPS); i++) {
		group = (rotor / SFS_DIRS_A_GROUP + i) % ngroups;
		err = sfs_group_reach(fs, group, reach, &g);
		if (sfs_goes_on(err))
			continue;
		if (err)
			return err;
		if (READ_ONCE(g->g_free) >= SFS_DIR_ROOM) {
			*ret_group = group;
			return 0;
		}
	}
	return -ENOSPC;
}

/*
 * Every group in use once, from @start on; the goal counts in the first.  -EAGAIN: later, or in a
 * group that was passed over.
 */
static int sfs_groups_ialloc(struct sfs_trans *t, struct sfs_fs *fs, u64 start, u32 goal,
			     struct sfs_reach *reach, u64 *ret_ino, u32 *ret_generation)
{
	u64 ngroups = sfs_groups_ready(fs);
	int ret = -ENOSPC;
	u64 group, i;
	int err;

	for (i = 0; i < ngroups; i++) {
		group = (start + i) % ngroups;
		err = sfs_group_ialloc(t, fs, group, goal, reach, ret_ino, ret_generation);
		if (!sfs_goes_on(err))
			return err;
		if (err == -EAGAIN)
			ret = err;
		goal = 0;
	}
	return ret;
}

static int sfs_inode_search(struct sfs_trans *t, struct sfs_fs *fs, u64 parent, bool is_dir,
			    struct sfs_reach *reach, u64 *ret_ino, u32 *ret_generation)
{
	u64 ngroups = sfs_groups_ready(fs);
	u64 home = sfs_ino_blk(parent) / SFS_GROUP_BLOCKS;
	u64 start = home;
	int grown;
	u32 goal;
	int err;

	if (is_dir && parent) {
		err = sfs_dir_spread(fs, ngroups, reach, &start);
		if (err && err != -ENOSPC)
			return err;
	}
	goal = start == home ? sfs_ino_blk(parent) % SFS_GROUP_BLOCKS : 0;
	reach->r_passed_over = false;	/* of who only looked for a place for a directory */
	err = sfs_groups_ialloc(t, fs, start, goal, reach, ret_ino, ret_generation);
	if (sfs_goes_on(err) && !reach->r_passed_over && sfs_space_available(fs)) {
		grown = sfs_zone_grow(t, fs, ngroups, reach);
		if (!grown)
			grown = sfs_group_ialloc(t, fs, ngroups, 0, reach, ret_ino,
						 ret_generation);
		/* What is pending in an older group is still to be had, if not here. */
		if (grown != -ENOSPC)
			err = grown;
	}
	return err;
}

int sfs_inode_alloc(struct sfs_trans *t, struct sfs_fs *fs, u64 parent, bool is_dir,
		    u64 *ret_ino, u32 *ret_generation)
{
	struct sfs_reach reach = { };
	int err;

	do
		err = sfs_inode_search(t, fs, parent, is_dir, &reach, ret_ino, ret_generation);
	while (sfs_reach_again(fs, &reach, &err));
	if (!err)
		sfs_counter_add(&fs->f_inodes, 1);
	return err;
}

/* ---- orphans ---- */

/* Does the block hold an orphan besides @slot? */
static bool sfs_block_has_orphan(const struct sfs_inodes_disk *inodes, unsigned int slot)
{
	unsigned int i;

	for (i = 0; i < SFS_INODE_SLOTS; i++)
		if (i != slot && (inodes->n_head.h_live & (1u << i)) &&
		    (le32_to_cpu(READ_ONCE(inodes->n_slot[i].i_flags)) & SFS_INODE_ORPHAN))
			return true;
	return false;
}

/* The orphan map is open; it may say so already. */
static void sfs_orphan_mark(struct sfs_open *o, u32 bit, bool set)
{
	if (sfs_open_test(o, SFS_MAP_ORPHAN, bit) == set)
		return;
	sfs_open_set(o, SFS_MAP_ORPHAN, bit, set);
	o->o_group->g_orphans += set ? 1 : -1;
}

/* Sets or clears the flag, and the bit if no neighbour stands for it. */
static int sfs_orphan_change(struct sfs_trans *t, struct sfs_inode *in, bool set)
{
	struct sfs_inodes_disk *inodes = sfs_buf_data(in->i_buf);
	unsigned int slot = sfs_ino_slot(in->i_ino);
	u64 blk = sfs_ino_blk(in->i_ino);
	struct sfs_open o;
	int err;

	err = sfs_open_lock(&o, t, in->i_fs, blk / SFS_GROUP_BLOCKS);
	if (err)
		return err;
	if (!sfs_block_has_orphan(inodes, slot)) {
		err = sfs_open_maps(&o, t, SFS_IN_MAP(SFS_MAP_ORPHAN));
		if (err)
			goto unlock;
		sfs_orphan_mark(&o, blk % SFS_GROUP_BLOCKS, set);
		sfs_open_counts(&o);
		err = sfs_open_dirty(&o, t);
		if (err)
			goto unlock;
	}
	if (set)
		in->i_flags |= SFS_INODE_ORPHAN;
	else
		in->i_flags &= ~SFS_INODE_ORPHAN;
	WRITE_ONCE(inodes->n_slot[slot].i_flags, cpu_to_le32(in->i_flags));
unlock:
	sfs_open_unlock(&o);
	return err;
}

int sfs_orphan_add(struct sfs_trans *t, struct sfs_inode *in)
{
	return in->i_flags & SFS_INODE_ORPHAN ? 0 : sfs_orphan_change(t, in, true);
}

int sfs_orphan_remove(struct sfs_trans *t, struct sfs_inode *in)
{
	return in->i_flags & SFS_INODE_ORPHAN ? sfs_orphan_change(t, in, false) : 0;
}

/* ---- the end of an inode ---- */

/* Which maps change when @slot of the block goes. */
static unsigned int sfs_free_mask(const struct sfs_inodes_disk *inodes, unsigned int slot,
				  bool orphan)
{
	unsigned int mask = SFS_IN_MAP(SFS_MAP_ROOM);

	if (inodes->n_head.h_live == 1u << slot)
		mask |= SFS_IN_MAP(SFS_MAP_USED) | SFS_IN_MAP(SFS_MAP_INODE);
	if (orphan && !sfs_block_has_orphan(inodes, slot))
		mask |= SFS_IN_MAP(SFS_MAP_ORPHAN);
	return mask;
}

/* NULL if the maps, open for what is to change, agree with the block. */
static const char *sfs_free_verify(const struct sfs_open *o, u32 bit, u8 live, u8 mask)
{
	const struct sfs_group *g = o->o_group;

	if (!(live & mask))
		return "an inode is freed that is free";
	if (sfs_open_test(o, SFS_MAP_ROOM, bit) != (live != SFS_LIVE_ALL))
		return "room map and slot mask differ";
	if (live != mask)
		return NULL;
	if (!sfs_open_test(o, SFS_MAP_USED, bit) || !sfs_open_test(o, SFS_MAP_INODE, bit))
		return "a block with inodes is marked as free";
	if (!g->g_inode_blks || g->g_slots < g->g_room - 1 + SFS_SLOTS_LEFT)
		return "fewer free slots than counted";
	return NULL;
}

/* The block's last inode went.  Consumes a reference of @buf; fails only with the journal gone. */
static int sfs_block_free(struct sfs_open *o, struct sfs_trans *t, u32 bit, struct sfs_buf *buf)
{
	struct sfs_group *g = o->o_group;
	int err = sfs_used_give_meta(t, o->o_fs, g, o->o_map[SFS_MAP_USED], buf);

	if (err)
		return err;
	sfs_open_set(o, SFS_MAP_INODE, bit, false);
	sfs_open_set(o, SFS_MAP_ROOM, bit, false);
	g->g_inode_blks--;
	g->g_room--;
	g->g_slots -= SFS_SLOTS_LEFT;
	return 0;
}

static void sfs_slot_free(struct sfs_open *o, struct sfs_head *head, u32 bit, u8 mask)
{
	struct sfs_group *g = o->o_group;

	if (head->h_live == SFS_LIVE_ALL) {
		sfs_open_set(o, SFS_MAP_ROOM, bit, true);
		g->g_room++;
	}
	WRITE_ONCE(head->h_live, head->h_live & ~mask);
	g->g_slots++;
}

int sfs_inode_free(struct sfs_trans *t, struct sfs_inode *in)
{
	struct sfs_inodes_disk *inodes = sfs_buf_data(in->i_buf);
	struct sfs_head *head = &inodes->n_head;
	unsigned int slot = sfs_ino_slot(in->i_ino);
	u32 bit = sfs_ino_blk(in->i_ino) % SFS_GROUP_BLOCKS;
	u8 mask = 1u << slot;
	struct sfs_open o;
	const char *why;
	bool last;
	int err;

	if (!sfs_tree_is_empty(in))
		return sfs_corrupt(in->i_fs, sfs_ino_blk(in->i_ino), in->i_ino, "inode",
				   "records of another kind than its own are left");
	err = sfs_open_lock(&o, t, in->i_fs, sfs_ino_blk(in->i_ino) / SFS_GROUP_BLOCKS);
	if (err)
		return err;
	last = head->h_live == mask;
	err = sfs_open_maps(&o, t, sfs_free_mask(inodes, slot, in->i_flags & SFS_INODE_ORPHAN));
	if (err)
		goto unlock;
	why = sfs_free_verify(&o, bit, head->h_live, mask);
	if (why) {
		err = sfs_corrupt(in->i_fs, sfs_ino_blk(in->i_ino), in->i_ino, "inode block", why);
		goto unlock;
	}

	if (last) {
		/* That drops a reference; the other one keeps i_buf for _end() if it fails. */
		sfs_buf_hold(in->i_buf);
		err = sfs_block_free(&o, t, bit, in->i_buf);
		if (err)
			goto unlock;
	} else {
		sfs_slot_free(&o, head, bit, mask);
		err = sfs_buf_dirty(t, in->i_fs, in->i_buf);
	}
	if (o.o_map[SFS_MAP_ORPHAN])
		sfs_orphan_mark(&o, bit, false);
	sfs_open_counts(&o);
	if (!err)
		err = sfs_open_dirty(&o, t);
	sfs_counter_add(&in->i_fs->f_inodes, -1);
	sfs_buf_put(in->i_buf);
	in->i_buf = NULL;
unlock:
	sfs_open_unlock(&o);
	return err;
}
