// SPDX-License-Identifier: GPL-2.0-only
/*
 * direct.c - O_DIRECT beside the page cache: who may wait, who may not, and what a writer loses.
 *
 * RWF_NOWAIT says "rather not at all than wait": each case that must wait is tried and must be
 * refused with EAGAIN, without having changed anything.  A writer who is not the owner takes the
 * set-user-ID bit away, however he writes.  And two views of one file, through the page cache and
 * past it, written by many at once, show one content.  "align" asks statx(2) for alignments, and
 * tries what they allow and what they do not.
 *
 * usage: direct [align] DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "tap/tap.h"

#define BLOCK		4096
#define NBLOCKS		64
#define NOBODY		65534
#define WRITERS		4
#define ROUNDS		200
#define TRIES		200

static char *block;		/* NBLOCKS of them, aligned */

static ssize_t write_at(int fd, size_t nbytes, off_t pos, int flags)
{
	struct iovec iov = { block, nbytes };

	return pwritev2(fd, &iov, 1, pos, flags);
}

/*
 * Is it refused, however often?  The time of change may be due, for which one would wait as well:
 * just after another write it is not, and then the reason is the one meant.
 */
static bool would_wait(int fd, size_t nbytes, off_t pos)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (write_at(fd, BLOCK, 3 * BLOCK, 0) != BLOCK)
			return false;
		if (write_at(fd, nbytes, pos, RWF_NOWAIT) >= 0 || errno != EAGAIN)
			return false;
	}
	return true;
}

static int make(const char *name, int flags, mode_t mode)
{
	int fd = open(name, flags | O_RDWR | O_CREAT | O_TRUNC, mode);

	TAP_REQUIRE(fd >= 0 && !fchmod(fd, mode), "%s is made", name);
	return fd;
}

/* Just after another write, for the same reason. */
static bool overwrite(int fd)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
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
	memset(block, 'n', NBLOCKS * BLOCK);
	TAP_OK(would_wait(fd, 4 * BLOCK, 2 * BLOCK), "nor what is there with a hole behind it");
	TAP_OK(!fstat(fd, &st) && st.st_size == 8 * BLOCK && st.st_blocks == 4 * BLOCK / 512,
	       "the refused changed nothing");
	TAP_EQ(preadv2(fd, &iov, 1, 2 * BLOCK, RWF_NOWAIT), BLOCK, "what is there is read");
	TAP_OK(block[0] == 'w' && block[BLOCK - 1] == 'w', "and was not written in part");
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

/* Stores a byte in each block of a mapping, from the end, over and over. */
static void store(const char *name, int round)
{
	int fd = open(name, O_RDWR);
	char *map = mmap(NULL, NBLOCKS * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int i;

	if (map == MAP_FAILED)
		_exit(1);
	for (i = 0; i < NBLOCKS * round; i++)
		map[(NBLOCKS - 1 - i % NBLOCKS) * BLOCK + BLOCK / 2] = 'm';
	_exit(munmap(map, NBLOCKS * BLOCK) || close(fd));
}

/* Direct writes into a hole that a mapping promises blocks for meanwhile. */
static bool write_all(int fd)
{
	ssize_t n = write_at(fd, NBLOCKS * BLOCK, 0, 0);

	if (n != NBLOCKS * BLOCK)
		printf("# %zd bytes of %d written: %s\n", n, NBLOCKS * BLOCK,
		       n < 0 ? strerror(errno) : "short");
	return n == NBLOCKS * BLOCK;
}

static void contest(void)
{
	int fd = make("contested", O_DIRECT, 0644);
	int foreign = 0;
	int status;
	int bad = 0;
	int round;
	int i;

	TAP_REQUIRE(!ftruncate(fd, NBLOCKS * BLOCK), "a file that is one hole");
	for (round = 0; round < ROUNDS && !bad; round++) {
		if (!fork())
			store("contested", 8);
		memset(block, 'd', NBLOCKS * BLOCK);
		for (i = 0; i < 4; i++) {
			bad += !write_all(fd);
			if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				      NBLOCKS * BLOCK)) {
				printf("# punch: %s\n", strerror(errno));
				bad++;
			}
		}
		bad += !write_all(fd);
		bad += wait(&status) < 0 || status;
	}
	TAP_EQ(bad, 0, "direct writes and holes beside a mapping");
	TAP_REQUIRE(pread(fd, block, NBLOCKS * BLOCK, 0) == NBLOCKS * BLOCK, "read");
	/* Who of the two comes last is not said; what neither wrote was there before either. */
	for (i = 0; i < NBLOCKS * BLOCK; i++)
		foreign += block[i] && block[i] != 'd' &&
			   !(block[i] == 'm' && i % BLOCK == BLOCK / 2);
	TAP_EQ(foreign, 0, "what is there was written there");
	close(fd);
}

/* How often the disk has been told to flush what it keeps in memory. */
static long flushes(void)
{
	FILE *f = fopen("/sys/block/vda/stat", "r");
	long n = -1;

	TAP_REQUIRE(f && fscanf(f, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
				" %ld", &n) == 1 && !fclose(f), "the disk's counters");
	return n;
}

