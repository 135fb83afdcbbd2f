// SPDX-License-Identifier: GPL-2.0-only
/*
 * extent.c - where each block of a file lies.
 *
 * The map is the inode's extent records: runs that are contiguous in the file and on the volume
 * and of one state, written or not.  What lies between them is a hole.  Records that touch in both
 * senses and are of one state are joined wherever a change brings them together.  One record tells
 * nothing about its neighbours, so overlaps (which only an enemy makes) are looked for here, each
 * time two neighbours are seen.
 *
 * Every change is an edit: a few records in a row are replaced by a few others.  The tree is made
 * ready for all of it first; then new keys are inserted before old ones are deleted.  The caller
 * holds the tree lock, exclusively for changes, which lie between sfs_inode_begin() and _end().
 */
#include "core.h"

#define SFS_EDIT_MAX	3		/* records on either side of an edit */

struct sfs_edit {
	unsigned int e_nold;
	unsigned int e_nnew;
	struct sfs_extent e_old[SFS_EDIT_MAX];
	struct sfs_extent e_new[SFS_EDIT_MAX];
};

/* The extents either side of a block; one that is not there has no blocks. */
struct sfs_around {
	struct sfs_extent a_prev;	/* the last to begin at or before the block */
	struct sfs_extent a_next;	/* the first to begin after it */
};

static u64 sfs_extent_end(const struct sfs_extent *ext)
{
	return ext->e_lblk + ext->e_nblks;
}

static u64 sfs_extent_key(u64 lblk)
{
	return sfs_key(SFS_KIND_EXTENT, lblk);
}

static void sfs_extent_encode(const struct sfs_extent *ext, struct sfs_extent_disk *disk)
{
	u64 start = ext->e_blk | (ext->e_unwritten ? SFS_EXTENT_UNWRITTEN : 0);

	disk->e_start = cpu_to_le64(start);
	disk->e_len = cpu_to_le32((u32)ext->e_nblks);
}

bool sfs_extent_decode(const struct sfs_path *path, struct sfs_extent *ext)
{
	const struct sfs_extent_disk *disk;
	unsigned int nbytes;
	u64 key = sfs_path_key(path);

	if (sfs_key_kind(key) != SFS_KIND_EXTENT)
		return false;
	disk = sfs_path_record(path, &nbytes);
	ext->e_lblk = sfs_key_pos(key);
	ext->e_blk = le64_to_cpu(disk->e_start) & ~SFS_EXTENT_UNWRITTEN;
	ext->e_nblks = le32_to_cpu(disk->e_len);
	ext->e_unwritten = le64_to_cpu(disk->e_start) & SFS_EXTENT_UNWRITTEN;
	return true;
}

static int sfs_extent_corrupt(struct sfs_inode *in, const char *why)
{
	return sfs_corrupt(in->i_fs, 0, in->i_ino, "extent map", why);
}

static int sfs_extent_around(struct sfs_inode *in, u64 lblk, struct sfs_around *ret_around)
{
	struct sfs_around around = { };
	struct sfs_path path;
	int err;

	err = sfs_tree_find_le(in, sfs_extent_key(lblk), &path);
	if (!err) {
		sfs_extent_decode(&path, &around.a_prev);
		err = sfs_tree_next(&path);
	} else if (err == -ENOENT) {
		err = sfs_tree_find_ge(in, sfs_extent_key(lblk), &path);
	}
	if (!err) {
		sfs_extent_decode(&path, &around.a_next);
		sfs_path_release(&path);
	} else if (err != -ENOENT) {
		return err;
	}
	if (around.a_prev.e_nblks && around.a_next.e_nblks &&
	    sfs_extent_end(&around.a_prev) > around.a_next.e_lblk)
		return sfs_extent_corrupt(in, "extents overlap");
	*ret_around = around;
	return 0;
}

static bool sfs_extent_covers(const struct sfs_extent *ext, u64 lblk)
{
	return ext->e_nblks && ext->e_lblk <= lblk && lblk < sfs_extent_end(ext);
}

/* The part of @ext that lies in [lblk, end), which it must touch. */
static struct sfs_extent sfs_extent_cut(const struct sfs_extent *ext, u64 lblk, u64 end)
{
	u64 first = max(ext->e_lblk, lblk);
	u64 stop = min(sfs_extent_end(ext), end);
	struct sfs_extent cut = {
		.e_lblk = first,
		.e_blk = ext->e_blk + (first - ext->e_lblk),
		.e_nblks = stop - first,
		.e_unwritten = ext->e_unwritten,
	};

	return cut;
}

