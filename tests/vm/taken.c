// SPDX-License-Identifier: GPL-2.0-only
/*
 * taken.c - blocks that an allocation takes, and who gets them when it does not come to its end.
 *
 * fallocate(2) goes on under a timer's signals, ends for a fatal one, and takes nothing if it
 * cannot have all.  A write that is cut short leaves no block behind the file's end.  A direct read
 * beside stores to a mapping gets old or new bytes, and no error.  Who writes to what was
 * preallocated, beside writeback, takes no more promises than there are dirty blocks.
 *
 * usage: taken DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "tap/tap.h"

#define BLOCK		4096L
#define MIB		(1L << 20)
#define PIECES		6000		/* holes of the file that is preallocated */
#define BUFFER		(64 * MIB)	/* of one write, half of which there is */
#define SMALL		300
#define LOOKS		3000
#define STREAM		(96 * MIB)	/* preallocated, and written in pieces that are long */
#define PIECE		(16 * MIB)
#define READ		(64 * MIB)	/* preallocated, and read before a little is written */
#define LEFT		400		/* blocks that are left; the worst case of all is more */

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static int make(const char *name, int flags)
{
	int fd = open(name, flags | O_RDWR | O_CREAT | O_TRUNC, 0644);

	TAP_REQUIRE(fd >= 0, "%s is made", name);
	return fd;
}

static long blocks_of(int fd)
{
	struct stat st;

	TAP_REQUIRE(!fstat(fd, &st), "stat");
	return st.st_blocks * 512L / BLOCK;
}

/* A file of so many single blocks and holes takes a transaction for each hole. */
static int make_pieces(const char *name)
{
	int fd = make(name, 0);
	long i;

	for (i = 0; i < PIECES; i++)
		TAP_REQUIRE(pwrite(fd, "x", 1, 2 * i * BLOCK) == 1, "a piece");
	TAP_REQUIRE(!fsync(fd), "synced");
	return fd;
}

static void under_timer(void)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval each = { { 0, 1000 }, { 0, 1000 } };
	struct itimerval none = { 0 };
	int fd = make_pieces("pieces");
	int before, ret;

	TAP_REQUIRE(!sigaction(SIGALRM, &action, NULL) && !setitimer(ITIMER_REAL, &each, NULL), "timer");
	before = alarms;
	ret = fallocate(fd, 0, 0, 2L * PIECES * BLOCK);
	TAP_EQ(ret ? -errno : 0, 0, "fallocate comes to an end under a timer's signals");
	setitimer(ITIMER_REAL, &none, NULL);
	TAP_OK(alarms > before, "there were some meanwhile");
	TAP_EQ(blocks_of(fd) >= 2 * PIECES, 1, "all of it is there");
	close(fd);
	unlink("pieces");
}

static void killed(void)
{
	int fd = make_pieces("killed");
	long before = blocks_of(fd);
	int status;
	pid_t child;

	child = fork();
	if (!child)
		_exit(fallocate(fd, 0, 0, 2L * PIECES * BLOCK) ? 1 : 2);
	while (blocks_of(fd) < before + PIECES / 4)
		;
	kill(child, SIGKILL);
	TAP_REQUIRE(waitpid(child, &status, 0) == child, "waited for");
	/* A machine may be so quick that it had ended.  Some nodes of the tree may be more now. */
	TAP_OK(!WIFSIGNALED(status) || blocks_of(fd) < before + PIECES / 60,
	       "what a killed one had taken went back (%ld blocks, before %ld)", blocks_of(fd), before);
	close(fd);
	unlink("killed");
}

/* So little may be dirty that a write has to wait for writeback in its midst. */
static void keep_little_dirty(void)
{
	int fd = open("/proc/sys/vm/dirty_background_bytes", O_WRONLY);

	TAP_REQUIRE(fd >= 0 && write(fd, "262144", 6) == 6, "little dirty data");
	close(fd);
	fd = open("/proc/sys/vm/dirty_bytes", O_WRONLY);
	TAP_REQUIRE(fd >= 0 && write(fd, "1048576", 7) == 7, "none beyond that");
	close(fd);
}

