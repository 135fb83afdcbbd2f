// SPDX-License-Identifier: GPL-2.0-only
/*
 * symlink.c - the target of a symbolic link.
 *
 * A target is cut into chunks of SFS_CHUNK bytes, one inline record each; all but the last are
 * full.  Short ones thus stay in the inode.  A target is written once, with its inode, and never
 * changed.  The caller holds the tree lock (exclusively to write or clear), and writes between
 * sfs_inode_begin() and _end().
 */
#include "core.h"

#define SFS_SYMLINK_CHUNKS	((SFS_SYMLINK_MAX + SFS_CHUNK - 1) / SFS_CHUNK)

const char *sfs_inline_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			      unsigned int nbytes)
{
	(void)fs;
	(void)rec;
	if (pos > SFS_SYMLINK_MAX / SFS_CHUNK)
		return "inline chunk out of range";
	if (nbytes > SFS_CHUNK)
		return "inline chunk too long";
	return NULL;
}

void sfs_inline_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes)
{
	out->hex(out, "pos", pos);
	out->str(out, "data", rec, nbytes);
}

static unsigned int sfs_chunk_nbytes(unsigned int nbytes, unsigned int chunk)
{
	return min(nbytes - chunk * SFS_CHUNK, (unsigned int)SFS_CHUNK);
}

int sfs_symlink_write(struct sfs_trans *t, struct sfs_inode *in, const char *target,
		      unsigned int nbytes)
{
	unsigned int i;
	int err;

	if (!nbytes || memchr(target, 0, nbytes))
		return -EINVAL;
	if (nbytes > SFS_SYMLINK_MAX)
		return -ENAMETOOLONG;
	for (i = 0; i * SFS_CHUNK < nbytes; i++) {
		err = sfs_tree_insert(t, in, sfs_key(SFS_KIND_INLINE, i), target + i * SFS_CHUNK,
				      sfs_chunk_nbytes(nbytes, i), 0);
		if (err)
			goto delete_chunks;
	}
	in->i_size = nbytes;
	return 0;

delete_chunks:
	while (i-- > 0) {
		int undo = sfs_tree_delete(t, in, sfs_key(SFS_KIND_INLINE, i));

		if (undo) {
			sfs_shutdown(in->i_fs, undo, "cannot take back part of a symlink");
			break;
		}
	}
	return err;
}

int sfs_symlink_read(struct sfs_inode *in, char *buf, unsigned int nbytes)
{
	unsigned int have, size, i;
	struct sfs_path path;
	const void *rec;
	int err;

	if (in->i_size >= nbytes)
		return -ERANGE;
	size = in->i_size;
	err = sfs_tree_find(in, sfs_key(SFS_KIND_INLINE, 0), &path);
	for (i = 0; !err && i * SFS_CHUNK < size; i++) {
		rec = sfs_path_record(&path, &have);
		if (sfs_path_key(&path) != sfs_key(SFS_KIND_INLINE, i) ||
		    have != sfs_chunk_nbytes(size, i) || memchr(rec, 0, have)) {
			sfs_path_release(&path);
			return sfs_corrupt(in->i_fs, 0, in->i_ino, "symlink", "bad target record");
		}
		memcpy(buf + i * SFS_CHUNK, rec, have);
		if ((i + 1) * SFS_CHUNK < size)
			err = sfs_tree_next(&path);
	}
	if (err == -ENOENT)
		return sfs_corrupt(in->i_fs, 0, in->i_ino, "symlink", "target is incomplete");
	if (err)
		return err;
	sfs_path_release(&path);
	buf[size] = 0;
	return 0;
}

/* What is gone already is passed over, so that a clear that failed can be repeated. */
int sfs_symlink_clear(struct sfs_trans *t, struct sfs_inode *in)
{
	unsigned int i = SFS_SYMLINK_CHUNKS;
	int err;

	while (i-- > 0) {
		err = sfs_tree_delete(t, in, sfs_key(SFS_KIND_INLINE, i));
		if (err && err != -ENOENT)
			return err;
	}
	return 0;
}
