// SPDX-License-Identifier: GPL-2.0-only
/*
 * sound.c - what a program may rely on without reading a file system's sources.
 *
 * "use" needs one boot: what is cut or refused costs nothing and keeps nothing, who must not wait
 * does not.  "pull" and "pull-sync" end in the word on which the machine is killed; what they had
 * been told, and what users of other file systems expect, is looked for by "verify" afterwards.
 *
 * "records" appends to a file on the disk FROM and copies that to TO, as the plug would leave it.
 *
 * "greedy", "carried" and "carried-holes" want a volume of 32 MiB each that is all its own.
 *
 * usage: sound use|greedy|carried|carried-holes DIR
 *        sound pull|pull-sync|verify|verify-sync|verify-records DIR
 *        sound records DIR FROM TO
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include "tap/tap.h"

#define BLOCK		4096
#define MIB		(1L << 20)
#define PIECES		6000		/* that need some 60 nodes */
#define GREEDY		300		/* files of 16 blocks */
#define CARRIED		240		/* files of 24 blocks */
#define CUTS		200
#define RECORD		512
#define RECORDS		6

static char *block;		/* 16 of them, aligned */

static int make(const char *name, int flags)
{
	int fd = open(name, flags | O_RDWR | O_CREAT | O_TRUNC, 0644);

	TAP_REQUIRE(fd >= 0, "%s is made", name);
	return fd;
}

static long long kib(int fd)
{
	struct stat st;

	TAP_REQUIRE(!fstat(fd, &st), "a file's blocks");
	return st.st_blocks / 2;
}

static long long size_of(int fd)
{
	struct stat st;

	TAP_REQUIRE(!fstat(fd, &st), "a file's size");
	return st.st_size;
}

/* How many writes the disk has been asked for. */
static long writes(void)
{
	FILE *f = fopen("/sys/block/vda/stat", "r");
	long n = -1;

	TAP_REQUIRE(f && fscanf(f, "%*s %*s %*s %*s %ld", &n) == 1 && !fclose(f), "the counters");
	return n;
}

static void cut(void)
{
	int fd = make("cut", 0);
	long before = writes();
	long n;
	int i;

	for (i = 0; i < CUTS; i++)
		TAP_REQUIRE(pwrite(fd, block, 16 * BLOCK, 0) == 16 * BLOCK && !ftruncate(fd, 0),
			    "written and cut");
	n = writes() - before;
	TAP_OK(n < CUTS / 4, "%d times written and cut to 0: %ld writes", CUTS, n);
	close(fd);
}

/* The zeros behind a cut are seen when the file grows again, whoever stored there. */
static void cut_and_grow(void)
{
	int fd = make("grown", 0);
	int wrong = 0;
	char *map;
	int i;

	TAP_REQUIRE(!fallocate(fd, 0, 0, 16 * BLOCK), "unwritten blocks");
	map = mmap(NULL, 16 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(map != MAP_FAILED, "a mapping");
	memset(map, 'g', 16 * BLOCK);
	TAP_REQUIRE(!ftruncate(fd, 5000) && !ftruncate(fd, 9000) && !ftruncate(fd, 16 * BLOCK),
		    "cut and grown twice");
	for (i = 0; i < 16 * BLOCK; i++)
		wrong += map[i] != (i < 5000 ? 'g' : 0);
	TAP_EQ(wrong, 0, "what was cut reads as zeros");
	munmap(map, 16 * BLOCK);
	close(fd);
}

static void past_eof(void)
{
	int fd = make("past", 0);

	TAP_REQUIRE(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16 * MIB), "16 MiB past the end");
	TAP_OK(!ftruncate(fd, 0) && !kib(fd), "cut to 0 when it is 0: nothing is left");
	TAP_REQUIRE(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16 * MIB) && !close(fd), "again");
	fd = open("past", O_RDWR | O_TRUNC);
	TAP_OK(fd >= 0 && !kib(fd), "opened to be cut: nothing is left");
	TAP_REQUIRE(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16 * MIB) &&
		    pwrite(fd, block, 3 * BLOCK + 100, 0) == 3 * BLOCK + 100, "three blocks and a bit");
	TAP_OK(!ftruncate(fd, 3 * BLOCK + 100) && kib(fd) == 16, "cut to the size that it has");
	TAP_EQ(size_of(fd), 3 * BLOCK + 100, "which stays");

	TAP_REQUIRE(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16 * MIB), "once more");
	TAP_OK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, MIB, MIB) &&
	       kib(fd) == 15 * 1024, "a hole past the end");
	TAP_OK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, BLOCK, 32 * MIB) &&
	       kib(fd) == 4, "a hole across it");
	TAP_EQ(size_of(fd), 3 * BLOCK + 100, "the size stays");
	close(fd);
}

