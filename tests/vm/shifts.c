// SPDX-License-Identifier: GPL-2.0-only
/*
 * shifts.c - ranges taken out of files, and room made in them: FALLOC_FL_COLLAPSE_RANGE and
 * FALLOC_FL_INSERT_RANGE, against the bytes that must be there.
 *
 * "random" changes a file in every way that there is, with a copy of it in memory, and leaves that
 * copy beside it for "verify" after another mount.  "full" wants a small volume of its own.
 *
 * usage: shifts use|random|verify|full DIR [SEED]
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "tap/tap.h"

#define BLOCK		4096L
#define COLLAPSE	FALLOC_FL_COLLAPSE_RANGE
#define INSERT		FALLOC_FL_INSERT_RANGE
#define MAX_BYTES	(3L << 20)
#define STEPS		1500

static unsigned char *model, *back;
static long size;
static unsigned int seed = 1;

static unsigned int rnd(unsigned int below)
{
	static unsigned long state;

	if (!state)
		state = seed * 2 + 1;
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned int)(((state >> 32) * below) >> 32);
}

/* Negative errno, or 0. */
static int shift(int fd, int mode, long pos, long nbytes)
{
	return fallocate(fd, mode, pos, nbytes) ? -errno : 0;
}

static int create(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	TAP_REQUIRE(fd >= 0, "%s is made", name);
	size = 0;
	memset(model, 0, MAX_BYTES);
	return fd;
}

/* ---- the model ---- */

static void model_end(long end)
{
	if (end < size)
		memset(model + end, 0, size - end);
	size = end;
}

static void model_shift(int mode, long pos, long nbytes)
{
	if (mode == COLLAPSE) {
		memmove(model + pos, model + pos + nbytes, size - pos - nbytes);
		model_end(size - nbytes);
	} else {
		memmove(model + pos + nbytes, model + pos, size - pos);
		memset(model + pos, 0, nbytes);
		size += nbytes;
	}
}

static bool holds(int fd)
{
	struct stat st;
	long n;

	if (fstat(fd, &st) || st.st_size != size) {
		printf("# %ld bytes, not %ld\n", (long)st.st_size, size);
		return false;
	}
	for (n = 0; n < size; n += BLOCK) {
		long part = size - n < BLOCK ? size - n : BLOCK;

		if (pread(fd, back + n, BLOCK, n) != part || memcmp(back + n, model + n, part)) {
			printf("# block %ld differs\n", n / BLOCK);
			return false;
		}
	}
	return true;
}

/* Through the page cache and past it. */
static bool holds_at(const char *name)
{
	int fd = open(name, O_RDONLY), direct = open(name, O_RDONLY | O_DIRECT);
	bool good = holds(fd) && holds(direct);

	close(fd);
	close(direct);
	return good;
}

static void fill(int fd, long pos, long nbytes)
{
	static unsigned char stamp;
	long i;

	stamp = stamp % 250 + 1;
	for (i = 0; i < nbytes; i++)
		model[pos + i] = stamp + (pos + i) / 512 % 5;
	TAP_REQUIRE(pwrite(fd, model + pos, nbytes, pos) == nbytes, "written");
	if (pos + nbytes > size)
		size = pos + nbytes;
}

/* Extents of the file, up to 64, and how many. */
static int map_of(int fd, struct fiemap_extent *ext)
{
	static union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + 64 * sizeof(struct fiemap_extent)];
	} u;

	memset(&u, 0, sizeof(u));
	u.map.fm_length = ~0ULL;
	u.map.fm_flags = FIEMAP_FLAG_SYNC;
	u.map.fm_extent_count = 64;
	if (ioctl(fd, FS_IOC_FIEMAP, &u.map))
		return -errno;
	memcpy(ext, u.map.fm_extents, u.map.fm_mapped_extents * sizeof(*ext));
	return u.map.fm_mapped_extents;
}

/* ---- use ---- */

