// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn.c - processes that allocate, free and allocate again across commits, and know the outcome.
 *
 * usage: churn SEED WORKERS SECONDS MNT [full] [drop] [remount] [links] [grow] [state=FILE]
 *        churn verify FILE MNT
 * Every worker has folders of its own, of which it knows names and contents (churn_name.c,
 * churn_file.c), and all meet in a shared one (churn_shared.c).  Beside them a log is fsynced and
 * the volume synced (churn_beside.c).  At the end all is read again and compared.  "full" fills the
 * volume first and keeps it at its last block: then ENOSPC is an answer, to what needs space and
 * nothing else.  "drop" empties the caches now and then, "remount" unmounts some times and mounts
 * again, "links" has many make and remove what needs a block for a moment, "grow" makes the volume
 * larger all the time, as far as its device goes.  What is known stays in FILE, so that "verify"
 * compares once more, later.  A given seed makes every worker do the same things; how they meet
 * differs.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "churn.h"
#include "tap/tap.h"

#define LEGS		4		/* between remounts */

struct state *state;
struct worker *self;
unsigned int me;
bool full;
const struct op *doing;
unsigned int doing_index;

static const struct {
	const struct op *ops;
	const unsigned int *count;
	unsigned int weight;
} groups[] = {
	{ name_ops, &name_ops_count, 5 },
	{ file_ops, &file_ops_count, 4 },
	{ attr_ops, &attr_ops_count, 1 },
	{ shared_ops, &shared_ops_count, 3 },
};

static const char *mnt, *device;
static char *options;
static bool with_drop, with_remount, with_links, with_grow;
static uint64_t random_state;

uint32_t rnd(uint32_t below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return below ? (random_state >> 33) % below : 0;
}

/* ---- verdicts ---- */

void bad(const char *fmt, ...)
{
	va_list ap;
	int err = errno;

	state->stop = true;
	printf("# worker %u, step %lu, %s: ", me, self ? self->steps : 0, doing ? doing->name : "-");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": %s\n", err ? strerror(err) : "no error");
	fflush(stdout);
	_exit(1);
}

static void count(bool done)
{
	if (self && doing)
		__atomic_fetch_add(done ? &self->done[doing_index] : &self->refused[doing_index], 1,
				   __ATOMIC_RELAXED);
}

bool must(long ret, int want, const char *what)
{
	if ((ret < 0) != !!want || (want && errno != want)) {
		if (ret >= 0)
			errno = 0;
		bad("%s: returned %ld, not %s", what, ret, want ? strerror(want) : "success");
	}
	return ret >= 0;
}

bool did(long ret, int want, const char *what)
{
	bool good = must(ret, want, what);

	count(good);
	return good;
}

bool grew(long ret, int want, const char *what)
{
	if (full && !want && ret < 0 && errno == ENOSPC) {
		count(false);
		return false;
	}
	return did(ret, want, what);
}

/* ---- what was done ---- */

static void sum(unsigned int index, unsigned long *ret_done, unsigned long *ret_refused)
{
	unsigned int n;

	*ret_done = 0;
	*ret_refused = 0;
	for (n = 0; n < state->nworkers; n++) {
		*ret_done += state->worker[n].done[index];
		*ret_refused += state->worker[n].refused[index];
	}
}

/* Every kind, by someone; when full, a refusal will do. */
static bool every_kind(void)
{
	unsigned long done, refused;
	unsigned int group, i, index = 0;

	for (group = 0; group < 3; group++)
		for (i = 0; i < *groups[group].count; i++, index++) {
			sum(index, &done, &refused);
			if (!(full ? done + refused : done))
				return false;
		}
	return true;
}

static bool everything(void)
{
	return state->fsyncs && state->syncs && (!with_drop || state->drops) &&
	       (!with_grow || state->growths) &&
	       (!full || (state->fills && state->scattered)) && every_kind();
}

static void tell_counts(void)
{
	unsigned long done, refused;
	unsigned int group, i, index = 0;

	for (group = 0; group < 3; group++)
		for (i = 0; i < *groups[group].count; i++, index++) {
			sum(index, &done, &refused);
			printf("# %s: %lu, refused %lu\n", groups[group].ops[i].name, done,
			       refused);
		}
}

/* ---- the processes ---- */

