/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * settle.h - waits until what is freed late has been freed, and judges what remains.
 */
#ifndef KMODLEAK_SETTLE_H
#define KMODLEAK_SETTLE_H

#include "verdict.h"

/* Judges until the result stands still, @limit_s seconds at most.  Negative errno. */
int settle(struct tracer *t, u64 limit_s, struct verdict *v);

#endif