static void refused(void)
{
	struct rlimit small = { 8 * BLOCK, RLIM_INFINITY }, all;
	int fd = create("refused");
	int ro, dir;

	fill(fd, 0, 6 * BLOCK + 100);
	ro = open("refused", O_RDONLY);
	dir = open(".", O_RDONLY | O_DIRECTORY);
	TAP_EQ(shift(fd, COLLAPSE, 100, BLOCK), -EINVAL, "collapse: a start inside a block");
	TAP_EQ(shift(fd, COLLAPSE, 0, BLOCK + 512), -EINVAL, "an end inside a block");
	TAP_EQ(shift(fd, COLLAPSE, 5 * BLOCK, 2 * BLOCK), -EINVAL, "an end behind the file's");
	TAP_EQ(shift(fd, COLLAPSE, 6 * BLOCK, BLOCK), -EINVAL, "the last block");
	TAP_EQ(shift(fd, COLLAPSE | FALLOC_FL_KEEP_SIZE, 0, BLOCK) < 0, 1, "with another mode");
	TAP_EQ(shift(fd, INSERT, 100, BLOCK), -EINVAL, "insert: a start inside a block");
	TAP_EQ(shift(fd, INSERT, 0, BLOCK + 1), -EINVAL, "a length that is not whole");
	TAP_EQ(shift(fd, INSERT, 7 * BLOCK, BLOCK), -EINVAL, "at the end");
	TAP_EQ(shift(fd, INSERT | FALLOC_FL_KEEP_SIZE, 0, BLOCK) < 0, 1, "with another mode");
	TAP_EQ(shift(fd, INSERT, 0, LONG_MAX - BLOCK + 1 - 5 * BLOCK), -EFBIG, "a file too large");
	TAP_EQ(shift(fd, FALLOC_FL_KEEP_SIZE, LONG_MAX - BLOCK * 2 + 1, BLOCK), 0, "a far block");
	TAP_EQ(shift(fd, INSERT, 0, 2 * BLOCK), -EFBIG, "that would have to go too far");
	TAP_EQ(ftruncate(fd, size), 0, "is gone");
	getrlimit(RLIMIT_FSIZE, &all);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	TAP_EQ(shift(fd, INSERT, 0, 2 * BLOCK), -EFBIG, "more than the limit of the process");
	setrlimit(RLIMIT_FSIZE, &all);
	TAP_EQ(shift(ro, COLLAPSE, 0, BLOCK), -EBADF, "opened for reading");
	TAP_EQ(shift(dir, INSERT, 0, BLOCK), -EBADF, "a directory");
	TAP_OK(holds_at("refused"), "nothing of that has changed the file");
	close(fd);
	close(ro);
	close(dir);
}

