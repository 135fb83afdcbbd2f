// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirent.c - the names in a directory.
 *
 * A name's key is 52 bits of its hash and the number of its collision: a lookup is one descent to
 * the hash's first key and, hardly ever, a few steps on.  A new name takes the first collision
 * number free and keeps its key until it is removed, so the key's position serves as readdir's
 * cookie, however many names come and go around it.  There is no "." and no "..".
 *
 * A record found under a hash that is not its name's could never be looked up; it is damage, and
 * reported wherever it is met.  The caller holds the tree lock, exclusively for changes, which lie
 * between sfs_inode_begin() and _end().
 */
#include "core.h"

#define SFS_DIRENT_MAX	(sizeof(struct sfs_dirent_disk) + SFS_NAME_MAX)
#define SFS_HASH_DROP	12		/* low bits of the hash that a key has no room for */
#define SFS_HASH_SHIFT	8		/* place of the others in a position */
#define SFS_HASH_COLLISION	(SFS_DIRENT_COLLISIONS - 1ULL)

/* Where a name is, or would be. */
struct sfs_dirent_place {
	u64 p_key;
	bool p_found;
	u64 p_ino;			/* if found */
	u8 p_type;
};

bool sfs_name_is_valid(const char *name, unsigned int len)
{
	if (!len || len > SFS_NAME_MAX)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	return !memchr(name, '/', len) && !memchr(name, 0, len);
}

const char *sfs_type_word(unsigned int type)
{
	static const char *const words[16] = {
		[SFS_TYPE_FIFO] = "fifo",
		[SFS_TYPE_CHR] = "char device",
		[SFS_TYPE_DIR] = "directory",
		[SFS_TYPE_BLK] = "block device",
		[SFS_TYPE_REG] = "file",
		[SFS_TYPE_LNK] = "symlink",
		[SFS_TYPE_SOCK] = "socket",
	};

	return type < 16 ? words[type] : NULL;
}

const char *sfs_dirent_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			      unsigned int nbytes)
{
	const struct sfs_dirent_disk *disk = rec;

	(void)fs;
	if (pos & ~SFS_KEY_POS_MASK)
		return "directory entry at a bad position";
	if (nbytes <= sizeof(*disk) || nbytes != sizeof(*disk) + disk->d_len)
		return "directory entry of a wrong length";
	if (!sfs_name_is_valid((const char *)(disk + 1), disk->d_len))
		return "directory entry with an impossible name";
	if (!sfs_type_word(disk->d_type))
		return "directory entry of unknown file type";
	if (!disk->d_ino)
		return "directory entry without an inode";
	return NULL;
}

void sfs_dirent_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes)
{
	const struct sfs_dirent_disk *disk = rec;
	const char *type;

	out->hex(out, "pos", pos);
	if (nbytes <= sizeof(*disk)) {
		out->bytes(out, "data", rec, nbytes);
		return;
	}
	type = sfs_type_word(disk->d_type);
	out->num(out, "ino", le64_to_cpu(disk->d_ino));
	sfs_text_word(out, "type", type ? type : "unknown");
	out->num(out, "len", disk->d_len);
	out->str(out, "name", (const char *)(disk + 1),
		 min((unsigned int)disk->d_len, nbytes - (unsigned int)sizeof(*disk)));
}

/* The first position that a name may have. */
static u64 sfs_name_pos(const struct sfs_inode *dir, const char *name, unsigned int len)
{
	u64 hash = sfs_siphash(dir->i_fs->f_hash_key, name, len);

	return hash >> SFS_HASH_DROP << SFS_HASH_SHIFT;
}

static int sfs_dirent_corrupt(struct sfs_inode *dir, const char *why)
{
	return sfs_corrupt(dir->i_fs, 0, dir->i_ino, "directory", why);
}

/* The record at @path, which is a dirent; its name is at @ret_name. */
static const struct sfs_dirent_disk *sfs_dirent_at(const struct sfs_path *path,
						   const char **ret_name)
{
	const struct sfs_dirent_disk *disk;
	unsigned int nbytes;

	disk = sfs_path_record(path, &nbytes);
	*ret_name = (const char *)(disk + 1);
	return disk;
}

