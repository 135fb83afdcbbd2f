/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ksyms.h - names of addresses in the kernel and its modules, those gone included.
 */
#ifndef KMODLEAK_KSYMS_H
#define KMODLEAK_KSYMS_H

#include "../lib/lib.h"
#include "halves.h"

struct ksyms;

struct ksym {
	const char *name;		/* NULL: unknown */
	const char *module;		/* NULL: the kernel itself */
	u64 offset;			/* from the start of the symbol */
	bool target;			/* of the module traced, as it was loaded then */
};

/* Reads what is at @path as in /proc/kallsyms.  -EPERM when the kernel shows no addresses. */
int ksyms__load(const char *path, struct ksyms **ret_ksyms);
void ksyms__free(struct ksyms *ksyms);
/* Asks @bound for the text of each module there at the start, by its struct module. */
void ksyms__bound_modules(struct ksyms *ksyms, void *arg,
			  bool (*bound)(void *arg, u64 object, u64 *ret_base, u64 *ret_size));
/* Takes what the kernel half sends of a module: KML_EV_LOAD, _SYMBOLS, _STRINGS. */
int ksyms__learn(struct ksyms *ksyms, const struct kml_event *event, const char *data);
/* @generation: of the stack the address is from. */
struct ksym ksyms__find(const struct ksyms *ksyms, u64 addr, u32 generation);
/* The address of a function of the kernel's own, 0 if there is none. */
u64 ksyms__addr(const struct ksyms *ksyms, const char *name);
/*
 * The text of a function of the kernel's own, up to the next symbol; also where the compiler has
 * made a special one of it ("f.isra.0").  False: there is none.
 */
bool ksyms__range(const struct ksyms *ksyms, const char *name, u64 *ret_start, u64 *ret_end);
/* The struct module of a module that was loaded at the start, 0 if it was not. */
u64 ksyms__module(const struct ksyms *ksyms, const char *module);
/* Makes the symbols of @module, read at the start, those of @generation. */
void ksyms__adopt(struct ksyms *ksyms, const char *module, u32 generation);

#endif
