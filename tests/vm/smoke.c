// SPDX-License-Identifier: GPL-2.0-only
/*
 * smoke.c - one of everything, on a mounted simplefs, as one program (processes start slowly in a
 * machine without KVM).
 *
 * usage: smoke make DIR | verify DIR | full DIR
 * "make" fills DIR and checks while it does; "verify", after a remount or a crash, checks that what
 * "make" had synced is there.  "full" writes until the volume is full, frees, and goes on.  TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap/tap.h"

#define NAMES		3000
#define BIG_BYTES	(20 << 20)
#define HOLE_AT		(3LL << 30)

static unsigned char pattern(unsigned int file, long long pos)
{
	return (file * 131 + pos * 7 + (pos >> 12) * 13) & 0xff;
}

static void fill(unsigned char *buf, size_t nbytes, unsigned int file, long long pos)
{
	size_t i;

	for (i = 0; i < nbytes; i++)
		buf[i] = pattern(file, pos + i);
}

/* Writes @nbytes of @file's pattern in pieces of odd sizes; true if all went well. */
static bool write_pattern(int fd, unsigned int file, long long nbytes)
{
	unsigned char buf[70001];
	long long pos = 0;

	while (pos < nbytes) {
		size_t piece = nbytes - pos < (long long)sizeof(buf) ? nbytes - pos :
								       (long long)sizeof(buf);

		fill(buf, piece, file, pos);
		if (write(fd, buf, piece) != (ssize_t)piece)
			return false;
		pos += piece;
	}
	return true;
}

static bool file_is(const char *path, unsigned int file, long long nbytes)
{
	static unsigned char got[65536], want[65536];
	int fd = open(path, O_RDONLY);
	long long pos = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, got, sizeof(got))) > 0) {
		fill(want, n, file, pos);
		if (memcmp(got, want, n))
			break;
		pos += n;
	}
	close(fd);
	return n == 0 && pos == nbytes;
}

static bool make_file(const char *path, unsigned int file, long long nbytes, bool sync)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	bool good = fd >= 0 && write_pattern(fd, file, nbytes);

	if (good && sync)
		good = !fsync(fd);
	return !close(fd) && good;
}

static int count_names(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int count = 0;

	if (!d)
		return -1;
	while ((e = readdir(d)))
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

static void many_names(void)
{
	char name[64], to[64];
	bool good = true;
	int i;

	TAP_OK(!mkdir("many", 0755), "mkdir");
	for (i = 0; i < NAMES && good; i++) {
		snprintf(name, sizeof(name), "many/name-%d", i);
		good = !close(open(name, O_CREAT | O_EXCL | O_WRONLY, 0600));
	}
	TAP_OK(good, "%d files created", NAMES);
	TAP_EQ(count_names("many"), NAMES, "all of them listed once");
	TAP_OK(open("many/name-1", O_CREAT | O_EXCL | O_WRONLY, 0600) < 0 && errno == EEXIST,
	       "a name cannot be made twice");
	for (i = 0; i < NAMES && good; i += 2) {
		snprintf(name, sizeof(name), "many/name-%d", i);
		snprintf(to, sizeof(to), "many/a rather longer name, number %d", i);
		good = !rename(name, to);
	}
	TAP_OK(good, "every other one renamed");
	for (i = 1; i < NAMES && good; i += 2) {
		snprintf(name, sizeof(name), "many/name-%d", i);
		good = !unlink(name);
	}
	TAP_OK(good, "the others removed");
	TAP_EQ(count_names("many"), NAMES / 2, "the renamed ones listed");
	TAP_OK(rmdir("many") && errno == ENOTEMPTY, "a directory with names stays");
}

static void links_and_nodes(void)
{
	char target[4096], got[4096];
	struct stat st;
	int fd;

	memset(target, 't', sizeof(target));
	target[4095] = '\0';
	TAP_OK(!symlink("big", "short-link"), "short symlink");
	TAP_OK(!symlink(target, "long-link"), "symlink of 4095 bytes");
	TAP_OK(readlink("long-link", got, sizeof(got)) == 4095 && !memcmp(got, target, 4095),
	       "and its target comes back");
	TAP_OK(!link("big", "big-too") && !stat("big", &st) && st.st_nlink == 2, "hard link");
	TAP_OK(!mkfifo("fifo", 0600) && !lstat("fifo", &st) && S_ISFIFO(st.st_mode), "fifo");
	TAP_OK(!mknod("dev", S_IFCHR | 0600, 0x1234) && !lstat("dev", &st) && st.st_rdev == 0x1234,
	       "device node");
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	TAP_OK(fd >= 0 && write_pattern(fd, 9, 10000), "tmpfile written");
	snprintf(got, sizeof(got), "/proc/self/fd/%d", fd);
	TAP_OK(!linkat(AT_FDCWD, got, AT_FDCWD, "from-tmpfile", AT_SYMLINK_FOLLOW) &&
	       file_is("from-tmpfile", 9, 10000), "and given a name");
	close(fd);
}

static int rename2(const char *from, const char *to, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void renames(void)
{
	struct stat st;

	mkdir("d1", 0755);
	mkdir("d2", 0755);
	make_file("d1/f", 1, 5000, false);
	make_file("d2/g", 2, 6000, false);
	TAP_OK(rename2("d1/f", "d2/g", RENAME_NOREPLACE) && errno == EEXIST, "rename NOREPLACE");
	TAP_OK(!rename2("d1/f", "d2/g", RENAME_EXCHANGE) && file_is("d1/f", 2, 6000) &&
	       file_is("d2/g", 1, 5000), "rename EXCHANGE");
	TAP_OK(!rename2("d1/f", "d1/h", RENAME_WHITEOUT) && !lstat("d1/f", &st) &&
	       S_ISCHR(st.st_mode) && file_is("d1/h", 2, 6000), "rename WHITEOUT");
	TAP_OK(!rename("d2/g", "d1/h") && file_is("d1/h", 1, 5000), "rename over a file");
	TAP_OK(!mkdir("d1/sub", 0755) && !rename("d1/sub", "d2/sub") && !stat("d1", &st) &&
	       st.st_nlink == 2, "a directory moves and its parents know");
	TAP_OK(!stat("d2", &st) && st.st_nlink == 3, "both of them");
	TAP_OK(rename("d2", "d2/sub/x") && errno == EINVAL, "not into itself");
}

static void sparse_and_mmap(void)
{
	unsigned char zero[4096] = { 0 }, buf[4096];
	int fd = open("sparse", O_RDWR | O_CREAT, 0644);
	struct stat st;
	char *map;

	TAP_OK(pwrite(fd, "end", 3, HOLE_AT) == 3 && !fsync(fd), "a byte at 3 GiB");
	TAP_OK(!fstat(fd, &st) && st.st_size == HOLE_AT + 3 && st.st_blocks <= 16,
	       "takes next to no space");
	TAP_OK(pread(fd, buf, 4096, HOLE_AT / 2) == 4096 && !memcmp(buf, zero, 4096),
	       "the hole reads as zeros");
	TAP_OK(lseek(fd, 0, SEEK_DATA) == HOLE_AT, "SEEK_DATA finds it");
	TAP_OK(!ftruncate(fd, 8192), "truncate");
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(map != MAP_FAILED, "mmap");
	strcpy(map + 5000, "mapped");
	TAP_OK(!msync(map, 8192, MS_SYNC) && pread(fd, buf, 7, 5000) == 7 &&
	       !strcmp((char *)buf, "mapped"), "written through a mapping");
	munmap(map, 8192);
	TAP_OK(!fallocate(fd, 0, 0, 1 << 20) && !fstat(fd, &st) && st.st_size == 1 << 20 &&
	       st.st_blocks >= 2048, "fallocate");
	TAP_OK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096) &&
	       pread(fd, buf, 4096, 4096) == 4096 && !memcmp(buf, zero, 4096), "punched");
	close(fd);
}

