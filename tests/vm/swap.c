// SPDX-License-Identifier: GPL-2.0-only
/*
 * swap.c - files that are swapped to: which may be, what is refused meanwhile, and whose blocks the
 * pages of processes reach.
 *
 * The kernel asks once where such a file is, and writes there without the file system.  A process
 * in a group of little memory is swapped out and in while others use the volume; then it must find
 * what it had, and files beside the swap file what they had.  "pull" counts rounds of that, on one
 * of which the machine is killed.
 *
 * usage: swap use|pull|verify DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap/tap.h"

#define PAGE		4096
#define MIB		(1L << 20)
#define PIECE		(256L << 10)
#define SWAP		(64 * MIB)	/* bytes of a swap file */
#define HELD		(32 * MIB)	/* bytes that a process has */
#define ALLOWED		"12M"		/* of memory, in its group */
#define GROUP		"/cgroup/small"
#define MAGIC		0x5357415050454400ULL
#define ROUNDS		200

static char *page, *back;		/* PIECE bytes, aligned */

static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* ---- files ---- */

static int make(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	TAP_REQUIRE(fd >= 0, "%s is made", name);
	return fd;
}

static void fill(uint64_t seed)
{
	uint64_t *word = (uint64_t *)page;
	unsigned int i;

	for (i = 0; i < PIECE / sizeof(*word); i++)
		word[i] = (seed * 2654435761ULL + i) * 0x9e3779b97f4a7c15ULL;
}

static void put(int fd, uint64_t seed, off_t pos)
{
	fill(seed);
	TAP_REQUIRE(pwrite(fd, page, PIECE, pos) == PIECE && !fsync(fd), "written");
}

/* What mkswap(8) does. */
static void put_header(int fd, off_t nbytes)
{
	uint32_t head[2] = { 1, nbytes / PAGE - 1 };
	char first[PAGE] = { 0 };

	memcpy(first + 1024, head, sizeof(head));
	memcpy(first + PAGE - 10, "SWAPSPACE2", 10);
	TAP_REQUIRE(pwrite(fd, first, PAGE, 0) == PAGE && !fsync(fd), "a header");
}

/* In pieces, between which another file has its own. */
static void make_written(const char *name, const char *beside)
{
	int fd = make(name);
	int fd2 = make(beside);
	off_t pos;

	for (pos = 0; pos < SWAP; pos += PIECE) {
		put(fd, 0, pos);
		put(fd2, pos + 1, pos);
	}
	put_header(fd, SWAP);
	close(fd);
	close(fd2);
}

static void make_unwritten(const char *name)
{
	int fd = make(name);

	TAP_REQUIRE(!fallocate(fd, 0, 0, SWAP), "preallocated");
	put_header(fd, SWAP);
	close(fd);
}

/* From the disk: is every byte of @name what make_written() put there beside a swap file? */
static bool is_beside(const char *name)
{
	int fd = open(name, O_RDONLY | O_DIRECT);
	off_t pos;

	TAP_REQUIRE(fd >= 0, "%s is opened", name);
	for (pos = 0; pos < SWAP; pos += PIECE) {
		fill(pos + 1);
		if (pread(fd, back, PIECE, pos) != PIECE || memcmp(back, page, PIECE)) {
			printf("# %s at %ld\n", name, (long)pos);
			break;
		}
	}
	close(fd);
	return pos == SWAP;
}

/* Pages of the disk's @name that are a process's, or (@zero) nothing but zeros. */
static int count_pages(const char *name, bool zero)
{
	static const char none[PAGE];
	int fd = open(name, O_RDONLY | O_DIRECT);
	int i, count = 0;
	off_t pos;

	TAP_REQUIRE(fd >= 0, "%s is opened", name);
	for (pos = 0; pos < SWAP; pos += PIECE) {
		TAP_REQUIRE(pread(fd, page, PIECE, pos) == PIECE, "read");
		for (i = 0; i < PIECE; i += PAGE)
			count += zero ? !memcmp(page + i, none, PAGE) :
					*(uint64_t *)(page + i) == MAGIC;
	}
	close(fd);
	return count;
}

static unsigned long long free_blocks(void)
{
	struct statvfs st;

	sync();
	TAP_REQUIRE(!statvfs(".", &st), "statvfs");
	return st.f_bfree;
}

/* ---- a process that does not fit into memory ---- */

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	TAP_REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd),
		    "%s is written", path);
}

