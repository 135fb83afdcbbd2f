// SPDX-License-Identifier: GPL-2.0-only
/*
 * settle.c - waits until what is freed late has been freed, and judges what remains.
 *
 * Memory may be freed by RCU, by a work item, or when a CPU next empties its lists of pages.  The
 * barrier here is made of children: on each CPU one is born, dies and is reaped; its task is freed
 * by call_rcu() after all that was queued on that CPU before, and a tracepoint tells when.  Its
 * death also empties the CPU's list of pages.  What remains the same over several barriers and a
 * quiet time will remain.  Is nothing left, then nothing need be waited for, however late RCU is.
 */
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* One CPU's part of the barrier; false when RCU did not come round by @deadline. */
static bool barrier_on(struct tracer *t, int cpu, u64 deadline)
{
	cpu_set_t set;
	pid_t pid;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return true;		/* gone offline */
	pid = fork();
	if (pid < 0)
		return false;
	if (!pid)
		_exit(0);
	/* Until it is waited for its task stays. */
	tracer__await_child(t, pid);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	while (!t->child_freed && now_ns() < deadline) {
		if (tracer__poll(t, 100))
			return false;
	}
	return t->child_freed;
}

/* Returns the CPU on which RCU did not come round by @deadline, or -1. */
static int barrier(struct tracer *t, u64 deadline)
{
	int cpu, late = -1;
	cpu_set_t all;

	drain_page_lists();
	if (sched_getaffinity(0, sizeof(all), &all))
		return -1;
	for (cpu = 0; cpu < CPU_SETSIZE && late < 0; cpu++) {
		if (CPU_ISSET(cpu, &all) && !barrier_on(t, cpu, deadline))
			late = cpu;
	}
	tracer__await_child(t, 0);
	sched_setaffinity(0, sizeof(all), &all);
	return late;
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

int settle(struct tracer *t, u64 limit_s, struct verdict *v)
{
	static char why[64] = "still being freed when the time was up";
	u64 changed = now_ns(), deadline = changed + limit_s * 1000000000ULL, sum, last = 0;
	unsigned int round, still = 0;
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
		if (late >= 0) {
			snprintf(why, sizeof(why), "RCU did not come round on CPU %d in time", late);
			break;
		}
		if (round == 1 || sum != last) {
			changed = now_ns();
			still = 0;
		}
		if (++still > SETTLE_ROUNDS && now_ns() - changed >= SETTLE_QUIET_NS)
			return 0;
		if (now_ns() >= deadline)
			break;
		last = sum;
	}
	verdict__withhold(v, why);
	return 0;
}