/* True when @right continues @left in the file and on the volume, in the same state. */
static bool sfs_extents_join(const struct sfs_extent *left, const struct sfs_extent *right)
{
	return left->e_nblks && right->e_nblks &&
	       sfs_extent_end(left) == right->e_lblk &&
	       left->e_blk + left->e_nblks == right->e_blk &&
	       left->e_unwritten == right->e_unwritten &&
	       left->e_nblks + right->e_nblks <= SFS_EXTENT_LEN_MAX;
}

static const struct sfs_extent *sfs_edit_lookup(const struct sfs_extent *ext, unsigned int n,
						u64 lblk)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (ext[i].e_lblk == lblk)
			return &ext[i];
	return NULL;
}

/* Appends to the new records, or to the last of them where the two join. */
static void sfs_edit_add(struct sfs_edit *edit, const struct sfs_extent *ext)
{
	struct sfs_extent *last = edit->e_nnew ? &edit->e_new[edit->e_nnew - 1] : NULL;

	if (!ext->e_nblks)
		return;
	if (last && sfs_extents_join(last, ext)) {
		last->e_nblks += ext->e_nblks;
		return;
	}
	sfs_assert(edit->e_nnew < SFS_EDIT_MAX);
	edit->e_new[edit->e_nnew++] = *ext;
}

/* Adds a record that the edit takes away. */
static void sfs_edit_drop(struct sfs_edit *edit, const struct sfs_extent *ext)
{
	sfs_assert(edit->e_nold < SFS_EDIT_MAX);
	edit->e_old[edit->e_nold++] = *ext;
}

/* Makes room for the new keys and takes access to the leaves of the old. */
static int sfs_edit_room(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_edit *edit,
			 unsigned int flags)
{
	unsigned int nrecs = 0;
	unsigned int i, nbytes;
	int err;

	for (i = 0; i < edit->e_nnew; i++)
		if (!sfs_edit_lookup(edit->e_old, edit->e_nold, edit->e_new[i].e_lblk))
			nrecs++;
	nbytes = nrecs * sizeof(struct sfs_extent_disk);
	for (i = 0; i < edit->e_nnew; i++) {
		err = sfs_tree_room(t, in, sfs_extent_key(edit->e_new[i].e_lblk), nrecs, nbytes,
				    flags);
		if (err)
			return err;
	}
	return 0;
}

/* Writes one new record, over the old one of the same key if there is one. */
static int sfs_edit_put(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_edit *edit,
			const struct sfs_extent *ext, unsigned int flags)
{
	u64 key = sfs_extent_key(ext->e_lblk);
	struct sfs_extent_disk disk;

	sfs_extent_encode(ext, &disk);
	if (sfs_edit_lookup(edit->e_old, edit->e_nold, ext->e_lblk))
		return sfs_tree_replace(t, in, key, &disk, sizeof(disk), flags);
	return sfs_tree_insert(t, in, key, &disk, sizeof(disk), flags);
}

/*
 * Carries out the edit.  An error means that nothing was changed, or that the filesystem is shut
 * down, since some of it was.
 */
static int sfs_edit_apply(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_edit *edit,
			  unsigned int flags)
{
	unsigned int ndone = 0;
	unsigned int i;
	int err;

	err = sfs_edit_room(t, in, edit, flags);
	if (err)
		return err;
	for (i = 0; i < edit->e_nnew; i++) {
		err = sfs_edit_put(t, in, edit, &edit->e_new[i], flags);
		if (err)
			goto give_up;
		ndone++;
	}
	for (i = 0; i < edit->e_nold; i++) {
		if (sfs_edit_lookup(edit->e_new, edit->e_nnew, edit->e_old[i].e_lblk))
			continue;
		err = sfs_tree_delete(t, in, sfs_extent_key(edit->e_old[i].e_lblk));
		if (err)
			goto give_up;
		ndone++;
	}
	return 0;

give_up:
	if (ndone)
		sfs_shutdown(in->i_fs, err, "extent map half changed");
	return err;
}

static void sfs_edit_invert(struct sfs_edit *edit)
{
	struct sfs_edit old = *edit;

	edit->e_nold = old.e_nnew;
	edit->e_nnew = old.e_nold;
	memcpy(edit->e_old, old.e_new, sizeof(edit->e_old));
	memcpy(edit->e_new, old.e_old, sizeof(edit->e_new));
}