static void make_group(void)
{
	TAP_REQUIRE((!mkdir("/cgroup", 0755) || errno == EEXIST) &&
		    !mount("cgroup2", "/cgroup", "cgroup2", 0, ""), "groups");
	write_to("/cgroup/cgroup.subtree_control", "+memory");
	TAP_REQUIRE(!mkdir(GROUP, 0755), "a group");
	/* Not memory.max: who has to wait for a slow disk too long would be killed. */
	write_to(GROUP "/memory.high", ALLOWED);
}

static uint64_t word_of(uint64_t round, uint64_t at)
{
	return at % (PAGE / 8) ? (round << 32 ^ at) * 0x9e3779b97f4a7c15ULL : MAGIC;
}

static void store(uint64_t *held, uint64_t round)
{
	uint64_t i;

	for (i = 0; i < HELD / 8; i++)
		held[i] = word_of(round, i);
}

static bool holds(const uint64_t *held, uint64_t round)
{
	uint64_t i;

	for (i = 0; i < HELD / 8; i++)
		if (held[i] != word_of(round, i))
			return false;
	return true;
}

static uint64_t *hold(void)
{
	uint64_t *held;

	write_to(GROUP "/cgroup.procs", "0");
	held = mmap(NULL, HELD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TAP_REQUIRE(held != MAP_FAILED, "memory");
	return held;
}

/* Holds more than it may, says so, and when asked looks whether all is there. */
static pid_t begin(int *ret_said, int *ret_ask)
{
	int said[2], ask[2];
	uint64_t *held;
	pid_t pid;
	char c;

	TAP_REQUIRE(!pipe(said) && !pipe(ask), "pipes");
	pid = fork();
	if (pid) {
		close(said[1]);
		close(ask[0]);
		*ret_said = said[0];
		*ret_ask = ask[1];
		return pid;
	}
	close(ask[1]);
	held = hold();
	store(held, 1);
	if (write(said[1], "x", 1) != 1 || read(ask[0], &c, 1) != 1)
		_exit(2);
	if (!holds(held, 1))
		_exit(3);
	store(held, 2);
	_exit(holds(held, 2) ? 0 : 4);
}

/* KiB of swap in use. */
static long used(void)
{
	FILE *f = fopen("/proc/swaps", "r");
	char line[256];
	long kib, sum = 0;

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s file %*d %ld", &kib) == 1)
			sum += kib;
	fclose(f);
	return sum;
}

/* ---- what is refused ---- */

static sigjmp_buf out;

static void on_bus(int sig)
{
	siglongjmp(out, sig);
}

/* Does a store there end in SIGBUS? */
static bool faults(volatile char *at)
{
	struct sigaction bus = { .sa_handler = on_bus }, old;
	bool faulted = true;

	sigaction(SIGBUS, &bus, &old);
	if (!sigsetjmp(out, 1)) {
		*at = 'x';
		faulted = false;
	}
	sigaction(SIGBUS, &old, NULL);
	return faulted;
}

static void unfit(void)
{
	int fd = make("hole");

	put_header(fd, 4 * PIECE);
	put(fd, 1, 3 * PIECE);
	TAP_EQ(result(swapon("hole", 0)), -EINVAL, "no file with a hole");
	TAP_REQUIRE(!fallocate(fd, 0, 0, 3 * PIECE), "preallocated");
	TAP_EQ(result(swapon("hole", 0)), 0, "without one it serves");
	TAP_EQ(result(swapoff("hole")), 0, "and is given back");
	TAP_REQUIRE(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PIECE, PAGE), "punched");
	TAP_EQ(result(swapon("hole", 0)), -EINVAL, "one page is hole enough");
	TAP_REQUIRE(!ftruncate(fd, 2 * PIECE), "cut");
	TAP_EQ(result(swapon("hole", 0)), -EINVAL, "none that is shorter than it says");
	put_header(fd, 2 * PIECE);
	fill(1);
	TAP_REQUIRE(pwrite(fd, page, PIECE, 2 * PIECE) == PIECE, "written, and not synced");
	put_header(fd, 3 * PIECE);
	fill(2);
	TAP_REQUIRE(pwrite(fd, page, PIECE, 3 * PIECE) == PIECE, "written, and not synced");
	TAP_EQ(result(swapon("hole", 0)), 0, "what has no place yet gets one");
	TAP_EQ(result(swapoff("hole")), 0, "and is given back");
	TAP_REQUIRE(!ftruncate(fd, 0), "cut");
	TAP_EQ(result(swapon("hole", 0)), -EINVAL, "no empty file");
	TAP_EQ(result(swapon(".", 0)), -EISDIR, "no directory");
	close(fd);
	TAP_REQUIRE(!unlink("hole"), "removed");
}

static void space(int fd, int mode, off_t pos, off_t nbytes, const char *what)
{
	TAP_EQ(result(fallocate(fd, mode, pos, nbytes)), -ETXTBSY, "%s", what);
}

