/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * settle.h - waits until what is freed late has been freed, and judges what remains.
 */
#ifndef KMODLEAK_SETTLE_H
#define KMODLEAK_SETTLE_H

#include "verdict.h"

/*
 * Judges until the result stands still, @limit_s seconds at most.  If something is left then that
 * nothing explains, and @drop, asks the kernel to drop its caches, and waits again.  Negative
 * errno.
 */
int settle(struct tracer *t, u64 limit_s, bool drop, struct verdict *v);

#endif
