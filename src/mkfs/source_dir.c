// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_dir.c - mkfs -d from a directory: the tree below it, sorted, so that two copies of a tree
 * give the same volume.
 *
 * Holes are asked for (SEEK_DATA) and stay holes.  A file that has several names is in a search
 * tree from its first name to its last, by device and inode, with its number in the volume.
 */
#include <fcntl.h>
#include <fts.h>
#include <search.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/limits.h>

#include "attrs.h"

#define SFS_PIECE	(1 << 20)	/* and room for names of attributes, and a value */

#define SFS_FLAGS_LOST	(STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP |	\
			 STATX_ATTR_ENCRYPTED | STATX_ATTR_VERITY)

struct sfs_linked {
	dev_t dev;
	ino_t ino;
	u64 in_volume;
	u64 left;			/* names to come, if all are in the directory */
};

struct sfs_source_dir {
	struct sfs_source source;	/* first, so that one is the other */
	FTS *fts;
	const struct stat *image;
	size_t prefix;			/* of every path: the directory's own name */
	void *linked;			/* of tsearch(3) */
	struct sfs_linked *last;	/* of the entry given out, if its names end there */
	char target[SFS_SYMLINK_MAX + 2];
	const char *name;		/* the file whose data is read */
	u64 pos;
	u64 size;
	int fd;
	u8 *piece;
	struct sfs_attrs attrs;
};