int sfs_extent_find(struct sfs_inode *in, u64 lblk, struct sfs_extent *ret_ext)
{
	struct sfs_extent hole = { .e_lblk = lblk };
	struct sfs_around around;
	int err;

	sfs_assert(lblk <= SFS_LBLK_MAX);
	err = sfs_extent_around(in, lblk, &around);
	if (err)
		return err;
	if (sfs_extent_covers(&around.a_prev, lblk)) {
		*ret_ext = sfs_extent_cut(&around.a_prev, lblk, SFS_LBLK_MAX + 1);
		return 0;
	}
	hole.e_nblks = (around.a_next.e_nblks ? around.a_next.e_lblk : SFS_LBLK_MAX + 1) - lblk;
	*ret_ext = hole;
	return 0;
}

int sfs_extent_next(struct sfs_inode *in, u64 lblk, struct sfs_extent *ret_ext)
{
	struct sfs_around around;
	int err;

	err = sfs_extent_around(in, lblk, &around);
	if (err)
		return err;
	if (sfs_extent_covers(&around.a_prev, lblk))
		*ret_ext = around.a_prev;
	else if (around.a_next.e_nblks)
		*ret_ext = around.a_next;
	else
		return -ENOENT;
	return 0;
}

/* The edit that puts @ext between its neighbours. */
static void sfs_edit_insert(struct sfs_edit *edit, const struct sfs_around *around,
			    const struct sfs_extent *ext)
{
	memset(edit, 0, sizeof(*edit));
	if (sfs_extents_join(&around->a_prev, ext)) {
		sfs_edit_drop(edit, &around->a_prev);
		sfs_edit_add(edit, &around->a_prev);
	}
	sfs_edit_add(edit, ext);
	if (sfs_extents_join(&edit->e_new[edit->e_nnew - 1], &around->a_next)) {
		sfs_edit_drop(edit, &around->a_next);
		sfs_edit_add(edit, &around->a_next);
	}
}

int sfs_extent_insert(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_extent *ext,
		      unsigned int flags)
{
	struct sfs_around around;
	struct sfs_edit edit;
	int err;

	if (!ext->e_nblks || ext->e_nblks > SFS_EXTENT_LEN_MAX)
		return -EINVAL;
	if (ext->e_lblk > SFS_LBLK_MAX || ext->e_nblks > SFS_LBLK_MAX + 1 - ext->e_lblk)
		return -EFBIG;
	err = sfs_extent_around(in, ext->e_lblk, &around);
	if (err)
		return err;
	if (sfs_extent_covers(&around.a_prev, ext->e_lblk) ||
	    (around.a_next.e_nblks && around.a_next.e_lblk < sfs_extent_end(ext)))
		return -EEXIST;
	sfs_edit_insert(&edit, &around, ext);
	err = sfs_edit_apply(t, in, &edit, flags);
	if (err)
		return err;
	in->i_blocks += ext->e_nblks;
	return 0;
}

/*
 * Where the block after the hole's last neighbour would lie if the hole were allocated, so that
 * files written in pieces and out of order still end up in order.
 */
static u64 sfs_extent_goal(const struct sfs_inode *in, const struct sfs_around *around, u64 lblk)
{
	const struct sfs_extent *prev = &around->a_prev;
	const struct sfs_extent *next = &around->a_next;

	if (prev->e_nblks && lblk - prev->e_lblk < SFS_GROUP_BLOCKS + prev->e_nblks)
		return prev->e_blk + (lblk - prev->e_lblk);
	if (next->e_nblks && next->e_lblk - lblk < min(next->e_blk, (u64)SFS_GROUP_BLOCKS))
		return next->e_blk - (next->e_lblk - lblk);
	return in->i_goal ? in->i_goal : sfs_ino_blk(in->i_ino);
}

/* Of what has been promised, or is dirty: it must not fail. */
#define SFS_NODES_PROMISED	(SFS_ALLOC_POOL | SFS_ALLOC_NODES)

/* Records of a leaf that a split has left half full, somewhat less. */
#define SFS_EXTENTS_A_NODE	64

u64 sfs_extent_nodes(const struct sfs_inode *in, u64 n, u64 nplaces)
{
	if (n <= sfs_tree_root_free(in) /
		 (sizeof(struct sfs_slot_disk) + sizeof(struct sfs_extent_disk)))
		return 0;
	return SFS_TREE_LEVELS + n / SFS_EXTENTS_A_NODE + sfs_tree_splits(in, nplaces);
}

u64 sfs_extent_nodes_most(const struct sfs_inode *in, u64 n, u64 nplaces)
{
	return SFS_TREE_LEVELS + n / SFS_EXTENTS_A_NODE + sfs_tree_splits_most(in, nplaces);
}

