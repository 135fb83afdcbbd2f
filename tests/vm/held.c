// SPDX-License-Identifier: GPL-2.0-only
/*
 * held.c - what goes on while the device is busy with a discard, which nbd-hold.py has it be for as
 * long as it is told.
 *
 * Nothing here is a matter of time: the discard is known to be held back, and lasts until it is let
 * go.  A minute is the net for who waits for it in vain.
 *
 * usage: held apart|full|fresh|option TALK DISK DIR, TALK being the disk to tell the server through
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tap/tap.h"

#define MIB	(1LL << 20)
#define TALK	4096
#define ZONE	(4032 * MIB)

static char buf[MIB] __attribute__((aligned(4096)));
static char back[MIB] __attribute__((aligned(4096)));
static int talk_fd;
static struct fstrim_range range = { .len = ~0ULL };

static void tell(char word)
{
	memset(buf, word, TALK);
	TAP_REQUIRE(pwrite(talk_fd, buf, TALK, 0) == TALK, "told");
}

static int held(void)
{
	TAP_REQUIRE(pread(talk_fd, back, TALK, 0) == TALK, "heard");
	back[TALK - 1] = 0;
	return atoi(back);
}

static pid_t begin(int (*what)(void))
{
	pid_t pid = fork();

	TAP_REQUIRE(pid >= 0, "another process");
	if (!pid)
		_exit(what());
	return pid;
}

static bool is_over(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == pid;
}

/* Its exit status, or -1 where a minute was not enough. */
static int end(pid_t pid)
{
	struct timespec minute = { .tv_sec = 60 };
	sigset_t child;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (!is_over(pid))
		if (sigtimedwait(&child, NULL, &minute) < 0)
			return -1;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/*
 * QEMU 10 can lose the notice that a request is done while another one stays unanswered, and the
 * next notice for the same processor brings it: so there always is a next one.
 */
static pid_t begin_nudging(const char *disk)
{
	int fd = open(disk, O_RDONLY | O_DIRECT);
	int cpu = 0, ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t pid = fork();
	cpu_set_t set;

	TAP_REQUIRE(fd >= 0 && pid >= 0, "somebody who reads the disk");
	while (!pid) {
		CPU_ZERO(&set);
		CPU_SET(cpu++ % ncpus, &set);
		if (sched_setaffinity(0, sizeof(set), &set) || pread(fd, back, TALK, 0) != TALK)
			_exit(1);
	}
	close(fd);
	return pid;
}

static int trim(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	return ioctl(fd, FITRIM, &range) ? errno : 0;
}

/* A trim, at least one discard of which the device has by now, and is not done with. */
static pid_t begin_trim(void)
{
	pid_t pid;

	sync();
	tell('h');
	pid = begin(trim);
	while (!held())
		TAP_REQUIRE(!is_over(pid), "a trim that has something to discard");
	return pid;
}

static void end_trim(pid_t pid)
{
	TAP_OK(held() && !is_over(pid), "the trim waits for the device all the while");
	tell('r');
	TAP_EQ(end(pid), 0, "it ends when the device has done its part");
}

/* Past the page cache, so that who writes takes blocks, and who reads asks the device. */
static int save(const char *path, long long nbytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0644);

	memset(buf, 'n', MIB);
	for (; nbytes > 0; nbytes -= MIB)
		if (write(fd, buf, MIB) != MIB)
			return errno;
	return fsync(fd) || close(fd) ? errno : 0;
}

static void holds(const char *path, long long nbytes)
{
	int fd = open(path, O_RDONLY | O_DIRECT);

	memset(buf, 'n', MIB);
	for (; nbytes > 0; nbytes -= MIB)
		if (read(fd, back, MIB) != MIB || memcmp(buf, back, MIB))
			break;
	TAP_EQ(nbytes, 0, "%s holds what was written", path);
	close(fd);
}

static int save_new(void)
{
	return save("new", 8 * MIB);
}

static int save_empty(void)
{
	int fd = open("empty", O_WRONLY | O_CREAT, 0644);

	return fsync(fd) || close(fd) ? errno : 0;
}

/* In the very group that is trimmed. */
static void test_apart(void)
{
	pid_t trimmer;

	TAP_REQUIRE(!save("gone", 16 * MIB) && !save("behind", MIB) && !unlink("gone"),
		    "a run that is free, and more behind it");
	trimmer = begin_trim();
	TAP_EQ(end(begin(save_empty)), 0, "a file is made and synced during a discard");
	TAP_EQ(end(begin(save_new)), 0, "and another, with data");
	end_trim(trimmer);
	holds("new", 8 * MIB);
}

/* Does @pid wait in a function of the kernel's that is called so, or begins so? */
static bool waits_in(pid_t pid, const char *name)
{
	char path[64], stack[4096] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stack", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, stack, sizeof(stack) - 1) < 0)
		stack[0] = 0;
	close(fd);
	return strstr(stack, name);
}

