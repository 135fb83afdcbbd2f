// SPDX-License-Identifier: GPL-2.0-only
/*
 * settle.c - waits until what is freed late has been freed, and judges what remains.
 *
 * Memory may be freed by RCU, by a work item, or when a CPU next empties its lists of pages.  The
 * barrier here is made of children: on each CPU one is born, dies and is reaped; its task is freed
 * by call_rcu() after all that was queued on that CPU before, and a tracepoint tells when.  Its
 * death also empties the CPU's list of pages.  What remains the same over several barriers and a
 * quiet time will remain.
 */
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "settle.h"

#define SETTLE_ROUNDS	3		/* without change */
#define SETTLE_QUIET_NS	2000000000ULL
#define SETTLE_CHILD_NS	20000000000ULL	/* a busy machine may need seconds */

/* Empties every CPU's lists of pages and of buffers; that it moves nothing is no matter. */
static void drain_page_lists(void)
{
	static char page[1] __attribute__((aligned(4096)));
	void *pages[1] = { page };
	int nodes[1] = { 0 }, status[1];

	page[0] = 1;
	syscall(SYS_move_pages, 0, 1, pages, nodes, status, 2 /* MPOL_MF_MOVE */);
}

/* One CPU's part of the barrier; false when RCU did not come round in time. */
static bool barrier_on(struct tracer *t, int cpu)
{
	u64 deadline = now_ns() + SETTLE_CHILD_NS;
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
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	while (t->child != (u32)pid && now_ns() < deadline) {
		if (tracer__poll(t, 100))
			return false;
	}
	return t->child == (u32)pid;
}

static void barrier(struct tracer *t)
{
	cpu_set_t all;
	int cpu;

	drain_page_lists();
	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	tracer__tell_children(t, true);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &all) && !barrier_on(t, cpu))
			tracer__incomplete(t, "RCU did not come round on CPU %d", cpu);
	}
	tracer__tell_children(t, false);
	sched_setaffinity(0, sizeof(all), &all);
}

/* Changes when anything that would be reported does. */
static u64 fingerprint(const struct findings *all)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (all->all[i].verdict != VERDICT_SHARED)
			sum += all->all[i].addr * 0x9e3779b97f4a7c15ULL + all->all[i].time;
	}
	return sum;
}

int settle(struct tracer *t, u64 limit_s, struct findings *ret)
{
	u64 begun = now_ns(), changed = begun, sum, last = 0;
	unsigned int round, still = 0;
	int err;

	for (round = 1;; round++) {
		barrier(t);
		err = judge__all(t, ret);
		if (err)
			return err;
		sum = fingerprint(ret);
		if (t->verbose)
			sfs_warn("settling, round %u: %zu outstanding, %zu of them unexplained", round,
				 ret->n, ret->leaks + ret->unsettled);
		if (!ret->leaks && !ret->unsettled)
			return 0;
		if (round == 1 || sum != last) {
			changed = now_ns();
			still = 0;
		}
		if (++still > SETTLE_ROUNDS && now_ns() - changed >= SETTLE_QUIET_NS)
			return 0;
		if (now_ns() - begun >= limit_s * 1000000000ULL)
			break;
		last = sum;
		judge__free(ret);
	}
	judge__withhold(ret, "still being freed when the time was up");
	return 0;
}
