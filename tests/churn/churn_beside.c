// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn_beside.c - who runs beside the workers: a log that is fsynced line by line, one who syncs
 * all of it, and one who keeps a full volume full.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "churn.h"

#define GREED		((size_t)1 << 30)	/* asked for at once, where there is nothing */

static void log_line(char *line, unsigned int n)
{
	sprintf(line, "line %10u\n", n);
}

void beside_log(void)
{
	char line[LINE_BYTES + 1];
	int fd = open("log", O_CREAT | O_WRONLY | O_APPEND, 0600);

	if (!grew(fd, 0, "open of the log"))
		return;
	while (!state->stop) {
		log_line(line, state->lines);
		if (grew(write(fd, line, LINE_BYTES), 0, "append to the log"))
			state->lines++;
		must(fsync(fd), 0, "fsync of the log");
		state->fsyncs++;
		poll(NULL, 0, 20);
	}
	close(fd);
}

void verify_log(void)
{
	char line[LINE_BYTES + 1], want[LINE_BYTES + 1];
	FILE *log = fopen("log", "r");
	unsigned long n;

	for (n = 0; n < state->lines; n++) {
		log_line(want, n);
		errno = 0;
		if (!log || fread(line, LINE_BYTES, 1, log) != 1 || memcmp(line, want, LINE_BYTES))
			bad("the log: line %lu of %lu is missing", n, state->lines);
	}
	if (log && fgetc(log) != EOF)
		bad("the log: more than its %lu lines", state->lines);
	if (log)
		fclose(log);
}

/* Twice a second; and the caches are emptied with every other time. */
void beside_sync(bool drop)
{
	int fd = open(".", O_RDONLY);
	int knob;

	must(fd, 0, "open of the volume");
	while (!state->stop) {
		poll(NULL, 0, 500);
		must(syncfs(fd), 0, "syncfs");
		state->syncs++;
		if (!drop || state->syncs % 2)
			continue;
		knob = open("/proc/sys/vm/drop_caches", O_WRONLY);
		if (knob >= 0 && write(knob, "3", 1) == 1)
			state->drops++;
		close(knob);
	}
	close(fd);
}

/* Appends to the ballast until nothing more goes in. */
static void to_the_brim(int fd)
{
	static const char block[BLOCK] = "ballast";
	struct stat st;
	ssize_t n;

	must(fstat(fd, &st), 0, "fstat of the ballast");
	do {
		n = pwrite(fd, block, BLOCK, st.st_size);
		st.st_size += n;
	} while (n > 0 && !state->stop);
	if (n <= 0)
		grew(n ? n : -1, 0, "write to the ballast");
	state->fills++;
}

void fill_up(void)
{
	int fd = open("ballast", O_CREAT | O_RDWR, 0600);
	struct statvfs st;

	must(fd, 0, "open of the ballast");
	must(statvfs(".", &st), 0, "statfs");
	must(fallocate(fd, 0, 0, (off_t)(st.f_bavail - 400) * BLOCK), 0, "fallocate of ballast");
	to_the_brim(fd);
	must(fsync(fd), 0, "fsync of the ballast");
	to_the_brim(fd);
	close(fd);
}

/* Gives a little back, waits until it is gone, and asks for far too much. */
void beside_fill(void)
{
	const char *much = mmap(NULL, GREED, PROT_READ,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int fd = open("ballast", O_RDWR);
	int greedy = open("greedy", O_CREAT | O_RDWR, 0600);
	struct stat st;

	must(fd, 0, "open of the ballast");
	if (greedy < 0)
		grew(-1, 0, "create of the greedy file");
	while (!state->stop) {
		must(fstat(fd, &st), 0, "fstat of the ballast");
		must(ftruncate(fd, st.st_size - (off_t)rnd(60) * BLOCK), 0, "cut of the ballast");
		poll(NULL, 0, rnd(60));
		if (greedy >= 0) {
			grew(pwrite(greedy, much, GREED, 1 << 20), 0, "write of a GiB");
			poll(NULL, 0, rnd(20));
			must(ftruncate(greedy, 0), 0, "cut of the greedy file");
		}
		to_the_brim(fd);
		if (!rnd(4))
			must(fsync(fd), 0, "fsync of the ballast");
	}
	close(greedy);
	close(fd);
}