/* @before is a mapping of the file from before. */
static void refused(const char *name, const char *dir, char *before)
{
	int fd = open(name, O_RDWR);
	int direct = open(name, O_RDWR | O_DIRECT);
	int from = make("from");
	loff_t at = 0;
	void *map;

	TAP_REQUIRE(fd >= 0 && direct >= 0, "%s can be opened", name);
	put(from, 9, 0);
	TAP_EQ(result(swapon(name, 0)), -EBUSY, "not twice");
	TAP_EQ(result(pwrite(fd, page, PAGE, PAGE)), -ETXTBSY, "no write");
	TAP_EQ(result(pwrite(direct, page, PAGE, PAGE)), -ETXTBSY, "none past the page cache");
	TAP_EQ(result(pwrite(fd, page, PAGE, SWAP)), -ETXTBSY, "none behind the end");
	TAP_EQ(result(copy_file_range(from, &at, fd, NULL, PAGE, 0)), -ETXTBSY, "nothing is copied there");
	TAP_EQ(result(ftruncate(fd, SWAP / 2)), -ETXTBSY, "it is not cut");
	TAP_EQ(result(ftruncate(fd, SWAP)), -ETXTBSY, "nor what is behind its end");
	TAP_EQ(result(ftruncate(fd, 2 * SWAP)), -ETXTBSY, "nor does it grow");
	TAP_EQ(result(open(name, O_RDWR | O_TRUNC)), -ETXTBSY, "nor is it opened and cut");
	space(fd, 0, 0, 2 * SWAP, "no room is made in it");
	space(fd, FALLOC_FL_KEEP_SIZE, SWAP, SWAP, "nor behind it");
	space(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PIECE, PIECE, "no hole");
	space(fd, FALLOC_FL_ZERO_RANGE, PIECE, PIECE, "no zeros");
	space(fd, FALLOC_FL_COLLAPSE_RANGE, PIECE, PIECE, "nothing is taken out");
	space(fd, FALLOC_FL_INSERT_RANGE, PIECE, PIECE, "nothing put in");
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	TAP_EQ(map == MAP_FAILED ? -errno : 0, -ETXTBSY, "it is not mapped to be stored to");
	TAP_OK(faults(before), "nor stored to where it was mapped before");
	TAP_EQ(result(unlink(name)), -EPERM, "it is not removed");
	TAP_EQ(result(rename(name, "other")), -EPERM, "nor renamed");
	TAP_EQ(result(rename("from", name)), -EPERM, "nor is another put in its place");
	close(from);
	close(fd);
	close(direct);
	TAP_REQUIRE(!unlink("from") && !chdir("/"), "away from there");
	TAP_EQ(result(mount("", dir, "", MS_REMOUNT | MS_RDONLY, "")), -EBUSY, "the volume does not become read-only");
	TAP_EQ(result(umount(dir)), -EBUSY, "nor is it unmounted");
	TAP_REQUIRE(!chdir(dir), "back");
}

/* ---- in use ---- */

static void trim(void)
{
	struct fstrim_range range = { .len = UINT64_MAX };
	int fd = open(".", O_RDONLY);

	TAP_OK(!ioctl(fd, FITRIM, &range) && range.len > 0, "the device is told what nobody has");
	close(fd);
}

/* The volume is used as it is otherwise, and what is freed is had by others. */
static void others(void)
{
	int i, fd = open(".", O_RDONLY);
	char name[16];

	for (i = 0; i < 40; i++) {
		int file;

		snprintf(name, sizeof(name), "other%d", i);
		file = make(name);
		put(file, i, 0);
		close(file);
		if (i % 2)
			TAP_REQUIRE(!unlink(name), "removed");
	}
	TAP_OK(!ioctl(fd, FIFREEZE, 0) && !ioctl(fd, FITHAW, 0), "it can be frozen");
	close(fd);
	for (i = 0; i < 40; i += 2) {
		snprintf(name, sizeof(name), "other%d", i);
		TAP_REQUIRE(!unlink(name), "removed");
	}
}

