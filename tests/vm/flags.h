/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flags.h - what the programs share that set flags of inodes: flags.c, projects.c.
 */
#ifndef SFS_FLAGS_H
#define SFS_FLAGS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tap/tap.h"

#define BLOCK		4096

#define COMMON		(FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL)
#define OF_DIRS		(FS_DIRSYNC_FL | FS_PROJINHERIT_FL)

static const struct {
	const char *name;
	unsigned int fl, xfl;
	unsigned long long attr;	/* of statx(2) */
} all[] = {
	{ "append", FS_APPEND_FL, FS_XFLAG_APPEND, STATX_ATTR_APPEND },
	{ "immutable", FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE, STATX_ATTR_IMMUTABLE },
	{ "nodump", FS_NODUMP_FL, FS_XFLAG_NODUMP, STATX_ATTR_NODUMP },
	{ "noatime", FS_NOATIME_FL, FS_XFLAG_NOATIME, 0 },
	{ "sync", FS_SYNC_FL, FS_XFLAG_SYNC, 0 },
	{ "dirsync", FS_DIRSYNC_FL, 0, 0 },
	{ "projinherit", FS_PROJINHERIT_FL, FS_XFLAG_PROJINHERIT, 0 },
};
#define ALL	(sizeof(all) / sizeof(all[0]))
#define ATTRS	(STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE | STATX_ATTR_NODUMP)

static inline int look(const char *path)
{
	/* Of a FIFO nobody waits for the other end. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	TAP_REQUIRE(fd >= 0, "%s is opened", path);
	return fd;
}

static inline int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

static inline int set(const char *path, int flags)
{
	int fd = look(path);
	int err = result(ioctl(fd, FS_IOC_SETFLAGS, &flags));

	close(fd);
	return err;
}

static inline int get(const char *path)
{
	int fd = look(path);
	int flags = -1;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		flags = -errno;
	close(fd);
	return flags;
}

static inline struct fsxattr getx(const char *path)
{
	struct fsxattr x;
	int fd = look(path);

	TAP_REQUIRE(!ioctl(fd, FS_IOC_FSGETXATTR, &x), "%s: FSGETXATTR", path);
	close(fd);
	return x;
}

static inline int setx(const char *path, unsigned int xflags, unsigned int projid,
		       unsigned int extsize)
{
	struct fsxattr x = { .fsx_xflags = xflags, .fsx_projid = projid, .fsx_extsize = extsize };
	int fd = look(path);
	int err = result(ioctl(fd, FS_IOC_FSSETXATTR, &x));

	close(fd);
	return err;
}

static inline struct statx statx_of(const char *path)
{
	struct statx stx;

	TAP_REQUIRE(!statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_ALL, &stx), "%s: statx", path);
	return stx;
}

static inline void make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0666);

	TAP_REQUIRE(fd >= 0 && write(fd, "content", 7) == 7 && !close(fd), "%s is made", path);
}

/* Until a time stamp taken now differs from one taken before. */
static inline void tick(void)
{
	struct timespec from, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &from);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (now.tv_sec == from.tv_sec && now.tv_nsec == from.tv_nsec);
}

static inline bool same(struct statx_timestamp a, struct statx_timestamp b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static inline bool read_moves_atime(const char *path)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	char c;
	int fd;

	TAP_REQUIRE(!utimensat(AT_FDCWD, path, old, 0), "utimensat");
	fd = look(path);
	TAP_REQUIRE(read(fd, &c, 1) == 1 && !close(fd), "read");
	return statx_of(path).stx_atime.tv_sec != 1000;
}

#endif
