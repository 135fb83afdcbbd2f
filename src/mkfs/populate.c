// SPDX-License-Identifier: GPL-2.0-only
/*
 * populate.c - mkfs -d: a volume that is born full.
 *
 * Each entry of a source (source.h) becomes an inode through the same core that the kernel runs,
 * its data one run of blocks after another.  Holes stay holes, second names stay links.  Data goes
 * straight to the device; the metadata through the cache.
 */
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../lib/progress.h"
#include "edu.h"
#include "populate.h"
#include "source.h"

#define SFS_MAJOR_MAX	0xfff		/* of the 32-bit encoding of a device's number */
#define SFS_MINOR_MAX	0xfffff

struct sfs_populate {
	struct sfs_fs *fs;
	struct sfs_dev *dev;
	struct sfs_trans *t;
	struct sfs_source *source;
	struct sfs_lost lost;
	u64 nfiles;
	const char *name;		/* of the one at work */
	bool told;			/* the source has said what went wrong */
};

/* Seconds that a 64-bit count of nanoseconds can hold, either side of 1970. */
#define SFS_TIME_MAX	(INT64_MAX / 1000000000 - 1)

static bool sfs_time_fits(s64 seconds)
{
	return seconds > -SFS_TIME_MAX && seconds < SFS_TIME_MAX;
}

static void sfs_take_attributes(struct sfs_inode *in, const struct stat *st)
{
	in->i_mode = st->st_mode;
	in->i_uid = st->st_uid;
	in->i_gid = st->st_gid;
	/* What cannot be said is said as nearly as can be, as the kernel does. */
	if (sfs_time_fits(st->st_mtim.tv_sec))
		in->i_mtime = st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
	else
		in->i_mtime = (st->st_mtim.tv_sec < 0 ? -1 : 1) * SFS_TIME_MAX * 1000000000LL;
	/* The other two change by being looked at: two copies of a tree shall give one volume. */
	in->i_atime = in->i_mtime;
	in->i_ctime = in->i_mtime;
}

/* Extended attributes, into an inode that has none. */
static int sfs_take_xattrs(struct sfs_populate *p, struct sfs_inode *in,
			   const struct sfs_entry *entry)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < entry->nxattrs && !err; i++) {
		err = sfs_xattr_set(p->t, in, &entry->xattrs[i], NULL);
		sfs_dev_settle(p->dev);		/* the inode's own block is held */
	}
	return err;
}

struct sfs_first_xattr {
	struct sfs_xattr x;		/* x_len 0: there is none */
	char name[SFS_NAME_MAX];
};

static bool sfs_note_first(void *arg, const struct sfs_xattr *x)
{
	struct sfs_first_xattr *first = arg;

	first->x = *x;
	first->x.x_name = memcpy(first->name, x->x_name, x->x_len);
	return false;
}

static int sfs_drop_xattrs(struct sfs_populate *p, struct sfs_inode *in)
{
	struct sfs_first_xattr first;
	int err;

	for (;;) {
		first.x.x_len = 0;
		err = sfs_xattr_each(in, sfs_note_first, &first);
		if (err || !first.x.x_len)
			return err;
		err = sfs_xattr_set(p->t, in, &first.x, NULL);
		if (err)
			return err;
	}
}

/* Makes an inode of @mode, begun, with one link; the caller gives it a name and ends it. */
static int sfs_make_inode(struct sfs_populate *p, u64 parent, u16 mode, struct sfs_inode *ret_in)
{
	bool is_dir = S_ISDIR(mode);
	u32 generation;
	u64 ino;
	int err;

	err = sfs_inode_alloc(p->t, p->fs, parent, is_dir, &ino, &generation);
	if (err)
		return err;
	sfs_inode_init(ret_in, p->fs, ino, mode, sfs_time_now());
	ret_in->i_generation = generation;
	ret_in->i_nlink = is_dir ? 2 : 1;
	ret_in->i_parent = is_dir ? parent : 0;
	return sfs_inode_begin(p->t, ret_in);
}

/* An inode that there is, begun; the caller ends it. */
static int sfs_edit_begin(struct sfs_populate *p, u64 ino, struct sfs_inode *ret_in)
{
	int err = sfs_inode_read(p->fs, ino, ret_in);

	return err ? err : sfs_inode_begin(p->t, ret_in);
}

