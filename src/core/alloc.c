// SPDX-License-Identifier: GPL-2.0-only
/*
 * alloc.c - who owns each block: runs taken and runs given back.  Promises are in space.c.
 *
 * A run is looked for right at the goal, then as the first that is long enough behind it in its
 * group, then in the groups after it, which are skipped by their counts in memory, zone by zone
 * (zone_run.c).  Large requests are content with SFS_RUN_DECENT blocks.  A new zone is begun only
 * when no group in use has a run that good: a single block never begins one while any is free, a
 * big file does not crumble into the holes of an aged volume while there is fresh ground.  Only
 * then are shorter runs taken.
 *
 * A zone that nobody has looked at since the mount costs a read, while a handle is open, and so
 * does a group that its summary does not know.  So a call reads for no more than f_load_max of them
 * and passes the others over: fresh ground comes before them, and where there is none -EAGAIN asks
 * for sfs_load_next(), which reads outside of transactions.
 *
 * One g_lock at a time, f_zone_lock never under it.  All changes of a group lie in one hold of its
 * lock, reading and access first, that to the zone's summary (zone_summary.c) before the lock.
 * Blocks whose freeing has not committed stay untouched, and so does what is busy (busy.h): used
 * maps are opened with sfs_buf_access_undo(), and all runs are cut by sfs_run_usable().
 */
#include "port.h"
#include "format.h"
#include "core.h"

#define SFS_PENDING_STEP	64		/* how coarsely pending blocks are passed over */

/* ---- one group ---- */

/* A search on its way through the bits of one used map, and the best that it has met. */
struct sfs_sweep {
	const struct sfs_search *w_search;
	const struct sfs_fs *w_fs;
	struct sfs_buf *w_used;
	u64 w_first;			/* the block of bit 0 */
	u32 w_nbits;
	u32 w_bit;
	u32 w_n;
	u32 w_longest;			/* of all clear runs, whether they can be had or not */
};

/* How many of the clear bits [@bit, +@n), from the first on, may be taken. */
static u32 sfs_run_usable(const struct sfs_sweep *w, u32 bit, u32 n)
{
	n = sfs_busy_before(w->w_fs, w->w_first + bit, n);
	return n ? sfs_buf_reusable(w->w_used, bit, n) : 0;
}

/* The first piece of the clear run [bit, end) that is long enough, or else its longest. */
static void sfs_run_sweep(struct sfs_sweep *w, u32 bit, u32 end)
{
	const struct sfs_search *s = w->w_search;
	u32 n;

	while (bit < end && end - bit > w->w_n && w->w_n < s->s_want) {
		n = sfs_run_usable(w, bit, min(end - bit, s->s_want));
		if (n > w->w_n) {
			w->w_bit = bit;
			w->w_n = n;
		}
		bit += n;
		bit = s->s_thorough ? bit + 1 : (bit | (SFS_PENDING_STEP - 1)) + 1;
	}
}

static const u8 *sfs_used_bits(struct sfs_buf *used)
{
	return ((struct sfs_bitmap_disk *)sfs_buf_data(used))->b_bits;
}

/* Clear runs that begin in [from, to). */
static void sfs_used_sweep(struct sfs_sweep *w, u32 from, u32 to)
{
	const u8 *bits = sfs_used_bits(w->w_used);
	u32 bit = sfs_bits_next_clear(bits, from, w->w_nbits);
	u32 end;

	while (bit < to && w->w_n < w->w_search->s_want) {
		end = sfs_bits_next_set(bits, bit, w->w_nbits);
		w->w_longest = max(w->w_longest, end - bit);
		sfs_run_sweep(w, bit, end);
		bit = sfs_bits_next_clear(bits, end, w->w_nbits);
	}
}