/* A synced overwrite costs one flush; the journal's own commits may add a few. */
static void synced(void)
{
	int fd = make("synced", O_DIRECT | O_DSYNC, 0644);
	long before;
	long n;
	int i;

	memset(block, 's', BLOCK);
	TAP_REQUIRE(write_at(fd, BLOCK, 0, 0) == BLOCK && !fsync(fd), "a block");
	before = flushes();
	for (i = 0; i < TRIES; i++)
		TAP_REQUIRE(write_at(fd, BLOCK, 0, 0) == BLOCK, "overwritten");
	n = flushes() - before;
	TAP_OK(n >= TRIES && n < TRIES + TRIES / 4, "%d synced direct writes: %ld flushes", TRIES, n);
	close(fd);
}

/* What a write took and could not fill is free again. */
static void full(void)
{
	struct iovec iov[256];
	struct statvfs vfs;
	struct stat st;
	unsigned int i;
	int fd;

	TAP_REQUIRE(!statvfs(".", &vfs), "the space");
	fd = make("ballast", 0, 0600);
	TAP_REQUIRE(!fallocate(fd, 0, 0, vfs.f_bavail * BLOCK - (20 << 20)), "all but 20 MiB");
	close(fd);
	for (i = 0; i < 256; i++)
		iov[i] = (struct iovec){ block, NBLOCKS * BLOCK };
	fd = make("full", O_DIRECT, 0600);
	TAP_OK(pwritev(fd, iov, 256, 0) != 64 << 20, "64 MiB do not fit");
	TAP_REQUIRE(!fstat(fd, &st), "the file");
	TAP_OK(st.st_blocks * 512 <= st.st_size + 16 * BLOCK, "%ld blocks of 512 are in %ld bytes",
	       (long)st.st_blocks, (long)st.st_size);
	close(fd);
}

/* ---- alignment ---- */

#define DIO_READ_ALIGN		0x20000U	/* STATX_, of 6.14 */
#define QUEUE			"/sys/block/vda/queue/"

static struct statx ask(const char *name)
{
	struct statx stx;

	TAP_REQUIRE(!statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, STATX_DIOALIGN | DIO_READ_ALIGN, &stx), "statx");
	return stx;
}

static unsigned int read_align(const struct statx *stx)
{
	unsigned int align;

	memcpy(&align, (const char *)stx + 0xb4, sizeof(align));
	return align;
}

static unsigned int queue(const char *name)
{
	char path[64];
	unsigned int n;
	FILE *f;

	snprintf(path, sizeof(path), QUEUE "%s", name);
	f = fopen(path, "r");
	TAP_REQUIRE(f && fscanf(f, "%u", &n) == 1 && !fclose(f), "%s", path);
	return n;
}

static int result(ssize_t n)
{
	return n < 0 ? -errno : (int)n;
}

/* As far from the start of an aligned block, in memory and in the file, and as much. */
static void try(int fd, unsigned int mem, unsigned int offset, int want)
{
	const char *what = want < 0 ? "is refused" : "goes";

	TAP_EQ(result(pwrite(fd, block + mem, offset, offset)), want, "a write %u into memory, of %u, %s", mem,
	       offset, what);
	TAP_EQ(result(pread(fd, block + mem, offset, offset)), want, "a read likewise");
}

static void align(void)
{
	int fd = make("aligned", O_DIRECT, 0644);
	struct statx stx = ask("aligned");
	unsigned int mem = stx.stx_dio_mem_align;
	unsigned int offset = stx.stx_dio_offset_align;
	struct utsname name;
	int major, minor;

	TAP_REQUIRE(!uname(&name) && sscanf(name.release, "%d.%d", &major, &minor) == 2, "uname");
	TAP_OK(stx.stx_mask & STATX_DIOALIGN, "a file says how to align");
	TAP_EQ(mem, queue("dma_alignment") + 1, "memory as the device wants it");
	TAP_EQ(offset, queue("logical_block_size"), "positions by sectors");
	if (major * 100 + minor >= 614)
		TAP_OK((stx.stx_mask & DIO_READ_ALIGN) && read_align(&stx) == offset, "also for reads");
	else
		TAP_OK(!(stx.stx_mask & DIO_READ_ALIGN), "nothing of reads alone");
	TAP_REQUIRE(mem > 1 && write_at(fd, 4 * BLOCK, 0, 0) == 4 * BLOCK, "written");
	try(fd, mem, offset, offset);
	try(fd, mem / 2, offset, -EINVAL);
	try(fd, mem, offset / 2, -EINVAL);
	close(fd);
	TAP_REQUIRE(!mkdir("dir", 0755) && !symlink("aligned", "link") && !mkfifo("fifo", 0644), "made");
	TAP_OK(!(ask("dir").stx_mask & STATX_DIOALIGN) && !(ask("link").stx_mask & STATX_DIOALIGN) &&
	       !(ask("fifo").stx_mask & STATX_DIOALIGN) && !ask("dir").stx_dio_offset_align,
	       "what has no direct I/O says nothing");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc >= 2 && !chdir(argv[argc - 1]) && !chmod(".", 0777), "usage: direct [align] DIR");
	TAP_REQUIRE(!posix_memalign((void **)&block, BLOCK, NBLOCKS * BLOCK), "memory");
	if (argc == 3) {
		align();
		return tap_done();
	}
	nowait();
	lose_setuid("setuid-buffered", 0, BLOCK, 0);
	lose_setuid("setuid-direct", O_DIRECT, BLOCK, 0);
	lose_setuid("setuid-part", O_DIRECT, 512, 512);
	synced();
	together();
	contest();
	full();
	return tap_done();
}
