// SPDX-License-Identifier: GPL-2.0-only
/*
 * xattr.c - extended attributes: the shape of their records.
 *
 * An attribute is one string of bytes, its structure, its name and its value, cut into pieces of
 * SFS_CHUNK bytes with keys that follow each other.  So a small one is one record, and the pieces
 * of a large one lie in neighbouring leaves.  The caller holds the tree lock.
 */
#include "core.h"

#define SFS_XATTR_CHUNKS	256		/* numbers that a position has for pieces */
#define SFS_XATTR_KEY_BITS	12		/* of a position, below the hash */
#define SFS_XATTR_HASH_DROP	16		/* low bits of the hash that are left out */
#define SFS_XATTR_BYTES_MAX	(sizeof(struct sfs_xattr_disk) + SFS_NAME_MAX + SFS_XATTR_MAX)

static unsigned int sfs_xattr_chunk(u64 pos)
{
	return pos % SFS_XATTR_CHUNKS;
}

/* Of the whole attribute. */
static u32 sfs_xattr_nbytes(const struct sfs_xattr_disk *disk)
{
	return sizeof(*disk) + disk->x_len + le32_to_cpu(disk->x_nbytes);
}

const char *sfs_xattr_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			     unsigned int nbytes)
{
	const struct sfs_xattr_disk *disk = rec;

	if (!(fs->f_compat & SFS_COMPAT_XATTR))
		return "an attribute that no feature speaks of";
	if (nbytes > SFS_CHUNK || sfs_xattr_chunk(pos) > SFS_XATTR_BYTES_MAX / SFS_CHUNK)
		return "piece of an attribute out of range";
	if (sfs_xattr_chunk(pos))
		return NULL;
	if (nbytes <= sizeof(*disk) || nbytes < sizeof(*disk) + disk->x_len)
		return "attribute of a wrong length";
	if (!disk->x_space || disk->x_space > SFS_XATTR_SYSTEM)
		return "attribute in an unknown namespace";
	if (!disk->x_len || memchr(disk + 1, 0, disk->x_len))
		return "attribute with an impossible name";
	if (le32_to_cpu(disk->x_nbytes) > SFS_XATTR_MAX)
		return "value of an attribute too long";
	if (nbytes != min_t(u32, sfs_xattr_nbytes(disk), SFS_CHUNK))
		return "attribute of a wrong length";
	return NULL;
}

void sfs_xattr_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes)
{
	const struct sfs_xattr_disk *disk = rec;
	unsigned int at = 0;

	out->hex(out, "pos", pos);
	if (!sfs_xattr_chunk(pos) && nbytes > sizeof(*disk)) {
		at = min(nbytes, (unsigned int)sizeof(*disk) + disk->x_len);
		out->num(out, "nbytes", le32_to_cpu(disk->x_nbytes));
		out->num(out, "len", disk->x_len);
		out->num(out, "space", disk->x_space);
		out->str(out, "name", (const char *)(disk + 1), at - sizeof(*disk));
	}
	out->bytes(out, "data", (const u8 *)rec + at, nbytes - at);
}

/* NULL, or why the record at @pos cannot come after @last, of whose attribute @left are missing. */
static const char *sfs_xattr_follows(const struct sfs_inode *in, u64 pos, u64 last, u32 left,
				     const struct sfs_xattr_disk *disk, unsigned int nbytes)
{
	u64 hash;

	if (left && pos != last + 1)
		return "a piece of it is missing";
	if (left)
		return nbytes == min_t(u32, left, SFS_CHUNK) ? NULL : "a piece of it is too short";
	if (sfs_xattr_chunk(pos))
		return "a piece without a beginning";
	hash = sfs_siphash(in->i_fs->f_hash_key, &disk->x_space, 1 + disk->x_len);
	if (hash >> SFS_XATTR_HASH_DROP != pos >> SFS_XATTR_KEY_BITS)
		return "its key is not the hash of its name";
	return NULL;
}

int sfs_xattr_check(struct sfs_inode *in)
{
	unsigned int nbytes;
	struct sfs_path path;
	const char *why;
	const void *rec;
	u64 last = 0;
	u32 left = 0;
	u64 pos;
	int err;

	err = sfs_tree_find_ge(in, sfs_key(SFS_KIND_XATTR, 0), &path);
	while (!err && sfs_key_kind(sfs_path_key(&path)) == SFS_KIND_XATTR) {
		pos = sfs_key_pos(sfs_path_key(&path));
		rec = sfs_path_record(&path, &nbytes);
		why = sfs_xattr_follows(in, pos, last, left, rec, nbytes);
		if (why) {
			sfs_path_release(&path);
			return sfs_corrupt(in->i_fs, 0, in->i_ino, "attribute", why);
		}
		left = (left ? left : sfs_xattr_nbytes(rec)) - nbytes;
		last = pos;
		err = sfs_tree_next(&path);
	}
	if (!err)
		sfs_path_release(&path);
	else if (err != -ENOENT)
		return err;
	return left ? sfs_corrupt(in->i_fs, 0, in->i_ino, "attribute", "its end is missing") : 0;
}