static int sfs_by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int sfs_by_inode(const void *a, const void *b)
{
	const struct sfs_linked *x = a;
	const struct sfs_linked *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* Where the number of a file with several names is kept; NULL if it has but one. */
static int sfs_dir_linked(struct sfs_source_dir *dir, const struct stat *st, u64 **ret_ino)
{
	struct sfs_linked key = { .dev = st->st_dev, .ino = st->st_ino, .left = st->st_nlink };
	struct sfs_linked **found;
	struct sfs_linked *l;

	*ret_ino = NULL;
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return 0;
	found = tfind(&key, &dir->linked, sfs_by_inode);
	if (!found) {
		l = malloc(sizeof(*l));
		if (!l)
			return -ENOMEM;
		*l = key;
		found = tsearch(l, &dir->linked, sfs_by_inode);
		if (!found) {
			free(l);
			return -ENOMEM;
		}
	}
	l = *found;
	if (!--l->left)
		dir->last = l;
	*ret_ino = &l->in_volume;
	return 0;
}

/* Nobody will ask again for a file whose last name has been given out. */
static void sfs_dir_forget_last(struct sfs_source_dir *dir)
{
	if (!dir->last)
		return;
	tdelete(dir->last, &dir->linked, sfs_by_inode);
	free(dir->last);
	dir->last = NULL;
}

static int sfs_dir_failed(const char *name, int err, const char *what)
{
	sfs_warn("%s: %s: %s", name, what, strerror(err));
	return -err;
}

/*
 * The value of one attribute, with room for the longest that Linux has: a file system may have
 * longer ones, which it cannot give to anybody.
 */
static int sfs_dir_attr(struct sfs_source_dir *dir, const FTSENT *f, const char *name,
			struct sfs_entry *entry)
{
	u8 *value = dir->piece + XATTR_LIST_MAX;
	ssize_t n;

	n = (f->fts_level ? lgetxattr : getxattr)(f->fts_accpath, name, value, XATTR_SIZE_MAX);
	/* It has gone since, or is there for its name alone. */
	if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return 0;
	if (n < 0 && (errno == E2BIG || errno == ERANGE)) {
		entry->lost |= 1 << SFS_LOST_LONG;
		return 0;
	}
	if (n < 0)
		return sfs_dir_failed(f->fts_path, errno, "its attributes cannot be read");
	return sfs_attrs_add(&dir->attrs, entry, name, value, n);
}

/* Extended attributes and flags.  The directory at the top may be reached by a symlink. */
static int sfs_dir_attrs(struct sfs_source_dir *dir, const FTSENT *f, struct sfs_entry *entry)
{
	char *names = (char *)dir->piece;
	const char *name;
	struct statx stx;
	ssize_t n;
	int err = 0;

	n = (f->fts_level ? llistxattr : listxattr)(f->fts_accpath, names, XATTR_LIST_MAX);
	if (n < 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		return sfs_dir_failed(f->fts_path, errno, "its attributes cannot be listed");
	for (name = names; name < names + n && !err; name += strlen(name) + 1)
		err = sfs_dir_attr(dir, f, name, entry);
	if (!statx(AT_FDCWD, f->fts_accpath, f->fts_level ? AT_SYMLINK_NOFOLLOW : 0, 0, &stx) &&
	    stx.stx_attributes & SFS_FLAGS_LOST)
		entry->lost |= 1 << SFS_LOST_FLAG;
	sfs_attrs_give(&dir->attrs, entry);
	return err;
}

/* What lstat does not say: the target of a symlink, the data of a file. */
static int sfs_dir_look_in(struct sfs_source_dir *dir, const FTSENT *f, struct sfs_entry *entry)
{
	struct stat st;
	ssize_t n;

	if (S_ISLNK(entry->st.st_mode)) {
		n = readlink(f->fts_accpath, dir->target, sizeof(dir->target) - 1);
		if (n < 0)
			return sfs_dir_failed(f->fts_path, errno, "symlink");
		dir->target[n] = '\0';
		entry->target = dir->target;
	} else if (S_ISREG(entry->st.st_mode)) {
		if (entry->st.st_dev == dir->image->st_dev &&
		    entry->st.st_ino == dir->image->st_ino)
			return sfs_dir_failed(f->fts_path, EDEADLK, "is the image itself");
		dir->fd = open(f->fts_accpath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (dir->fd < 0 || fstat(dir->fd, &st))
			return sfs_dir_failed(f->fts_path, errno, "cannot be opened");
		/* Owner and mode are those of what was met; so must the data be. */
		if (st.st_dev != entry->st.st_dev || st.st_ino != entry->st.st_ino)
			return sfs_dir_failed(f->fts_path, ESTALE, "is another file by now");
		dir->name = f->fts_path;
		dir->size = entry->st.st_size;
		dir->pos = 0;
	}
	return 0;
}

static int sfs_dir_next(struct sfs_source *s, struct sfs_entry *ret_entry)
{
	struct sfs_source_dir *dir = (struct sfs_source_dir *)s;
	const FTSENT *f;
	int err;

	if (dir->fd >= 0)
		close(dir->fd);
	dir->fd = -1;
	sfs_attrs_clear(&dir->attrs);
	sfs_dir_forget_last(dir);
	do {
		errno = 0;
		f = fts_read(dir->fts);
	} while (f && f->fts_info == FTS_DP);
	if (!f)
		return errno ? sfs_dir_failed("directory", errno, "cannot be walked") : 0;
	if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS)
		return sfs_dir_failed(f->fts_path, f->fts_errno, "cannot be read");
	if (f->fts_info == FTS_DC)
		return sfs_dir_failed(f->fts_path, ELOOP, "leads in a circle");
	*ret_entry = (struct sfs_entry) {
		.name = f->fts_path, .path = f->fts_path + dir->prefix, .st = *f->fts_statp,
	};
	ret_entry->path += strspn(ret_entry->path, "/");
	err = sfs_dir_linked(dir, f->fts_statp, &ret_entry->ino);
	if (err || (ret_entry->ino && *ret_entry->ino))
		return err ? err : 1;
	err = sfs_dir_attrs(dir, f, ret_entry);
	if (!err)
		err = sfs_dir_look_in(dir, f, ret_entry);
	return err ? err : 1;
}

/* Moves pos to the next data; a file system that knows no holes has none. */
static int sfs_dir_skip_hole(struct sfs_source_dir *dir, u64 *ret_end)
{
	off_t at = lseek(dir->fd, dir->pos, SEEK_DATA);
	off_t end = at < 0 ? at : lseek(dir->fd, at, SEEK_HOLE);

	*ret_end = dir->size;
	if (at < 0 && errno == ENXIO) {
		dir->pos = dir->size;
		return 0;
	}
	if (end < 0)
		return errno == EINVAL || errno == EOPNOTSUPP ? 0 :
		       sfs_dir_failed(dir->name, errno, "its holes cannot be found");
	dir->pos = at;
	*ret_end = min((u64)end, dir->size);
	return 0;
}

static int sfs_dir_data(struct sfs_source *s, const void **ret_data, size_t *ret_nbytes,
			u64 *ret_pos)
{
	struct sfs_source_dir *dir = (struct sfs_source_dir *)s;
	size_t have = 0;
	size_t want;
	u64 end;
	int err;

	if (dir->pos >= dir->size)
		return 0;
	err = sfs_dir_skip_hole(dir, &end);
	if (err || dir->pos >= end)
		return err;
	for (want = min_t(u64, SFS_PIECE, end - dir->pos); have < want;) {
		ssize_t n = pread(dir->fd, dir->piece + have, want - have, dir->pos + have);

		if (n < 0)
			return sfs_dir_failed(dir->name, errno, "its data cannot be read");
		if (!n)
			return sfs_dir_failed(dir->name, EIO, "became shorter while it was read");
		have += n;
	}
	*ret_data = dir->piece;
	*ret_nbytes = have;
	*ret_pos = dir->pos;
	dir->pos += have;
	return 1;
}

static void sfs_dir_close(struct sfs_source *s)
{
	struct sfs_source_dir *dir = (struct sfs_source_dir *)s;

	if (dir->fd >= 0)
		close(dir->fd);
	if (dir->fts)
		fts_close(dir->fts);
	tdestroy(dir->linked, free);
	sfs_attrs_free(&dir->attrs);
	free(dir->piece);
	free(dir);
}

int sfs_source_dir_open(const char *path, const struct stat *image, struct sfs_source **ret_source)
{
	char *const paths[] = { (char *)path, NULL };
	struct sfs_source_dir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return -ENOMEM;
	dir->source = (struct sfs_source) { sfs_dir_next, sfs_dir_data, sfs_dir_close };
	dir->image = image;
	dir->prefix = strlen(path);
	dir->fd = -1;
	dir->piece = malloc(SFS_PIECE);
	/* FTS_COMFOLLOW: the directory named may itself be a link to one. */
	dir->fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, sfs_by_name);
	if (!dir->piece || !dir->fts) {
		sfs_dir_close(&dir->source);
		return -ENOMEM;
	}
	*ret_source = &dir->source;
	return 0;
}
