// SPDX-License-Identifier: GPL-2.0-only
/*
 * mounts.c - what a mount does besides files: read-only in an emergency, its journal, its options.
 *
 * usage: mounts DIR VERB
 *	emergency	everything becomes read-only while files are open and written to
 *	readdir		a directory listed by system calls of 32 bits
 *	links		names of what has too few links are refused to go, but for the first
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tap/tap.h"

#define WRITERS		8
#define BEFORE_LINES	3000		/* each writer's, before the emergency */

/* Writes and cuts an open file until it is refused. */
static void spin(int writer, int ready)
{
	char name[32];
	long i;
	int fd;

	snprintf(name, sizeof(name), "spin%d", writer);
	fd = open(name, O_RDWR | O_CREAT, 0644);
	for (i = 0; ; i++) {
		if (i == BEFORE_LINES && write(ready, "r", 1) != 1)
			_exit(1);
		if (pwrite(fd, name, sizeof(name), i % 200 * 512) < 0 ||
		    (i % 8 == 0 && (ftruncate(fd, i % 16 * 4096) || fchmod(fd, 0600 + i % 8))))
			_exit(errno != EROFS && errno != EIO);
	}
}

static bool is_readonly(const char *dir)
{
	FILE *mounts = setmntent("/proc/mounts", "r");
	struct mntent *m;
	bool found = false;

	while (mounts && (m = getmntent(mounts)))
		found |= !strcmp(m->mnt_dir, dir) && hasmntopt(m, "ro");
	endmntent(mounts);
	return found;
}

static void emergency(const char *dir)
{
	int keep = open("kept-open", O_RDWR | O_CREAT, 0644);
	int n, status, refused = 0, ready[2];
	int trigger = open("/proc/sysrq-trigger", O_WRONLY);
	char c;

	TAP_REQUIRE(keep >= 0 && trigger >= 0 && !pipe(ready), "a file is open");
	for (n = 0; n < WRITERS; n++)
		if (!fork())
			spin(n, ready[1]);
	for (n = 0; n < WRITERS; n++)
		TAP_REQUIRE(read(ready[0], &c, 1) == 1, "a writer is busy");
	TAP_REQUIRE(write(trigger, "u", 1) == 1, "an emergency");
	for (n = 0; n < WRITERS; n++)
		refused += wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
	TAP_OK(refused == WRITERS, "all writers are refused");
	while (!is_readonly(dir))
		;
	TAP_OK(true, "the volume is read-only");
}

/* A system call as a 32-bit program makes it; pointers lie below 4 GiB. */
static int call32(int number, long a, long b, long c)
{
	int ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return ret;
}

#define LSEEK32		19
#define GETDENTS32	141
#define NAMES		1000

/* Reads names from where @fd is; the position after name @mark goes to @ret_pos. */
static int list32(int fd, int mark, unsigned int *ret_pos, char *ret_next)
{
	char *buf = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int n, at, names = 0;

	while ((n = call32(GETDENTS32, fd, (long)buf, 4096)) > 0) {
		for (at = 0; at < n; names++) {
			unsigned short len = *(unsigned short *)(buf + at + 8);

			if (names == mark)
				*ret_pos = *(unsigned int *)(buf + at + 4);
			if (names == mark + 1)
				strcpy(ret_next, buf + at + 10);
			at += len;
		}
	}
	munmap(buf, 4096);
	return n < 0 ? n : names;
}

static void list_short(void)
{
	char name[32], want[256] = "", have[256] = "";
	unsigned int pos = 0, unused;
	int i, fd;

	TAP_REQUIRE(!mkdir("dir", 0755), "a directory");
	for (i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "dir/name-%d", i);
		close(open(name, O_WRONLY | O_CREAT, 0644));
	}
	fd = open("dir", O_RDONLY | O_DIRECTORY);
	TAP_OK(list32(fd, 500, &pos, want) == NAMES + 2, "all names are listed");
	TAP_OK(call32(LSEEK32, fd, pos, SEEK_SET) == (int)pos, "back to the middle");
	TAP_OK(list32(fd, -1, &unused, have) == NAMES + 2 - 501 && !strcmp(have, want),
	       "the rest is listed from there");
	TAP_OK(call32(LSEEK32, fd, 0, SEEK_END) > 0 && !list32(fd, -1, &unused, have),
	       "nothing is behind the end");
	close(fd);
}

static void few_links(void)
{
	struct stat st;

	TAP_OK(!stat("a", &st) && !stat("b", &st) && st.st_nlink == 1, "one link, three names");
	TAP_OK(!unlink("a"), "the first goes");
	TAP_OK(unlink("b") && errno == EUCLEAN, "the second does not");
	TAP_OK(!stat("few", &st) && st.st_nlink == 1, "a directory with too few links");
	TAP_OK(rmdir("few/sub") && errno == EUCLEAN, "its subdirectory does not go");
	TAP_OK(rename("few/sub", "sub") && errno == EUCLEAN, "nor is it moved away");
	TAP_OK(!stat("few", &st) && st.st_nlink == 1, "it has as many as before");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc >= 3 && !chdir(argv[1]), "usage: mounts DIR VERB");
	if (!strcmp(argv[2], "emergency"))
		emergency(argv[1]);
	else if (!strcmp(argv[2], "readdir"))
		list_short();
	else if (!strcmp(argv[2], "links"))
		few_links();
	return tap_done();
}
