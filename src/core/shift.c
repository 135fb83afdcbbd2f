// SPDX-License-Identifier: GPL-2.0-only
/*
 * shift.c - a file gets a hole between two of its blocks, or loses a range, and what is behind
 * moves.
 *
 * Only the keys of records change (btree_rekey.c), so it costs a leaf and not a block, and no space
 * but for the one record that is parted at the seam.  Where a transaction does not hold it all,
 * each leaves a file in which every block is at its old place or at its new one:
 *
 *   right:  the first parts the seam and sets the size, then the last blocks move first.  Between
 *           what has moved and what has not lies the hole, and it comes down to the seam.
 *   left:   first what is to go becomes a hole, then the first blocks move first, and the hole goes
 *           up to the end; the last transaction cuts the size.
 *
 * Either way blocks only move into that hole.  What others change meanwhile lies before the seam.
 */
#include "core.h"

void sfs_shift_init(struct sfs_shift *s, u64 lblk, u64 nblks, u64 size, bool right)
{
	u64 nbytes = nblks << SFS_BLOCK_BITS;

	*s = (struct sfs_shift) {
		.s_lblk = lblk,
		.s_nblks = nblks,
		.s_right = right,
		.s_checked = right ? lblk : lblk + nblks,
		.s_size = right ? size + nbytes : size - nbytes,
		.s_rekey = {
			.r_first = sfs_key(SFS_KIND_EXTENT, right ? lblk : lblk + nblks),
			.r_last = sfs_key(SFS_KIND_EXTENT, SFS_LBLK_MAX),
			.r_by = nblks,
			.r_up = right,
		},
	};
}

/* What stands at @path, behind what has been looked at. */
static int sfs_shift_check_one(struct sfs_inode *in, struct sfs_shift *s,
			       const struct sfs_path *path)
{
	unsigned int kind = sfs_key_kind(sfs_path_key(path));
	struct sfs_extent ext;

	if (!sfs_extent_decode(path, &ext))
		return sfs_kind_is_known(in->i_fs, kind) ?
		       sfs_corrupt(in->i_fs, 0, in->i_ino, "extent map", "another record behind") :
		       -EOPNOTSUPP;
	if (ext.e_lblk < s->s_end)
		return sfs_corrupt(in->i_fs, 0, in->i_ino, "extent map", "extents overlap");
	s->s_end = ext.e_lblk + ext.e_nblks;
	s->s_checked = ext.e_lblk + 1;
	return 0;
}

int sfs_shift_check(struct sfs_inode *in, struct sfs_shift *s, unsigned int most)
{
	struct sfs_extent ext = { .e_lblk = 0 };
	struct sfs_path path;
	u64 end;
	int err;

	err = sfs_tree_find_ge(in, sfs_key(SFS_KIND_EXTENT, s->s_checked), &path);
	while (!err) {
		err = most-- ? sfs_shift_check_one(in, s, &path) : 1;
		if (err) {
			sfs_path_release(&path);
			return err < 0 ? err : 0;
		}
		err = sfs_tree_next(&path);
	}
	if (err != -ENOENT)
		return err;
	/* What is before the range and reaches into it may be all there is. */
	err = sfs_extent_next(in, s->s_lblk, &ext);
	if (err && err != -ENOENT)
		return err;
	end = max(s->s_end, err ? 0 : ext.e_lblk + ext.e_nblks);
	return s->s_right && end && end > SFS_LBLK_MAX + 1 - s->s_nblks ? -EFBIG : 1;
}

/*
 * Makes the seam: what is to go is a hole, or else a record begins there.  0: only some of the
 * former, since more is no matter of one transaction; 1: it is done.
 */
static int sfs_shift_seam(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_shift *s,
			  unsigned int nnodes)
{
	unsigned int n = sfs_shift_punches(nnodes);
	int done = s->s_begun;

	if (s->s_right) {
		/* Each time: a completion in between may have joined what had been parted. */
		done = sfs_extent_split(t, in, s->s_lblk,
					s->s_begun ? SFS_ALLOC_POOL : SFS_ALLOC_PROMISE);
		return done ? done : 1;
	}
	while (n-- && !done)
		done = sfs_extent_punch(t, in, s->s_lblk, s->s_lblk + s->s_nblks);
	return done;
}

int sfs_shift_step(struct sfs_trans *t, struct sfs_inode *in, struct sfs_shift *s,
		   unsigned int nnodes)
{
	bool first = !s->s_begun;
	unsigned int nleaves;
	int done;
	int err;

	/* All that moves is in hand before anything changes, and again where the seam is new. */
	done = sfs_tree_rekey_ready(t, in, &s->s_rekey, nnodes, &nleaves);
	if (done < 0)
		return done;
	done = sfs_shift_seam(t, in, s, nnodes);
	if (done <= 0)
		return done;
	done = sfs_tree_rekey_ready(t, in, &s->s_rekey, nnodes, &nleaves);
	if (done < 0)
		return done;
	s->s_begun = true;
	if (s->s_right)
		in->i_size = s->s_size;
	err = sfs_tree_rekey(t, in, &s->s_rekey, nleaves);
	if (err || s->s_right)
		return err ? err : done;
	/* A favour: what is not joined takes a record more. */
	if (first)
		(void)sfs_extent_join(t, in, s->s_lblk);
	if (done)
		in->i_size = s->s_size;
	return done;
}