u32 sfs_used_find(const struct sfs_fs *fs, u64 group, struct sfs_group *g, struct sfs_buf *used,
		  const struct sfs_search *s, u32 *ret_bit)
{
	u32 nbits = sfs_group_nblks(fs, group);
	struct sfs_sweep w = {
		.w_search = s,
		.w_fs = fs,
		.w_used = used,
		.w_first = group * SFS_GROUP_BLOCKS,
		.w_nbits = nbits,
	};
	const u8 *bits = sfs_used_bits(used);
	u32 goal = s->s_goal < nbits ? s->s_goal : 0;
	u32 n;

	sfs_assert(sfs_mutex_is_held(&g->g_lock));
	if (s->s_goal < nbits && !sfs_bits_test(bits, goal)) {
		n = sfs_bits_next_set(bits, goal, min_t(u64, nbits, (u64)goal + s->s_want)) - goal;
		n = sfs_run_usable(&w, goal, n);
		if (n) {
			*ret_bit = goal;
			return n;
		}
	}
	sfs_used_sweep(&w, goal, nbits);
	sfs_used_sweep(&w, 0, goal);
	if (w.w_n < s->s_want)
		g->g_run = w.w_longest;		/* every run was seen */
	if (w.w_n < s->s_need)
		return 0;
	*ret_bit = w.w_bit;
	return w.w_n;
}

void sfs_used_take(struct sfs_fs *fs, struct sfs_group *g, struct sfs_buf *used, u32 bit, u32 n)
{
	struct sfs_bitmap_disk *map = sfs_buf_data(used);

	sfs_assert(sfs_mutex_is_held(&g->g_lock));
	sfs_assert(n && n <= g->g_free);
	sfs_bits_set(map->b_bits, bit, n);
	g->g_free -= n;
	g->g_run = min(g->g_run, g->g_free);
	map->b_count = cpu_to_le32(g->g_free);
	sfs_space_taken(fs, n);
}

/* Where the clear run that ends before @bit begins. */
static u32 sfs_run_begin(const u8 *bits, u32 bit)
{
	while (bit >= 8 && bit % 8 == 0 && !bits[bit / 8 - 1])
		bit -= 8;
	while (bit && !sfs_bits_test(bits, bit - 1)) {
		bit--;
		while (bit >= 8 && bit % 8 == 0 && !bits[bit / 8 - 1])
			bit -= 8;
	}
	return bit;
}

static void sfs_used_give(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_group *g,
			  struct sfs_buf *used, u64 blk, u32 n)
{
	struct sfs_bitmap_disk *map = sfs_buf_data(used);
	u32 bit = blk % SFS_GROUP_BLOCKS;
	u32 end;

	sfs_assert(sfs_mutex_is_held(&g->g_lock));
	sfs_bits_clear(map->b_bits, bit, n);
	end = sfs_bits_next_set(map->b_bits, bit + n, SFS_GROUP_BLOCKS);
	g->g_free += n;
	g->g_run = max(g->g_run, end - sfs_run_begin(map->b_bits, bit));
	sfs_zone_run_raise(fs, sfs_buf_blk(used) / SFS_ZONE_BLOCKS, g->g_run);
	map->b_count = cpu_to_le32(g->g_free);
	sfs_space_freed(fs, n);
	sfs_freed(t, fs, blk, n);
}

int sfs_used_lock(struct sfs_trans *t, struct sfs_fs *fs, u64 group, struct sfs_group *g,
		  struct sfs_buf **ret_used)
{
	struct sfs_buf *used;
	int err;

	sfs_mutex_lock(&g->g_lock);
	err = sfs_map_open(fs, group, g, SFS_MAP_USED, &used);
	if (err)
		goto unlock;
	err = sfs_buf_access_undo(t, fs, used);
	if (err)
		goto put_used;
	*ret_used = used;
	return 0;

put_used:
	sfs_buf_put(used);
unlock:
	sfs_mutex_unlock(&g->g_lock);
	return err;
}

void sfs_used_unlock(struct sfs_group *g, struct sfs_buf *used)
{
	sfs_buf_put(used);
	sfs_mutex_unlock(&g->g_lock);
}

