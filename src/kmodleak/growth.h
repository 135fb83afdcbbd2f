/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * growth.h - what grows from cycle to cycle, and so is the module's.
 */
#ifndef KMODLEAK_GROWTH_H
#define KMODLEAK_GROWTH_H

#include "verdict.h"

struct growth {
	unsigned int cycles;		/* noted so far */
	struct kind *kinds;		/* of the last cycle, by key */
	size_t n;
};

/* Counts what is left after one more cycle.  Negative errno. */
int growth__note(struct growth *g, const struct findings *all);
/*
 * Takes what did not grow in each of the cycles noted for the kernel's own, unless the module
 * itself asked for it; what was left after a single one may be.
 */
void growth__apply(const struct growth *g, struct verdict *v);
void growth__free(struct growth *g);

#endif