static void times(void)
{
	const struct timespec past[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat before, after;
	int fd = create("times");

	fill(fd, 0, 9 * BLOCK);
	TAP_REQUIRE(!fchown(fd, 1000, 1000) && !fchmod(fd, 04755) && !futimens(fd, past) &&
		    !fsync(fd) && !fstat(fd, &before), "a user's");
	TAP_REQUIRE(before.st_mtim.tv_sec == 1000 && !seteuid(1000), "the user");
	TAP_EQ(shift(fd, COLLAPSE, BLOCK, BLOCK), 0, "collapses it");
	model_shift(COLLAPSE, BLOCK, BLOCK);
	fstat(fd, &after);
	TAP_REQUIRE(!seteuid(0), "root");
	TAP_OK(after.st_mtim.tv_sec > 1000, "mtime goes on");
	TAP_OK(!memcmp(&after.st_ctim, &after.st_mtim, sizeof(after.st_ctim)), "with ctime");
	TAP_OK(!(after.st_mode & 04000), "the set-user-ID bit is gone");
	TAP_EQ(before.st_blocks - after.st_blocks, 8, "and a block");
	TAP_OK(holds(fd), "of the right ones");
	close(fd);
}

/* Data, unwritten blocks and holes, parted at the seam and joined again. */
static void seams(void)
{
	struct fiemap_extent ext[64];
	int fd = create("seams");
	unsigned long phys;
	int n;

	TAP_REQUIRE(!fallocate(fd, 0, 0, 16 * BLOCK), "one extent");
	size = 16 * BLOCK;
	fill(fd, 0, 8 * BLOCK);
	fsync(fd);
	n = map_of(fd, ext);
	TAP_REQUIRE(n == 2 && ext[1].fe_flags & FIEMAP_EXTENT_UNWRITTEN, "half of it is written");
	phys = ext[0].fe_physical;
	TAP_EQ(shift(fd, INSERT, 4 * BLOCK, 1L << 45), 0, "32 TiB of room in what is written");
	n = map_of(fd, ext);
	TAP_OK(n == 3 && ext[1].fe_logical == 4 * BLOCK + (1UL << 45) &&
	       ext[1].fe_physical == phys + 4 * BLOCK &&
	       !(ext[1].fe_flags & FIEMAP_EXTENT_UNWRITTEN), "the blocks are those that were there");
	TAP_OK(n == 3 && ext[2].fe_flags & FIEMAP_EXTENT_UNWRITTEN &&
	       ext[2].fe_logical == 8 * BLOCK + (1UL << 45), "unwritten ones are unwritten");
	TAP_EQ(lseek(fd, 0, SEEK_HOLE), 4 * BLOCK, "the hole is found");
	TAP_EQ(lseek(fd, 5 * BLOCK, SEEK_DATA), 4 * BLOCK + (1L << 45), "and where it ends");
	TAP_OK(pread(fd, back, BLOCK, 4 * BLOCK + (1L << 45)) == BLOCK &&
	       !memcmp(back, model + 4 * BLOCK, BLOCK), "there is the data");
	TAP_EQ(shift(fd, INSERT, (1L << 45) + 12 * BLOCK, 3 * BLOCK), 0, "room in what is unwritten");
	TAP_EQ(map_of(fd, ext), 4, "four extents");
	TAP_EQ(shift(fd, COLLAPSE, (1L << 45) + 12 * BLOCK, 3 * BLOCK), 0, "which goes");
	TAP_EQ(shift(fd, COLLAPSE, 4 * BLOCK, 1L << 45), 0, "and so do the 32 TiB");
	n = map_of(fd, ext);
	TAP_OK(n == 2 && ext[0].fe_length == 8UL * BLOCK && ext[0].fe_physical == phys,
	       "two extents again");
	TAP_OK(holds_at("seams"), "as it was");
	close(fd);
}

/* What was preallocated behind the end moves, and stays behind the end. */
static void past_end(void)
{
	struct fiemap_extent ext[64];
	int fd = create("past");
	int n;

	fill(fd, 0, 5 * BLOCK + 7);
	TAP_REQUIRE(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 20 * BLOCK, 10 * BLOCK), "kept behind the end");
	TAP_EQ(shift(fd, INSERT, BLOCK, 30 * BLOCK), 0, "room");
	model_shift(INSERT, BLOCK, 30 * BLOCK);
	n = map_of(fd, ext);
	TAP_OK(n > 2 && ext[n - 1].fe_logical == 50UL * BLOCK &&
	       ext[n - 1].fe_length == 10UL * BLOCK, "what is kept has moved");
	TAP_OK(holds(fd), "with the data");
	TAP_EQ(shift(fd, COLLAPSE, 0, 33 * BLOCK), 0, "less than it was");
	model_shift(COLLAPSE, 0, 33 * BLOCK);
	n = map_of(fd, ext);
	TAP_OK(n >= 2 && ext[n - 1].fe_logical == 17UL * BLOCK, "it has come along");
	TAP_OK(holds(fd), "behind the end");
	TAP_REQUIRE(!ftruncate(fd, 40 * BLOCK), "grown over it");
	model_end(40 * BLOCK);
	TAP_OK(holds_at("past"), "it reads as zeros");
	close(fd);
}

