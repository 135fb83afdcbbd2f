// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress.c - many processes at one volume, each sure of what it wrote.
 *
 * usage: stress SEED OPS [MODE]...      MODE: faults, full, remount
 * Every worker has files of its own with a copy of their content in memory, which it changes and
 * compares in all the ways there are (stress_own.c); all of them fight over a directory of shared
 * names; one disturbs: sync, statfs, dump, freeze and thaw, dropping caches, remounting
 * (stress_shared.c).  A given seed makes every worker do the same things; how they meet differs.
 * Then the volume is unmounted, checked, mounted, and all files compared again.
 * "faults" lets one allocation of the module in a hundred fail, wherever it is: then only the checker
 * judges.  "full" works on the last blocks of a full volume: then ENOSPC is an answer too.
 */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "guest.h"
#include "stress.h"

struct worker *workers;
struct worker *self;
unsigned int me;
bool with_faults, nearly_full, with_remount;
unsigned char *bounce;
int dir_fd;
static uint64_t random_state;

uint32_t rnd(uint32_t below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % below;
}

/* ---- verdicts ---- */

bool excused(int err)
{
	return (nearly_full && err == ENOSPC) || (with_remount && err == EROFS) ||
	       (with_faults && (err == ENOMEM || err == EIO || err == ENOSPC || err == EROFS));
}

void bad(const char *fmt, ...)
{
	va_list ap;
	int err = errno;

	printf("# worker %u, op %lu: ", me, self->ops);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": %s\n", strerror(err));
	fflush(stdout);
	_exit(1);
}

bool fine(long ret, struct shadow *s, const char *what)
{
	if (ret >= 0)
		return true;
	if (!excused(errno))
		bad("%s", what);
	if (s)
		s->lost = true;
	return false;
}

/* ---- all of it ---- */

static void work(unsigned long ops, uint64_t seed)
{
	self = &workers[me];
	random_state = seed * 1000003 + me * 7919 + 1;
	for (self->ops = 0; self->ops < ops; self->ops++) {
		while (__atomic_load_n(&workers[WORKERS].hush, __ATOMIC_RELAXED))
			poll(NULL, 0, 1);
		if (rnd(3))
			own_step();
		else
			shared_step();
	}
	_exit(0);
}

/* Compares everything; how many files are not as they should be. */
static int compare_all(void)
{
	int wrong = 0;
	unsigned int n;

	for (me = 0; me < WORKERS; me++) {
		self = &workers[me];
		for (n = 0; n < FILES; n++) {
			struct shadow *s = &self->file[n];
			char path[64];
			ssize_t got;
			int fd;

			if (!s->exists || s->lost)
				continue;
			own_path(path, me, n);
			fd = open(path, O_RDONLY);
			got = fd < 0 ? -1 : read(fd, bounce, FILE_BYTES);
			if (got != s->size || memcmp(bounce, s->data, got)) {
				printf("# %s: %zd bytes of %ld, or others\n", path, got, (long)s->size);
				wrong++;
			}
			if (fd >= 0)
				close(fd);
		}
	}
	return wrong;
}

static int run_workers(unsigned long ops, uint64_t seed)
{
	pid_t pids[WORKERS], disturber;
	int failed = 0;
	int status;

	fflush(stdout);
	disturber = fork();
	if (!disturber) {
		setpgid(0, 0);
		random_state = seed;
		me = WORKERS;
		self = &workers[me];
		for (;; self->ops++)
			disturb();
	}
	for (me = 0; me < WORKERS; me++) {
		pids[me] = fork();
		if (!pids[me])
			work(ops, seed);
	}
	for (me = 0; me < WORKERS; me++)
		failed += waitpid(pids[me], &status, 0) != pids[me] || status;
	/* It may be between freeze and thaw: that is undone here. */
	if (waitpid(disturber, &status, WNOHANG) == disturber)
		failed++;
	kill(-disturber, SIGKILL);
	waitpid(disturber, &status, 0);
	ioctl(dir_fd, FITHAW, 0);
	return failed;
}

/* Before anything disturbs. */
static bool make_folders(void)
{
	bool good = !mkdir("/mnt/shared", 0755);
	char path[64];
	int i;

	for (i = 0; i < WORKERS; i++) {
		sprintf(path, "/mnt/own%d", i);
		good &= !mkdir(path, 0755);
	}
	return good;
}

/* Leaves some 2 MiB. */
static bool fill_up(void)
{
	int fd = open("/mnt/ballast", O_CREAT | O_WRONLY, 0600);
	struct statvfs st;

	if (fd < 0 || statvfs(GUEST_DIR, &st) ||
	    fallocate(fd, 0, 0, (off_t)(st.f_bavail - 600) * BLOCK))
		return false;
	return !close(fd);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	unsigned long ops = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	int failed;
	int i;

	if (!ops) {
		fprintf(stderr, "usage: stress SEED OPS [faults|full|remount]...\n");
		return 2;
	}
	for (i = 3; i < argc; i++) {
		with_faults |= !strcmp(argv[i], "faults");
		nearly_full |= !strcmp(argv[i], "full");
		with_remount |= !strcmp(argv[i], "remount");
	}
	workers = mmap(NULL, sizeof(*workers) * (WORKERS + 1), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TAP_REQUIRE(workers != MAP_FAILED && !posix_memalign((void **)&bounce, BLOCK, FILE_BYTES),
		    "memory");
	TAP_OK(!guest_load(), "loaded");
	guest_leaks_forget();
	TAP_REQUIRE(!guest_mount(GUEST_DISK, 0, ""), "mounted");
	TAP_REQUIRE(make_folders(), "a folder for each, and one for all");
	TAP_REQUIRE(!nearly_full || fill_up(), "nearly full");
	dir_fd = open("/mnt/shared", O_RDONLY);
	if (with_faults) {
		guest_aim_at_module();
		guest_some_fail(1);
	}
	failed = run_workers(ops, seed);
	if (with_faults)
		guest_some_fail(0);
	close(dir_fd);
	TAP_OK(!with_remount || workers[WORKERS].readonly,
	       "meanwhile it was frozen %lu times, read-only %lu times", workers[WORKERS].frozen,
	       workers[WORKERS].readonly);
	TAP_EQ(failed, 0, "%d workers did %lu operations each and found what they wrote (seed %llu)",
	       WORKERS, ops, (unsigned long long)seed);
	TAP_EQ(with_faults ? 0 : compare_all(), 0, "all files are as written");
	TAP_REQUIRE(!guest_umount(), "unmounted");
	if (with_faults)		/* it may have been shut down */
		TAP_OK(!guest_mount(GUEST_DISK, 0, "") && !guest_umount(), "mounted again");
	TAP_OK(guest_check(GUEST_DISK), "it checks clean");
	TAP_REQUIRE(!guest_mount(GUEST_DISK, 0, ""), "mounted again");
	TAP_EQ(with_faults ? 0 : compare_all(), 0, "all files are still as written");
	TAP_REQUIRE(!guest_umount(), "unmounted");
	guest_unload_clean();
	return tap_done();
}
