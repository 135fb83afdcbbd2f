// SPDX-License-Identifier: GPL-2.0-only
/*
 * settle.c - waits until what is freed late has been freed, and judges what remains.
 *
 * Memory may be freed by RCU, by a work item, or when a CPU next empties its lists of pages.  The
 * barrier here is made of children: on each CPU one is born, dies and is reaped; its task is freed
 * by call_rcu() after all that was queued on that CPU before, and a tracepoint tells when.  Its
 * death also empties the CPU's list of pages.  What remains the same over several barriers and a
 * quiet time will remain, unless a cache of the kernel keeps it, which can be asked to let go.  Is
 * nothing left, then nothing need be waited for, however late RCU is.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "settle.h"

#define SETTLE_ROUNDS	3		/* without change */
#define SETTLE_QUIET_NS	2000000000ULL

/* Empties every CPU's lists of pages and of buffers; that it moves nothing is no matter. */
static void drain_page_lists(void)
{
	static char page[1] __attribute__((aligned(4096)));
	void *pages[1] = { page };
	int nodes[1] = { 0 }, status[1];

	page[0] = 1;
	syscall(SYS_move_pages, 0, 1, pages, nodes, status, 2 /* MPOL_MF_MOVE */);
}

/* One CPU's part of the barrier; false: RCU was late for @deadline, or a signal came. */
static bool barrier_on(struct tracer *t, int cpu, size_t ncpus, u64 deadline)
{
	cpu_set_t *set = CPU_ALLOC(ncpus);
	bool there;
	pid_t pid;
	int status;

	if (!set)
		return false;
	CPU_ZERO_S(CPU_ALLOC_SIZE(ncpus), set);
	CPU_SET_S(cpu, CPU_ALLOC_SIZE(ncpus), set);
	there = !sched_setaffinity(0, CPU_ALLOC_SIZE(ncpus), set);
	CPU_FREE(set);
	if (!there)
		return true;		/* gone offline */
	pid = fork();
	if (pid < 0)
		return false;
	if (!pid)
		_exit(0);
	/* Until it is waited for its task stays. */
	tracer__await_child(t, pid);
	if (!child__wait(t, pid, deadline, &status))
		return false;
	while (!tracer__child_freed(t) && !child__signal() && now_ns() < deadline)
		child__pause(t);
	return tracer__child_freed(t);
}

/* The CPUs that we may run on, however many; the caller frees.  NULL: not to be had. */
static cpu_set_t *all_cpus(size_t *ret_ncpus)
{
	cpu_set_t *set;
	size_t n;

	for (n = 1024; n <= 1 << 20; n *= 2) {
		set = CPU_ALLOC(n);
		if (!set || !sched_getaffinity(0, CPU_ALLOC_SIZE(n), set)) {
			*ret_ncpus = n;
			return set;
		}
		CPU_FREE(set);
	}
	return NULL;
}

/* Returns the CPU on which RCU did not come round by @deadline, or -1. */
static int barrier(struct tracer *t, u64 deadline)
{
	int cpu, late = -1;
	cpu_set_t *all;
	size_t n = 0;

	drain_page_lists();
	all = all_cpus(&n);
	if (!all)
		doubts__add(t->doubts, "the CPUs are not known, so RCU was not waited for");
	for (cpu = 0; all && cpu < (int)n && late < 0; cpu++) {
		if (CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(n), all) && !barrier_on(t, cpu, n, deadline))
			late = cpu;
	}
	tracer__await_child(t, 0);
	if (all)
		sched_setaffinity(0, CPU_ALLOC_SIZE(n), all);
	CPU_FREE(all);
	return late;
}

static int write_drop_caches(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, "3\n", 2) != 2 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* Names and inodes that nobody uses, pages of files: what then remains no cache keeps. */
static int drop_caches(struct tracer *t, u64 deadline)
{
	int err = child__call(t, write_drop_caches, "/proc/sys/vm/drop_caches", deadline);

	if (t->verbose)
		sfs_warn("the kernel was asked to drop its caches: %s", strerror(-err));
	return err;
}

/* Changes when anything that would be reported does. */
static u64 fingerprint(const struct findings *all)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (all->all[i].judged != JUDGED_SHARED)
			sum += all->all[i].addr * 0x9e3779b97f4a7c15ULL + all->all[i].time;
	}
	return sum;
}

/* Why it is no use to wait any longer; NULL: it is. */
static const char *ended(const struct tracer *t, int late, u64 deadline)
{
	static char why[64];

	if (child__signal()) {
		child__signal_taken();
		return "a signal ended the wait for late frees";
	}
	if (tracer__loaded(t))
		return "the module was loaded again before late frees were over";
	if (late >= 0) {
		snprintf(why, sizeof(why), "RCU did not come round on CPU %d in time", late);
		return why;
	}
	return now_ns() >= deadline ? "still being freed when the time was up" : NULL;
}

int settle(struct tracer *t, u64 limit_s, bool drop, struct verdict *v)
{
	u64 changed = now_ns(), deadline = changed + limit_s * 1000000000ULL, sum, last = 0;
	unsigned int round, still = 0;
	const char *why = NULL;
	bool kept = false;		/* caches that were to be dropped */
	int err, late;

	for (round = 1;; round++) {
		late = barrier(t, deadline);
		err = verdict__look(v, t);
		if (err)
			return err;
		sum = fingerprint(&v->all);
		if (t->verbose)
			sfs_warn("settling, round %u: %zu outstanding, %zu of them unexplained", round,
				 v->all.n, v->leaks + v->unsettled);
		if (!v->leaks && !v->unsettled)
			return 0;
		if (round == 1 || sum != last) {
			changed = now_ns();
			still = 0;
		}
		if (late < 0 && ++still > SETTLE_ROUNDS && now_ns() - changed >= SETTLE_QUIET_NS) {
			if (kept)
				why = "the kernel's caches could not be dropped, which may keep it";
			if (!drop)
				break;
			drop = false;
			still = 0;
			kept = drop_caches(t, deadline);
		}
		why = ended(t, late, deadline);
		if (why)
			break;
		last = sum;
	}
	if (why)
		verdict__withhold(v, why);
	return 0;
}