/* Takes a run of @group.  -ENOSPC: none that @s would have; and as sfs_group_reach(). */
static int sfs_group_take(struct sfs_trans *t, struct sfs_fs *fs, u64 group,
			  const struct sfs_search *s, struct sfs_reach *reach, u64 *ret_blk,
			  u32 *ret_nblks)
{
	struct sfs_buf *used, *summary;
	struct sfs_group *g;
	u32 need, bit, n;
	int err;

	err = sfs_group_reach(fs, group, reach, &g);
	if (err)
		return err;
	/* A look without the lock: the worst that comes of it is another choice. */
	need = s->s_goal == SFS_NO_GOAL ? s->s_need : 1;
	if (READ_ONCE(g->g_run) < need)
		return -ENOSPC;
	err = sfs_summary_access(t, fs, group, &summary);
	if (err)
		return err;
	err = sfs_used_lock(t, fs, group, g, &used);
	if (err) {
		if (sfs_is_bad_block(err))
			err = sfs_reach_failed(fs, reach, err, &g->g_unread);
		goto put_summary;
	}
	n = sfs_used_find(fs, group, g, used, s, &bit);
	if (!n) {
		/* All that is free is busy, or its freeing has not committed. */
		reach->r_waits |= s->s_thorough && g->g_free;
		err = -ENOSPC;
		goto unlock;
	}
	sfs_used_take(fs, g, used, bit, n);
	err = sfs_buf_dirty(t, fs, used);
	if (!err)
		err = sfs_summary_dirty(t, fs, summary);
	if (err)
		goto unlock;
	*ret_blk = group * SFS_GROUP_BLOCKS + bit;
	*ret_nblks = n;
unlock:
	sfs_used_unlock(g, used);
put_summary:
	sfs_buf_put(summary);
	return err;
}

/* ---- all groups ---- */

/*
 * How many groups from @group on, all of one zone, need not be looked at: they have no run of @need
 * blocks, or nobody has looked at their zone and no more may be read, which @passed_over tells.
 */
static u64 sfs_groups_skip(struct sfs_fs *fs, u64 group, u64 ngroups, u32 need,
			   struct sfs_reach *reach, bool *passed_over)
{
	const struct sfs_zone *zone = sfs_zone_find(fs, group / SFS_ZONE_GROUPS);
	u64 left = min(SFS_ZONE_GROUPS - group % SFS_ZONE_GROUPS, ngroups - group);

	if (zone)
		return READ_ONCE(zone->z_run) < need ? left : 0;
	if (reach->r_loads < fs->f_load_max)
		return 0;
	*passed_over = reach->r_passed_over = true;
	return left;
}

/*
 * Every group in use once, from @start on; the goal counts in the first.  -EAGAIN: none that was
 * looked at, but some were passed over.
 */
static int sfs_groups_take(struct sfs_trans *t, struct sfs_fs *fs, u64 start, struct sfs_search s,
			   struct sfs_reach *reach, u64 *ret_blk, u32 *ret_nblks)
{
	u64 ngroups = sfs_groups_ready(fs);
	u64 group = start < ngroups ? start : 0;
	bool passed_over = false;
	u64 i, n;
	int err;

	for (i = 0; i < ngroups; i += n, group = group + n < ngroups ? group + n : 0) {
		if (s.s_goal == SFS_NO_GOAL && READ_ONCE(fs->f_run) < s.s_need)
			return -ENOSPC;
		n = s.s_goal != SFS_NO_GOAL ? 0 :
		    sfs_groups_skip(fs, group, ngroups, s.s_need, reach, &passed_over);
		if (n)
			continue;
		n = 1;
		err = sfs_group_take(t, fs, group, &s, reach, ret_blk, ret_nblks);
		if (err == -EAGAIN)
			passed_over = true;
		else if (err != -ENOSPC)
			return err;
		s.s_goal = SFS_NO_GOAL;
		if ((group + 1) % SFS_ZONE_GROUPS == 0 || group + 1 == ngroups)
			sfs_zone_run_count(fs, group / SFS_ZONE_GROUPS);
	}
	if (passed_over)
		return -EAGAIN;
	sfs_run_count(fs);
	return -ENOSPC;
}

static int sfs_run_search(struct sfs_trans *t, struct sfs_fs *fs, u64 goal, u32 want,
			  struct sfs_reach *reach, u64 *ret_blk, u32 *ret_nblks)
{
	u64 ngroups = sfs_groups_ready(fs);
	u64 start = goal / SFS_GROUP_BLOCKS;
	struct sfs_search s = {
		.s_goal = goal ? goal % SFS_GROUP_BLOCKS : SFS_NO_GOAL,
		.s_want = want,
		.s_need = min_t(u32, want, SFS_RUN_DECENT),
	};
	int grown;
	int err;