/* Makes the tree ready for a new record at @lblk and for one before it that may come to join it. */
static int sfs_extent_room(struct sfs_trans *t, struct sfs_inode *in,
			   const struct sfs_around *around, u64 lblk, unsigned int flags)
{
	int err;

	err = sfs_tree_room(t, in, sfs_extent_key(lblk), 1, sizeof(struct sfs_extent_disk), flags);
	if (!err && around->a_prev.e_nblks && sfs_extent_end(&around->a_prev) == lblk)
		err = sfs_tree_room(t, in, sfs_extent_key(around->a_prev.e_lblk), 0, 0,
				    flags);
	return err;
}

int sfs_extent_alloc(struct sfs_trans *t, struct sfs_inode *in, u64 lblk, u64 nblks,
		     bool unwritten, unsigned int flags, struct sfs_extent *ret_ext)
{
	unsigned int node_flags = flags & SFS_ALLOC_CLAIMED ? SFS_NODES_PROMISED : flags;
	struct sfs_extent ext = { .e_lblk = lblk, .e_unwritten = unwritten };
	struct sfs_around around;
	struct sfs_edit edit;
	u32 got;
	int err;

	if (lblk > SFS_LBLK_MAX)
		return -EFBIG;
	if (!nblks)
		return -EINVAL;
	err = sfs_extent_around(in, lblk, &around);
	if (err)
		return err;
	if (sfs_extent_covers(&around.a_prev, lblk))
		return -EEXIST;
	nblks = min(nblks, min((u64)SFS_EXTENT_LEN_MAX, SFS_LBLK_MAX + 1 - lblk));
	if (around.a_next.e_nblks)
		nblks = min(nblks, around.a_next.e_lblk - lblk);
	err = sfs_extent_room(t, in, &around, lblk, node_flags);
	if (err)
		return err;
	err = sfs_alloc_blks(t, in->i_fs, sfs_extent_goal(in, &around, lblk), (u32)nblks, flags,
			     &ext.e_blk, &got);
	if (err)
		return err;
	ext.e_nblks = got;
	sfs_edit_insert(&edit, &around, &ext);
	err = sfs_edit_apply(t, in, &edit, node_flags);
	if (err) {
		/* The blocks are taken and nothing holds them: too late to say no. */
		sfs_shutdown(in->i_fs, err, "allocated blocks cannot be mapped");
		return err;
	}
	in->i_blocks += got;
	in->i_goal = ext.e_blk + got;
	*ret_ext = ext;
	return 0;
}

/* Marks [lblk, end) of @ext as the other of the two, joined with what is so either side. */
static int sfs_extent_convert_one(struct sfs_trans *t, struct sfs_inode *in,
				  const struct sfs_extent *ext, const struct sfs_extent *next,
				  u64 lblk, u64 end)
{
	struct sfs_extent done = sfs_extent_cut(ext, lblk, end);
	struct sfs_around before = { };
	struct sfs_edit edit = { };
	struct sfs_extent rest;
	int err;

	done.e_unwritten = !ext->e_unwritten;
	if (done.e_lblk == ext->e_lblk && ext->e_lblk) {
		err = sfs_extent_around(in, ext->e_lblk - 1, &before);
		if (err)
			return err;
	}
	if (sfs_extents_join(&before.a_prev, &done)) {
		sfs_edit_drop(&edit, &before.a_prev);
		sfs_edit_add(&edit, &before.a_prev);
	}
	sfs_edit_drop(&edit, ext);
	if (ext->e_lblk < done.e_lblk) {
		rest = sfs_extent_cut(ext, ext->e_lblk, done.e_lblk);
		sfs_edit_add(&edit, &rest);
	}
	sfs_edit_add(&edit, &done);
	if (sfs_extent_end(&done) < sfs_extent_end(ext)) {
		rest = sfs_extent_cut(ext, sfs_extent_end(&done), sfs_extent_end(ext));
		sfs_edit_add(&edit, &rest);
	} else if (sfs_extents_join(&edit.e_new[edit.e_nnew - 1], next)) {
		sfs_edit_drop(&edit, next);
		sfs_edit_add(&edit, next);
	}
	/* What has been written must arrive; what is zeroed may be told that there is no space. */
	return sfs_edit_apply(t, in, &edit,
			      done.e_unwritten ? SFS_ALLOC_PROMISE : SFS_NODES_PROMISED);
}

/* Extents that are as wanted; more are no matter of one transaction. */
#define SFS_CONVERT_PASSES	256

