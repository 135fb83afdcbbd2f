// SPDX-License-Identifier: GPL-2.0-only
/*
 * hammer.c - one of everything that files are for, by several processes, on any filesystem.
 *
 * usage: hammer DIRECTORY
 * What a filesystem may lack (links, attributes, direct I/O) is tried and may fail; what it must
 * have may not, and data is read back.  Half of the files are left for unmount to deal with.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WORKERS	3
#define FILES	60
#define CHUNK	65536

static char buffer[CHUNK] __attribute__((aligned(4096)));
static char back[CHUNK] __attribute__((aligned(4096)));

#define MUST(call) do {									\
	if (!(call)) {									\
		printf("hammer: %s:%d: %s: %s\n", __FILE__, __LINE__, #call,		\
		       strerror(errno));						\
		exit(1);								\
	}										\
} while (0)

static void write_file(const char *name, int number)
{
	size_t nbytes = number % 7 == 0 ? CHUNK * 8 : number * 613 % CHUNK + 1;
	size_t done, part;
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	MUST(fd >= 0);
	for (done = 0; done < nbytes; done += part) {
		part = nbytes - done < CHUNK ? nbytes - done : CHUNK;
		memset(buffer, 'a' + (number + done / CHUNK) % 26, part);
		MUST(write(fd, buffer, part) == (ssize_t)part);
	}
	if (number % 5 == 0)
		MUST(!fsync(fd));
	for (done = 0; done < nbytes; done += part) {
		part = nbytes - done < CHUNK ? nbytes - done : CHUNK;
		memset(buffer, 'a' + (number + done / CHUNK) % 26, part);
		MUST(pread(fd, back, part, done) == (ssize_t)part && !memcmp(buffer, back, part));
	}
	if (number % 3 == 0)
		MUST(!ftruncate(fd, nbytes / 2));
	if (number % 9 == 0)
		(void)!fallocate(fd, 0, nbytes, CHUNK);
	if (number % 11 == 0)
		(void)!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	(void)!fsetxattr(fd, "user.hammer", buffer, number * 37 % 3000 + 1, 0);
	MUST(!close(fd));
}

static void map_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);
	char *map;

	MUST(fd >= 0 && !ftruncate(fd, CHUNK));
	map = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED) {
		memset(map, 'm', CHUNK);
		(void)!msync(map, CHUNK, MS_SYNC);
		munmap(map, CHUNK);
	}
	close(fd);
	fd = open(name, O_RDWR | O_DIRECT);
	if (fd >= 0) {
		(void)!pwrite(fd, buffer, CHUNK, 0);
		(void)!pread(fd, back, CHUNK, 0);
		close(fd);
	}
}

static int list(const char *name, int limit)
{
	DIR *dir = opendir(name);
	int n = 0;

	MUST(dir);
	while (n < limit && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Errors are paths too. */
static void fail_at_much(void)
{
	char long_name[300];

	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	MUST(open(long_name, O_CREAT | O_RDWR, 0600) < 0);
	MUST(open("no/such/file", O_RDONLY) < 0);
	MUST(mkdir("f0/below-a-file", 0755) < 0 && rmdir(".") < 0 && rename("absent", "b") < 0);
}

static void work(const char *dir)
{
	char name[64], other[64], text[256];
	struct statvfs st;
	int i;

	MUST(!mkdir(dir, 0755) && !chdir(dir));
	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		write_file(name, i);
		snprintf(other, sizeof(other), "d%d", i % 8);
		MUST(!mkdir(other, 0755) || errno == EEXIST);
		snprintf(other, sizeof(other), "d%d/l%d", i % 8, i);
		(void)!link(name, other);
		snprintf(other, sizeof(other), "d%d/s%d", i % 8, i);
		(void)!symlink(i % 2 ? "../f1" : "a-target-that-is-long-enough-not-to-fit-in-an-inode/"
			       "a-target-that-is-long-enough-not-to-fit-in-an-inode", other);
		(void)!readlink(other, text, sizeof(text));
		snprintf(other, sizeof(other), "d%d/r%d", i % 8, i);
		if (i % 4 == 1)
			MUST(!rename(name, other));
	}
	map_file("mapped");
	fail_at_much();
	MUST(list(".", 1 << 20) > FILES / 2);
	list(".", 3);
	MUST(!statvfs(".", &st));
	for (i = 0; i < FILES; i += 2) {
		snprintf(name, sizeof(name), "f%d", i);
		MUST(!unlink(name) || errno == ENOENT);
	}
	i = open("orphan", O_CREAT | O_RDWR, 0600);
	MUST(i >= 0 && write(i, buffer, CHUNK) == CHUNK && !unlink("orphan") && !close(i));
}

int main(int argc, char **argv)
{
	char name[32];
	int i, status, bad = 0;

	MUST(argc == 2 && !chdir(argv[1]));
	for (i = 0; i < WORKERS; i++) {
		snprintf(name, sizeof(name), "worker%d", i);
		if (!fork()) {
			work(name);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	sync();
	return bad ? 1 : 0;
}