static int sfs_add_name(struct sfs_populate *p, u64 dir, const char *name, unsigned int len,
			u64 ino, u16 mode)
{
	struct sfs_inode in;
	int err;

	err = sfs_edit_begin(p, dir, &in);
	if (err)
		return err;
	err = sfs_dirent_add(p->t, &in, name, len, ino, mode >> 12);
	if (!err && S_ISDIR(mode))
		in.i_nlink++;
	sfs_inode_end(p->t, &in);
	return err;
}

/* Finds @name in @dir, or makes it a directory (an archive may not name every parent). */
static int sfs_enter(struct sfs_populate *p, u64 *dir, const char *name, unsigned int len)
{
	struct sfs_inode in;
	u64 ino;
	u8 type;
	int err;

	err = sfs_inode_read(p->fs, *dir, &in);
	if (!err)
		err = sfs_dirent_find(&in, name, len, &ino, &type);
	if (err == -ENOENT) {
		err = sfs_make_inode(p, *dir, S_IFDIR | 0755, &in);
		if (err)
			return err;
		sfs_inode_end(p->t, &in);
		ino = in.i_ino;
		err = sfs_add_name(p, *dir, name, len, ino, S_IFDIR);
	}
	else if (!err && type != S_IFDIR >> 12)
		err = -ENOTDIR;
	if (!err)
		*dir = ino;
	return err;
}

/* Past slashes, and components that are ".". */
static const char *sfs_skip_dots(const char *path)
{
	for (;;) {
		path += strspn(path, "/");
		if (path[0] != '.' || (path[1] && path[1] != '/'))
			return path;
		path++;
	}
}

/* The directory that holds the last component of @path, and that component. */
static int sfs_walk(struct sfs_populate *p, const char *path, u64 *ret_dir, const char **ret_name,
		    unsigned int *ret_len)
{
	u64 dir = p->fs->f_root;
	int err = 0;

	path = sfs_skip_dots(path);
	for (;;) {
		unsigned int len = strcspn(path, "/");
		const char *next = sfs_skip_dots(path + len);

		if (!sfs_name_is_valid(path, len))
			return len > SFS_NAME_MAX ? -ENAMETOOLONG : -EINVAL;
		if (!*next) {
			*ret_dir = dir;
			*ret_name = path;
			*ret_len = len;
			return 0;
		}
		err = sfs_enter(p, &dir, path, len);
		if (err)
			return err;
		path = next;
	}
}

/*
 * Writes @nbytes at @pos.  Blocks allocated here are written whole; one that an earlier piece began
 * is read first.
 */
static int sfs_write_data(struct sfs_populate *p, struct sfs_inode *in, const u8 *data,
			  size_t nbytes, u64 pos)
{
	u8 block[SFS_BLOCK_SIZE];
	struct sfs_extent ext = { 0 };
	bool fresh = false;
	int err = 0;

	while (nbytes && !err) {
		unsigned int off = pos % SFS_BLOCK_SIZE;
		size_t piece = min_t(size_t, nbytes, SFS_BLOCK_SIZE - off);
		u64 lblk = pos >> SFS_BLOCK_BITS;
		u64 blk;

		if (lblk - ext.e_lblk >= ext.e_nblks) {
			err = sfs_extent_find(in, lblk, &ext);
			fresh = !err && !ext.e_blk;
			if (fresh)
				err = sfs_extent_alloc(p->t, in, lblk,
						       (off + nbytes + SFS_BLOCK_SIZE - 1) /
						       SFS_BLOCK_SIZE, false, 0, &ext);
			if (err)
				return err;
		}
		blk = ext.e_blk + (lblk - ext.e_lblk);
		memset(block, 0, sizeof(block));
		if (!fresh && piece < SFS_BLOCK_SIZE)
			err = sfs_dev_read(p->dev, blk, block);
		memcpy(block + off, data, piece);
		if (!err)
			err = sfs_dev_write(p->dev, blk, block);
		data += piece;
		pos += piece;
		nbytes -= piece;
	}
	return err;
}

/* Bytes of @data, which lies at @pos, that are blocks or parts of them all zero, or all not. */
static size_t sfs_data_run(const u8 *data, size_t nbytes, u64 pos, bool *ret_zero)
{
	static const u8 zero[SFS_BLOCK_SIZE];
	size_t run = 0;

	while (run < nbytes) {
		size_t piece = min_t(size_t, nbytes - run,
				     SFS_BLOCK_SIZE - (pos + run) % SFS_BLOCK_SIZE);
		bool is_zero = !memcmp(data + run, zero, piece);

		if (run && is_zero != *ret_zero)
			break;
		*ret_zero = is_zero;
		run += piece;
	}
	return run;
}