static void too_much(void)
{
	int fd = make("much", 0);
	int other = make("other", 0);

	TAP_REQUIRE(pwrite(fd, "begin", 5, 0) == 5 && pwrite(fd, "end", 3, 2 * MIB) == 3 &&
		    !fallocate(fd, FALLOC_FL_KEEP_SIZE, 3 * MIB, MIB), "a file with gaps");
	TAP_OK(fallocate(fd, 0, 0, 1024 * MIB) && errno == ENOSPC, "more than there is is refused");
	TAP_EQ(kib(fd), 1024 + 8, "and nothing of it kept");
	TAP_EQ(size_of(fd), 2 * MIB + 3, "the size stays");
	TAP_OK(pread(fd, block, BLOCK, 0) == BLOCK && !memcmp(block, "begin", 6) &&
	       pread(fd, block, BLOCK, 2 * MIB) == 3 && !memcmp(block, "end", 3), "so does the data");
	TAP_OK(!fallocate(other, 0, 0, 64 * MIB), "another file has the space");
	close(other);
	close(fd);
	TAP_REQUIRE(!unlink("other") && !unlink("much"), "removed");
}

static sigjmp_buf no_space;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(no_space, 1);
}

static unsigned long available(void)
{
	struct statvfs st;

	sync();
	TAP_REQUIRE(!statvfs(".", &st), "the free space");
	return st.f_bavail;
}

/* Every other of @n blocks, in memory alone: what it promises for nodes is more than it needs. */
static int scatter(const char *name, int n)
{
	int fd = make(name, 0);
	int i;

	for (i = 0; i < n; i++)
		TAP_REQUIRE(pwrite(fd, "x", 1, 2L * i * BLOCK) == 1, "a block of %s", name);
	return fd;
}

/* Stores of a mapping take the last of the space, too: what promises do not need comes back. */
static void mapped_stores(void)
{
	enum { FILES = 10, STORES = 1000 };
	unsigned long nfree = available();
	int mapped = make("mapped", 0), ballast = make("ballast", 0);
	struct sigaction act = { .sa_handler = on_sigbus };
	char name[FILES][16];
	volatile int done = 0;
	char *map;
	int i;

	TAP_REQUIRE(nfree > 400 && !posix_fallocate(ballast, 0, (nfree - 400) * BLOCK), "ballast");
	for (i = 0; i < FILES; i++) {
		sprintf(name[i], "promise%d", i);
		close(scatter(name[i], 16));
	}
	TAP_REQUIRE(!ftruncate(mapped, 2L * STORES * BLOCK), "a file of holes");
	map = mmap(NULL, 2L * STORES * BLOCK, PROT_WRITE, MAP_SHARED, mapped, 0);
	TAP_REQUIRE(map != MAP_FAILED && !sigaction(SIGBUS, &act, NULL), "it is mapped");
	if (!sigsetjmp(no_space, 1)) {
		for (; done < STORES; done++)
			map[2L * done * BLOCK] = 'x';
	}
	TAP_OK(done > 0 && done < STORES, "stores go on until there is no space (%d)", done);
	nfree = available();
	TAP_OK(nfree < 30, "that is when all of it is taken (%lu blocks are left)", nfree);
	munmap(map, 2L * STORES * BLOCK);
	for (i = 0; i < FILES; i++)
		TAP_REQUIRE(!unlink(name[i]), "%s is removed", name[i]);
	close(mapped);
	close(ballast);
	TAP_REQUIRE(!unlink("mapped") && !unlink("ballast"), "removed");
}

