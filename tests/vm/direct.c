// SPDX-License-Identifier: GPL-2.0-only
/*
 * direct.c - O_DIRECT beside the page cache: who may wait, who may not, and what a writer loses.
 *
 * RWF_NOWAIT says "rather not at all than wait": each case that must wait is tried and must be
 * refused with EAGAIN, without having changed anything.  A writer who is not the owner takes the
 * set-user-ID bit away, however he writes.  And two views of one file, through the page cache and
 * past it, written by many at once, show one content.
 *
 * usage: direct DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tap/tap.h"

#define BLOCK		4096
#define NBLOCKS		64
#define NOBODY		65534
#define WRITERS		4
#define ROUNDS		200

static char *block;		/* NBLOCKS of them, aligned */

static ssize_t write_at(int fd, size_t nbytes, off_t pos, int flags)
{
	struct iovec iov = { block, nbytes };

	return pwritev2(fd, &iov, 1, pos, flags);
}

static bool would_wait(int fd, size_t nbytes, off_t pos)
{
	return write_at(fd, nbytes, pos, RWF_NOWAIT) < 0 && errno == EAGAIN;
}

static int make(const char *name, int flags, mode_t mode)
{
	int fd = open(name, flags | O_RDWR | O_CREAT | O_TRUNC, mode);

	TAP_REQUIRE(fd >= 0 && !fchmod(fd, mode), "%s is made", name);
	return fd;
}

/* The time of change may be due, for which one waits; just after another write it is not. */
static bool overwrite(int fd)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (write_at(fd, BLOCK, 3 * BLOCK, 0) != BLOCK)
			return false;
		if (write_at(fd, 2 * BLOCK, BLOCK, RWF_NOWAIT) == 2 * BLOCK)
			return true;
		if (errno != EAGAIN)
			return false;
	}
	return false;
}

static void nowait(void)
{
	int fd = make("nowait", O_DIRECT, 0644);
	struct iovec iov = { block, BLOCK };
	struct stat st;

	memset(block, 'w', NBLOCKS * BLOCK);
	TAP_REQUIRE(write_at(fd, 4 * BLOCK, 0, 0) == 4 * BLOCK && !ftruncate(fd, 8 * BLOCK) &&
		    !fsync(fd), "four blocks and a hole of four");
	TAP_OK(overwrite(fd), "blocks that are there are overwritten");
	TAP_OK(would_wait(fd, BLOCK, 5 * BLOCK), "a hole is not filled");
	TAP_OK(would_wait(fd, BLOCK, 8 * BLOCK), "the file is not made longer");
	TAP_OK(would_wait(fd, 512, 512), "a part of a block is not written");
	TAP_OK(!fstat(fd, &st) && st.st_size == 8 * BLOCK && st.st_blocks == 4 * BLOCK / 512,
	       "the refused changed nothing");
	TAP_EQ(preadv2(fd, &iov, 1, 0, RWF_NOWAIT), BLOCK, "what is there is read");
	close(fd);
}

/* The block as @flags let a stranger write it: is the bit gone afterwards? */
static void lose_setuid(const char *name, int flags, size_t nbytes, off_t pos)
{
	struct stat st;
	int status;
	int fd = make(name, 0, 04777);

	TAP_REQUIRE(write_at(fd, NBLOCKS * BLOCK, 0, 0) == NBLOCKS * BLOCK && !fsync(fd) &&
		    !fchmod(fd, 04777), "%s has the bit", name);
	close(fd);
	if (!fork()) {
		fd = setuid(NOBODY) ? -1 : open(name, flags | O_WRONLY);
		_exit(fd < 0 || write_at(fd, nbytes, pos, 0) != (ssize_t)nbytes);
	}
	TAP_OK(wait(&status) > 0 && !status, "%s: another user writes", name);
	TAP_OK(!stat(name, &st) && (st.st_mode & 07777) == 0777, "%s: the bit is gone", name);
}

/* Each writer has its own blocks of one file, and its own way to write them. */
static void write_own(int which)
{
	int fd = open("shared", O_RDWR | (which & 1 ? O_DIRECT : 0));
	int round;

	for (round = 0; fd >= 0 && round < ROUNDS; round++) {
		off_t pos = (off_t)((round * 7 % (NBLOCKS / WRITERS)) * WRITERS + which) * BLOCK;

		memset(block, 'a' + which, BLOCK);
		if (write_at(fd, BLOCK, pos, 0) != BLOCK)
			_exit(1);
	}
	_exit(fd < 0);
}

static bool has_only(int fd, off_t pos, char c)
{
	int i;

	if (pread(fd, block, BLOCK, pos) != BLOCK)
		return false;
	for (i = 0; i < BLOCK; i++)
		if (block[i] != c)
			return false;
	return true;
}

/* What was only promised to a buffered writer is met by a direct one, and the other way round. */
static void together(void)
{
	int fd = make("shared", 0, 0644);
	int direct = open("shared", O_RDONLY | O_DIRECT);
	int wrong = 0;
	int status;
	int bad = 0;
	int i;

	TAP_REQUIRE(!ftruncate(fd, NBLOCKS * BLOCK) && direct >= 0, "a file that is one hole");
	for (i = 0; i < WRITERS; i++)
		if (!fork())
			write_own(i);
	while (wait(&status) > 0)
		bad += status != 0;
	TAP_EQ(bad, 0, "%d writers, every other past the page cache", WRITERS);
	for (i = 0; i < NBLOCKS; i++)
		wrong += !has_only(fd, (off_t)i * BLOCK, 'a' + i % WRITERS);
	TAP_EQ(wrong, 0, "each block is its writer's, through the page cache");
	TAP_REQUIRE(!fsync(fd), "synced");
	for (i = 0; i < NBLOCKS; i++)
		wrong += !has_only(direct, (off_t)i * BLOCK, 'a' + i % WRITERS);
	TAP_EQ(wrong, 0, "and past it");
	close(direct);
	close(fd);
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 2 && !chdir(argv[1]) && !chmod(".", 0777), "usage: direct DIR");
	TAP_REQUIRE(!posix_memalign((void **)&block, BLOCK, NBLOCKS * BLOCK), "memory");
	nowait();
	lose_setuid("setuid-buffered", 0, BLOCK, 0);
	lose_setuid("setuid-direct", O_DIRECT, BLOCK, 0);
	lose_setuid("setuid-part", O_DIRECT, 512, 512);
	together();
	return tap_done();
}
