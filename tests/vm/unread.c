// SPDX-License-Identifier: GPL-2.0-only
/*
 * unread.c - files whose cut stops at a block that cannot be read, and which grow afterwards.
 *
 * usage: unread DIR
 * Of each file the node that its end lies in fails to be read once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap/tap.h"

#define BLOCK	4096
#define SHORT	(BLOCK + 100)		/* what remains of a file */
#define LONG	(399 * BLOCK)

static char *buf;

/* Is [@from, @end) of the file zero? */
static bool is_zero(int fd, off_t from, off_t end)
{
	ssize_t n;
	ssize_t i;

	for (; from < end; from += n) {
		n = pread(fd, buf, BLOCK, from);
		TAP_REQUIRE(n > 0, "it is read");
		for (i = 0; i < n && from + i < end; i++)
			if (buf[i])
				return false;
	}
	return true;
}

static int cut(const char *name, int flags)
{
	int fd = open(name, O_RDWR | flags);
	struct stat st;

	TAP_REQUIRE(fd >= 0, "%s is opened", name);
	TAP_EQ(ftruncate(fd, SHORT) ? errno : 0, EIO, "%s cannot be cut", name);
	TAP_OK(!fstat(fd, &st) && st.st_size == SHORT, "but is as short");
	return fd;
}

static void stretched(void)
{
	int fd = cut("stretched", 0);

	TAP_OK(!ftruncate(fd, LONG), "it grows");
	TAP_OK(is_zero(fd, SHORT, LONG), "and shows nothing that it had there");
	close(fd);
}

static void appended(void)
{
	int fd = cut("appended", 0);

	TAP_OK(pwrite(fd, "end", 3, LONG) == 3, "something is written behind its end");
	TAP_OK(is_zero(fd, SHORT, LONG), "and shows nothing that it had there");
	close(fd);
}

static void direct(void)
{
	int fd = cut("direct", O_DIRECT);

	memset(buf, 'd', BLOCK);
	TAP_EQ(pwrite(fd, buf, BLOCK, LONG), BLOCK, "a block is written behind its end");
	close(fd);
	fd = open("direct", O_RDONLY);
	TAP_OK(fd >= 0 && is_zero(fd, SHORT, LONG), "and shows nothing that it had there");
	close(fd);
}

static void reserved(void)
{
	int fd = cut("reserved", 0);

	TAP_OK(!fallocate(fd, 0, 0, LONG), "all of it is reserved");
	TAP_OK(is_zero(fd, SHORT, LONG), "and shows nothing that it had there");
	close(fd);
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 2 && !chdir(argv[1]), "usage: unread DIR");
	buf = aligned_alloc(BLOCK, BLOCK);
	TAP_REQUIRE(buf, "a buffer");
	stretched();
	appended();
	direct();
	reserved();
	return tap_done();
}
