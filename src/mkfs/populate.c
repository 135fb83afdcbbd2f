// SPDX-License-Identifier: GPL-2.0-only
/*
 * populate.c - mkfs -d: a volume that is born full.
 *
 * libarchive walks a directory and an archive alike; each entry becomes an inode through the same
 * core that the kernel runs, its data one run of blocks after another.  Holes stay holes, second
 * names stay links.
 */
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "populate.h"

/* A file of a directory tree that has other names. */
struct sfs_linked {
	dev_t dev;
	u64 host_ino;
	u64 ino;
};

struct sfs_populate {
	struct sfs_fs *fs;
	struct sfs_dev *dev;
	struct sfs_trans *t;
	struct archive *archive;
	size_t prefix;			/* of every path: the source directory's name */
	struct sfs_linked *linked;
	size_t nlinked;
};

/* The part of a path that is inside the volume, without leading "/" and "./". */
static const char *sfs_inner_path(const struct sfs_populate *p, const char *path)
{
	path += strlen(path) < p->prefix ? strlen(path) : p->prefix;
	while (*path == '/' || (path[0] == '.' && (path[1] == '/' || !path[1])))
		path++;
	return path;
}

static void sfs_take_attributes(struct sfs_inode *in, struct archive_entry *entry)
{
	in->i_mode = archive_entry_mode(entry);
	in->i_uid = archive_entry_uid(entry);
	in->i_gid = archive_entry_gid(entry);
	in->i_mtime = archive_entry_mtime(entry) * 1000000000LL + archive_entry_mtime_nsec(entry);
	in->i_atime = in->i_mtime;
	in->i_ctime = in->i_mtime;
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

static int sfs_add_name(struct sfs_populate *p, u64 dir, const char *name, unsigned int len,
			u64 ino, u16 mode)
{
	struct sfs_inode in;
	int err;

	err = sfs_inode_read(p->fs, dir, &in);
	if (!err)
		err = sfs_inode_begin(p->t, &in);
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
	if (!err)
		*dir = ino;
	return err;
}

/* The directory that holds the last component of @path, and that component. */
static int sfs_walk(struct sfs_populate *p, const char *path, u64 *ret_dir, const char **ret_name,
		    unsigned int *ret_len)
{
	u64 dir = p->fs->f_root;
	int err = 0;

	for (;;) {
		unsigned int len = strcspn(path, "/");
		const char *next = path + len + strspn(path + len, "/");

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

/* Writes @nbytes at @pos, block by block; a block that is partly there is read first. */
static int sfs_write_data(struct sfs_populate *p, struct sfs_inode *in, const u8 *data,
			  size_t nbytes, u64 pos)
{
	u8 block[SFS_BLOCK_SIZE];

	while (nbytes) {
		unsigned int off = pos % SFS_BLOCK_SIZE;
		size_t piece = min_t(size_t, nbytes, SFS_BLOCK_SIZE - off);
		struct sfs_extent ext;
		int err;

		err = sfs_extent_find(in, pos >> SFS_BLOCK_BITS, &ext);
		memset(block, 0, sizeof(block));
		if (!err && !ext.e_blk)
			err = sfs_extent_alloc(p->t, in, pos >> SFS_BLOCK_BITS,
					       (off + nbytes + SFS_BLOCK_SIZE - 1) / SFS_BLOCK_SIZE,
					       true, 0, &ext);
		else if (!err && !ext.e_unwritten && piece < SFS_BLOCK_SIZE)
			err = sfs_dev_read(p->dev, ext.e_blk, block);
		if (err)
			return err;
		memcpy(block + off, data, piece);
		err = sfs_dev_write(p->dev, ext.e_blk, block);
		if (!err && ext.e_unwritten)
			err = sfs_extent_convert(p->t, in, pos >> SFS_BLOCK_BITS, 1, &(u64){ 0 });
		if (err)
			return err;
		data += piece;
		pos += piece;
		nbytes -= piece;
	}
	return 0;
}

static int sfs_copy_data(struct sfs_populate *p, struct sfs_inode *in, s64 size)
{
	const void *data;
	size_t nbytes;
	la_int64_t pos;
	int status;
	int err;

	in->i_size = size;
	if (!size)
		return 0;
	while ((status = archive_read_data_block(p->archive, &data, &nbytes, &pos)) == ARCHIVE_OK) {
		err = sfs_write_data(p, in, data, nbytes, pos);
		if (err)
			return err;
	}
	return status == ARCHIVE_EOF ? 0 : -EIO;
}

static int sfs_fill_inode(struct sfs_populate *p, struct archive_entry *entry, struct sfs_inode *in)
{
	const char *target;

	switch (in->i_mode & S_IFMT) {
	case S_IFREG:
		return sfs_copy_data(p, in, archive_entry_size(entry));
	case S_IFLNK:
		target = archive_entry_symlink(entry);
		return target ? sfs_symlink_write(p->t, in, target, strlen(target)) : -EINVAL;
	case S_IFCHR:
	case S_IFBLK: {
		u32 minor = archive_entry_rdevminor(entry);

		in->i_rdev = (minor & 0xff) | archive_entry_rdevmajor(entry) << 8 |
			     (minor & ~0xffu) << 12;
		return 0;
	}
	default:
		return 0;
	}
}

/* The number of the inode that this entry is another name of, or 0. */
static u64 sfs_link_target(struct sfs_populate *p, struct archive_entry *entry)
{
	const char *path = archive_entry_hardlink(entry);
	struct sfs_inode in;
	const char *name;
	unsigned int len;
	u64 dir;
	u64 ino;
	u8 type;
	size_t n;

	if (path) {
		if (sfs_walk(p, sfs_inner_path(p, path), &dir, &name, &len) ||
		    sfs_inode_read(p->fs, dir, &in) || sfs_dirent_find(&in, name, len, &ino, &type))
			return 0;
		return ino;
	}
	for (n = 0; archive_entry_nlink(entry) > 1 && n < p->nlinked; n++) {
		if (p->linked[n].dev == archive_entry_dev(entry) &&
		    p->linked[n].host_ino == (u64)archive_entry_ino64(entry))
			return p->linked[n].ino;
	}
	return 0;
}

static int sfs_remember_link(struct sfs_populate *p, struct archive_entry *entry, u64 ino)
{
	void *more;

	if (!p->prefix || archive_entry_nlink(entry) < 2 ||
	    archive_entry_filetype(entry) == AE_IFDIR)
		return 0;
	more = realloc(p->linked, (p->nlinked + 1) * sizeof(*p->linked));
	if (!more)
		return -ENOMEM;
	p->linked = more;
	p->linked[p->nlinked++] = (struct sfs_linked) {
		.dev = archive_entry_dev(entry), .host_ino = archive_entry_ino64(entry), .ino = ino,
	};
	return 0;
}

/* Gives inode @ino another name, or new attributes (@entry), keeping what it holds. */
static int sfs_edit_inode(struct sfs_populate *p, u64 ino, struct archive_entry *entry,
			  int more_links, u16 *ret_mode)
{
	struct sfs_inode in;
	u16 mode;
	int err;

	err = sfs_inode_read(p->fs, ino, &in);
	if (!err)
		err = sfs_inode_begin(p->t, &in);
	if (err)
		return err;
	mode = in.i_mode;
	if (entry) {
		sfs_take_attributes(&in, entry);
		in.i_mode = (mode & S_IFMT) | (in.i_mode & 07777);
	}
	in.i_nlink += more_links;
	sfs_inode_end(p->t, &in);
	*ret_mode = mode;
	return 0;
}

static int sfs_add_entry(struct sfs_populate *p, struct archive_entry *entry, const char *path)
{
	struct sfs_inode in;
	const char *name;
	unsigned int len;
	u64 dir;
	u64 ino;
	u16 mode;
	u8 type;
	int err;

	if (!*path)
		return sfs_edit_inode(p, p->fs->f_root, entry, 0, &mode);
	err = sfs_walk(p, path, &dir, &name, &len);
	if (!err)
		err = sfs_inode_read(p->fs, dir, &in);
	if (err)
		return err;
	ino = sfs_link_target(p, entry);
	if (ino) {
		err = sfs_edit_inode(p, ino, NULL, 1, &mode);
		return err ? err : sfs_add_name(p, dir, name, len, ino, mode);
	}
	err = sfs_dirent_find(&in, name, len, &ino, &type);
	if (!err)	/* a directory made for its children, now named itself */
		return archive_entry_filetype(entry) == AE_IFDIR && type == S_IFDIR >> 12 ?
		       sfs_edit_inode(p, ino, entry, 0, &mode) : -EEXIST;
	if (err != -ENOENT)
		return err;
	err = sfs_make_inode(p, dir, archive_entry_mode(entry), &in);
	if (err)
		return err;
	sfs_take_attributes(&in, entry);
	err = sfs_fill_inode(p, entry, &in);
	sfs_inode_end(p->t, &in);
	if (!err)
		err = sfs_add_name(p, dir, name, len, in.i_ino, in.i_mode);
	return err ? err : sfs_remember_link(p, entry, in.i_ino);
}

static int sfs_add_entries(struct sfs_populate *p)
{
	struct archive_entry *entry;
	int status;
	int err;

	while ((status = archive_read_next_header(p->archive, &entry)) == ARCHIVE_OK) {
		err = sfs_add_entry(p, entry, sfs_inner_path(p, archive_entry_pathname(entry)));
		if (err) {
			sfs_warn("%s: %s", archive_entry_pathname(entry), strerror(-err));
			return err;
		}
		if (p->prefix && archive_read_disk_can_descend(p->archive))
			archive_read_disk_descend(p->archive);
	}
	if (status == ARCHIVE_EOF)
		return 0;
	sfs_warn("reading the source: %s", archive_error_string(p->archive));
	return -EIO;
}

int sfs_populate(struct sfs_fs *fs, struct sfs_dev *dev, const char *source)
{
	struct sfs_populate p = { .fs = fs, .dev = dev, .t = sfs_dev_trans(dev) };
	struct stat st;
	int err = -EIO;

	if (stat(source, &st)) {
		err = -errno;
		sfs_warn("%s: cannot be read: %s", source, strerror(errno));
		return err;
	}
	p.archive = S_ISDIR(st.st_mode) ? archive_read_disk_new() : archive_read_new();
	if (!p.archive)
		return -ENOMEM;
	if (S_ISDIR(st.st_mode)) {
		p.prefix = strlen(source);
		archive_read_disk_set_symlink_physical(p.archive);
		if (!archive_read_disk_open(p.archive, source))
			err = 0;
	} else {
		archive_read_support_filter_all(p.archive);
		archive_read_support_format_tar(p.archive);
		if (!archive_read_open_filename(p.archive, source, 1 << 16))
			err = 0;
	}
	if (err)
		sfs_warn("%s: neither directory nor archive: %s", source,
			 archive_error_string(p.archive));
	else
		err = sfs_add_entries(&p);
	archive_read_free(p.archive);
	free(p.linked);
	return err;
}