int sfs_extent_convert(struct sfs_trans *t, struct sfs_inode *in, u64 lblk, u64 nblks,
		       bool unwritten, u64 *ret_done, u64 *ret_changed)
{
	struct sfs_around around;
	struct sfs_extent *ext;
	u64 end = lblk + nblks;
	unsigned int passed = 0;
	int err;

	sfs_assert(lblk <= SFS_LBLK_MAX && nblks <= SFS_LBLK_MAX + 1 - lblk);
	for (; lblk < end; lblk = sfs_extent_end(ext)) {
		err = sfs_extent_around(in, lblk, &around);
		if (err)
			return err;
		ext = &around.a_prev;
		if (!sfs_extent_covers(ext, lblk)) {
			ext = &around.a_next;
			if (!ext->e_nblks || ext->e_lblk >= end)
				break;
			lblk = ext->e_lblk;
			err = sfs_extent_around(in, lblk, &around);
			if (err)
				return err;
			ext = &around.a_prev;
		}
		if (ext->e_unwritten != unwritten)
			err = sfs_extent_convert_one(t, in, ext, &around.a_next, lblk, end);
		else if (++passed < SFS_CONVERT_PASSES)
			continue;
		if (err)
			return err;
		*ret_done = min(sfs_extent_end(ext), end);
		*ret_changed = ext->e_unwritten != unwritten ? *ret_done - lblk : 0;
		return 0;
	}
	*ret_done = end;
	*ret_changed = 0;
	return 0;
}

int sfs_extent_punch(struct sfs_trans *t, struct sfs_inode *in, u64 lblk, u64 end)
{
	struct sfs_extent cut, left, right;
	struct sfs_around around;
	struct sfs_extent *ext = &around.a_prev;
	struct sfs_edit edit = { };
	int err, undo;

	if (lblk >= end)
		return 1;
	err = sfs_extent_around(in, min(end - 1, SFS_LBLK_MAX), &around);
	if (err)
		return err;
	if (!ext->e_nblks || sfs_extent_end(ext) <= lblk)
		return 1;
	cut = sfs_extent_cut(ext, lblk, end);
	if (in->i_blocks < cut.e_nblks)
		return sfs_extent_corrupt(in, "more blocks mapped than counted");
	sfs_edit_drop(&edit, ext);
	if (ext->e_lblk < cut.e_lblk) {
		left = sfs_extent_cut(ext, ext->e_lblk, cut.e_lblk);
		sfs_edit_add(&edit, &left);
	}
	if (sfs_extent_end(&cut) < sfs_extent_end(ext)) {
		right = sfs_extent_cut(ext, sfs_extent_end(&cut), sfs_extent_end(ext));
		sfs_edit_add(&edit, &right);
	}
	err = sfs_edit_apply(t, in, &edit, SFS_ALLOC_POOL);
	if (err)
		return err;
	err = sfs_free_blks(t, in->i_fs, cut.e_blk, (u32)cut.e_nblks);
	if (err)
		goto restore_map;
	in->i_blocks -= cut.e_nblks;
	return cut.e_lblk == lblk;

restore_map:
	sfs_edit_invert(&edit);
	undo = sfs_edit_apply(t, in, &edit, SFS_ALLOC_POOL);
	if (undo)
		sfs_shutdown(in->i_fs, undo, "extent map half changed");
	return err;
}

int sfs_extent_split(struct sfs_trans *t, struct sfs_inode *in, u64 lblk, unsigned int flags)
{
	struct sfs_edit edit = { .e_nnew = 2 };
	struct sfs_around around;
	int err;

	err = sfs_extent_around(in, lblk, &around);
	if (err || !sfs_extent_covers(&around.a_prev, lblk) || around.a_prev.e_lblk == lblk)
		return err;
	sfs_edit_drop(&edit, &around.a_prev);
	edit.e_new[0] = sfs_extent_cut(&around.a_prev, 0, lblk);
	edit.e_new[1] = sfs_extent_cut(&around.a_prev, lblk, SFS_LBLK_MAX + 1);
	return sfs_edit_apply(t, in, &edit, flags);
}

int sfs_extent_join(struct sfs_trans *t, struct sfs_inode *in, u64 lblk)
{
	struct sfs_edit edit = { };
	struct sfs_around around;
	int err;

	if (!lblk)
		return 0;
	err = sfs_extent_around(in, lblk - 1, &around);
	if (err || !sfs_extents_join(&around.a_prev, &around.a_next))
		return err;
	sfs_edit_drop(&edit, &around.a_prev);
	sfs_edit_drop(&edit, &around.a_next);
	sfs_edit_add(&edit, &around.a_prev);
	sfs_edit_add(&edit, &around.a_next);
	return sfs_edit_apply(t, in, &edit, SFS_ALLOC_POOL);
}
