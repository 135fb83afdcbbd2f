/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * operations.h - what faults.c tries, each on /mnt/work, and what it then has promised.
 *
 * Before each there are the files data and victim and the directories dir and dir2; /mnt/many holds
 * 300 names.  An operation returns 0 or -errno and leaves nothing open.
 */
#ifndef SFS_OPERATIONS_H
#define SFS_OPERATIONS_H

#include <dirent.h>
#include <linux/falloc.h>

#include "guest.h"

/* By faults.c: where and how the volume is mounted. */
static const char *mount_options = "";

#define DATA	"/mnt/work/data"
#define OTHER	"/mnt/work/other"
#define DATA_BYTES	(40 * 4096)

static char data[DATA_BYTES];

/* The first failure of a sequence, or 0. */
#define FIRST(call)	do { if ((call) < 0) return -errno; } while (0)

static int done(int fd, int err)
{
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static int op_create(void)
{
	int fd = open(OTHER, O_CREAT | O_EXCL | O_WRONLY, 0600);

	return fd < 0 ? -errno : done(fd, 0);
}

static int op_open_write(const char *path, int flags, off_t pos, size_t nbytes)
{
	int fd = open(path, O_RDWR | flags, 0600);
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	n = pwrite(fd, data, nbytes, pos);
	if (n < 0 || fsync(fd))
		err = -errno;
	else if (n != (ssize_t)nbytes)
		err = -EIO;
	return done(fd, err);
}

static int op_write(void)
{
	return op_open_write(DATA, 0, DATA_BYTES, DATA_BYTES - 100);
}

static int op_write_new(void)
{
	return op_open_write(OTHER, O_CREAT, 0, 10000);
}

static int op_write_far(void)
{
	return op_open_write(DATA, 0, 1LL << 33, 5000);
}

static int op_overwrite(void)
{
	return op_open_write(DATA, 0, 5000, 50000);
}

static int op_direct(void)
{
	static char *buf;
	int fd = open(DATA, O_RDWR | O_DIRECT);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (!buf && posix_memalign((void **)&buf, 4096, 65536))
		abort();
	memset(buf, 'd', 65536);
	if (pwrite(fd, buf, 65536, DATA_BYTES) < 0 || pwrite(fd, buf, 512, 512) < 0 ||
	    pread(fd, buf, 65536, 0) < 0 || fdatasync(fd))
		err = -errno;
	return done(fd, err);
}

static int op_read(void)
{
	static char buf[DATA_BYTES];
	int fd = open(DATA, O_RDONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (read(fd, buf, sizeof(buf)) < 0)
		err = -errno;
	else if (memcmp(buf, data, sizeof(buf)))
		err = -EIO;
	return done(fd, err);
}

static int op_mkdir(void)
{
	FIRST(mkdir(OTHER, 0755));
	return 0;
}

static int op_symlink(void)
{
	static char target[3000];

	memset(target, 's', sizeof(target) - 1);
	FIRST(symlink(target, OTHER));
	FIRST(readlink(OTHER, target, sizeof(target)));
	return 0;
}

static int op_mknod(void)
{
	FIRST(mknod(OTHER, S_IFIFO | 0600, 0));
	return 0;
}

static int op_link(void)
{
	FIRST(link(DATA, OTHER));
	return 0;
}

static int op_unlink(void)
{
	FIRST(unlink(DATA));
	return 0;
}

static int op_rmdir(void)
{
	FIRST(rmdir("/mnt/work/dir"));
	return 0;
}

static int op_rename(void)
{
	FIRST(rename(DATA, "/mnt/work/dir/moved"));
	return 0;
}

static int op_rename_over(void)
{
	FIRST(rename(DATA, "/mnt/work/victim"));
	return 0;
}

static int op_rename_dir(void)
{
	FIRST(rename("/mnt/work/dir", "/mnt/work/dir2/moved"));
	return 0;
}

static int renameat2_flags(unsigned int flags)
{
	FIRST(syscall(SYS_renameat2, AT_FDCWD, DATA, AT_FDCWD,
		      flags & 2 ? "/mnt/work/victim" : OTHER, flags));
	return 0;
}

static int op_exchange(void)
{
	return renameat2_flags(2);
}

static int op_whiteout(void)
{
	return renameat2_flags(4);
}

static int op_tmpfile(void)
{
	char path[64];
	int fd = open("/mnt/work", O_TMPFILE | O_RDWR, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, 9000) < 0 ||
	    linkat(AT_FDCWD, path, AT_FDCWD, OTHER, AT_SYMLINK_FOLLOW))
		err = -errno;
	return done(fd, err);
}

static int op_truncate(void)
{
	FIRST(truncate(DATA, 4096 * 3 + 17));
	return 0;
}

static int op_extend(void)
{
	FIRST(truncate(DATA, 1 << 24));
	return 0;
}

static int op_falloc(int flags, off_t pos, off_t nbytes)
{
	int fd = open(DATA, O_RDWR);

	if (fd < 0)
		return -errno;
	return done(fd, fallocate(fd, flags, pos, nbytes) || fsync(fd) ? -errno : 0);
}

static int op_fallocate(void)
{
	return op_falloc(0, DATA_BYTES / 2, 1 << 20);
}

static int op_punch(void)
{
	return op_falloc(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5000, 50000);
}

static int op_zero(void)
{
	return op_falloc(FALLOC_FL_ZERO_RANGE, 5000, 50000);
}

static int op_setattr(void)
{
	struct timespec times[2] = { { 1, 2 }, { 3, 4 } };

	FIRST(chmod(DATA, 0400));
	FIRST(chown(DATA, 12, 34));
	FIRST(utimensat(AT_FDCWD, DATA, times, 0));
	return 0;
}

static int op_readdir(void)
{
	DIR *dir = opendir("/mnt/many");
	int count = 0;
	int err;

	if (!dir)
		return -errno;
	for (errno = 0; readdir(dir); count++)
		;
	err = -errno;
	closedir(dir);
	return err ? err : count == 302 ? 0 : -ENOENT;
}

/* Enough names that nodes split. */
static int op_many(void)
{
	char name[64];
	int i;

	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "/mnt/work/a name that is long enough to fill nodes %d", i);
		FIRST(mknod(name, S_IFREG | 0600, 0));
	}
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "/mnt/work/a name that is long enough to fill nodes %d", i);
		FIRST(unlink(name));
	}
	return 0;
}