static void cut_short(void)
{
	char *buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	int fd = make("short", 0);
	struct stat st;

	TAP_REQUIRE(buffer != MAP_FAILED, "memory");
	memset(buffer, 's', BUFFER / 2);
	TAP_REQUIRE(!mprotect(buffer + BUFFER / 2, BUFFER / 2, PROT_NONE), "half a buffer");
	TAP_EQ(write(fd, buffer, BUFFER), BUFFER / 2, "half a write");
	TAP_REQUIRE(!fsync(fd) && !fstat(fd, &st), "synced");
	TAP_EQ(st.st_size, BUFFER / 2, "the file has that size");
	TAP_EQ(blocks_of(fd) * BLOCK <= BUFFER / 2 + 16 * BLOCK, 1,
	       "and no blocks behind it (it has %ld)", blocks_of(fd));
	munmap(buffer, BUFFER);
	close(fd);
	unlink("short");
}

static void too_large(void)
{
	int fd = make("large", 0);
	int refused = 0;
	int missed = 0;
	int ready[2], status, i, own;
	char c = 0;
	pid_t child;

	TAP_REQUIRE(!pipe(ready), "pipe");
	child = fork();
	if (!child) {
		for (i = 0; i < SMALL; i++) {
			if (fallocate(fd, 0, 0, 1L << 40) != -1 || errno != ENOSPC)
				_exit(1);
			if (!i && write(ready[1], &c, 1) != 1)
				_exit(2);
		}
		_exit(0);
	}
	TAP_REQUIRE(read(ready[0], &c, 1) == 1, "another asks for all there is");
	own = make("own", 0);
	for (i = 0; i < SMALL; i++)
		missed += pwrite(own, "o", 1, i * BLOCK) != 1;
	missed += fsync(own) != 0;
	refused = waitpid(child, &status, 0) == child && !status;
	TAP_OK(refused, "a request for more than there is is refused each time");
	TAP_EQ(missed, 0, "and takes nothing from who writes meanwhile");
	TAP_EQ(blocks_of(fd), 0, "nor leaves anything in the file");
	close(own);
	close(fd);
	unlink("own");
	unlink("large");
}

/* Holes are stored to by a child and made anew; a direct read meets them in each state. */
static void direct_beside_stores(void)
{
	int fd = make("stores", O_DIRECT);
	int i, status, errors = 0, strange = 0;
	pid_t child;
	char *block;
	char *map;

	TAP_REQUIRE(!ftruncate(fd, 16 * BLOCK) && !posix_memalign((void **)&block, BLOCK, BLOCK), "made");
	child = fork();
	if (!child) {
		int own = open("stores", O_RDWR);

		map = mmap(NULL, 16 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
		if (map == MAP_FAILED)
			_exit(1);
		for (i = 0;; i++) {
			map[i % 16 * BLOCK] = 's';
			if (i % 16 == 15 && fallocate(own, FALLOC_FL_PUNCH_HOLE |
						      FALLOC_FL_KEEP_SIZE, 0, 16 * BLOCK))
				_exit(1);
		}
	}
	for (i = 0; i < LOOKS; i++) {
		if (pread(fd, block, BLOCK, i % 16 * BLOCK) != BLOCK)
			errors++;
		else
			strange += block[0] && block[0] != 's';
	}
	kill(child, SIGKILL);
	TAP_REQUIRE(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "the stores went well");
	TAP_EQ(errors, 0, "a direct read beside stores to a mapping does not fail");
	TAP_EQ(strange, 0, "and finds zeros or what was stored");
	close(fd);
	free(block);
	unlink("stores");
}

/* Blocks promised to nodes of trees, for the worst case. */
static long promised(void)
{
	char text[32] = "";
	int fd = open("/sys/fs/simplefs/vda/delayed_node_blocks", O_RDONLY);

	TAP_REQUIRE(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0, "what is promised");
	close(fd);
	return atol(text);
}

static long available(void)
{
	struct statvfs st;

	TAP_REQUIRE(!statvfs(".", &st), "statvfs");
	return st.f_bavail;
}

/* Writes what is dirty, all the time. */
static pid_t keep_writing_back(int fd)
{
	pid_t child = fork();

	while (!child)
		if (sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE))
			_exit(1);
	return child;
}