/* A mapping sees what a read does. */
static void mapped(void)
{
	int fd = create("mapped");
	unsigned char *map;

	fill(fd, 0, 300 * BLOCK);
	map = mmap(NULL, 300 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(map != MAP_FAILED, "mapped");
	memset(map + 150 * BLOCK, 'm', BLOCK);
	memset(model + 150 * BLOCK, 'm', BLOCK);
	TAP_EQ(shift(fd, COLLAPSE, 100 * BLOCK, 7 * BLOCK), 0, "collapse under a mapping");
	model_shift(COLLAPSE, 100 * BLOCK, 7 * BLOCK);
	TAP_OK(!memcmp(map, model, size), "which sees it, with the store before");
	memset(map + 99 * BLOCK, 'n', 2 * BLOCK);
	memset(model + 99 * BLOCK, 'n', 2 * BLOCK);
	TAP_EQ(shift(fd, INSERT, 100 * BLOCK, 7 * BLOCK), 0, "insert between two stores");
	model_shift(INSERT, 100 * BLOCK, 7 * BLOCK);
	TAP_OK(!memcmp(map, model, size), "and so does it see that");
	munmap(map, 300 * BLOCK);
	TAP_OK(holds_at("mapped"), "as do reads");
	close(fd);
}

/* ---- random ---- */

static void random_shift(int fd, int mode)
{
	long end = (size + BLOCK - 1) / BLOCK;
	long pos, n;

	if (end < 2)
		return;
	pos = rnd(end);
	n = 1 + rnd(mode == COLLAPSE ? end - pos : 40);
	if (mode == INSERT && size + n * BLOCK > MAX_BYTES)
		return;
	if (mode == COLLAPSE && (pos + n) * BLOCK >= size)
		TAP_REQUIRE(shift(fd, mode, pos * BLOCK, n * BLOCK) == -EINVAL, "nothing is left");
	else {
		TAP_REQUIRE(!shift(fd, mode, pos * BLOCK, n * BLOCK), "%s %ld at %ld of %ld: %s",
			    mode == INSERT ? "insert" : "collapse", n, pos, end, strerror(errno));
		model_shift(mode, pos * BLOCK, n * BLOCK);
	}
}

static void random_store(int fd)
{
	long pos, n, i;
	unsigned char *map;

	if (!size)
		return;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(map != MAP_FAILED, "mapped");
	pos = rnd(size);
	n = 1 + rnd(30000);
	for (i = pos; i < pos + n && i < size; i++)
		map[i] = model[i] = 'A' + i / 1000 % 26;
	munmap(map, size);
}

static void random_direct(void)
{
	int fd = open("random", O_RDWR | O_DIRECT);
	long pos = rnd(MAX_BYTES / BLOCK - 16) * BLOCK, n = (1 + rnd(16)) * BLOCK;

	memset(back, 'd' + pos / BLOCK % 7, n);
	TAP_REQUIRE(fd >= 0 && pwrite(fd, back, n, pos) == n, "written directly");
	memcpy(model + pos, back, n);
	if (pos + n > size)
		size = pos + n;
	close(fd);
}

static void random_clear(int fd, int mode)
{
	long pos = rnd(MAX_BYTES - 1), n = 1 + rnd(100000);

	if (pos + n > MAX_BYTES)
		n = MAX_BYTES - pos;
	TAP_REQUIRE(!fallocate(fd, mode, pos, n), "mode %d: %s", mode, strerror(errno));
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) && pos < size)
		memset(model + pos, 0, n < size - pos ? n : size - pos);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && pos + n > size)
		size = pos + n;
}

