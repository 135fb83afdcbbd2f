// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage.c - usage by user, group and project: counted from the inodes, and its tables kept.
 *
 * What counts is what an inode's record says: its owner, its project, the blocks it holds, its tree
 * included, and itself.  Hidden inodes count for nobody.
 */
#include "usage.h"

#define SFS_USAGE_GRACE		(7 * 24 * 60 * 60)	/* seconds, as the kernel has it */
#define SFS_USAGE_SPARE		8		/* chunks that a table has more than it needs */

static u32 sfs_usage_id(const struct sfs_inode *in, unsigned int q)
{
	return q == SFS_HIDDEN_USER ? in->i_uid : q == SFS_HIDDEN_GROUP ? in->i_gid : in->i_projid;
}

/* ---- counted ---- */

static int sfs_usage_count(struct sfs_fs *fs, u64 ino, struct sfs_usages tables[SFS_QUOTAS])
{
	struct sfs_inode in = { 0 };
	struct sfs_usage *u;
	unsigned int q;
	int err;

	if (sfs_inode_is_hidden(fs, ino))
		return 0;
	err = sfs_inode_read(fs, ino, &in);
	if (err)
		return err == -ESTALE ? 0 : err;
	for (q = 0; q < SFS_QUOTAS; q++) {
		if (!fs->f_hidden[q])
			continue;
		u = sfs_usage_of(&tables[q], sfs_usage_id(&in, q));
		if (!u)
			return -ENOMEM;
		u->u_held_space += in.i_blocks << SFS_BLOCK_BITS;
		u->u_held_inodes++;
	}
	return 0;
}

int sfs_usage_tally(struct sfs_fs *fs, struct sfs_usages tables[SFS_QUOTAS])
{
	u64 group, blk, ngroups = sfs_groups_ready(fs);
	const struct sfs_bitmap_disk *map;
	unsigned int slot;
	struct sfs_buf *buf;
	u32 bit, nblks;
	int err = 0;

	for (group = 0; group < ngroups && !err; group++) {
		err = sfs_map_get(fs, group, SFS_MAP_INODE, &buf);
		if (err)
			return err;
		nblks = sfs_group_nblks(fs, group);
		for (bit = 0; !err; bit++) {
			map = sfs_buf_data(buf);
			bit = sfs_bits_next_set(map->b_bits, bit, nblks);
			if (bit == nblks)
				break;
			blk = group * SFS_GROUP_BLOCKS + bit;
			for (slot = 0; slot < SFS_INODE_SLOTS && !err; slot++)
				err = sfs_usage_count(fs, blk << SFS_INODE_SLOT_BITS | slot,
						      tables);
		}
		sfs_buf_put(buf);
	}
	return err;
}

/* ---- written ---- */

/* Chunk @n is @chunk, or zeros past @in's end so far. */
static int sfs_usage_write(struct sfs_trans *t, struct sfs_inode *in, u64 n, const u8 *chunk)
{
	u8 old[SFS_CHUNK] = { 0 };
	int err = 0;

	while (!err && in->i_size <= n * SFS_CHUNK)
		err = sfs_quota_extend(t, in, SFS_ALLOC_POOL);
	if (!err)
		err = sfs_quota_read(in, n * SFS_CHUNK, old, SFS_CHUNK);
	/* What is true already is not touched. */
	if (err || !memcmp(old, chunk, SFS_CHUNK))
		return err;
	return sfs_quota_write(t, in, n * SFS_CHUNK, chunk, SFS_CHUNK);
}

/* Nothing that is there is of use: the table begins from nothing. */
static int sfs_usage_clear(struct sfs_trans *t, struct sfs_inode *in)
{
	int done = 0;

	while (!done)
		done = sfs_inode_strip(t, in);
	in->i_size = 0;
	return min(done, 0);
}

