// SPDX-License-Identifier: GPL-2.0-only
/*
 * orphans.c - what a mount does after a crash: unlinked inodes go, half-truncated ones are cut.
 *
 * With the core's own functions, in the cache: nobody else uses the volume.
 */
#include "fsck.h"
#include "usage.h"

/* Deletes all records but names: the target of a symlink, attributes. */
static int sfs_cut_records(struct sfs_trans *t, struct sfs_inode *in)
{
	struct sfs_path path;
	u64 key;
	int err;

	while (!(err = sfs_tree_find_ge(in, 0, &path))) {
		key = sfs_path_key(&path);
		sfs_path_release(&path);
		if (sfs_key_kind(key) == SFS_KIND_DIRENT)
			return sfs_corrupt(in->i_fs, sfs_ino_blk(in->i_ino), in->i_ino, "orphan",
					   "a directory that is gone still holds names");
		err = sfs_tree_delete(t, in, key);
		if (err)
			return err;
	}
	return err == -ENOENT ? 0 : err;
}

/*
 * A step of it: whole when it ends, as a transaction of a mount would be.  1: it was the last, 0:
 * there is more to be done.
 */
static int sfs_finish_step(struct sfs_trans *t, struct sfs_inode *in)
{
	bool is_file = in->i_mode >> SFS_TYPE_SHIFT == SFS_TYPE_REG;
	u64 size = in->i_nlink ? in->i_size : 0;
	int done = 1;
	int err;

	if (in->i_nlink && !is_file)
		return sfs_corrupt(in->i_fs, sfs_ino_blk(in->i_ino), in->i_ino, "orphan",
				   "it has names and is no file");
	if (is_file)
		done = sfs_extent_punch(t, in, (size + SFS_BLOCK_SIZE - 1) >> SFS_BLOCK_BITS,
					SFS_LBLK_MAX + 1);
	if (done != 1)
		return done;
	if (in->i_nlink)
		err = sfs_orphan_remove(t, in);
	else
		err = sfs_cut_records(t, in);
	if (!err && !in->i_nlink)
		err = sfs_inode_free(t, in);
	return err ? err : 1;
}

static int sfs_finish_one(struct sfs_fs *fs, u64 ino, sfs_pause_fn pause, void *arg)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	struct sfs_inode in;
	int done = 0;
	u64 nblks;
	int err;

	while (!done) {
		memset(&in, 0, sizeof(in));
		err = sfs_inode_read(fs, ino, &in);
		if (!err)
			err = sfs_inode_begin(t, &in);
		if (err)
			return err;
		nblks = in.i_blocks;
		done = sfs_finish_step(t, &in);
		err = sfs_usage_less(t, &in, (nblks - in.i_blocks) << SFS_BLOCK_BITS, !in.i_buf);
		if (in.i_buf)
			sfs_inode_end(t, &in);
		if (err)
			return err;
		err = done < 0 ? 0 : pause(arg);
		if (err)
			return err;
	}
	return min(done, 0);
}

int sfs_finish_orphans(struct sfs_fs *fs, unsigned int *ret_count, sfs_pause_fn pause, void *arg)
{
	int first = 0;
	u64 nbad = 0;
	u64 ino = 0;
	int err;

	while (!(err = sfs_orphan_next(fs, ino, &ino, &nbad))) {
		err = sfs_finish_one(fs, ino++, pause, arg);
		if (!err)
			++*ret_count;
		else if (sfs_is_damage(err))
			first = first ? first : err;
		else
			return err;
	}
	if (err != -ENOENT)
		return err;
	return nbad ? -EFSCORRUPTED : first;
}
