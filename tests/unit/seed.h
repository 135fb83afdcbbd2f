/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * seed.h - random numbers for property tests, the same for the same seed.
 *
 * The seed is the first argument, or fixed, so that a plain run means the same everywhere; it is
 * printed, and every message of a failed requirement should say it.
 */
#ifndef SFS_SEED_H
#define SFS_SEED_H

#include <inttypes.h>
#include <stdio.h>

#include "core.h"
#include "tap/tap.h"

static u64 ram_seed;
static u64 ram_state;

static inline void ram_seed_from(int argc, char **argv, u64 fallback)
{
	ram_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : fallback;
	ram_state = ram_seed;
	printf("# seed %" PRIu64 "\n", ram_seed);
}

static inline u32 ram_random(u32 below)
{
	ram_state = ram_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(((ram_state >> 32) * below) >> 32);
}

#endif