/*
 * A file that has all of the volume: its blocks are there, so stores into it and writes of any size
 * succeed, and it may be zeroed.  It is read first, so that folios are as large as they get.
 */
static void reserved(void)
{
	struct sigaction act = { .sa_handler = on_sigbus };
	int fd = make("reserved", 0);
	int pieces = make("pieces", O_DIRECT);
	volatile long at = 0;
	char *map, *much;
	long nbytes, n;

	TAP_REQUIRE(!posix_fallocate(pieces, 0, 2L * PIECES * BLOCK), "room for pieces");
	nbytes = (available() - 20) * BLOCK;
	TAP_REQUIRE(!posix_fallocate(fd, 0, nbytes), "%ld MiB are reserved", nbytes / MIB);
	much = mmap(NULL, nbytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	map = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(much != MAP_FAILED && map != MAP_FAILED && !sigaction(SIGBUS, &act, NULL) &&
		    !readahead(fd, 0, 64 * MIB), "mapped");
	if (!sigsetjmp(no_space, 1)) {
		for (; at < 64 * MIB; at += BLOCK)
			map[at] = map[at] + 1;
	}
	TAP_EQ(at, 64 * MIB, "a byte of each of its blocks is stored");
	munmap(map, nbytes);
	/* Short writes are allowed, none at all is not. */
	for (at = 0; at < nbytes && (n = pwrite(fd, much, nbytes - at, at)) > 0; at += n)
		;
	TAP_EQ(at, nbytes, "all of it is written at once");
	TAP_OK(!fsync(fd), "arrives");
	TAP_OK(!fallocate(fd, FALLOC_FL_ZERO_RANGE, MIB + 100, nbytes - 2 * MIB), "it is zeroed");
	TAP_EQ(kib(fd) * 1024 >= nbytes, 1, "and has all of its blocks");
	munmap(much, nbytes);
	/* The nodes for as many pieces of a file come out of what is kept for such use. */
	for (n = 0; n < PIECES && pwrite(pieces, block, BLOCK, 2 * n * BLOCK) == BLOCK; n++)
		;
	TAP_EQ(n, PIECES, "every second block of another is written");
	close(pieces);
	TAP_OK(!fallocate(fd, FALLOC_FL_ZERO_RANGE, MIB + 100, nbytes - 2 * MIB),
	       "it is zeroed again, in space that is all its own");
	TAP_EQ(kib(fd) * 1024 >= nbytes, 1, "and keeps its blocks");
	TAP_REQUIRE(pread(fd, block, BLOCK, 2 * MIB) == BLOCK, "a block of it is read");
	for (n = 0; n < BLOCK && !block[n]; n++)
		;
	TAP_EQ(n, BLOCK, "as zeros");
	close(fd);
	TAP_REQUIRE(!unlink("reserved") && !unlink("pieces"), "removed");
}

/*
 * Direct writes that part the extents of reserved files, so that each of these wants its first
 * node, ask for more than half of what is kept when a volume is full.  That half is for what must
 * not fail.
 */
static void greedy(void)
{
	unsigned long kept, nfree;
	int fd[GREEDY], ballast = make("ballast", 0);
	struct statvfs st;
	ssize_t n = BLOCK;
	char name[32];
	long i, at;

	for (i = 0; i < GREEDY; i++) {
		snprintf(name, sizeof(name), "greedy%ld", i);
		fd[i] = make(name, O_DIRECT);
		TAP_REQUIRE(!posix_fallocate(fd[i], 0, 16 * BLOCK), "%s is reserved", name);
	}
	TAP_REQUIRE(!posix_fallocate(ballast, 0, (available() - 4) * BLOCK) && !statvfs(".", &st),
		    "a full volume");
	kept = st.f_bfree;
	for (i = 0; i < GREEDY; i++) {
		for (at = 0; at < 16 && n == BLOCK; at += 2)
			n = pwrite(fd[i], block, BLOCK, at * BLOCK);
		TAP_REQUIRE(!fsync(fd[i]) && !close(fd[i]), "file %ld arrives", i);
	}
	TAP_OK(n < 0 && errno == ENOSPC, "no more than there is space for");
	TAP_REQUIRE(!statvfs(".", &st), "the free space");
	nfree = st.f_bfree;
	TAP_OK(nfree >= kept / 2, "half of %lu blocks is left (%lu)", kept, nfree);
	close(ballast);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	TAP_REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd),
		    "%s to %s", text, path);
}