/*
 * The same, but for what is zero: a block is a hole if all of it is, whatever of it the source
 * calls a hole, so that the same bytes make the same volume.
 */
static int sfs_write_runs(struct sfs_populate *p, struct sfs_inode *in, const u8 *data,
			  size_t nbytes, u64 pos)
{
	bool zero = false;
	int err = 0;

	while (nbytes && !err) {
		size_t run = sfs_data_run(data, nbytes, pos, &zero);

		if (!zero)
			err = sfs_write_data(p, in, data, run, pos);
		data += run;
		pos += run;
		nbytes -= run;
	}
	return err;
}

static int sfs_copy_data(struct sfs_populate *p, struct sfs_inode *in, u64 size)
{
	const void *data;
	size_t nbytes;
	u64 pos;
	int more;
	int err;

	in->i_size = size;
	while ((more = p->source->data(p->source, &data, &nbytes, &pos)) > 0) {
		if (pos > size || nbytes > size - pos)
			return -EFBIG;
		sfs_progress(1, p->name, p->nfiles, 0);
		err = sfs_write_runs(p, in, data, nbytes, pos);
		if (err)
			return err;
		sfs_dev_settle(p->dev);	/* the inode's own block is held */
	}
	p->told = more < 0;
	return more;
}

static int sfs_fill_inode(struct sfs_populate *p, const struct sfs_entry *entry,
			  struct sfs_inode *in)
{
	u32 major = major(entry->st.st_rdev);
	u32 minor = minor(entry->st.st_rdev);

	switch (in->i_mode & S_IFMT) {
	case S_IFREG:
		return sfs_copy_data(p, in, entry->st.st_size);
	case S_IFLNK:
		return entry->target ? sfs_symlink_write(p->t, in, entry->target,
							 strlen(entry->target)) : -EINVAL;
	case S_IFCHR:
	case S_IFBLK:
		if (major > SFS_MAJOR_MAX || minor > SFS_MINOR_MAX)
			return -EOVERFLOW;
		in->i_rdev = (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
		return 0;
	default:
		return 0;
	}
}

/* One more name for inode @ino; its type. */
static int sfs_count_link(struct sfs_populate *p, u64 ino, u16 *ret_mode)
{
	struct sfs_inode in;
	int err;

	err = sfs_edit_begin(p, ino, &in);
	if (err)
		return err;
	in.i_nlink++;
	sfs_inode_end(p->t, &in);
	*ret_mode = in.i_mode;
	return 0;
}

/* Gives directory @ino, made before, the attributes of @entry and no others. */
static int sfs_edit_dir(struct sfs_populate *p, u64 ino, const struct sfs_entry *entry)
{
	struct sfs_inode in;
	int err;

	err = sfs_edit_begin(p, ino, &in);
	if (err)
		return err;
	sfs_take_attributes(&in, &entry->st);
	err = sfs_drop_xattrs(p, &in);
	if (!err)
		err = sfs_take_xattrs(p, &in, entry);
	sfs_inode_end(p->t, &in);
	return err;
}

static int sfs_add_link(struct sfs_populate *p, const struct sfs_entry *entry, u64 dir,
			const char *name, unsigned int len)
{
	struct sfs_inode in;
	u64 ino;
	u16 mode;
	int err = 0;

	if (entry->ino)
		ino = *entry->ino;
	else
		err = sfs_path_resolve(p->fs, entry->link, &ino);
	if (!err)
		err = sfs_inode_read(p->fs, ino, &in);
	if (!err && S_ISDIR(in.i_mode))
		err = -EISDIR;
	if (!err)
		err = sfs_count_link(p, ino, &mode);
	return err ? err : sfs_add_name(p, dir, name, len, ino, mode);
}

/* What an archive says may be none of the seven types there are. */
static bool sfs_type_is_file(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode);
}

