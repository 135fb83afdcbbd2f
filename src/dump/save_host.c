// SPDX-License-Identifier: GPL-2.0-only
/*
 * save_host.c - dump --save: what is made on the host.
 *
 * Names and targets are anybody's.  So nothing is opened but what was made here a moment ago, never
 * through a symlink, and always in a directory that is open: no path that comes from the volume is
 * ever given to the host as a whole.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "save.h"

static struct timespec sfs_save_time(s64 ns)
{
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	if (t.tv_nsec < 0) {
		t.tv_nsec += 1000000000;
		t.tv_sec--;
	}
	return t;
}

/* ---- attributes ---- */

struct sfs_save_xattr {
	struct sfs_save *s;
	struct sfs_inode *in;
	const char *link;		/* the file, by a name that follows nothing else */
};

static bool sfs_save_xattr(void *arg, const struct sfs_xattr *x)
{
	static const char *const spaces[] = {
		[SFS_XATTR_USER] = "user.", [SFS_XATTR_TRUSTED] = "trusted.",
		[SFS_XATTR_SECURITY] = "security.", [SFS_XATTR_SYSTEM] = "system.",
	};
	struct sfs_save_xattr *a = arg;
	char name[16 + SFS_NAME_MAX + 1];
	struct sfs_xattr want = *x;
	int n;

	snprintf(name, sizeof(name), "%s%.*s", spaces[x->x_space], (int)x->x_len, x->x_name);
	n = sfs_xattr_get(a->in, &want, a->s->data, SFS_XATTR_MAX);
	if (n < 0)
		sfs_save_lose(a->s, "attribute %s is lost: %s", name, strerror(-n));
	else if (setxattr(a->link, name, a->s->data, n, 0))
		sfs_save_refuse(a->s, SFS_REFUSED_ATTRIBUTE, name, errno);
	return true;
}

void sfs_save_attributes(struct sfs_save *s, struct sfs_inode *in, int fd)
{
	const struct timespec times[2] = {
		sfs_save_time(in->i_atime), sfs_save_time(in->i_mtime),
	};
	mode_t mode = in->i_mode & 07777;
	struct sfs_save_xattr a = { .s = s, .in = in };
	char link[64];

	/* By this name the very file is reached, also if it is a symlink. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	a.link = link;
	if (fchownat(fd, "", in->i_uid, in->i_gid, AT_EMPTY_PATH)) {
		sfs_save_refuse(s, SFS_REFUSED_OWNER, NULL, errno);
		/* Whoever it belongs to now was not meant. */
		mode &= ~(mode_t)(S_ISDIR(in->i_mode) ? S_ISUID : S_ISUID | S_ISGID);
	}
	if (!sfs_xattr_is_none(in) && sfs_xattr_each(in, sfs_save_xattr, &a))
		sfs_save_lose(s, "attributes are lost: its tree is damaged");
	if (!S_ISLNK(in->i_mode) && chmod(link, mode))
		sfs_save_refuse(s, SFS_REFUSED_MODE, NULL, errno);
	if (utimensat(AT_FDCWD, link, times, 0))
		sfs_save_refuse(s, SFS_REFUSED_TIMES, NULL, errno);
}

/* ---- files of all types ---- */

static void sfs_save_file_make(struct sfs_save *s, struct sfs_inode *in, const char *name)
{
	int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0) {
		sfs_save_fail(s, errno);
		return;
	}
	sfs_save_content(s, in, fd);
	sfs_save_attributes(s, in, fd);
	if (close(fd) && !s->err)
		s->err = -errno;
}

/* As the record has it, Linux' 32-bit encoding. */
static dev_t sfs_save_rdev(u32 rdev)
{
	return makedev((rdev & 0xfff00) >> 8, (rdev & 0xff) | (rdev >> 12 & 0xfff00));
}

/* A symlink, a device, a FIFO or a socket.  Not 0: errno. */
static int sfs_save_node_make(struct sfs_save *s, struct sfs_inode *in, const char *name)
{
	char target[SFS_SYMLINK_MAX + 1];

	if (!S_ISLNK(in->i_mode))
		return mknodat(s->fd, name, (in->i_mode & S_IFMT) | 0600,
			       sfs_save_rdev(in->i_rdev)) ? errno : 0;
	if (sfs_symlink_read(in, target, sizeof(target))) {
		sfs_save_lose(s, "its target is lost");
		return -1;
	}
	return symlinkat(target, s->fd, name) ? errno : 0;
}

void sfs_save_make(struct sfs_save *s, struct sfs_inode *in, const char *name)
{
	int err, fd;

	if (S_ISREG(in->i_mode)) {
		sfs_save_file_make(s, in, name);
		return;
	}
	err = sfs_save_node_make(s, in, name);
	if (err == EPERM && !S_ISLNK(in->i_mode)) {
		sfs_save_refuse(s, SFS_REFUSED_NODE, NULL, err);
		return;
	}
	if (err) {
		if (err > 0)
			sfs_save_fail(s, err);
		return;
	}
	fd = openat(s->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		sfs_save_fail(s, errno);
		return;
	}
	sfs_save_attributes(s, in, fd);
	close(fd);
}

/* ---- hard links ---- */

/* The directory of @path, whose last part begins at *@ret_last; or -1. */
static int sfs_save_open_dir(struct sfs_save *s, const char *path, const char **ret_last)
{
	int fd = openat(s->top, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[SFS_NAME_MAX + 1];
	size_t len;

	for (path++; fd >= 0; path += len + 1) {
		int next;

		len = strcspn(path, "/");
		if (!path[len])
			break;
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	*ret_last = path;
	return fd;
}

bool sfs_save_link(struct sfs_save *s, const char *path, const char *name)
{
	const char *last;
	int fd = sfs_save_open_dir(s, path, &last);
	bool done = fd >= 0 && !linkat(fd, last, s->fd, name, 0);

	if (!done)
		sfs_save_refuse(s, SFS_REFUSED_LINK, path, errno);
	if (fd >= 0)
		close(fd);
	return done;
}