/* Are there as many chunks as the size says, and no others? */
static bool sfs_usage_is_whole(struct sfs_inode *in)
{
	u8 chunk[SFS_CHUNK];
	struct sfs_path path;
	u64 n, last;
	int err;

	if (!in->i_size || in->i_size % SFS_CHUNK)
		return false;
	last = in->i_size / SFS_CHUNK - 1;
	if (sfs_tree_find_le(in, ~0ULL, &path))
		return false;
	err = sfs_path_key(&path) != sfs_key(SFS_KIND_QUOTA, last);
	sfs_path_release(&path);
	for (n = 0; n <= last && !err; n++) {
		err = sfs_tree_find(in, sfs_key(SFS_KIND_QUOTA, n), &path);
		if (!err)
			sfs_path_release(&path);
	}
	return !err && !sfs_quota_read(in, 0, chunk, SFS_CHUNK);
}

static int sfs_usage_store_in(struct sfs_trans *t, struct sfs_inode *in, const u8 *chunks, u64 n)
{
	static const u8 zeros[SFS_CHUNK];
	u64 i, end;
	int err = 0;

	if (!sfs_usage_is_whole(in))
		err = sfs_usage_clear(t, in);
	end = max(in->i_size / SFS_CHUNK, n + SFS_USAGE_SPARE);
	for (i = 0; i < end && !err; i++)
		err = sfs_usage_write(t, in, i, i < n ? chunks + i * SFS_CHUNK : zeros);
	return err;
}

int sfs_usage_store(struct sfs_fs *fs, unsigned int q, struct sfs_usages *t)
{
	struct sfs_trans *trans = sfs_dev_trans(fs->f_priv);
	struct sfs_inode in = { 0 };
	u8 *chunks;
	u64 n;
	int err;

	err = sfs_usages_build(t, q, &chunks, &n);
	if (err)
		return err;
	err = sfs_inode_read(fs, fs->f_hidden[q], &in);
	if (!err)
		err = sfs_inode_begin(trans, &in);
	if (!err) {
		err = sfs_usage_store_in(trans, &in, chunks, n);
		sfs_inode_end(trans, &in);
	}
	free(chunks);
	return err;
}

static int sfs_usage_make(struct sfs_fs *fs, unsigned int q)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	struct sfs_inode in;
	u32 generation;
	u64 ino;
	int err;

	err = sfs_inode_alloc(t, fs, fs->f_root, false, &ino, &generation);
	if (err)
		return err;
	sfs_inode_init(&in, fs, ino, SFS_TYPE_REG << SFS_TYPE_SHIFT | 0600, sfs_time_now());
	in.i_generation = generation;
	in.i_nlink = 1;
	err = sfs_inode_begin(t, &in);
	if (err)
		return err;
	sfs_inode_end(t, &in);
	fs->f_hidden[q] = ino;
	return 0;
}

static bool sfs_usages_are_true(const struct sfs_usages *t)
{
	size_t n;

	for (n = 0; n < t->t_n; n++)
		if (t->t_usage[n].u_space != t->t_usage[n].u_held_space ||
		    t->t_usage[n].u_inodes != t->t_usage[n].u_held_inodes)
			return false;
	return true;
}

/* The inode of a table; 1: there is none, or none that could be. */
static int sfs_usage_find(struct sfs_fs *fs, unsigned int q, struct sfs_inode *ret_in)
{
	int err = sfs_inode_find(fs, fs->f_hidden[q], ret_in);

	if (err)
		return err == -ESTALE ? 1 : err;
	return ret_in->i_mode >> SFS_TYPE_SHIFT != SFS_TYPE_REG;
}

static int sfs_usage_renew_one(struct sfs_fs *fs, unsigned int q, struct sfs_usages *t, bool sound)
{
	if (sound && sfs_usages_are_true(t))
		return 0;
	if (!t->t_bgrace)
		t->t_bgrace = SFS_USAGE_GRACE;
	if (!t->t_igrace)
		t->t_igrace = SFS_USAGE_GRACE;
	return sfs_usage_store(fs, q, t);
}