	err = sfs_groups_take(t, fs, start, s, reach, ret_blk, ret_nblks);
	if (err != -ENOSPC && (err != -EAGAIN || want == 1))
		return err;
	s.s_goal = SFS_NO_GOAL;
	grown = sfs_zone_grow(t, fs, ngroups, reach);
	if (grown && grown != -ENOSPC)
		return grown;
	if (!grown) {
		start = ngroups;
		reach->r_loads = 0;
	} else if (err == -EAGAIN) {
		return err;
	}
	do {
		s.s_thorough = s.s_need == 1;
		err = sfs_groups_take(t, fs, start, s, reach, ret_blk, ret_nblks);
		s.s_need = max(s.s_need / 4, 1u);
	} while (err == -ENOSPC && !s.s_thorough);
	return err;
}

static int sfs_run_take(struct sfs_trans *t, struct sfs_fs *fs, u64 goal, u32 want, u64 *ret_blk,
			u32 *ret_nblks)
{
	struct sfs_reach reach = { };
	int err;

	do
		err = sfs_run_search(t, fs, goal, want, &reach, ret_blk, ret_nblks);
	while (sfs_reach_again(fs, &reach, &err));
	return err;
}

int sfs_alloc_blks(struct sfs_trans *t, struct sfs_fs *fs, u64 goal, u32 want, unsigned int flags,
		   u64 *ret_blk, u32 *ret_nblks)
{
	bool claimed = flags & SFS_ALLOC_CLAIMED;
	u32 n = 0;
	int err;

	if (!want)
		return -EINVAL;
	if (!claimed) {
		err = sfs_space_claim_some(fs, want, flags, &want);
		if (err)
			return err;
	}
	err = sfs_run_take(t, fs, goal, want, ret_blk, &n);
	/* The taking has used up as much of the promise. */
	if (!claimed)
		sfs_space_unclaim(fs, want - n);
	if (err == -ENOSPC)
		return -EAGAIN;
	if (!err)
		*ret_nblks = n;
	return err;
}

/* ---- giving back ---- */

/* The part of a run that lies in one group. */
struct sfs_piece {
	u64 p_group;
	u32 p_bit;
	u32 p_n;
};

static void sfs_piece_at(u64 blk, u32 nblks, struct sfs_piece *piece)
{
	piece->p_group = blk / SFS_GROUP_BLOCKS;
	piece->p_bit = blk % SFS_GROUP_BLOCKS;
	piece->p_n = min_t(u32, nblks, SFS_GROUP_BLOCKS - piece->p_bit);
}

static bool sfs_piece_is_used(const struct sfs_piece *piece, struct sfs_buf *used)
{
	const u8 *bits = sfs_used_bits(used);
	u32 end = piece->p_bit + piece->p_n;

	return sfs_bits_next_clear(bits, piece->p_bit, end) == end;
}

/*
 * sfs_used_lock() of the piece's group, whose bits are all set; before it access to the summary,
 * unless *@summary is that already: the caller puts it, also after an error.
 */
static int sfs_piece_lock(struct sfs_trans *t, struct sfs_fs *fs, const struct sfs_piece *piece,
			  struct sfs_group **ret_group, struct sfs_buf **ret_used,
			  struct sfs_buf **summary)
{
	struct sfs_group *g;
	struct sfs_buf *used;
	int err;

	err = sfs_group_get(fs, piece->p_group, &g);
	if (err == -ENOSPC) {
		sfs_corrupt(fs, piece->p_group * SFS_GROUP_BLOCKS, 0, "extent",
			    "freed in a zone that was never begun");
		return -EFSCORRUPTED;
	}
	if (!err && !*summary)
		err = sfs_summary_access(t, fs, piece->p_group, summary);
	if (err)
		return err;
	err = sfs_unread_lately(fs, &g->g_unread) ? -EIO :
	      sfs_used_lock(t, fs, piece->p_group, g, &used);
	if (err == -EIO)
		WRITE_ONCE(g->g_unread, READ_ONCE(fs->f_unread));
	if (err)
		return err;
	*ret_group = g;
	*ret_used = used;
	if (sfs_piece_is_used(piece, used))
		return 0;
	sfs_used_unlock(g, used);
	sfs_corrupt(fs, piece->p_group * SFS_GROUP_BLOCKS + piece->p_bit, 0, "used map",
		    "a block is freed that is free");
	return -EFSCORRUPTED;
}