/*
 * Files whose extents just fit into the inode: written blocks, each in the midst of four, which lie
 * side by side on the disk, and unwritten ones around them, or @holes.
 */
static void scatter_carried(bool holes)
{
	int fd[CARRIED];
	char name[32];
	long i, at;

	for (i = 0; i < CARRIED; i++) {
		snprintf(name, sizeof(name), "carried%ld", i);
		fd[i] = make(name, O_DIRECT);
	}
	for (at = 1; at < 24; at += 4)
		for (i = 0; i < CARRIED; i++)
			TAP_REQUIRE(pwrite(fd[i], block, BLOCK, at * BLOCK) == BLOCK, "a block");
	for (i = 0; i < CARRIED; i++)
		TAP_REQUIRE((holes ? !ftruncate(fd[i], 24 * BLOCK) :
				     !posix_fallocate(fd[i], 0, 24 * BLOCK)) && !close(fd[i]),
			    "the rest");
	sync();
	put("/proc/sys/vm/drop_caches", "1");
}

/*
 * A store to a written block of a folio that has unwritten ones, too: an older kernel writes all of
 * it, which parts extents.  It takes no more than half of what is kept, and nothing that was
 * accepted is lost.  A cut zeroes a part of such a folio, and does not want for space.
 *
 * @holes: the unwritten ones come when the folio is dirty.
 */
static void carried(bool holes)
{
	int fd[CARRIED], ballast = make("ballast", 0);
	unsigned long kept;
	long i, at, done, n = 1, failed = 0;
	struct statvfs st;
	char name[32];

	scatter_carried(holes);
	for (i = 0; i < CARRIED; i++) {
		snprintf(name, sizeof(name), "carried%ld", i);
		fd[i] = open(name, O_RDWR);
		TAP_REQUIRE(pread(fd[i], block, 16 * BLOCK, 0) == 16 * BLOCK, "%s is read", name);
	}
	kept = available() - 4 - (holes ? CARRIED * 18 : 0);
	TAP_REQUIRE(!posix_fallocate(ballast, 0, kept * BLOCK) && !statvfs(".", &st), "a full volume");
	kept = st.f_bfree - (holes ? CARRIED * 18 : 0);
	for (done = 0; done < CARRIED && n == 1; done++) {
		for (at = 1; at < 24 && n == 1; at += 8)
			n = pwrite(fd[done], "y", 1, at * BLOCK);
		TAP_REQUIRE(n == 1 || errno == ENOSPC, "stored, or there is no space");
		TAP_REQUIRE(!holes || !posix_fallocate(fd[done], 0, 24 * BLOCK), "no holes");
		failed += !!fsync(fd[done]);
	}
	TAP_REQUIRE(!statvfs(".", &st), "the free space");
	TAP_OK(!failed, "%ld files with three bytes stored arrive (%ld do not)", done, failed);
	TAP_OK(st.f_bfree >= kept / 2, "half of %lu blocks is left (%lu)", kept, st.f_bfree);
	for (i = 0, n = 0; i < CARRIED; i++)
		n += !ftruncate(fd[i], 13 * BLOCK + 100) && !fsync(fd[i]);
	TAP_EQ(n, CARRIED, "all are cut in the midst of a block");
	close(ballast);
}