static void enter(void)
{
	if (chdir(mnt))
		bad("chdir");
}

static void step(void)
{
	unsigned int which = rnd(12), group, total = 0, i;

	doing_index = 0;
	for (group = 0; which >= groups[group].weight; group++) {
		which -= groups[group].weight;
		doing_index += *groups[group].count;
	}
	for (i = 0; i < *groups[group].count; i++)
		total += groups[group].ops[i].weight;
	which = rnd(total);
	for (i = 0; which >= groups[group].ops[i].weight; i++)
		which -= groups[group].ops[i].weight;
	doing = &groups[group].ops[i];
	doing_index += i;
	doing->run(doing->arg);
	doing = NULL;
}

static pid_t start(void (*run)(void), unsigned int number, uint64_t seed)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	me = number;
	self = number < WORKERS_MAX ? &state->worker[number] : NULL;
	random_state = seed * 1000003 + number * 7919 + 1;
	enter();
	run();
	_exit(0);
}

static void work(void)
{
	for (; !state->stop; self->steps++)
		step();
}

static void run_sync(void)
{
	beside_sync(with_drop);
}

static void run_grow(void)
{
	beside_grow(device);
}

static void make_folders(void)
{
	unsigned int dir;
	char path[64];

	for (me = 0; me < state->nworkers; me++)
		for (dir = 0; dir < DIRS; dir++) {
			dir_path(path, me, dir);
			must(mkdir(path, 0755), 0, "mkdir");
		}
	must(mkdir("shared", 0755) | mkdir("shared/in", 0755), 0, "mkdir");
	make_passing();
	if (!full)
		return;
	make_scatter();
	fill_up();
}

static void verify_all(void)
{
	for (me = 0; me < state->nworkers; me++) {
		self = &state->worker[me];
		verify_own();
	}
	self = NULL;
	verify_shared();
	verify_log();
	if (state->full)
		verify_scatter();
}

/* How many of them failed; the first failure ends all. */
static int wait_for(int count)
{
	int status, failed = 0;

	while (count--) {
		if (wait(&status) < 0 || !status)
			continue;
		failed++;
		if (WIFSIGNALED(status))
			printf("# killed by signal %d\n", WTERMSIG(status));
		state->stop = true;
	}
	return failed;
}

static int in_child(void (*run)(void))
{
	return start(run, WORKERS_MAX, 0) < 0 || wait_for(1);
}

/*
 * Sets the end; a process of its own, so that a failure need not wait for it.  The last leg goes on
 * until everything has been done, however slow the machine is.
 */
static void watch_clock(unsigned int seconds, bool last)
{
	struct timespec now;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + seconds;
	while (!state->stop && (now.tv_sec < end || (last && !everything()))) {
		poll(NULL, 0, 100);
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	state->stop = true;
}

static unsigned int leg_seconds;
static bool last_leg;

static void run_clock(void)
{
	watch_clock(leg_seconds, last_leg);
}

static int leg(uint64_t seed)
{
	unsigned int n;
	int count = 0;

	state->stop = false;
	for (n = 0; n < state->nworkers; n++)
		count += start(work, n, seed) > 0;
	count += start(beside_log, WORKERS_MAX, seed) > 0;
	count += start(run_sync, WORKERS_MAX + 1, seed) > 0;
	count += start(run_clock, WORKERS_MAX + 2, seed) > 0;
	if (with_grow)
		count += start(run_grow, WORKERS_MAX + 7 + LINKERS, seed) > 0;
	for (n = 0; with_links && n < LINKERS; n++)
		count += start(beside_links, WORKERS_MAX + 6 + n, seed) > 0;
	if (with_links)
		count += start(beside_names, WORKERS_MAX + 6 + LINKERS, seed) > 0;
	if (full) {
		count += start(beside_fill, WORKERS_MAX + 3, seed) > 0;
		count += start(beside_greed, WORKERS_MAX + 4, seed) > 0;
		count += start(beside_scatter, WORKERS_MAX + 5, seed) > 0;
	}
	return wait_for(count);
}

/* ---- mounting ---- */

static void find_mount(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;

	while (mounts && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_dir, mnt)) {
			device = strdup(m->mnt_fsname);
			options = strstr(m->mnt_opts, "journal_path=");
			options = options ? strdup(options) : NULL;
		}
	if (mounts)
		endmntent(mounts);
	TAP_REQUIRE(device, "%s is mounted", mnt);
}