/*
 * Looks at the record at @path while looking for a name whose keys begin at @first; -ENOENT when
 * the records of its hash have ended.
 */
static int sfs_dirent_match(const struct sfs_path *path, const char *name, unsigned int len,
			    u64 first, struct sfs_dirent_place *place)
{
	struct sfs_inode *dir = path->p_inode;
	u64 key = sfs_path_key(path);
	const struct sfs_dirent_disk *disk;
	const char *have;

	if (key - first >= SFS_DIRENT_COLLISIONS)
		return -ENOENT;
	disk = sfs_dirent_at(path, &have);
	if (disk->d_len == len && !memcmp(have, name, len)) {
		place->p_key = key;
		place->p_found = true;
		place->p_ino = le64_to_cpu(disk->d_ino);
		place->p_type = disk->d_type;
		return 0;
	}
	if (sfs_key(SFS_KIND_DIRENT, sfs_name_pos(dir, have, disk->d_len)) != first)
		return sfs_dirent_corrupt(dir, "name under a wrong hash");
	/* Keys rise: the first that is not where the last left off leaves a gap. */
	if (key == place->p_key)
		place->p_key++;
	return 0;
}

/*
 * Finds @name, or the first key free for it; with all of them taken, p_key is beyond the last.
 * Not finding it is no error.
 */
static int sfs_dirent_place(struct sfs_inode *dir, const char *name, unsigned int len,
			    struct sfs_dirent_place *ret_place)
{
	u64 first = sfs_key(SFS_KIND_DIRENT, sfs_name_pos(dir, name, len));
	struct sfs_dirent_place place = { .p_key = first };
	struct sfs_path path;
	int err;

	err = sfs_tree_find_ge(dir, first, &path);
	while (!err) {
		err = sfs_dirent_match(&path, name, len, first, &place);
		if (err || place.p_found) {
			sfs_path_release(&path);
			break;
		}
		err = sfs_tree_next(&path);
	}
	if (err && err != -ENOENT)
		return err;
	*ret_place = place;
	return 0;
}

static unsigned int sfs_dirent_encode(u8 *rec, const char *name, unsigned int len, u64 ino,
				      u8 type)
{
	struct sfs_dirent_disk *disk = (struct sfs_dirent_disk *)rec;

	disk->d_ino = cpu_to_le64(ino);
	disk->d_type = type;
	disk->d_len = len;
	memcpy(disk + 1, name, len);
	return sizeof(*disk) + len;
}

int sfs_dirent_find(struct sfs_inode *dir, const char *name, unsigned int len, u64 *ret_ino,
		    u8 *ret_type)
{
	struct sfs_dirent_place place;
	int err;

	if (len > SFS_NAME_MAX)
		return -ENAMETOOLONG;
	err = sfs_dirent_place(dir, name, len, &place);
	if (err)
		return err;
	if (!place.p_found)
		return -ENOENT;
	*ret_ino = place.p_ino;
	*ret_type = place.p_type;
	return 0;
}

/* The key for a new name: -EEXIST, or -ENOSPC when the hash has no number left. */
static int sfs_dirent_new_key(struct sfs_inode *dir, const char *name, unsigned int len,
			      u64 *ret_key)
{
	struct sfs_dirent_place place;
	int err;

	if (len > SFS_NAME_MAX)
		return -ENAMETOOLONG;
	if (!sfs_name_is_valid(name, len))
		return -EINVAL;
	err = sfs_dirent_place(dir, name, len, &place);
	if (err)
		return err;
	if (place.p_found)
		return -EEXIST;
	if (place.p_key - sfs_key(SFS_KIND_DIRENT, sfs_name_pos(dir, name, len)) >=
	    SFS_DIRENT_COLLISIONS)
		return -ENOSPC;
	*ret_key = place.p_key;
	return 0;
}