/* What was claimed for a direct write that fails is free when that is told. */
static void refused(void)
{
	int fd = make("refused", O_DIRECT);
	char *much = mmap(NULL, 8 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[2] = { { much, 8 * MIB }, { NULL, 8 * MIB } };
	long nfree;

	TAP_REQUIRE(much != MAP_FAILED && !posix_fallocate(fd, 0, 16 * MIB) &&
		    !ftruncate(fd, 32 * MIB) && !fsync(fd), "16 MiB unwritten, as much a hole");
	nfree = available();
	TAP_OK(pwritev(fd, iov, 2, 0) < 0 && errno == EFAULT, "half of it from nowhere");
	TAP_EQ(available(), nfree, "keeps nothing");
	TAP_OK(pwrite(fd, much, 8 * MIB - 100, 8 * MIB) < 0 && errno == EINVAL,
	       "not a number of sectors");
	TAP_EQ(available(), nfree, "keeps nothing");
	TAP_OK(pwritev2(fd, iov, 1, 12 * MIB, RWF_NOWAIT) < 0 && errno == EAGAIN,
	       "into the hole without waiting");
	TAP_EQ(available(), nfree, "keeps nothing");
	munmap(much, 8 * MIB);
	close(fd);
}

/* Enough runs that the inode does not hold them all: nodes may have to be read. */
static void nowait(void)
{
	struct iovec iov = { block, BLOCK };
	int fd = make("runs", O_DIRECT);
	int i;

	TAP_REQUIRE(pwrite(fd, block, BLOCK, 0) == BLOCK, "one run");
	TAP_EQ(preadv2(fd, &iov, 1, 0, RWF_NOWAIT), BLOCK, "it is read without waiting");
	for (i = 1; i < 200; i++)
		TAP_REQUIRE(pwrite(fd, block, BLOCK, 2L * i * BLOCK) == BLOCK, "200 runs");
	TAP_OK(preadv2(fd, &iov, 1, 0, RWF_NOWAIT) < 0 && errno == EAGAIN,
	       "what may need a node of the tree is refused");
	TAP_EQ(preadv2(fd, &iov, 1, 0, 0), BLOCK, "and read by who may wait");
	close(fd);
}

static void write_file(const char *name, int flags, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | flags, 0644);

	TAP_REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd),
		    "%s is written", name);
}

/* The close has begun to write the file: until its block is a written one, or some seconds. */
static void await_written(const char *name)
{
	time_t start = time(NULL);
	struct {
		struct fiemap map;
		struct fiemap_extent extent;
	} ask;
	int fd = open(name, O_RDONLY);

	do {
		memset(&ask, 0, sizeof(ask));
		ask.map.fm_length = BLOCK;
		ask.map.fm_extent_count = 1;
		TAP_REQUIRE(!ioctl(fd, FS_IOC_FIEMAP, &ask), "the map of %s", name);
		poll(NULL, 0, 10);
	} while ((!ask.map.fm_mapped_extents ||
		  ask.extent.fe_flags & (FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNWRITTEN)) &&
		 time(NULL) - start < 10);
	printf("# %s: flags %x after %ld s\n", name, ask.extent.fe_flags, time(NULL) - start);
	close(fd);
}

