// SPDX-License-Identifier: GPL-2.0-only
/*
 * stale.c - writeback of a file whose end is punched out and written again meanwhile.
 *
 * While one process pushes a large dirty file to the disk, another frees the file's last blocks and
 * writes new data there.  Writeback that still believes its old answer would put the new data into
 * blocks that are no longer the file's; after the page cache is dropped the file shows it.
 *
 * usage: stale DIR ROUNDS
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/falloc.h>

#define MIB	(1024 * 1024L)
#define HEAD	(160 * MIB)
#define TAIL	(2 * MIB)

static char chunk[MIB];

static void fail(const char *what)
{
	printf("not ok 1 - %s\n", what);
	exit(1);
}

static void fill(int fd, long from, long to, int c)
{
	memset(chunk, c, sizeof(chunk));
	for (; from < to; from += MIB)
		if (pwrite(fd, chunk, MIB, from) != MIB)
			fail("write");
}

static long wrong_bytes(int fd, long from, long to, int c)
{
	long wrong = 0;
	long i;

	for (; from < to; from += MIB) {
		if (pread(fd, chunk, MIB, from) != MIB)
			fail("read");
		for (i = 0; i < MIB; i++)
			wrong += chunk[i] != (char)c;
	}
	return wrong;
}

static pid_t start_writeback(int fd)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid)
		_exit(sync_file_range(fd, 0, HEAD + TAIL, SYNC_FILE_RANGE_WRITE) != 0);
	return pid;
}

static long one_round(int fd, int round)
{
	int c = 'a' + round % 26;
	int status;
	pid_t pid;

	fill(fd, 0, HEAD + TAIL, c);
	if (fsync(fd))
		fail("fsync");
	fill(fd, 0, HEAD + TAIL, c);
	pid = start_writeback(fd);
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, HEAD, TAIL))
		fail("punch");
	fill(fd, HEAD, HEAD + TAIL, c + 1);
	if (waitpid(pid, &status, 0) != pid || status)
		fail("writeback");
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		fail("fsync after the race");
	return wrong_bytes(fd, HEAD, HEAD + TAIL, c + 1) + wrong_bytes(fd, 0, HEAD, c);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 0;
	long wrong = 0;
	char path[256];
	int round;
	int fd;

	if (rounds < 1)
		return 2;
	snprintf(path, sizeof(path), "%s/stale", argv[1]);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		fail("open");
	for (round = 0; round < rounds; round++)
		wrong += one_round(fd, round);
	printf("%s 1 - %d rounds, %ld bytes are not what was written last\n",
	       wrong ? "not ok" : "ok", rounds, wrong);
	return wrong != 0;
}
