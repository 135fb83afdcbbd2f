// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - steps on names and attributes: each inode operation of a directory, and its refusals.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "steps.h"

#define SFS_NAMES	500		/* more than one block of a directory holds */

static bool sfs_touch(const char *name)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);

	return fd >= 0 && !close(fd);
}

static int sfs_rename2(const char *from, const char *to, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static int sfs_count(DIR *d)
{
	int count = 0;

	while (readdir(d))
		count++;
	return count;
}

void sfs_step_create(struct sfs_worker *w)
{
	char name[300];
	struct statx stx;
	bool good = true;
	int i;

	(void)w;
	if (!WANT(!mkdir("names", 0755)))
		return;
	for (i = 0; i < SFS_NAMES && good; i++) {
		snprintf(name, sizeof(name), "names/a name that takes some room, number %d", i);
		good = WANT(sfs_touch(name));
	}
	FAILS(open(name, O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	FAILS(open("names/missing", O_RDONLY), ENOENT);
	FAILS(open("names/missing/x", O_CREAT | O_WRONLY, 0644), ENOENT);
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	FAILS(open(name, O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
	FAILS(open(name, O_RDONLY), ENAMETOOLONG);
	name[255] = '\0';
	WANT(sfs_touch(name));
	WANT(!statx(AT_FDCWD, name, 0, STATX_BASIC_STATS | STATX_BTIME, &stx) &&
	     (stx.stx_mask & STATX_BTIME) && stx.stx_btime.tv_sec >= stx.stx_mtime.tv_sec - 1);
	WANT(!unlink(name));
	FAILS(openat(AT_FDCWD, "names/a name that takes some room, number 0/x", O_RDONLY), ENOTDIR);
}

void sfs_step_readdir(struct sfs_worker *w)
{
	DIR *d = opendir("names");
	char buf[256];
	long where = 0;
	int i;

	(void)w;
	if (!WANT(d))
		return;
	for (i = 0; i < 100; i++) {
		WANT(readdir(d));
		if (i == 49)
			where = telldir(d);
	}
	seekdir(d, where);
	WANT(sfs_count(d) == SFS_NAMES + 2 - 50);
	rewinddir(d);
	WANT(sfs_count(d) == SFS_NAMES + 2);
	WANT(!fsync(dirfd(d)));
	closedir(d);

	/* The reader's buffer is full after a few names: a listing that breaks early. */
	i = open("names", O_RDONLY | O_DIRECTORY);
	WANT(i >= 0 && syscall(SYS_getdents64, i, buf, sizeof(buf)) > 0);
	WANT(lseek(i, 0, SEEK_CUR) > 0);
	FAILS(syscall(SYS_getdents64, i, buf, 8), EINVAL);
	FAILS(read(i, buf, sizeof(buf)), EISDIR);
	close(i);
	FAILS(open("names/a name that takes some room, number 1", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open("names", O_WRONLY), EISDIR);
}

void sfs_step_mkdir(struct sfs_worker *w)
{
	struct stat st;

	(void)w;
	WANT(!mkdir("d", 0755) && !mkdir("d/e", 0700) && !mkdir("d/e/f", 0700));
	WANT(!stat("d", &st) && S_ISDIR(st.st_mode) && st.st_nlink == 3);
	FAILS(mkdir("d", 0755), EEXIST);
	FAILS(rmdir("d"), ENOTEMPTY);
	FAILS(rmdir("names/a name that takes some room, number 2"), ENOTDIR);
	FAILS(unlink("d"), EISDIR);
	FAILS(rmdir("d/missing"), ENOENT);
	WANT(!rmdir("d/e/f") && !rmdir("d/e") && !stat("d", &st) && st.st_nlink == 2);
	WANT(!chdir("d") && !rmdir("../d"));
	FAILS(open("in-a-removed-directory", O_CREAT | O_WRONLY, 0644), ENOENT);
	WANT(!chdir(w->w_volume.v_mnt));
}

void sfs_step_link(struct sfs_worker *w)
{
	char outside[PATH_MAX + 16];
	struct stat st;

	snprintf(outside, sizeof(outside), "%s/outside", w->w_dir);
	WANT(sfs_touch("linked") && !link("linked", "linked-too"));
	WANT(!stat("linked", &st) && st.st_nlink == 2);
	FAILS(link("linked", "linked-too"), EEXIST);
	FAILS(link("names", "names-too"), EPERM);
	FAILS(link("linked", outside), EXDEV);
	FAILS(link("missing", "missing-too"), ENOENT);
	WANT(!unlink("linked") && !stat("linked-too", &st) && st.st_nlink == 1);
	WANT(!unlink("linked-too"));
}

void sfs_step_symlink(struct sfs_worker *w)
{
	char target[4096];
	char got[4096];
	struct stat st;

	(void)w;
	memset(target, 't', sizeof(target));
	target[4095] = '\0';
	WANT(!symlink("names", "short") && !stat("short", &st) && S_ISDIR(st.st_mode));
	WANT(!symlink(target, "long"));
	WANT(readlink("long", got, sizeof(got)) == 4095 && !memcmp(got, target, 4095));
	WANT(!lstat("long", &st) && S_ISLNK(st.st_mode) && st.st_size == 4095);
	FAILS(symlink("x", "short"), EEXIST);
	FAILS(open("long/x", O_RDONLY), ENAMETOOLONG);
	WANT(!symlink("loop-b", "loop-a") && !symlink("loop-a", "loop-b"));
	FAILS(open("loop-a", O_RDONLY), ELOOP);
	FAILS(readlink("names", got, sizeof(got)), EINVAL);
	WANT(!lchown("short", 1, 1) && !lstat("short", &st) && st.st_uid == 1);
	WANT(!unlink("loop-a") && !unlink("loop-b") && !unlink("short") && !unlink("long"));
}

void sfs_step_mknod(struct sfs_worker *w)
{
	struct stat st;
	int fd;

	(void)w;
	WANT(!mkfifo("fifo", 0600) && !lstat("fifo", &st) && S_ISFIFO(st.st_mode));
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	WANT(fd >= 0 && !close(fd));
	FAILS(mkfifo("fifo", 0600), EEXIST);
	WANT(!mknod("null", S_IFCHR | 0600, 0x103) && !lstat("null", &st) && st.st_rdev == 0x103);
	WANT(!mknod("block", S_IFBLK | 0600, 0x701) && !lstat("block", &st) && S_ISBLK(st.st_mode));
	WANT(!mknod("socket", S_IFSOCK | 0600, 0) && !lstat("socket", &st) &&
	     S_ISSOCK(st.st_mode));
	WANT(!unlink("fifo") && !unlink("null") && !unlink("block") && !unlink("socket"));
}

void sfs_step_tmpfile(struct sfs_worker *w)
{
	char path[64];
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	(void)w;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	WANT(fd >= 0 && sfs_pattern_write(fd, 1, 30000));
	WANT(!linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	close(fd);
	WANT(sfs_pattern_is("named", 1, 30000) && !unlink("named"));
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	WANT(fd >= 0 && sfs_pattern_write(fd, 2, 30000));
	FAILS(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), ENOENT);
	close(fd);
}

static void sfs_rename_refusals(struct sfs_worker *w)
{
	char outside[PATH_MAX + 16];

	snprintf(outside, sizeof(outside), "%s/outside", w->w_dir);
	FAILS(sfs_rename2("r/f", "s/g", RENAME_NOREPLACE), EEXIST);
	FAILS(sfs_rename2("r/f", "s/missing", RENAME_EXCHANGE), ENOENT);
	FAILS(sfs_rename2("r/f", "s/x", 1 << 20), EINVAL);
	FAILS(rename("r", "r/sub/x"), EINVAL);
	FAILS(rename("r/f", outside), EXDEV);
	FAILS(rename("r/f", "s"), EISDIR);
	FAILS(rename("r/sub", "s/g"), ENOTDIR);
	FAILS(rename("r/sub", "names"), ENOTEMPTY);
	FAILS(rename("r/missing", "s/x"), ENOENT);
}

void sfs_step_rename(struct sfs_worker *w)
{
	struct stat st;

	WANT(!mkdir("r", 0755) && !mkdir("s", 0755) && !mkdir("r/sub", 0755));
	WANT(sfs_pattern_file("r/f", 3, 5000, false) && sfs_pattern_file("s/g", 4, 6000, false));
	sfs_rename_refusals(w);
	WANT(!sfs_rename2("r/f", "s/g", RENAME_EXCHANGE) && sfs_pattern_is("r/f", 4, 6000) &&
	     sfs_pattern_is("s/g", 3, 5000));
	WANT(!sfs_rename2("r/f", "r/h", RENAME_WHITEOUT) && !lstat("r/f", &st) &&
	     S_ISCHR(st.st_mode) && sfs_pattern_is("r/h", 4, 6000));
	WANT(!rename("s/g", "r/h") && sfs_pattern_is("r/h", 3, 5000));
	WANT(!rename("r/h", "r/a longer name than the one it had before"));
	WANT(!rename("r/sub", "s/sub") && !stat("r", &st) && st.st_nlink == 2);
	WANT(!stat("s", &st) && st.st_nlink == 3);
	WANT(!mkdir("r/sub", 0755) && !rename("r/sub", "s/sub"));
	WANT(!sfs_rename2("r", "s/sub", RENAME_EXCHANGE) && !rmdir("r"));
	WANT(!unlink("s/sub/f") && !unlink("s/sub/a longer name than the one it had before"));
	WANT(!rmdir("s/sub") && !rmdir("s"));
}

void sfs_step_unlink(struct sfs_worker *w)
{
	char name[64];
	bool good = true;
	struct stat st;
	int fd;
	int i;

	(void)w;
	WANT(sfs_pattern_file("open", 5, 100000, true));
	fd = open("open", O_RDWR);
	WANT(fd >= 0 && !unlink("open") && !fstat(fd, &st) && st.st_nlink == 0);
	FAILS(unlink("open"), ENOENT);
	WANT(lseek(fd, 0, SEEK_END) == 100000 && write(fd, "more", 4) == 4 && !fsync(fd));
	close(fd);
	/* Every other one, so that blocks of the directory join; the rest stays for the check. */
	for (i = 0; i < SFS_NAMES && good; i += 2) {
		snprintf(name, sizeof(name), "names/a name that takes some room, number %d", i);
		good = WANT(!unlink(name));
	}
}

/* There may be extended attributes or not; both answers must be clean. */
static void sfs_xattrs(const char *path)
{
	char list[256];
	char value[16];

	errno = 0;
	if (!setxattr(path, "user.test", "value", 5, 0)) {
		WANT(getxattr(path, "user.test", value, sizeof(value)) == 5);
		WANT(listxattr(path, list, sizeof(list)) > 0);
		WANT(!removexattr(path, "user.test"));
		FAILS(getxattr(path, "user.test", value, sizeof(value)), ENODATA);
	} else {
		WANT(errno == EOPNOTSUPP);
		WANT(listxattr(path, list, sizeof(list)) == 0 || errno == EOPNOTSUPP);
	}
}

void sfs_step_attributes(struct sfs_worker *w)
{
	const struct timespec times[2] = { { 1000000000, 123456789 }, { -1, 987654321 } };
	struct stat st = { 0 };
	int fd;

	(void)w;
	WANT(sfs_pattern_file("attr", 6, 10000, false));
	WANT(!chmod("attr", 06751) && !stat("attr", &st) && (st.st_mode & 07777) == 06751);
	WANT(!chown("attr", 12, 34) && !stat("attr", &st) && st.st_uid == 12 && st.st_gid == 34);
	WANT(!(st.st_mode & 06000));
	WANT(!utimensat(AT_FDCWD, "attr", times, 0) && !stat("attr", &st) &&
	     st.st_atim.tv_nsec == 123456789 && st.st_mtim.tv_sec == -1);
	WANT(!truncate("attr", 100) && !truncate("attr", 1 << 20) && !truncate("attr", 0));
	FAILS(truncate("names", 0), EISDIR);
	sfs_xattrs("attr");
	fd = open("attr", O_RDONLY);
	WANT(fd >= 0 && !fcntl(fd, F_SETLEASE, F_RDLCK) && !fcntl(fd, F_SETLEASE, F_UNLCK));
	close(fd);
	WANT(!access("attr", R_OK) && !unlink("attr"));
}
