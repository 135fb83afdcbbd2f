/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rules.h - the kernel functions whose allocations below a module are not the module's.
 */
#ifndef KMODLEAK_RULES_H
#define KMODLEAK_RULES_H

#include "../lib/lib.h"
#include "halves.h"

#define RULE_NAMES 20

struct rule {
	const char *why;
	unsigned int classes;		/* bits of enum kml_class that it is for */
	const char *names[RULE_NAMES];
};

/* All take a plain name (judge__plain_name()). */
bool rules__is_allocator(const char *name);
/* An allocator, or what only passes on to its caller what it got from one. */
bool rules__is_giver(const char *name);
bool rules__is_tree(const char *name);
/* Why what @name asks for is not the module's; NULL: nothing is known against it. */
const char *rules__find(const char *name, unsigned int class);

#endif
