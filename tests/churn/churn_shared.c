// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn_shared.c - one directory where everything may happen to a name at any time.
 *
 * Only the answers that a race explains are taken.  A file there holds, byte by byte, nothing or
 * its own stamp: that of its inode and the time it was made.  Some files are written by mappings,
 * the others past the cache, never both: the kernel itself calls that a collision, with EIO.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "churn.h"

#define SHARED_OWNER	99

static void contested(long ret, bool grows, const char *what)
{
	static const int expected[] = {
		ENOENT, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY,
		EINVAL,			/* renamed into itself, or read as a link */
		ELOOP,			/* opened: a link */
		ENXIO,			/* opened: a whiteout */
		ENAMETOOLONG,		/* on the way: a link */
		EPERM,			/* linked: a directory */
	};
	unsigned int i;

	for (i = 0; ret < 0 && i < sizeof(expected) / sizeof(expected[0]); i++)
		if (errno == expected[i]) {
			did(-1, errno, what);
			return;
		}
	if (grows)
		grew(ret, 0, what);
	else
		did(ret, 0, what);
}

static void shared_path(char *path, unsigned int n)
{
	sprintf(path, "%s/%u a shared name with some length", n % 3 ? "shared" : "shared/in", n);
}

/* One in four below another, so that directories are moved that are not empty. */
static void any(char *path)
{
	shared_path(path, rnd(SHARED_NAMES));
	if (!rnd(4))
		sprintf(path + strlen(path), "/%u", rnd(2));
}

/* What its stamps must say, whoever writes them. */
static uint32_t identity(int fd)
{
	struct statx st;

	must(statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st), 0, "statx");
	return st.stx_ino ^ st.stx_btime.tv_nsec ^ st.stx_btime.tv_sec << 16;
}

static void check_shared(int fd)
{
	static unsigned char want[FILE_BYTES];
	ssize_t i, n = pread(fd, bounce, FILE_BYTES, 0);

	if (!must(n, 0, "read"))
		return;
	stamp(want, SHARED_OWNER, identity(fd), 0, 0, n);
	errno = 0;
	for (i = 0; i < n; i++)
		if (bounce[i] && bounce[i] != want[i]) {
			uint32_t s[4];

			memcpy(s, bounce + i / sizeof(s) * sizeof(s), sizeof(s));
			bad("shared: byte %zd of %zd is %02x, not %02x: %08x %08x %08x %08x", i, n,
			    bounce[i], want[i], s[0], s[1], s[2], s[3]);
		}
}

static void shared_write_fd(int fd)
{
	off_t pos = rnd(FILE_BYTES - 10000);
	size_t nbytes = 1 + rnd(9999);

	stamp(bounce, SHARED_OWNER, identity(fd), 0, pos, nbytes);
	grew(pwrite(fd, bounce, nbytes, pos), 0, "shared write");
}

/* A regular file of the kind that is written by mappings, or of the other; -1 if it is none. */
static int shared_open(int flags, bool mapped)
{
	struct stat st;
	char path[64];
	int fd;

	any(path);
	fd = open(path, O_NOFOLLOW | O_NONBLOCK | flags);
	contested(fd, false, "shared open");
	if (fd < 0)
		return -1;
	must(fstat(fd, &st), 0, "fstat");
	if (S_ISREG(st.st_mode) && (st.st_ino & 1) == mapped)
		return fd;
	close(fd);
	return -1;
}

static void shared_direct(int unused)
{
	off_t pos = rnd(FILE_BYTES / BLOCK - 8) * BLOCK;
	size_t nbytes = (1 + rnd(8)) * BLOCK;
	int fd = shared_open(O_RDWR | O_DIRECT, false);

	(void)unused;
	if (fd < 0)
		return;
	stamp(bounce, SHARED_OWNER, identity(fd), 0, pos, nbytes);
	grew(pwrite(fd, bounce, nbytes, pos), 0, "shared direct write");
	check_shared(fd);
	close(fd);
}

static void shared_map(int unused)
{
	off_t pos = rnd(FILE_BYTES - 20000);
	size_t nbytes = 1 + rnd(19999);
	int fd = shared_open(O_RDWR, true);
	unsigned char *map;

	(void)unused;
	if (fd < 0)
		return;
	map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		bad("mmap");
	stamp(bounce, SHARED_OWNER, identity(fd), 0, pos, nbytes);
	if (map_store(map, pos, pos + nbytes) == pos + (off_t)nbytes)
		did(0, 0, "shared store to a mapping");
	munmap(map, FILE_BYTES);
	check_shared(fd);
	close(fd);
}

static void shared_create(int unused)
{
	char path[64];
	int fd;

	(void)unused;
	any(path);
	fd = open(path, O_CREAT | O_RDWR | O_NOFOLLOW, 0600);
	contested(fd, true, "shared create");
	if (fd < 0)
		return;
	if (rnd(2))
		shared_write_fd(fd);
	check_shared(fd);
	close(fd);
}

/* @what: a cut, a hole, a preallocation or zeros. */
static void shared_cut(int what)
{
	char path[64];
	int fd;

	any(path);
	fd = open(path, O_RDWR | O_NOFOLLOW);
	contested(fd, false, "shared open");
	if (fd < 0)
		return;
	if (what == 0)
		grew(ftruncate(fd, rnd(FILE_BYTES)), 0, "shared ftruncate");
	else if (what == 1)
		grew(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, rnd(60000),
			       1 + rnd(60000)), 0, "shared punch");
	else if (what == 2)
		grew(fallocate(fd, 0, rnd(60000), 1 + rnd(60000)), 0, "shared fallocate");
	else
		grew(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, rnd(60000),
			       1 + rnd(60000)), 0, "shared zero range");
	check_shared(fd);
	close(fd);
}

