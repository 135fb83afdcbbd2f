/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * twin.h - what the parts of twin.ko share: how a kind is written, and whether it leaks.
 */
#ifndef TWIN_H
#define TWIN_H

#include <linux/rcupdate.h>
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
/* Of each file its kinds. */
extern const struct twin habits[], blocks[], packets[], reused[];
extern const size_t nhabits, nblocks, npackets, nreused;

/* A name that changed. */
#ifdef kvfree_rcu_mightsleep
#define kvfree_rcu_twin(p)	kvfree_rcu_mightsleep(p)
#else
#define kvfree_rcu_twin(p)	kvfree_rcu(p)
#endif

#endif
