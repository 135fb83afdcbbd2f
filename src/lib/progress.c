// SPDX-License-Identifier: GPL-2.0-only
/*
 * progress.c - how far a long work is (progress.h).
 */
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define SFS_PROGRESS_AFTER	2000	/* ms: who waits so long wants to know */
#define SFS_PROGRESS_EVERY	100
#define SFS_PROGRESS_WIDTH	60	/* of what is at work */

static struct {
	bool off;
	bool begun;
	bool shown;			/* there is a line on the terminal */
	int fd;				/* 0: none */
	const char *path;
	s64 after;
	s64 start;			/* all in ms */
	s64 last;
	u64 told;			/* pass and thousandths, of the last line to @fd */
} sfs_prog = { .after = SFS_PROGRESS_AFTER };

static s64 sfs_progress_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void sfs_progress_off(void)
{
	sfs_prog.off = true;
}

void sfs_progress_to(int fd, const char *path)
{
	if (!fd)
		sfs_prog.after = 0;
	/* One that is not open would become the volume's. */
	if (fd <= 0 || fcntl(fd, F_GETFD) < 0)
		return;
	/* Who listens may stop: that is no reason to end in the middle of a repair. */
	signal(SIGPIPE, SIG_IGN);
	sfs_prog.fd = fd;
	sfs_prog.path = path;
}

static void sfs_progress_line(unsigned int pass, u64 done, u64 all)
{
	u64 now = pass * 1001ULL + (all ? done * 1000 / all : 0);

	if (now == sfs_prog.told)
		return;
	sfs_prog.told = now;
	if (dprintf(sfs_prog.fd, "%u %llu %llu %s\n", pass, (unsigned long long)done,
		    (unsigned long long)all, sfs_prog.path) < 0)
		sfs_prog.fd = 0;
}

void sfs_progress(unsigned int pass, const char *what, u64 done, u64 all)
{
	s64 now;

	if (sfs_prog.fd)
		sfs_progress_line(pass, done, all);
	if (sfs_prog.off || sfs_prog.fd)
		return;
	now = sfs_progress_now();
	if (!sfs_prog.begun) {
		sfs_prog.begun = true;
		sfs_prog.off = !isatty(STDERR_FILENO);
		sfs_prog.start = now;
		sfs_prog.last = now - SFS_PROGRESS_EVERY;
	}
	if (sfs_prog.off || now - sfs_prog.start < sfs_prog.after ||
	    now - sfs_prog.last < SFS_PROGRESS_EVERY)
		return;
	sfs_prog.last = now;
	sfs_prog.shown = true;
	sfs_clear_line = sfs_progress_clear;
	if (all)
		fprintf(stderr, "\r%s: %3u%% ", sfs_program, (unsigned int)(done * 100 / all));
	else
		fprintf(stderr, "\r%s: %llu ", sfs_program, (unsigned long long)done);
	if (strlen(what) > SFS_PROGRESS_WIDTH) {
		fputs("...", stderr);
		what += strlen(what) - SFS_PROGRESS_WIDTH + 3;
	}
	sfs_put_plain(stderr, what);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void sfs_progress_clear(void)
{
	if (sfs_prog.shown)
		fputs("\r\033[K", stderr);
	sfs_prog.shown = false;
}