static void remount(void)
{
	TAP_REQUIRE(!umount(mnt), "unmounted");
	TAP_REQUIRE(!mount(device, mnt, "simplefs", 0, options), "mounted again");
	state->mounts++;
}

/* ---- the whole ---- */

static void map_state(const char *path, bool new)
{
	int fd = open(path, O_RDWR | (new ? O_CREAT | O_TRUNC : 0), 0600);

	TAP_REQUIRE(fd >= 0 && (!new || !ftruncate(fd, sizeof(*state))), "%s is open", path);
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(state != MAP_FAILED && !posix_memalign((void **)&bounce, BLOCK, FILE_BYTES),
		    "memory");
	close(fd);
}

/* What the volume says is taken, when nothing waits any more. */
static void taken(unsigned long *ret_blocks, unsigned long *ret_inodes)
{
	int fd = open(mnt, O_RDONLY);
	struct statvfs st;

	TAP_REQUIRE(fd >= 0 && !syncfs(fd) && !fstatvfs(fd, &st), "synced and counted");
	close(fd);
	*ret_blocks = st.f_blocks - st.f_bfree;
	*ret_inodes = st.f_files - st.f_ffree;
}

static int churn(uint64_t seed, unsigned int seconds)
{
	int legs = with_remount ? LEGS : 1;
	unsigned long steps = 0;
	unsigned int n;
	int failed = 0;
	int i;

	TAP_REQUIRE(!in_child(make_folders), "%u workers have their folders", state->nworkers);
	leg_seconds = seconds / legs ? seconds / legs : 1;
	for (i = 0; i < legs && !failed; i++) {
		if (i)
			remount();
		last_leg = i == legs - 1;
		failed = leg(seed + i) + in_child(verify_all);
	}
	for (n = 0; n < state->nworkers; n++)
		steps += state->worker[n].steps;
	TAP_EQ(failed, 0, "%u workers: %lu steps, all answered as they may be (seed %llu)",
	       state->nworkers, steps, (unsigned long long)seed);
	if (failed)
		return tap_done();
	tell_counts();
	TAP_OK(everything(), "everything was done: above, %lu fsyncs of a log, %lu syncfs",
	       state->fsyncs, state->syncs);
	TAP_OK(!with_remount || state->mounts, "caches emptied %lu times, filled to the brim "
	       "%lu times, %lu blocks scattered, mounted again %lu times, grown %lu times", state->drops,
	       state->fills, state->scattered, state->mounts, state->growths);
	taken(&state->nblks, &state->inodes);
	return tap_done();
}

static int verify(const char *path)
{
	unsigned long nblks, inodes;

	map_state(path, false);
	taken(&nblks, &inodes);
	TAP_EQ(nblks, state->nblks, "mounted again it has so many blocks in use");
	TAP_EQ(inodes, state->inodes, "and so many inodes");
	TAP_EQ(in_child(verify_all), 0, "every name and file is as its worker knows it");
	return tap_done();
}

int main(int argc, char **argv)
{
	const char *path = "/tmp/churn.state";
	int i;

	if (argc == 4 && !strcmp(argv[1], "verify")) {
		mnt = argv[3];
		return verify(argv[2]);
	}
	if (argc < 5 || atoi(argv[2]) < 1 || atoi(argv[2]) > WORKERS_MAX) {
		fprintf(stderr, "usage: churn SEED WORKERS SECONDS MNT [full|drop|remount|links|grow|state=FILE]...\n"
			"       churn verify FILE MNT\n");
		return 2;
	}
	mnt = argv[4];
	for (i = 5; i < argc; i++) {
		full |= !strcmp(argv[i], "full");
		with_drop |= !strcmp(argv[i], "drop");
		with_remount |= !strcmp(argv[i], "remount");
		with_links |= !strcmp(argv[i], "links");
		with_grow |= !strcmp(argv[i], "grow");
		if (!strncmp(argv[i], "state=", 6))
			path = argv[i] + 6;
	}
	map_state(path, true);
	state->nworkers = atoi(argv[2]);
	state->full = full;
	find_mount();
	return churn(strtoull(argv[1], NULL, 0), atoi(argv[3]));
}
