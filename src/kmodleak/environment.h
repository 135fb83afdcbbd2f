/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * environment.h - what the system must allow, and modules loaded and unloaded.
 */
#ifndef KMODLEAK_ENVIRONMENT_H
#define KMODLEAK_ENVIRONMENT_H

#include "../lib/lib.h"

/* Ends the program with one sentence when this system cannot trace @module. */
void environment__check(const char *module);
/*
 * Whether a program on a tracepoint can be preempted: with PREEMPT_RT, and on kernels that guard
 * tracepoints by SRCU.  Debian's 6.12 does not yet, its 7.2 does; in doubt it is so.
 */
bool environment__preempts_tracepoints(void);
/* Interrupts enter by FRED, whose entry is not in the text that symbols bound. */
bool environment__has_fred(void);
/*
 * Frames that the kernel gives of a stack; its default when that cannot be read.  While we trace
 * it does not change: the kernel refuses that.
 */
u32 environment__max_stack(void);
bool module__is_loaded(const char *module);
/* The build-id of a module that is loaded, to @id; its size, or 0 when it cannot be had. */
size_t module__build_id(const char *module, u8 *id, size_t room);
/* The name a .ko file gives its module: without folder and suffix, '-' as '_'. */
void module__name(const char *path, char *ret_name, size_t room);
/*
 * @file: a path, which may be compressed as its suffix says, and after a space parameters.
 * Negative errno.
 */
int module__load(const char *file);
/* The path in that; the caller frees.  NULL: no memory. */
char *module__path(const char *file);
int module__unload(const char *module);

#endif