/* The group has been locked for the piece before, in the same transaction. */
static int sfs_piece_free(struct sfs_trans *t, struct sfs_fs *fs, const struct sfs_piece *piece,
			  struct sfs_group *g, struct sfs_buf *used)
{
	int err;

	sfs_mutex_lock(&g->g_lock);
	if (sfs_piece_is_used(piece, used)) {
		sfs_used_give(t, fs, g, used, piece->p_group * SFS_GROUP_BLOCKS + piece->p_bit,
			      piece->p_n);
		err = sfs_buf_dirty(t, fs, used);
	} else {
		/* Two owners gave it back at once; the other pieces may be gone already. */
		err = sfs_corrupt(fs, sfs_buf_blk(used), 0, "used map",
				  "a block freed twice at once");
		sfs_shutdown(fs, err, "blocks freed in part");
	}
	sfs_mutex_unlock(&g->g_lock);
	return err;
}

int sfs_free_meta_ready(struct sfs_trans *t, struct sfs_fs *fs, u64 blk)
{
	struct sfs_buf *used, *summary = NULL;
	struct sfs_piece piece;
	struct sfs_group *g;
	int err;

	if (!sfs_blk_is_valid(fs, blk, 1))
		return sfs_corrupt(fs, blk, 0, "metadata block", "freed where none can be");
	sfs_piece_at(blk, 1, &piece);
	err = sfs_piece_lock(t, fs, &piece, &g, &used, &summary);
	if (!err)
		sfs_used_unlock(g, used);
	sfs_buf_put(summary);
	return err;
}

int sfs_used_give_meta(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_group *g,
		       struct sfs_buf *used, struct sfs_buf *buf)
{
	u64 blk = sfs_buf_blk(buf);
	int err = sfs_buf_forget(t, fs, buf);

	if (!err)
		sfs_used_give(t, fs, g, used, blk, 1);
	return err;
}

int sfs_free_meta(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	struct sfs_buf *used, *summary = NULL;
	struct sfs_piece piece;
	struct sfs_group *g;
	int err;

	sfs_piece_at(sfs_buf_blk(buf), 1, &piece);
	err = sfs_piece_lock(t, fs, &piece, &g, &used, &summary);
	if (err) {
		sfs_buf_put(buf);
		goto put_summary;
	}
	err = sfs_used_give_meta(t, fs, g, used, buf);
	if (!err)
		err = sfs_buf_dirty(t, fs, used);
	if (!err)
		err = sfs_summary_dirty(t, fs, summary);
	sfs_used_unlock(g, used);
put_summary:
	sfs_buf_put(summary);
	return err;
}

int sfs_free_blks(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, u32 nblks)
{
	struct sfs_buf *used[SFS_ZONE_GROUPS];	/* a valid run stays in its zone */
	struct sfs_group *group[SFS_ZONE_GROUPS];
	struct sfs_buf *summary = NULL;
	struct sfs_piece piece;
	unsigned int n, i;
	u32 done;
	int err = 0;

	if (!sfs_blk_is_valid(fs, blk, nblks))
		return sfs_corrupt(fs, blk, 0, "extent", "freed where no data can be");
	for (n = 0, done = 0; done < nblks; n++, done += piece.p_n) {
		sfs_piece_at(blk + done, nblks - done, &piece);
		err = sfs_piece_lock(t, fs, &piece, &group[n], &used[n], &summary);
		if (err)
			goto put_used;
		sfs_mutex_unlock(&group[n]->g_lock);
	}
	for (i = 0, done = 0; done < nblks && !err; i++, done += piece.p_n) {
		sfs_piece_at(blk + done, nblks - done, &piece);
		err = sfs_piece_free(t, fs, &piece, group[i], used[i]);
	}
	if (!err)
		err = sfs_summary_dirty(t, fs, summary);
put_used:
	while (n)
		sfs_buf_put(used[--n]);
	sfs_buf_put(summary);
	return err;
}