static int sfs_add_entry(struct sfs_populate *p, const struct sfs_entry *entry)
{
	bool is_dir = S_ISDIR(entry->st.st_mode);
	struct sfs_inode in;
	const char *name;
	unsigned int len;
	u64 dir;
	u64 ino;
	u8 type;
	int err;

	if (!*sfs_skip_dots(entry->path))
		return is_dir ? sfs_edit_dir(p, p->fs->f_root, entry) : -EINVAL;
	err = sfs_walk(p, entry->path, &dir, &name, &len);
	if (!err)
		err = sfs_inode_read(p->fs, dir, &in);
	if (err)
		return err;
	err = sfs_dirent_find(&in, name, len, &ino, &type);
	if (!err)	/* a directory made for its children, now named itself */
		return is_dir && type == S_IFDIR >> 12 ? sfs_edit_dir(p, ino, entry) : -EEXIST;
	if (err != -ENOENT)
		return err;
	if (entry->link || (entry->ino && *entry->ino))
		return sfs_add_link(p, entry, dir, name, len);
	if (!sfs_type_is_file(entry->st.st_mode))
		return -EINVAL;
	err = sfs_make_inode(p, dir, entry->st.st_mode, &in);
	if (err)
		return err;
	sfs_take_attributes(&in, &entry->st);
	err = sfs_take_xattrs(p, &in, entry);
	if (!err)
		err = sfs_fill_inode(p, entry, &in);
	sfs_inode_end(p->t, &in);
	if (entry->ino)
		*entry->ino = in.i_ino;
	return err ? err : sfs_add_name(p, dir, name, len, in.i_ino, in.i_mode);
}

static int sfs_note_lost(struct sfs_populate *p, const struct sfs_entry *entry)
{
	unsigned int lost = entry->lost;

	if (!sfs_time_fits(entry->st.st_mtim.tv_sec))
		lost |= 1 << SFS_LOST_TIME;
	return sfs_lost_note(&p->lost, entry->name, lost);
}

static const char *sfs_entry_error(int err)
{
	switch (err) {
	case -ENOSPC:
		return "does not fit, the volume is full";
	case -EEXIST:
		return "comes twice";
	case -EINVAL:
		return "is nothing that can be in a volume";
	case -ENOTDIR:
		return "lies in something that is no directory";
	case -EISDIR:
		return "is another name of a directory";
	case -EOVERFLOW:
		return "has a number that no device can have";
	case -ENOENT:
		return "is another name of what never came";
	default:
		return strerror(-err);
	}
}

/* A pipe is not looked into: what has been read of it is gone. */
static bool sfs_is_edu(const char *path, mode_t mode)
{
	u8 first[4] = { 0 };
	int fd = S_ISREG(mode) || S_ISBLK(mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool is_edu = fd >= 0 && pread(fd, first, sizeof(first), 0) == sizeof(first) &&
		      sfs_edu_probe(first);

	if (fd >= 0)
		close(fd);
	return is_edu;
}

static int sfs_open_source(const char *path, mode_t mode, const struct stat *image,
			   struct sfs_source **ret_source)
{
	if (S_ISDIR(mode))
		return sfs_source_dir_open(path, image, ret_source);
	return sfs_is_edu(path, mode) ? sfs_source_edu_open(path, ret_source) :
					sfs_source_tar_open(path, ret_source);
}

int sfs_populate(struct sfs_fs *fs, struct sfs_dev *dev, const char *source)
{
	struct sfs_populate p = { .fs = fs, .dev = dev, .t = sfs_dev_trans(dev) };
	struct sfs_entry entry;
	struct stat image;
	struct stat st;
	int err;

	if (stat(source, &st) || fstat(sfs_dev_fd(dev), &image)) {
		err = -errno;
		sfs_warn("%s: cannot be read: %s", source, strerror(errno));
		return err;
	}
	err = sfs_open_source(source, st.st_mode, &image, &p.source);
	if (err)
		return err;
	while ((err = p.source->next(p.source, &entry)) > 0) {
		p.name = entry.name;
		sfs_progress(1, p.name, p.nfiles++, 0);
		err = sfs_add_entry(&p, &entry);
		if (!err)
			err = sfs_note_lost(&p, &entry);
		if (err && !p.told && sfs_dev_write_error(dev))
			sfs_warn("%s: cannot be written to the image or device: %s", entry.name,
				 strerror(-sfs_dev_write_error(dev)));
		else if (err && !p.told)
			sfs_warn("%s: %s", entry.name, sfs_entry_error(err));
		if (err)
			break;
		sfs_dev_settle(dev);
	}
	sfs_progress_clear();
	if (!err)
		sfs_lost_tell(&p.lost);
	sfs_lost_free(&p.lost);
	p.source->close(p.source);
	return err;
}
