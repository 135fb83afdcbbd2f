// SPDX-License-Identifier: GPL-2.0-only
/*
 * moved.c - room in a file of many records comes and goes until the plug is pulled: what is left?
 *
 * Every other block is mapped and holds its number.  One call moves nearly all of them, in many
 * transactions.  Between two of these each block is where it was or where it goes: up to one block
 * all are at the first place, from there on all at the second.
 *
 * usage: moved make|pull|verify DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "tap/tap.h"

#define BLOCK		4096L
#define COLLAPSE	FALLOC_FL_COLLAPSE_RANGE
#define INSERT		FALLOC_FL_INSERT_RANGE
#define RECS		16000L
#define ROOM		5000L		/* blocks that come and go in front of block SEAM */
#define SEAM		11L

static char block[BLOCK] __attribute__((aligned(8)));

/* Negative errno, or 0. */
static int shift(int fd, int mode, long pos, long nbytes)
{
	return fallocate(fd, mode, pos, nbytes) ? -errno : 0;
}

static void make(void)
{
	int fd = open("pulled", O_RDWR | O_CREAT, 0644);
	long i, *word = (long *)block;

	memset(block, 'p', BLOCK);
	for (i = 0; i < RECS; i++) {
		*word = i;
		TAP_REQUIRE(pwrite(fd, block, BLOCK, 2 * i * BLOCK) == BLOCK, "written");
	}
	TAP_OK(!fsync(fd) && !close(fd), "a file of %ld records", RECS);
}

/* Transactions commit all the time, so that one shift is in many of them. */
static void beside(void)
{
	int fd = open("beside", O_RDWR | O_CREAT, 0644);

	while (pwrite(fd, block, 512, lseek(fd, 0, SEEK_END)) == 512 && !fsync(fd))
		;
}

static void pull(void)
{
	int fd = open("pulled", O_RDWR), i;

	if (!fork()) {
		beside();
		_exit(0);
	}
	for (i = 1;; i++) {
		if (shift(fd, INSERT, SEAM * BLOCK, ROOM * BLOCK))
			perror("insert");
		printf("room %d\n", i);
		fflush(stdout);
		if (shift(fd, COLLAPSE, SEAM * BLOCK, ROOM * BLOCK))
			perror("collapse");
		printf("gone %d\n", i);
		fflush(stdout);
	}
}

/* Does block @blk hold number @i? */
static bool has(int fd, long blk, long i)
{
	long *word = (long *)block;

	return pread(fd, block, BLOCK, blk * BLOCK) == BLOCK && *word == i &&
	       block[BLOCK - 1] == 'p';
}

static void verify(void)
{
	int fd = open("pulled", O_RDWR);
	long first = (SEAM + 1) / 2, nfirst, i, at, found = 0;
	struct stat st;

	for (i = 0; i < first; i++)
		if (!has(fd, 2 * i, i))
			break;
	TAP_EQ(i, first, "what is before the seam is there");
	for (; i < RECS && has(fd, 2 * i, i); i++)
		;
	nfirst = i;
	for (; i < RECS && has(fd, 2 * i + ROOM, i); i++)
		;
	TAP_EQ(i, RECS, "%ld blocks are at the first place, the rest at the second", nfirst);
	for (at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0; at += BLOCK)
		found++;
	TAP_EQ(found, RECS, "and there are no others");
	TAP_REQUIRE(!fstat(fd, &st), "fstat");
	TAP_OK(st.st_size == (2 * RECS - 1 + ROOM) * BLOCK ||
	       (st.st_size == (2 * RECS - 1) * BLOCK && nfirst == RECS), "of %ld blocks",
	       (long)st.st_size / BLOCK);
	TAP_EQ(st.st_blocks / 8 >= RECS && st.st_blocks / 8 < RECS + 200, 1, "held");
	/* On with it from there. */
	if (nfirst < RECS)
		TAP_EQ(shift(fd, COLLAPSE, (2 * nfirst - 1) * BLOCK, ROOM * BLOCK), 0,
		       "the room can be taken away");
	else
		TAP_EQ(ftruncate(fd, (2 * RECS - 1) * BLOCK), 0, "the size is set");
	for (i = 0; i < RECS && has(fd, 2 * i, i); i++)
		;
	TAP_EQ(i, RECS, "all at the first place");
	fsync(fd);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 3 || chdir(argv[2])) {
		fprintf(stderr, "usage: moved make|pull|verify DIR\n");
		return 2;
	}
	if (!strcmp(argv[1], "make"))
		make();
	else if (!strcmp(argv[1], "pull"))
		pull();
	else
		verify();
	return tap_done();
}