int sfs_dirent_add(struct sfs_trans *t, struct sfs_inode *dir, const char *name, unsigned int len,
		   u64 ino, u8 type)
{
	u8 rec[SFS_DIRENT_MAX];
	unsigned int nbytes;
	u64 key;
	int err;

	sfs_assert(ino && sfs_type_word(type));
	err = sfs_dirent_new_key(dir, name, len, &key);
	if (err)
		return err;
	nbytes = sfs_dirent_encode(rec, name, len, ino, type);
	if (dir->i_size > SFS_FILE_SIZE_MAX - nbytes)
		return sfs_dirent_corrupt(dir, "a size that no names can have");
	err = sfs_tree_insert(t, dir, key, rec, nbytes, 0);
	if (err)
		return err;
	dir->i_size += nbytes;
	return 0;
}

int sfs_dirent_remove(struct sfs_trans *t, struct sfs_inode *dir, const char *name,
		      unsigned int len)
{
	unsigned int nbytes = sizeof(struct sfs_dirent_disk) + len;
	struct sfs_dirent_place place;
	int err;

	err = sfs_dirent_place(dir, name, len, &place);
	if (err)
		return err;
	if (!place.p_found)
		return -ENOENT;
	if (dir->i_size < nbytes)
		return sfs_dirent_corrupt(dir, "more names than its size allows");
	err = sfs_tree_delete(t, dir, place.p_key);
	if (err)
		return err;
	dir->i_size -= nbytes;
	return 0;
}

int sfs_dirent_set(struct sfs_trans *t, struct sfs_inode *dir, const char *name, unsigned int len,
		   u64 ino, u8 type)
{
	u8 rec[SFS_DIRENT_MAX];
	struct sfs_dirent_place place;
	unsigned int nbytes;
	int err;

	sfs_assert(ino && sfs_type_word(type));
	if (len > SFS_NAME_MAX)
		return -ENAMETOOLONG;
	err = sfs_dirent_place(dir, name, len, &place);
	if (err)
		return err;
	if (!place.p_found)
		return -ENOENT;
	nbytes = sfs_dirent_encode(rec, name, len, ino, type);
	return sfs_tree_replace(t, dir, place.p_key, rec, nbytes, 0);
}

int sfs_dirent_room(struct sfs_trans *t, struct sfs_inode *dir, const char *name,
		    unsigned int len)
{
	struct sfs_dirent_place place;
	u64 key;
	int err;

	err = sfs_dirent_new_key(dir, name, len, &key);
	if (!err && dir->i_size > SFS_FILE_SIZE_MAX - SFS_DIRENT_MAX)
		return sfs_dirent_corrupt(dir, "a size that no names can have");
	if (!err)
		return sfs_tree_room(t, dir, key, 1, sizeof(struct sfs_dirent_disk) + len, 0);
	if (err != -EEXIST)
		return err;
	err = sfs_dirent_place(dir, name, len, &place);
	if (err)
		return err;
	return sfs_tree_delete_room(t, dir, place.p_key);
}

/* By its size, for other records may share the tree. */
bool sfs_dirent_dir_is_empty(const struct sfs_inode *dir)
{
	return !dir->i_size;
}

int sfs_dirent_iterate(struct sfs_inode *dir, u64 pos, sfs_emit_fn emit, void *arg)
{
	const struct sfs_dirent_disk *disk;
	struct sfs_path path;
	const char *name;
	bool more = true;
	int err;

	if (pos > SFS_KEY_POS_MASK)
		return 0;
	err = sfs_tree_find_ge(dir, sfs_key(SFS_KIND_DIRENT, pos), &path);
	while (!err && more && sfs_key_kind(sfs_path_key(&path)) == SFS_KIND_DIRENT) {
		pos = sfs_key_pos(sfs_path_key(&path));
		disk = sfs_dirent_at(&path, &name);
		if (sfs_name_pos(dir, name, disk->d_len) != (pos & ~SFS_HASH_COLLISION)) {
			sfs_path_release(&path);
			return sfs_dirent_corrupt(dir, "name under a wrong hash");
		}
		more = emit(arg, name, disk->d_len, le64_to_cpu(disk->d_ino), disk->d_type, pos);
		if (more)
			err = sfs_tree_next(&path);
	}
	if (!err)
		sfs_path_release(&path);
	return err == -ENOENT ? 0 : err;
}