static void pull(void)
{
	int fd = make("witness", 0);

	/* Nothing is written but what somebody starts. */
	put("/proc/sys/vm/dirty_writeback_centisecs", "0");
	write_file("moved", O_TRUNC, "old content\n");
	write_file("cut", O_TRUNC, "old content\n");
	sync();
	write_file("moved.new", O_TRUNC, "new content\n");
	TAP_REQUIRE(!rename("moved.new", "moved"), "a new file in its place");
	TAP_REQUIRE(write(fd, "w", 1) == 1 && !fsync(fd), "another file is synced");
	write_file("cut", O_TRUNC, "new content\n");
	await_written("cut");
	TAP_REQUIRE(write(fd, "w", 1) == 1 && !fsync(fd), "another file is synced");
	printf("pull now\n");
	fflush(stdout);
	pause();
}

/* Each record's end is durable when the disk has it: the disk is copied behind the file system. */
static void records(const char *from, const char *to)
{
	int fd = make("synced", O_DIRECT | O_DSYNC);
	int in = open(from, O_RDONLY | O_DIRECT);
	int out = open(to, O_WRONLY | O_DIRECT);
	ssize_t n;
	int i;

	memset(block, 'R', RECORD);
	for (i = 0; i < RECORDS; i++)
		TAP_REQUIRE(pwrite(fd, block, RECORD, i * RECORD) == RECORD, "a record");
	while ((n = read(in, block, 16 * BLOCK)) > 0)
		TAP_REQUIRE(write(out, block, n) == n, "the copy");
	TAP_OK(!n && !close(out), "%d records, the disk copied", RECORDS);
	close(in);
	close(fd);
}

static void pull_sync(void)
{
	write_file("short", O_TRUNC, "a long text\n");
	write_file("mode", O_TRUNC, "text\n");
	TAP_REQUIRE(!truncate("short", 4), "cut");
	TAP_REQUIRE(!chmod("mode", 0600), "its mode");
	printf("pull now\n");
	fflush(stdout);
	pause();
}

static void verify_one(const char *name)
{
	char text[64] = "";
	int fd = open(name, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	TAP_OK(n == 12 && (!strcmp(text, "old content\n") || !strcmp(text, "new content\n")),
	       "%s: old or new", name);
	printf("# %zd bytes: %.3s\n", n, text);
	close(fd);
}

static void verify(void)
{
	verify_one("moved");
	verify_one("cut");
}

static void verify_records(void)
{
	int fd = open("synced", O_RDONLY);
	int wrong = 0;
	int i;

	TAP_EQ(size_of(fd), RECORDS * RECORD, "each record that was acknowledged");
	TAP_OK(read(fd, block, BLOCK) == RECORDS * RECORD, "is read");
	for (i = 0; i < RECORDS * RECORD; i++)
		wrong += block[i] != 'R';
	TAP_EQ(wrong, 0, "as it was written");
	close(fd);
}

static void verify_sync(void)
{
	struct stat st;

	TAP_OK(!stat("short", &st) && st.st_size == 4, "the size is the new one");
	TAP_OK(!stat("mode", &st) && (st.st_mode & 07777) == 0600, "so is the mode");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc >= 3 && !chdir(argv[2]), "usage: sound WHAT DIR [FROM TO]");
	TAP_REQUIRE(!posix_memalign((void **)&block, BLOCK, 16 * BLOCK), "memory");
	memset(block, 'x', 16 * BLOCK);
	if (!strcmp(argv[1], "use")) {
		cut();
		cut_and_grow();
		past_eof();
		too_much();
		mapped_stores();
		reserved();
		refused();
		nowait();
	} else if (!strcmp(argv[1], "greedy")) {
		greedy();
	} else if (!strcmp(argv[1], "carried")) {
		carried(false);
	} else if (!strcmp(argv[1], "carried-holes")) {
		carried(true);
	} else if (!strcmp(argv[1], "pull")) {
		pull();
	} else if (!strcmp(argv[1], "pull-sync")) {
		pull_sync();
	} else if (!strcmp(argv[1], "records") && argc == 5) {
		records(argv[3], argv[4]);
	} else if (!strcmp(argv[1], "verify")) {
		verify();
	} else if (!strcmp(argv[1], "verify-records")) {
		verify_records();
	} else {
		verify_sync();
	}
	return tap_done();
}
