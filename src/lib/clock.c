// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock.c - time and chance, both of which can be pinned down to make an image reproducible.
 */
#include <sys/random.h>
#include <time.h>

#include "lib.h"

static bool sfs_clock_fixed;
static s64 sfs_clock_ns;
static u32 sfs_clock_next;

void sfs_clock_fix(s64 ns, u32 seed)
{
	sfs_clock_fixed = true;
	sfs_clock_ns = ns;
	sfs_clock_next = seed;
}

s64 sfs_time_now(void)
{
	struct timespec ts;

	if (sfs_clock_fixed)
		return sfs_clock_ns;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

u32 sfs_random32(void)
{
	u32 value;

	if (sfs_clock_fixed)
		return sfs_clock_next++;
	if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		abort();	/* the kernel promises four bytes */
	return value;
}