static void direct_io(void)
{
	int fd = open("direct", O_RDWR | O_CREAT | O_DIRECT, 0644);
	unsigned char *buf;
	bool good = true;
	int i;

	TAP_REQUIRE(!posix_memalign((void **)&buf, 4096, 65536), "memory");
	for (i = 0; i < 32 && good; i++) {
		fill(buf, 65536, 5, i * 65536LL);
		good = write(fd, buf, 65536) == 65536;
	}
	TAP_OK(good && file_is("direct", 5, 32 * 65536), "direct writes, read back buffered");
	TAP_OK(pread(fd, buf, 4096, 8192) == 4096 && buf[1] == pattern(5, 8193), "direct read");
	close(fd);
	free(buf);
}

static void make(void)
{
	many_names();
	TAP_OK(make_file("big", 3, BIG_BYTES, true), "%d MiB written and synced", BIG_BYTES >> 20);
	TAP_OK(file_is("big", 3, BIG_BYTES), "and read back");
	links_and_nodes();
	renames();
	sparse_and_mmap();
	direct_io();
	TAP_OK(make_file("gone", 4, 300000, false) && !unlink("gone"), "written and removed");
	sync();
}

static void verify(void)
{
	struct stat st;

	TAP_OK(file_is("big", 3, BIG_BYTES), "the big file is whole");
	TAP_OK(file_is("big-too", 3, BIG_BYTES), "under its other name as well");
	TAP_EQ(count_names("many"), NAMES / 2, "all names are there");
	TAP_OK(file_is("direct", 5, 32 * 65536), "what went directly is there");
	TAP_OK(file_is("d1/h", 1, 5000), "the renamed file is there");
	TAP_OK(file_is("from-tmpfile", 9, 10000), "the file that had no name is there");
	TAP_OK(lstat("gone", &st) && errno == ENOENT, "what was removed is not");
}

static void full(void)
{
	static unsigned char buf[1 << 20];
	struct statvfs before, after;
	int fd = open("filler", O_WRONLY | O_CREAT, 0644);
	long long nbytes = 0;
	ssize_t n;

	statvfs(".", &before);
	while ((n = write(fd, buf, sizeof(buf))) > 0)
		nbytes += n;
	TAP_OK(n < 0 && errno == ENOSPC, "the volume gets full after %lld bytes", nbytes);
	TAP_OK(!fsync(fd), "and what was written is safe");
	TAP_OK(open("no-room", O_CREAT | O_WRONLY, 0644) >= 0 || errno == ENOSPC, "names or ENOSPC");
	close(fd);
	TAP_OK(!unlink("filler"), "remove it");
	sync();
	statvfs(".", &after);
	TAP_OK(after.f_bfree + 16 >= before.f_bfree, "the space is back: %lu of %lu blocks",
	       after.f_bfree, before.f_bfree);
	TAP_OK(make_file("after", 6, 5 << 20, true) && file_is("after", 6, 5 << 20),
	       "and can be used");
	unlink("after");
	unlink("no-room");
}

int main(int argc, char **argv)
{
	if (argc != 3 || chdir(argv[2])) {
		fprintf(stderr, "usage: smoke make|verify|full DIR\n");
		return 2;
	}
	if (!strcmp(argv[1], "make"))
		make();
	else if (!strcmp(argv[1], "verify"))
		verify();
	else if (!strcmp(argv[1], "full"))
		full();
	return tap_done();
}