static void shared_sync(int unused)
{
	char path[64];
	int fd;

	(void)unused;
	any(path);
	fd = open(path, O_RDWR | O_NOFOLLOW);
	contested(fd, false, "shared open");
	if (fd < 0)
		return;
	did(fsync(fd), 0, "shared fsync");
	close(fd);
}

static void shared_mkdir(int unused)
{
	char path[64];

	(void)unused;
	any(path);
	contested(mkdir(path, 0755), true, "shared mkdir");
}

static void shared_rmdir(int unused)
{
	char path[64];

	(void)unused;
	any(path);
	contested(rmdir(path), false, "shared rmdir");
}

static void shared_unlink(int unused)
{
	char path[64];

	(void)unused;
	any(path);
	contested(unlink(path), false, "shared unlink");
}

static void shared_symlink(int is_long)
{
	static char target[TARGET_MAX + 1];
	char path[64];

	any(path);
	target_make(target, me, ++self->serials,
		    is_long ? 1000 + rnd(TARGET_MAX - 999) : TARGET_MIN + rnd(60));
	contested(symlink(target, path), true, "shared symlink");
}

static void shared_readlink(int unused)
{
	static char got[TARGET_MAX + 2];
	char path[64];
	ssize_t n;

	(void)unused;
	any(path);
	n = readlink(path, got, sizeof(got) - 1);
	contested(n, false, "shared readlink");
	if (n >= 0 && !target_valid(got, n))
		bad("shared readlink: %zd bytes that nobody wrote: %.40s", n, got);
}

static void shared_link(int unused)
{
	char path[64], other[64];

	(void)unused;
	any(path);
	any(other);
	contested(link(path, other), true, "shared link");
}

static void shared_rename(int flags)
{
	char path[64], other[64];

	any(path);
	any(other);
	contested(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, flags), true,
		  "shared rename");
}

static void shared_tmpfile(int unused)
{
	char path[64], from[64];
	int fd;

	(void)unused;
	any(path);
	fd = open("shared", O_TMPFILE | O_RDWR, 0600);
	if (!grew(fd, 0, "shared O_TMPFILE"))
		return;
	shared_write_fd(fd);
	sprintf(from, "/proc/self/fd/%d", fd);
	contested(linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW), true,
		  "shared link of a nameless file");
	check_shared(fd);
	close(fd);
}

static void shared_stat(int unused)
{
	struct stat st;
	char path[64];

	(void)unused;
	any(path);
	contested(lstat(path, &st), false, "shared stat");
}

static void shared_list(int unused)
{
	struct dirent *d;
	int count = 0;
	DIR *list;

	(void)unused;
	list = opendir("shared");
	must(list ? 0 : -1, 0, "opendir");
	for (errno = 0; (d = readdir(list)); errno = 0, count++)
		if (d->d_type == DT_UNKNOWN)
			bad("shared readdir: %s has no type", d->d_name);
	did(errno ? -1 : 0, 0, "shared readdir");
	closedir(list);
	if (count > 5 * SHARED_NAMES)
		bad("shared readdir: %d names", count);
}

static void verify_name(const char *path)
{
	static char got[TARGET_MAX + 2];
	char below[1024];
	struct stat st;
	ssize_t n;
	int fd;

	if (lstat(path, &st)) {
		must(-1, ENOENT, "lstat");
	} else if (S_ISREG(st.st_mode)) {
		fd = open(path, O_RDONLY);
		must(fd, 0, "open");
		check_shared(fd);
		close(fd);
	} else if (S_ISLNK(st.st_mode)) {
		n = readlink(path, got, sizeof(got) - 1);
		must(n, 0, "readlink");
		if (!target_valid(got, n))
			bad("%s: a target that nobody wrote: %.40s", path, got);
	} else if (S_ISDIR(st.st_mode)) {
		for (n = 0; n < 2; n++) {
			snprintf(below, sizeof(below), "%s/%zd", path, n);
			verify_name(below);
		}
	}
}

void verify_shared(void)
{
	unsigned int n;
	char path[64];

	for (n = 0; n < SHARED_NAMES; n++) {
		shared_path(path, n);
		verify_name(path);
	}
}

const struct op shared_ops[] = {
	{ "shared create", 10, shared_create, 0 },
	{ "shared truncate", 3, shared_cut, 0 },
	{ "shared punch", 2, shared_cut, 1 },
	{ "shared fallocate", 2, shared_cut, 2 },
	{ "shared zero range", 2, shared_cut, 3 },
	{ "shared direct write", 5, shared_direct, 0 },
	{ "shared mmap", 5, shared_map, 0 },
	{ "shared fsync", 2, shared_sync, 0 },
	{ "shared mkdir", 4, shared_mkdir, 0 },
	{ "shared rmdir", 4, shared_rmdir, 0 },
	{ "shared unlink", 8, shared_unlink, 0 },
	{ "shared symlink", 2, shared_symlink, 0 },
	{ "shared long symlink", 6, shared_symlink, 1 },
	{ "shared readlink", 5, shared_readlink, 0 },
	{ "shared link", 5, shared_link, 0 },
	{ "shared rename", 6, shared_rename, 0 },
	{ "shared rename noreplace", 2, shared_rename, RENAME_NOREPLACE },
	{ "shared rename exchange", 3, shared_rename, RENAME_EXCHANGE },
	{ "shared rename whiteout", 3, shared_rename, RENAME_WHITEOUT },
	{ "shared tmpfile", 3, shared_tmpfile, 0 },
	{ "shared stat", 4, shared_stat, 0 },
	{ "shared readdir", 3, shared_list, 0 },
};
const unsigned int shared_ops_count = sizeof(shared_ops) / sizeof(shared_ops[0]);
