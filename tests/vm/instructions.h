/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * instructions.h - how many instructions the machine has run: its processor's time stamp, where
 * run-vm counts them (--icount).
 */
#ifndef SFS_VM_INSTRUCTIONS_H
#define SFS_VM_INSTRUCTIONS_H

#include <stdint.h>

static inline uint64_t now(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

#endif
