// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn_beside.c - who runs beside the workers: a log that is fsynced line by line, one who syncs
 * all of it, one who makes the volume larger, those who keep a full volume full, and those who run
 * into that.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/types.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "churn.h"
#include "ioctl.h"

#define SCATTER_OWNER	98

static void log_line(char *line, unsigned int n)
{
	sprintf(line, "line %10u\n", n);
}

void beside_log(void)
{
	char line[LINE_BYTES + 1];
	int fd;

	/* On a full volume there may be no room for it at first. */
	do {
		fd = open("log", O_CREAT | O_WRONLY | O_APPEND, 0600);
		if (!grew(fd, 0, "open of the log"))
			poll(NULL, 0, 20);
	} while (fd < 0 && !state->stop);
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

/* Twice a second, now and then everything; and the caches are emptied with every other time. */
void beside_sync(bool drop)
{
	int fd = open(".", O_RDONLY);
	int knob;

	must(fd, 0, "open of the volume");
	while (!state->stop) {
		poll(NULL, 0, 500);
		if (state->syncs % 4)
			must(syncfs(fd), 0, "syncfs");
		else
			sync();
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

/* Gives a little back, waits until it is gone, and fills again. */
void beside_fill(void)
{
	int fd = open("ballast", O_RDWR);
	struct stat st;

	must(fd, 0, "open of the ballast");
	while (!state->stop) {
		must(fstat(fd, &st), 0, "fstat of the ballast");
		if (st.st_size > 60 * BLOCK)
			st.st_size -= rnd(60) * BLOCK;
		must(ftruncate(fd, st.st_size), 0, "cut of the ballast");
		poll(NULL, 0, rnd(60));
		to_the_brim(fd);
		if (!rnd(4))
			must(fsync(fd), 0, "fsync of the ballast");
	}
	close(fd);
}

/*
 * Asks for far too much, again and again: nobody else's promise may suffer.  Half of the volume, as
 * more than it ever had is refused without a look at what is left.
 */
void beside_greed(void)
{
	int fd = open("greedy", O_CREAT | O_RDWR, 0600);
	struct statvfs st;
	const char *much;
	size_t nbytes;
	int i;

	if (!grew(fd, 0, "create of the greedy file"))
		return;
	must(fstatvfs(fd, &st), 0, "statvfs");
	nbytes = st.f_blocks / 2 * BLOCK;
	much = mmap(NULL, nbytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	while (!state->stop) {
		for (i = 0; i < 300 && !state->stop; i++)
			grew(pwrite(fd, much, nbytes, 1 << 20), 0, "write of half the volume");
		must(ftruncate(fd, 0), 0, "cut of the greedy file");
	}
	close(fd);
}

/* ---- the volume becomes larger, up to its device ---- */

#define AT_BLOCKS	168		/* in block 0 */
#define GROWTH		600

static uint64_t volume_blocks(const char *device)
{
	uint64_t blocks = 0;
	int fd = open(device, O_RDONLY);

	must(fd, 0, "open of the device");
	must(pread(fd, &blocks, sizeof(blocks), AT_BLOCKS), 0, "read of block 0");
	close(fd);
	return blocks;
}

/* By a little each time, so that it ends in all places, until there is no more; then it is told. */
void beside_grow(const char *device)
{
	struct sfs_grow_args args = { .g_blocks = volume_blocks(device) };
	int fd = open(".", O_RDONLY);
	long ret;

	must(fd, 0, "open of the volume");
	while (!state->stop) {
		args.g_blocks += rnd(4) ? rnd(GROWTH) : 1;
		ret = ioctl(fd, SFS_IOC_GROW, &args);
		if (ret < 0 && errno == ENOSPC)
			args.g_blocks = SFS_GROW_DEVICE;
		else if (must(ret, 0, "growth"))
			state->growths += args.g_blocks > args.g_was;
		poll(NULL, 0, rnd(400));
	}
	close(fd);
}

/* ---- what is made and removed at once, over and over ---- */

void make_passing(void)
{
	must(mkdir("links", 0755) | mkdir("names", 0755), 0, "mkdir for what passes");
}

/*
 * A block of metadata comes and goes within one transaction, and the other linker is at it, too:
 * in the same directory, so in the same group; what was unlinked is freed without its lock.
 * Where the volume is full, an inode is found but no block: its slot goes back, while
 * beside_names() takes slots all the time and needs no block.
 */
void beside_links(void)
{
	static char target[TARGET_MAX + 1], got[TARGET_MAX + 1];
	unsigned int serial = 0;
	char path[80];

	sprintf(path, "links/long%u", me);
	while (!state->stop) {
		target_make(target, me, ++serial, TARGET_MAX);
		if (!grew(symlink(target, path), 0, "symlink beside"))
			continue;
		if (must(readlink(path, got, TARGET_MAX), 0, "readlink beside") &&
		    memcmp(got, target, TARGET_MAX))
			bad("readlink beside: not what was written: %.40s", got);
		must(unlink(path), 0, "unlink of a symlink beside");
	}
}

void beside_names(void)
{
	while (!state->stop) {
		if (grew(mknod("names/name", S_IFREG | 0600, 0), 0, "mknod beside"))
			must(unlink("names/name"), 0, "unlink beside");
	}
}

/* ---- every other block of a preallocated file: trees grow at the end of I/O ---- */

void make_scatter(void)
{
	int fd = open("scatter", O_CREAT | O_RDWR, 0600);

	must(fd, 0, "open of the scattered file");
	must(fallocate(fd, 0, 0, (off_t)SCATTER_BLOCKS * BLOCK), 0, "fallocate, to be scattered");
	must(fsync(fd), 0, "fsync of the scattered file");
	close(fd);
}

static void scatter_unwrite(int fd)
{
	if (grew(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, (off_t)SCATTER_BLOCKS * BLOCK), 0,
		 "zero range of the scattered file"))
		memset(state->scatter, ZEROS, SCATTER_BLOCKS);
	else
		memset(state->scatter, EITHER, SCATTER_BLOCKS);
}

void beside_scatter(void)
{
	unsigned char block[BLOCK];
	unsigned int n = 0;
	int fd = open("scatter", O_RDWR);

	must(fd, 0, "open of the scattered file");
	for (; !state->stop; n += 2) {
		if (n >= SCATTER_BLOCKS) {
			scatter_unwrite(fd);
			n = 0;
		}
		stamp(block, SCATTER_OWNER, 0, 0, (off_t)n * BLOCK, BLOCK);
		if (grew(pwrite(fd, block, BLOCK, (off_t)n * BLOCK), 0, "write to preallocated"))
			state->scatter[n] = STAMPS;
		if (n % 32)
			continue;
		must(fsync(fd), 0, "fsync of preallocated blocks");
		state->scattered += 16;
	}
	close(fd);
}

void verify_scatter(void)
{
	unsigned char got[BLOCK], want[BLOCK];
	static const unsigned char zeros[BLOCK];
	int fd = open("scatter", O_RDONLY);
	unsigned int n;

	must(fd, 0, "open of the scattered file");
	for (n = 0; n < SCATTER_BLOCKS; n++) {
		must(pread(fd, got, BLOCK, (off_t)n * BLOCK), 0, "read of the scattered file");
		stamp(want, SCATTER_OWNER, 0, 0, (off_t)n * BLOCK, BLOCK);
		errno = 0;
		if (memcmp(got, state->scatter[n] == ZEROS ? zeros : want, BLOCK) &&
		    (state->scatter[n] != EITHER || memcmp(got, zeros, BLOCK)))
			bad("the scattered file: block %u is not as written (%u)", n,
			    state->scatter[n]);
	}
	close(fd);
}
