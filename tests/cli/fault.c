// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault.c - preloaded before a program: lets its n-th change of a file fail, or be its last.
 *
 * FAULT_AT=N says which of the calls that change a file (write, pwrite, ftruncate, fsync; not on
 * standard output or error), FAULT= how: ENOSPC, EIO, SHORT (half is written, then ENOSPC), KILL
 * or INT or QUIT (a signal in place of the call).  FAULT_COUNT=FILE: their number is left there.
 *
 * FAULT_READ="FIRST LAST": these blocks of 4096 bytes cannot be read, EIO; FAULT_MENDS=1: block 0
 * until it is written, as on a disk that takes another sector then.  FAULT_READS=FILE: which
 * blocks were read is left there, a number a line, as often as it was read.
 *
 * FAULT_RECORD=FILE: every pwrite and fsync that was let through is kept there, in order: a line
 * "write PATH POS NBYTES" before the bytes, or "fsync PATH".
 *
 * FAULT_LAZY=1: an fsync is not carried out, where many are tried and no disk is to be waited for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned long calls;
static int full;
static int mended;			/* block 0 */

/* 0: go on; 1: only half of it; -1: fails, errno is set */
static int fault(void)
{
	static unsigned long at;
	static const char *kind;

	if (!kind) {
		at = strtoul(getenv("FAULT_AT") ? getenv("FAULT_AT") : "0", NULL, 10);
		kind = getenv("FAULT") ? getenv("FAULT") : "";
	}
	errno = ENOSPC;
	if (full)
		return -1;
	if (++calls != at)
		return 0;
	if (!strcmp(kind, "KILL"))
		raise(SIGKILL);
	if (!strcmp(kind, "INT"))
		raise(SIGINT);
	if (!strcmp(kind, "QUIT"))
		raise(SIGQUIT);
	if (!strcmp(kind, "SHORT")) {
		full = 1;
		return 1;
	}
	errno = strcmp(kind, "EIO") ? ENOSPC : EIO;
	return -1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t nbytes)
{
	int f = fd > 2 ? fault() : 0;

	return f < 0 ? -1 : REAL(write)(fd, data, nbytes / (1 + f));
}

/* @data NULL: an fsync. */
static void record(int fd, const void *data, size_t nbytes, off64_t pos)
{
	const char *path = getenv("FAULT_RECORD");
	FILE *f = path ? fopen(path, "a") : NULL;
	char link[32], target[256];
	ssize_t n;

	if (!f)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (data)
		fprintf(f, "write %s %lld %zu\n", target, (long long)pos, nbytes);
	else
		fprintf(f, "fsync %s\n", target);
	if (data)
		fwrite(data, 1, nbytes, f);
	fclose(f);
}

ssize_t pwrite64(int fd, const void *data, size_t nbytes, off64_t pos)
{
	int f = fault();

	if (!pos && !f)
		mended = getenv("FAULT_MENDS") != NULL;
	if (!f)
		record(fd, data, nbytes, pos);
	return f < 0 ? -1 : REAL(pwrite64)(fd, data, nbytes / (1 + f), pos);
}

ssize_t pread64(int fd, void *data, size_t nbytes, off64_t pos)
{
	const char *bad = getenv("FAULT_READ");
	const char *reads = getenv("FAULT_READS");
	FILE *f = reads ? fopen(reads, "a") : NULL;
	unsigned long blk = pos / 4096;
	unsigned long first, last;

	if (f) {
		fprintf(f, "%lu\n", blk);
		fclose(f);
	}
	if (bad && sscanf(bad, "%lu %lu", &first, &last) == 2 && blk >= first && blk <= last &&
	    (blk || !mended)) {
		errno = EIO;
		return -1;
	}
	return REAL(pread64)(fd, data, nbytes, pos);
}

int ftruncate64(int fd, off64_t nbytes)
{
	return fault() ? -1 : REAL(ftruncate64)(fd, nbytes);
}

int fsync(int fd)
{
	if (fault())
		return -1;
	record(fd, NULL, 0, 0);
	return getenv("FAULT_LAZY") ? 0 : REAL(fsync)(fd);
}

__attribute__((destructor))
static void leave_count(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (f) {
		fprintf(f, "%lu\n", calls);
		fclose(f);
	}
}
