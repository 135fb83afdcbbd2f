// SPDX-License-Identifier: GPL-2.0-only
/*
 * damaged.c - a volume on which damage is found while it is used: nobody falls over it, and nobody
 * is told that something was written which cannot be.
 *
 * usage: damaged pieces|writer|panic DIR
 *	pieces	"pieces" grows, while the bitmap says that nodes of its tree are free
 *	writer	"bad" cannot be read; a file that was open before it was found so is written to
 *	panic	"bad" cannot be read, and that ends the machine
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "tap/tap.h"

#define BLOCK	4096
#define PIECES	4000

static char buf[BLOCK];

/* Every second block: a record each, until the tree has to split. */
static void pieces(void)
{
	int fd = open("pieces", O_RDWR);
	int err = 0;
	int i;

	TAP_REQUIRE(fd >= 0, "a file in pieces");
	for (i = 1; i < PIECES && !err; i += 2) {
		if (pwrite(fd, buf, BLOCK, (off_t)i * 2 * BLOCK) != BLOCK)
			err = errno;
		else if (i % 64 == 1 && fsync(fd))
			err = errno;
	}
	TAP_OK(err == EUCLEAN || err == EROFS || err == EIO, "its writer is told (error %d)", err);
	close(fd);
}

static void writer(void)
{
	int fd = open("good", O_RDWR | O_CREAT, 0644);
	struct stat st;

	TAP_REQUIRE(fd >= 0 && write(fd, buf, BLOCK) == BLOCK && !fsync(fd), "a file is written");
	TAP_EQ(stat("bad/16", &st) ? errno : 0, EBADMSG, "damage is found");
	TAP_EQ(pwrite(fd, buf, BLOCK, 10 * BLOCK) < 0 ? errno : 0, EROFS, "no write into a hole");
	TAP_EQ(pwrite(fd, buf, BLOCK, 0) < 0 ? errno : 0, EROFS, "nor over what is there");
	TAP_EQ(ftruncate(fd, 0) ? errno : 0, EROFS, "nor a truncation");
	TAP_OK(pread(fd, buf, BLOCK, 0) == BLOCK, "but it can be read");
	close(fd);
}

static void stopped(void)
{
	struct stat st;

	TAP_EQ(stat("bad/16", &st) ? errno : 0, EBADMSG, "damage is found");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 3 && !chdir(argv[2]), "usage: damaged pieces|writer|panic DIR");
	if (!strcmp(argv[1], "pieces"))
		pieces();
	else if (!strcmp(argv[1], "panic"))
		stopped();
	else
		writer();
	return tap_done();
}
