/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * twin.h - what the parts of twin.ko share: how a kind is written, and whether it leaks.
 */
#ifndef TWIN_H
#define TWIN_H

#include <linux/types.h>

#define TAKE static noinline int
#define GIVE static noinline void
#define TWIN(name) { #name, take_##name, give_##name }

struct twin {
	const char *kind;
	int (*take)(void);
	void (*give)(void);
};

extern bool leak;
/* habits.c */
extern const struct twin habits[];
extern const size_t nhabits;

#endif