int sfs_usage_reset(struct sfs_fs *fs, unsigned int lost)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	unsigned int q;
	int err = 0;

	for (q = 0; q < SFS_QUOTAS && !err; q++) {
		struct sfs_inode in = { 0 };

		if (!(lost >> q & 1))
			continue;
		err = sfs_inode_read(fs, fs->f_hidden[q], &in);
		if (!err)
			err = sfs_inode_begin(t, &in);
		if (err)
			break;
		sfs_tree_init(in.i_root);
		in.i_blocks = in.i_size = 0;
		sfs_inode_end(t, &in);
	}
	return err;
}

int sfs_usage_renew(struct sfs_fs *fs)
{
	struct sfs_usages tables[SFS_QUOTAS] = { 0 };
	bool sound[SFS_QUOTAS] = { 0 };
	const char *why;
	unsigned int q;
	int err = 0;

	if (!(fs->f_ro_compat & SFS_RO_COMPAT_QUOTA))
		return 0;
	for (q = 0; q < SFS_QUOTAS && !err; q++) {
		struct sfs_inode in = { 0 };

		if (!fs->f_hidden[q])
			continue;
		err = sfs_usage_find(fs, q, &in);
		if (err > 0)
			err = sfs_usage_make(fs, q);
		else if (!err)
			err = sfs_usages_load(&in, q, &tables[q], &why);
		sound[q] = !err && in.i_size;
		if (sfs_is_damage(err))
			err = 0;
	}
	if (!err)
		err = sfs_usage_tally(fs, tables);
	for (q = 0; q < SFS_QUOTAS && !err; q++)
		if (fs->f_hidden[q])
			err = sfs_usage_renew_one(fs, q, &tables[q], sound[q]);
	for (q = 0; q < SFS_QUOTAS; q++)
		sfs_usages_free(&tables[q]);
	return err;
}

int sfs_usage_less(struct sfs_trans *t, const struct sfs_inode *in, u64 space, bool gone)
{
	struct sfs_fs *fs = in->i_fs;
	unsigned int q;
	int err = 0;

	for (q = 0; q < SFS_QUOTAS && !err && (space || gone); q++) {
		struct sfs_inode table = { 0 };

		if (!fs->f_hidden[q])
			continue;
		err = sfs_inode_read(fs, fs->f_hidden[q], &table);
		if (!err)
			err = sfs_usage_subtract(t, &table, sfs_usage_id(in, q), space, gone);
	}
	return err;
}

/* ---- turned on and off ---- */

static int sfs_usage_drop(struct sfs_fs *fs, unsigned int q)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	struct sfs_inode in = { 0 };
	int err;

	err = sfs_inode_read(fs, fs->f_hidden[q], &in);
	if (!err)
		err = sfs_inode_begin(t, &in);
	if (err)
		return err;
	err = sfs_usage_clear(t, &in);
	if (!err)
		err = sfs_inode_free(t, &in);
	if (in.i_buf)
		sfs_inode_end(t, &in);
	if (!err)
		fs->f_hidden[q] = 0;
	return err;
}

int sfs_usage_turn(struct sfs_fs *fs, unsigned int mask)
{
	unsigned int q;
	int err = 0;

	if (mask)
		fs->f_ro_compat |= SFS_RO_COMPAT_QUOTA;
	for (q = 0; q < SFS_QUOTAS && !err; q++) {
		if (mask >> q & 1 && !fs->f_hidden[q])
			err = sfs_usage_make(fs, q);
		else if (!(mask >> q & 1) && fs->f_hidden[q])
			err = sfs_usage_drop(fs, q);
	}
	if (!err)
		err = sfs_usage_renew(fs);
	if (!mask)
		fs->f_ro_compat &= ~(u64)SFS_RO_COMPAT_QUOTA;
	return err;
}
