// SPDX-License-Identifier: GPL-2.0-only
/*
 * runs.c - what a file cannot keep where it is: copied to other blocks, or made a hole.
 *
 * Places are chosen among what is free on the volume as it was found, so the data can be copied
 * there before the rest is written: an interruption leaves free blocks with something in them.
 */
#include "fsck.h"

static int sfs_move_add(struct sfs_moves *moves, const struct sfs_move *move)
{
	int err = sfs_array_grow((void **)&moves->s_move, moves->s_n, sizeof(*move));

	if (!err)
		moves->s_move[moves->s_n++] = *move;
	return err;
}

static int sfs_run_place(struct sfs_fs *fs, struct sfs_found *found, u64 *at,
			 const struct sfs_found_run *run, struct sfs_moves *moves)
{
	u64 done, n, blk, i;
	int err = 0;

	for (done = 0; done < run->r_nblks && !err; done += n) {
		n = sfs_spare_find(fs, found, at, run->r_nblks - done, &blk);
		if (!n)
			return -ENOSPC;
		for (i = blk; i < blk + n; i++)
			found->f_taken[i / 8] |= 1 << (i % 8);
		err = sfs_move_add(moves, &(const struct sfs_move) {
			.m_ino = run->r_ino, .m_lblk = run->r_lblk + done,
			.m_from = run->r_blk + done, .m_to = blk, .m_nblks = n });
	}
	return err;
}

int sfs_runs_place(struct sfs_fs *fs, struct sfs_found *found, struct sfs_moves *ret_moves)
{
	u64 at = 0;
	size_t n;
	int err = 0;

	if (found->f_copies > fs->f_blocks)
		return -ENOSPC;
	for (n = 0; n < found->f_nruns && !err; n++)
		if (found->f_runs[n].r_copy)
			err = sfs_run_place(fs, found, &at, &found->f_runs[n], ret_moves);
	return err;
}

/* ---- the files' trees ---- */

/* [@lblk, @end) of @ext, if there is any of it. */
static int sfs_run_put(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_extent *ext,
		       u64 lblk, u64 end)
{
	struct sfs_extent part = *ext;

	part.e_lblk = max(lblk, ext->e_lblk);
	part.e_blk += part.e_lblk - ext->e_lblk;
	part.e_nblks = min(end, ext->e_lblk + ext->e_nblks);
	if (part.e_nblks <= part.e_lblk)
		return 0;
	part.e_nblks -= part.e_lblk;
	return sfs_extent_insert(t, in, &part, 0);
}

/* @run is part of one extent; *@m of @moves are past. */
static int sfs_run_repair(struct sfs_trans *t, struct sfs_inode *in,
			  const struct sfs_found_run *run, const struct sfs_moves *moves, size_t *m)
{
	u64 end = run->r_lblk + run->r_nblks;
	struct sfs_extent ext;
	int err;

	err = sfs_extent_next(in, run->r_lblk, &ext);
	if (!err && (ext.e_lblk > run->r_lblk || ext.e_lblk + ext.e_nblks < end))
		err = -EFSCORRUPTED;
	if (!err)
		err = sfs_tree_delete(t, in, sfs_key(SFS_KIND_EXTENT, ext.e_lblk));
	if (err)
		return err;
	in->i_blocks -= ext.e_nblks;
	err = sfs_run_put(t, in, &ext, ext.e_lblk, run->r_lblk);
	for (; !err && *m < moves->s_n && moves->s_move[*m].m_ino == in->i_ino &&
	       moves->s_move[*m].m_lblk < end; ++*m)
		err = sfs_extent_insert(t, in, &(const struct sfs_extent) {
			.e_lblk = moves->s_move[*m].m_lblk, .e_blk = moves->s_move[*m].m_to,
			.e_nblks = moves->s_move[*m].m_nblks }, 0);
	return err ? err : sfs_run_put(t, in, &ext, end, ext.e_lblk + ext.e_nblks);
}

int sfs_runs_repair(struct sfs_fs *fs, const struct sfs_found *found,
		    const struct sfs_moves *moves)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	const struct sfs_found_run *run = found->f_runs;
	size_t n = 0, m = 0;
	int err = 0;

	while (n < found->f_nruns && !err) {
		struct sfs_inode in = { 0 };
		u64 ino = run[n].r_ino;

		err = sfs_inode_read(fs, ino, &in);
		if (!err)
			err = sfs_inode_begin(t, &in);
		if (err)
			return err;
		for (; n < found->f_nruns && run[n].r_ino == ino && !err; n++)
			err = sfs_run_repair(t, &in, &run[n], moves, &m);
		sfs_inode_end(t, &in);
	}
	return err;
}

/* ---- the data ---- */

int sfs_runs_copy(struct sfs_fs *fs, const struct sfs_moves *moves)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	size_t n;
	int err = 0;
	u64 i;

	for (n = 0; n < moves->s_n; n++) {
		const struct sfs_move *m = &moves->s_move[n];

		for (i = 0; i < m->m_nblks && !err; i++) {
			err = sfs_dev_read(fs->f_priv, m->m_from + i, data);
			if (!err)
				err = sfs_dev_write(fs->f_priv, m->m_to + i, data);
		}
	}
	return err || !moves->s_n ? err : sfs_dev_sync(fs->f_priv);
}
