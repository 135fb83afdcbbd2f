/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shift.h - the blocks of a file from somewhere on move to other places in it: shift.c, and what it
 * asks of extent.c.  A part of core.h.
 */
#ifndef SFS_SHIFT_H
#define SFS_SHIFT_H

/* One shift, over as many transactions as it takes; what is where is told by the map alone. */
struct sfs_shift {
	u64 s_lblk;
	u64 s_nblks;
	bool s_right;		/* room is made at s_lblk, or else what is there goes */
	u64 s_size;		/* the file's, when it is done */
	u64 s_checked;		/* blocks before that have been looked at, */
	u64 s_end;		/* and what there was ends here */
	bool s_begun;		/* the seam is ready: blocks move from now on */
	struct sfs_rekey s_rekey;
};

/*
 * A file of @size bytes gets @nblks blocks of hole in front of block @lblk, or, not @right, loses
 * them from @lblk on.  The range begins inside the file; what is lost ends there, too.
 */
void sfs_shift_init(struct sfs_shift *s, u64 lblk, u64 nblks, u64 size, bool right);
/*
 * Reads what will move, before the first change, @most extents at a time.  0: call again; 1: that
 * was all.  -EFBIG: something would end behind the largest file; -EOPNOTSUPP: a later version has
 * records there.  Tree lock held, shared.
 */
int sfs_shift_check(struct sfs_inode *in, struct sfs_shift *s, unsigned int most);
/*
 * One transaction's worth, with up to @nnodes (SFS_REKEY_NODES_MIN or more) nodes that move.  0:
 * more is left, call again; 1: done.  i_size changes with the first one (right) or the last.  After
 * an error the file is as before this call, but that what was to go may be a hole in part; unless a
 * block went from memory meanwhile: then as between two calls.  -ENOSPC, -EAGAIN as
 * sfs_alloc_blks().  Credits: SFS_CREDITS_SHIFT and @nnodes, SFS_REVOKES_SHIFT.
 */
int sfs_shift_step(struct sfs_trans *t, struct sfs_inode *in, struct sfs_shift *s,
		   unsigned int nnodes);
/* Extents that one transaction takes out of the file; in the same one the rest may move. */
static inline unsigned int sfs_shift_punches(unsigned int nnodes)
{
	return max(nnodes / 32, 1u);
}
#define SFS_CREDITS_SHIFT(nnodes)	(sfs_shift_punches(nnodes) *				\
					 (2 * SFS_CREDITS_TREE + SFS_CREDITS_PUNCH) +		\
					 SFS_CREDITS_TREE + 1 + (nnodes))
#define SFS_REVOKES_SHIFT(nnodes)	((2 * sfs_shift_punches(nnodes) + 1) * SFS_REVOKES_TREE)

/* ---- extent.c ---- */

/* The extent at @path; false, and @ext as it was, when some other kind of record is there. */
bool sfs_extent_decode(const struct sfs_path *path, struct sfs_extent *ext);
/*
 * What is mapped on both sides of the boundary before @lblk becomes two records there.  @flags are
 * for nodes.  Credits: 2 * SFS_CREDITS_TREE.
 */
int sfs_extent_split(struct sfs_trans *t, struct sfs_inode *in, u64 lblk, unsigned int flags);
/* And one again, where the two continue each other.  Credits: SFS_CREDITS_TREE and 1. */
int sfs_extent_join(struct sfs_trans *t, struct sfs_inode *in, u64 lblk);

#endif
