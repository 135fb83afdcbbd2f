/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rules.h - the kernel functions whose allocations below a module are not the module's.
 */
#ifndef KMODLEAK_RULES_H
#define KMODLEAK_RULES_H

#include "../lib/lib.h"

#define RULE_NAMES 16

struct rule {
	const char *why;
	const char *names[RULE_NAMES];
};

/* All take a plain name (judge__plain_name()).  Of the last three: the reason, or NULL. */
bool rules__is_allocator(const char *name);
bool rules__is_tree(const char *name);
const char *rules__page_user(const char *name);
const char *rules__allocator(const char *name);
const char *rules__stranger(const char *name);

#endif
