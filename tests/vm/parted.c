// SPDX-License-Identifier: GPL-2.0-only
/*
 * parted.c - records that come into the map of a file beside what is promised to it.
 *
 * Files whose extents, and what is promised to them, just fit into the inode; then blocks go from
 * the midst of an extent, and the records do not fit any more.  The volume is full, and more of
 * these files want a first node than there are blocks for what must not fail: nothing is lost.
 *
 * usage: parted punched|collapsed DIR, on a volume of 32 MiB that is all its own, no writeback
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <sys/statvfs.h>

#include "tap/tap.h"

#define BLOCK		4096L
#define FILES		300		/* of 5 blocks, and 13 in memory */
#define DIRTY		13		/* with one extent as many as the inode has room for */
#define EXTENT		64		/* where that is */
#define FAR		65536

static char bytes[5 * BLOCK];
static int fds[FILES];

static struct statvfs space(void)
{
	struct statvfs st;

	TAP_REQUIRE(!statvfs(".", &st), "the free space");
	return st;
}

/* Whatever can still be promised, one block at a time in the end. */
static void fill_up(int fd)
{
	long at = FAR, nblks;

	for (nblks = 64; nblks; nblks /= 2)
		while (!posix_fallocate(fd, at * BLOCK, nblks * BLOCK))
			at += nblks;
}

static void make_files(int ballast)
{
	char name[32];
	long i, n;

	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "parted%ld", i);
		fds[i] = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		TAP_REQUIRE(pwrite(fds[i], bytes, 5 * BLOCK, EXTENT * BLOCK) == 5 * BLOCK,
			    "an extent of %s", name);
	}
	sync();
	n = space().f_bavail - FILES * DIRTY - 4;
	TAP_REQUIRE(!posix_fallocate(ballast, 0, n * BLOCK) && !fsync(ballast), "ballast");
	for (i = 0; i < FILES; i++)
		for (n = 0; n < DIRTY; n++)
			TAP_REQUIRE(pwrite(fds[i], "y", 1, 2 * n * BLOCK) == 1, "a block in memory");
}

static void part(int mode)
{
	long i, n, refused = 0, lost = 0, wrong = 0;
	int ballast = open("ballast", O_RDWR | O_CREAT, 0600);
	char byte;

	make_files(ballast);
	for (i = 0; i < FILES; i++)
		for (n = EXTENT + 3; n > EXTENT; n -= 2)
			refused += !!fallocate(fds[i], mode, n * BLOCK, BLOCK);
	TAP_EQ(refused, 0, "two blocks of each of %d files go", FILES);
	fill_up(ballast);
	for (i = 0; i < FILES; i++)
		lost += !!fsync(fds[i]);
	TAP_EQ(lost, 0, "what was written before arrives");
	printf("# %lu blocks are free, %lu available\n", space().f_bfree, space().f_bavail);
	for (i = 0; i < FILES; i++)
		for (n = 0; n < DIRTY; n++)
			wrong += pread(fds[i], &byte, 1, 2 * n * BLOCK) != 1 || byte != 'y';
	TAP_EQ(wrong, 0, "and is read");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 3 && !chdir(argv[2]), "usage: parted punched|collapsed DIR");
	part(!strcmp(argv[1], "punched") ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE :
					   FALLOC_FL_COLLAPSE_RANGE);
	return tap_done();
}