/* Enough extents that the map has nodes, cut down again. */
static int op_extents(void)
{
	int fd = open(OTHER, O_CREAT | O_RDWR, 0600);
	int err = 0;
	int i;

	if (fd < 0)
		return -errno;
	for (i = 0; i < 40 && !err; i++)
		if (pwrite(fd, data, 4096, i * 8192) < 0)
			err = -errno;
	if (!err && (fsync(fd) || ftruncate(fd, 8192)))
		err = -errno;
	return done(fd, err);
}

static int op_remount(void)
{
	FIRST(mount("none", GUEST_DIR, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	FIRST(mount("none", GUEST_DIR, NULL, MS_REMOUNT, NULL));
	return op_create();
}

static int op_sync(void)
{
	int fd = open(DATA, O_RDWR);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, data, 30000, DATA_BYTES) < 0 || syncfs(fd))
		err = -errno;
	return done(fd, err);
}

static int op_umount(void)
{
	int err = op_create();
	int err2 = guest_umount();

	return err ? err : err2;
}

static int op_mount(void)
{
	FIRST(guest_umount() ? -1 : 0);
	return guest_mount(GUEST_DISK, 0, mount_options);
}

/* What an operation that ended in an fsync has promised. */
static bool range_is(const char *path, off_t pos, size_t nbytes, char c)
{
	static char buf[2 * DATA_BYTES];
	int fd = open(path, O_RDONLY);
	bool good = fd >= 0 && pread(fd, buf, nbytes, pos) == (ssize_t)nbytes && buf[0] == c &&
		    !memcmp(buf, buf + 1, nbytes - 1);

	close(fd);
	return good;
}

static bool kept_write(void)
{
	return range_is(DATA, 0, 2 * DATA_BYTES - 100, 'x');
}

static bool kept_write_new(void)
{
	return range_is(OTHER, 0, 10000, 'x');
}

static bool kept_write_far(void)
{
	return range_is(DATA, 1LL << 33, 5000, 'x') && range_is(DATA, DATA_BYTES, 100000, 0);
}

static bool kept_direct(void)
{
	return range_is(DATA, DATA_BYTES, 65536, 'd') && range_is(DATA, 512, 512, 'd') &&
	       range_is(DATA, 4096, 4096, 'x');
}

static bool kept_punch(void)
{
	return range_is(DATA, 5000, 50000, 0) && range_is(DATA, 0, 5000, 'x') &&
	       range_is(DATA, 55000, 20000, 'x');
}

static const struct op {
	const char *name;
	int (*act)(void);
	bool (*kept)(void);		/* after success and a new mount */
} ops[] = {
	{ "mount", op_mount, NULL }, { "create", op_create, NULL },
	{ "write and fsync", op_write, kept_write },
	{ "write a new file", op_write_new, kept_write_new },
	{ "write far behind the end", op_write_far, kept_write_far },
	{ "overwrite", op_overwrite, NULL }, { "direct I/O", op_direct, kept_direct },
	{ "read", op_read, NULL }, { "mkdir", op_mkdir, NULL }, { "symlink", op_symlink, NULL },
	{ "mknod", op_mknod, NULL }, { "link", op_link, NULL }, { "unlink", op_unlink, NULL },
	{ "rmdir", op_rmdir, NULL }, { "rename", op_rename, NULL },
	{ "rename over", op_rename_over, NULL }, { "rename a directory", op_rename_dir, NULL },
	{ "rename EXCHANGE", op_exchange, NULL }, { "rename WHITEOUT", op_whiteout, NULL },
	{ "tmpfile and link", op_tmpfile, NULL }, { "truncate", op_truncate, NULL },
	{ "extend", op_extend, NULL }, { "fallocate", op_fallocate, NULL },
	{ "punch", op_punch, kept_punch }, { "zero range", op_zero, kept_punch },
	{ "setattr", op_setattr, NULL }, { "readdir", op_readdir, NULL },
	{ "many names", op_many, NULL }, { "many extents", op_extents, NULL },
	{ "remount", op_remount, NULL }, { "sync", op_sync, NULL },
	{ "unmount", op_umount, NULL },
};

#endif