/* Every page of a piece is one that writeback may come to before the next; 0 or an exit status. */
static int stream(int fd)
{
	char *piece = malloc(PIECE);
	long pos;

	memset(piece, 's', PIECE);
	for (pos = 0; pos < STREAM; pos += PIECE)
		if (pwrite(fd, piece, PIECE, pos) != PIECE)
			return 1;
	return 0;
}

/* A file as small as they come; false if there was no space for it. */
static bool small_fits(void)
{
	char data[4 * BLOCK] = "small";
	int fd = open("small", O_RDWR | O_CREAT, 0644);
	bool fits = fd >= 0 && pwrite(fd, data, sizeof(data), 0) == sizeof(data);

	close(fd);
	unlink("small");
	return fits;
}

static void streamed(void)
{
	int fd = make("stream", 0);
	int rest = make("rest", 0);
	long refused = 0, times = 0, most = 0, left;
	pid_t writer, writeback;
	int status;

	TAP_REQUIRE(!fallocate(fd, 0, 0, STREAM), "preallocated");
	TAP_REQUIRE(!fallocate(rest, 0, 0, (available() - LEFT) * BLOCK), "and nearly all the rest");
	sync();
	TAP_EQ(promised(), 0, "nothing is promised yet");
	writeback = keep_writing_back(fd);
	writer = fork();
	if (!writer)
		_exit(stream(fd));
	while (!waitpid(writer, &status, WNOHANG)) {
		left = promised();
		most = left > most ? left : most;
		refused += !small_fits();
		times++;
	}
	TAP_EQ(status, 0, "written, in long pieces, beside writeback");
	TAP_EQ(refused, 0, "of %ld small files beside it none is refused for want of space", times);
	TAP_OK(most < LEFT / 2, "no more is promised than for what is dirty: %ld blocks", most);
	kill(writeback, SIGKILL);
	TAP_REQUIRE(waitpid(writeback, &status, 0) == writeback && WIFSIGNALED(status), "it went well");
	TAP_REQUIRE(!syncfs(fd), "synced");
	TAP_EQ(promised(), 0, "and nothing when all is written");
	close(fd);
	close(rest);
	unlink("stream");
	unlink("rest");
}

/* Before 6.6 a folio goes whole, and all of a large one is dirty. */
static bool folios_go_whole(void)
{
	struct utsname name;
	int major, minor;

	TAP_REQUIRE(!uname(&name) && sscanf(name.release, "%d.%d", &major, &minor) == 2, "uname");
	return major * 100 + minor < 606;
}

/* What is stored to in large folios, which readahead leaves, counts; not all that is beside it. */
static void read_before(void)
{
	int fd = make("read", 0);
	char *data = calloc(1, READ);
	long pos, unread, most;

	TAP_REQUIRE(!fallocate(fd, 0, 0, READ) && !fsync(fd), "preallocated");
	for (pos = 0; pos < READ; pos += MIB)
		TAP_REQUIRE(pwrite(fd, data, BLOCK, pos + 2 * BLOCK) == BLOCK, "written");
	unread = promised();
	TAP_REQUIRE(!fsync(fd) && !ftruncate(fd, 0), "cut");
	TAP_REQUIRE(!fallocate(fd, 0, 0, READ) && !fsync(fd), "preallocated again");
	TAP_REQUIRE(pread(fd, data, READ, 0) == READ, "read");
	for (pos = 0; pos < READ; pos += MIB)
		TAP_REQUIRE(pwrite(fd, data, BLOCK, pos + 2 * BLOCK) == BLOCK, "written");
	most = promised();
	if (folios_go_whole())
		TAP_OK(most >= unread, "small writes to what was read: %ld, else %ld", most, unread);
	else
		TAP_OK(most <= unread, "small writes to what was read: %ld, else %ld", most, unread);
	TAP_REQUIRE(!fsync(fd), "on the disk");
	TAP_EQ(promised(), 0, "and all of it comes back");
	free(data);
	close(fd);
	unlink("read");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 2 && !chdir(argv[1]), "usage: taken DIR");
	too_large();
	under_timer();
	killed();
	direct_beside_stores();
	keep_little_dirty();
	cut_short();
	streamed();
	read_before();
	return tap_done();
}