static void swapped(const char *name, const char *dir, int flags, bool unwritten)
{
	int said, ask, status, fd, pages;
	char c, *before;
	long kib;
	pid_t pid;

	printf("# %s\n", name);
	fd = open(name, O_RDWR);
	before = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(before != MAP_FAILED && !close(fd), "mapped");
	*before = 'x';
	TAP_EQ(result(swapon(name, flags)), 0, "a file is swapped to");
	pid = begin(&said, &ask);
	TAP_REQUIRE(read(said, &c, 1) == 1, "a process has its memory");
	kib = used();
	TAP_OK(kib > 12 << 10, "and is swapped out (%ld KiB)", kib);
	refused(name, dir, before);
	trim();
	others();
	pages = count_pages(name, false);
	if (unwritten)
		TAP_EQ(pages, 0, "what has not been written by the file system shows nothing of it");
	else
		TAP_OK(pages > 3072, "pages are where the file is (%d)", pages);
	TAP_OK(is_beside("beside"), "and nowhere beside it");
	TAP_REQUIRE(write(ask, "x", 1) == 1 && waitpid(pid, &status, 0) == pid, "asked");
	TAP_EQ(status, 0, "the process finds what it had");
	TAP_OK(is_beside("beside"), "so does the file beside it");
	TAP_EQ(result(swapoff(name)), 0, "given back");
	if (unwritten)
		TAP_OK(count_pages(name, true) >= SWAP / PAGE - 2, "it reads as zeros still");
	munmap(before, PAGE);
	close(said);
	close(ask);
}

/* All that was refused. */
static void allowed(const char *name)
{
	int fd = open(name, O_RDWR);

	put(fd, 3, PIECE);
	TAP_EQ(result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PIECE, PIECE)), 0, "a hole now");
	TAP_EQ(result(ftruncate(fd, 2 * SWAP)), 0, "it grows now");
	TAP_EQ(result(ftruncate(fd, PIECE)), 0, "it is cut now");
	TAP_EQ(result(rename(name, "renamed")), 0, "renamed now");
	TAP_EQ(result(unlink("renamed")), 0, "and removed");
	close(fd);
}

static void use(const char *dir)
{
	unsigned long long nfree;

	make_group();
	unfit();
	nfree = free_blocks();
	make_written("written", "beside");
	make_unwritten("unwritten");
	swapped("written", dir, 0, false);
	swapped("unwritten", dir, 0, true);
	swapped("written", dir, SWAP_FLAG_DISCARD, false);
	allowed("written");
	allowed("unwritten");
	TAP_REQUIRE(!unlink("beside"), "removed");
	TAP_EQ(free_blocks(), nfree, "nothing is lost");
	make_written("written", "beside");
	TAP_REQUIRE(!chdir("/") && !mount("", dir, "", MS_REMOUNT | MS_RDONLY, "") && !chdir(dir), "read-only");
	TAP_EQ(result(swapon("written", 0)), -EROFS, "not on a read-only volume");
	TAP_REQUIRE(!mount("", dir, "", MS_REMOUNT, ""), "writable");
}

/* ---- the plug ---- */

/* Leaves "written", which is swapped to, and synced files of names that count. */
static void pull(void)
{
	int round, fd, said[2];
	uint64_t *held;
	char name[16];
	char c;

	make_group();
	TAP_REQUIRE(!swapon("written", 0) && !pipe(said), "swapped to");
	if (!fork()) {
		held = hold();
		for (round = 1;; round++) {
			store(held, round);
			if (!holds(held, round) || write(said[1], "x", 1) != 1)
				_exit(1);
		}
	}
	close(said[1]);
	for (round = 1; round < ROUNDS; round++) {
		TAP_REQUIRE(read(said[0], &c, 1) == 1 && used() > 12 << 10, "a process is swapped out and in");
		snprintf(name, sizeof(name), "round%d", round);
		fd = make(name);
		put(fd, round, 0);
		close(fd);
		if (round > 3) {
			snprintf(name, sizeof(name), "round%d", round - 3);
			TAP_REQUIRE(!unlink(name), "removed");
		}
		printf("# round %d\n", round);
		fflush(stdout);
	}
	TAP_OK(false, "nobody pulled the plug");
}

static void verify(const char *dir)
{
	int fd;

	fd = open("round7", O_RDONLY);
	fill(7);
	TAP_REQUIRE(fd >= 0, "what was synced is there");
	TAP_OK(read(fd, back, PIECE) == PIECE && !memcmp(back, page, PIECE), "and whole");
	close(fd);
	TAP_OK(is_beside("beside"), "the file beside the swap file is whole");
	make_group();
	swapped("written", dir, 0, false);
	allowed("written");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 3 && !chdir(argv[2]), "usage: swap use|pull|verify DIR");
	TAP_REQUIRE(!posix_memalign((void **)&page, PAGE, PIECE) &&
		    !posix_memalign((void **)&back, PAGE, PIECE), "memory");
	alarm(800);
	if (!strcmp(argv[1], "use"))
		use(argv[2]);
	else if (!strcmp(argv[1], "pull"))
		pull();
	else
		verify(argv[2]);
	return tap_done();
}