/* A minute is the net here, too. */
static bool await(pid_t pid, const char *name)
{
	time_t late = time(NULL) + 60;
	bool waits;

	/* Seen once: who tries again is in between for a moment. */
	do
		waits = waits_in(pid, name);
	while (!waits && !is_over(pid) && time(NULL) < late);
	return waits && !is_over(pid);
}

static int freeze(void)
{
	return ioctl(open(".", O_RDONLY | O_DIRECTORY), FIFREEZE, 0) ? errno : 0;
}

/* In the midst of a trim that has many runs to go. */
static void test_freeze(void)
{
	int fd = open("comb", O_WRONLY | O_CREAT, 0644);
	pid_t trimmer, freezer;
	int i;

	TAP_REQUIRE(!fallocate(fd, 0, 0, 8 * MIB), "a file");
	for (i = 0; i < 64; i++)
		TAP_REQUIRE(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       i * MIB / 8, MIB / 16), "and holes in it");
	trimmer = begin_trim();
	freezer = begin(freeze);
	TAP_OK(await(freezer, "freeze_super"), "a freeze waits for a discard");
	while (waits_in(freezer, "rcu_sync"))
		;
	while (!is_over(freezer) && !is_over(trimmer))
		tell('s');
	TAP_OK(!is_over(trimmer), "but not for all of them");
	TAP_EQ(end(freezer), 0, "and is done");
	TAP_OK(!ioctl(open(".", O_RDONLY | O_DIRECTORY), FITHAW, 0), "and over");
	tell('r');
	TAP_EQ(end(trimmer), 0, "the trim goes on");
}

/* What there is to be had is what is discarded. */
static void test_full(void)
{
	long long size = 0;
	pid_t trimmer, writer;
	int fd = open("full", O_WRONLY | O_CREAT, 0644);

	while (!posix_fallocate(fd, size, MIB))
		size += MIB;
	TAP_REQUIRE(size > 16 * MIB && !ftruncate(fd, size - 12 * MIB), "12 MiB are left");
	range.minlen = 4 * MIB;
	trimmer = begin_trim();
	writer = begin(save_new);
	TAP_OK(await(writer, "sfs_retry"), "who needs what is discarded waits, with no lock");
	end_trim(trimmer);
	TAP_EQ(end(writer), 0, "and has it then");
	holds("new", 8 * MIB);
}

static int save_zone(void)
{
	return save("new", 64 * MIB);
}

/* Zones that nobody has begun, and one that is begun in the midst of it. */
static void test_fresh(void)
{
	int fd = open("zone", O_WRONLY | O_CREAT, 0644);
	pid_t trimmer;

	TAP_REQUIRE(!fallocate(fd, 0, 0, ZONE - 32 * MIB), "the first zone is full to 32 MiB");
	range.start = ZONE;
	trimmer = begin_trim();
	TAP_EQ(end(begin(save_zone)), 0, "who needs a zone begins it during the discard");
	end_trim(trimmer);
	holds("new", 64 * MIB);
}

/* Waits, a minute at most, until the device has a discard that it holds back. */
static bool await_held(void)
{
	time_t late = time(NULL) + 60;

	while (!held() && time(NULL) < late)
		;
	return held();
}

/* Mounted with discard: what is freed goes by itself, and nobody waits for it. */
static void test_option(void)
{
	pid_t freezer;

	TAP_REQUIRE(!save("gone", 16 * MIB) && !save("behind", MIB), "two files");
	sync();
	tell('h');
	TAP_REQUIRE(!unlink("gone"), "one is removed");
	TAP_EQ(held(), 0, "which is not told before it has committed");
	sync();
	TAP_REQUIRE(await_held(), "then it is, by nobody's asking");
	TAP_EQ(end(begin(save_empty)), 0, "a file is made and synced during that");
	TAP_EQ(end(begin(save_new)), 0, "and another, with data");
	TAP_REQUIRE(!unlink("behind"), "more is removed");
	sync();
	freezer = begin(freeze);
	TAP_OK(await(freezer, "freeze_super"), "a freeze waits for the discard that is under way");
	tell('r');
	TAP_EQ(end(freezer), 0, "and is done");
	TAP_OK(!ioctl(open(".", O_RDONLY | O_DIRECTORY), FITHAW, 0), "and over");
	holds("new", 8 * MIB);
}

int main(int argc, char **argv)
{
	pid_t nudger;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	TAP_REQUIRE(argc == 5 && !chdir(argv[4]),
		    "usage: held apart|full|fresh|option TALK DISK DIR");
	talk_fd = open(argv[2], O_RDWR | O_DIRECT);
	TAP_REQUIRE(talk_fd >= 0, "the server");
	nudger = begin_nudging(argv[3]);
	if (!strcmp(argv[1], "apart")) {
		test_apart();
		test_freeze();
	} else if (!strcmp(argv[1], "full")) {
		test_full();
	} else if (!strcmp(argv[1], "option")) {
		test_option();
	} else {
		test_fresh();
	}
	TAP_OK(!is_over(nudger), "the disk could be read all the while");
	kill(nudger, SIGKILL);
	waitpid(nudger, NULL, 0);
	return tap_done();
}