static void random_step(int fd)
{
	long pos = rnd(MAX_BYTES - 50000);

	switch (rnd(16)) {
	case 0 ... 2:
		random_shift(fd, COLLAPSE);
		break;
	case 3 ... 6:
		random_shift(fd, INSERT);
		break;
	case 7:
		random_clear(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
		break;
	case 8:
		random_clear(fd, rnd(2) ? FALLOC_FL_KEEP_SIZE : 0);
		break;
	case 9:
		random_clear(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
		break;
	case 10:
		random_store(fd);
		break;
	case 11:
		random_direct();
		break;
	case 12:
		fsync(fd);
		break;
	case 13:
		pos = rnd(2) ? size : rnd(MAX_BYTES);
		TAP_REQUIRE(!ftruncate(fd, pos), "ftruncate");
		model_end(pos);
		break;
	default:
		fill(fd, pos, 1 + rnd(50000));
	}
}

static void all_random(void)
{
	int fd = create("random"), copy, i;

	for (i = 0; i < STEPS; i++) {
		random_step(fd);
		if (!rnd(4))
			TAP_REQUIRE(holds(fd), "seed %u, step %d", seed, i);
		if (!rnd(9))
			TAP_REQUIRE(holds_at("random"), "directly, seed %u, step %d", seed, i);
	}
	TAP_OK(holds_at("random"), "%d random steps", STEPS);
	copy = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0644);
	TAP_OK(write(copy, model, size) == size && !fsync(copy) && !fsync(fd), "and a copy");
	close(copy);
	close(fd);
}

static void verify(void)
{
	int copy = open("copy", O_RDONLY);

	size = lseek(copy, 0, SEEK_END);
	TAP_OK(size > 0 && pread(copy, model, size, 0) == size, "the copy is there");
	TAP_OK(holds_at("random"), "and the same as the file");
}

/* ---- full ---- */

#define FULL_FILES	60
#define FULL_BLOCKS	20L

/* Room before each block of a file, of which the first some take no node, the next ones do. */
static bool spread(int n, unsigned int *refusals)
{
	char name[16];
	long i;
	int fd, err;

	sprintf(name, "full%d", n);
	fd = open(name, O_RDWR);
	size = FULL_BLOCKS * BLOCK;
	memset(model, 0, MAX_BYTES);
	for (i = 0; i < size; i++)
		model[i] = n + i / BLOCK + 1;
	for (i = FULL_BLOCKS - 1; i; i--) {
		err = shift(fd, INSERT, i * BLOCK, BLOCK);
		if (!err)
			model_shift(INSERT, i * BLOCK, BLOCK);
		else if (err != -ENOSPC)
			return false;
		else
			++*refusals;
	}
	close(fd);
	return holds_at(name);
}

/* What goes needs no space: down to the last block. */
static bool shrinks(int n)
{
	char name[16];
	int fd, err = 0;

	sprintf(name, "full%d", n);
	fd = open(name, O_RDWR);
	while (!err && lseek(fd, 0, SEEK_END) > BLOCK)
		err = shift(fd, COLLAPSE, 0, BLOCK);
	size = BLOCK;
	memset(model, n + FULL_BLOCKS, BLOCK);
	close(fd);
	return !err && holds_at(name);
}

static void full(void)
{
	unsigned int refusals = 0, none = 0;
	struct statfs st;
	long part;
	char name[16];
	int fd, n;

	for (n = 0; n < FULL_FILES; n++) {
		sprintf(name, "full%d", n);
		fd = create(name);
		for (part = 0; part < FULL_BLOCKS; part++)
			memset(back + part * BLOCK, n + part + 1, BLOCK);
		TAP_REQUIRE(!fallocate(fd, 0, 0, FULL_BLOCKS * BLOCK) &&
			    pwrite(fd, back, FULL_BLOCKS * BLOCK, 0) == FULL_BLOCKS * BLOCK &&
			    !fsync(fd) && !close(fd), "%s", name);
	}
	fd = create("rest");
	for (part = 256, n = 0; part; n = 0, part /= 2)
		while (!fallocate(fd, 0, lseek(fd, 0, SEEK_END), part * BLOCK) && ++n)
			;
	sync();
	statfs(".", &st);
	TAP_EQ(st.f_bavail, 0, "nothing is available");
	for (n = 0; n < FULL_FILES; n++)
		if (!spread(n, &refusals))
			break;
	TAP_EQ(n, FULL_FILES, "each file holds what was there, at the places that it was given");
	for (n = 0; n < FULL_FILES; n++)
		if (!shrinks(n))
			break;
	TAP_EQ(n, FULL_FILES, "and is taken away down to its last block");
	TAP_OK(refusals > 10, "%u times there was no space for room", refusals);
	TAP_REQUIRE(!close(fd) && !unlink("rest"), "space");
	sync();
	fd = create("full0");
	fill(fd, 0, FULL_BLOCKS * BLOCK);
	close(fd);
	fd = open("full0", O_RDWR);
	for (part = FULL_BLOCKS - 1; part; part--) {
		none += shift(fd, INSERT, part * BLOCK, BLOCK) != 0;
		model_shift(INSERT, part * BLOCK, BLOCK);
	}
	TAP_OK(!none && holds(fd), "with space there is none");
	close(fd);
}

static void use(void)
{
	refused();
	times();
	seams();
	past_end();
	mapped();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *word;
		void (*run)(void);
	} part[] = {
		{ "use", use }, { "random", all_random }, { "verify", verify }, { "full", full },
	};
	unsigned int n;

	if (argc < 3 || chdir(argv[2])) {
		fprintf(stderr, "usage: shifts use|random|verify|full DIR [SEED]\n");
		return 2;
	}
	if (argc > 3)
		seed = atoi(argv[3]);
	if (posix_memalign((void **)&model, BLOCK, MAX_BYTES + BLOCK) ||
	    posix_memalign((void **)&back, BLOCK, MAX_BYTES + BLOCK))
		return 1;
	for (n = 0; n < sizeof(part) / sizeof(part[0]); n++)
		if (!strcmp(argv[1], part[n].word))
			part[n].run();
	return tap_done();
}
