/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srcline.h - source file and line of a place in the module, if its .ko has debug information.
 */
#ifndef KMODLEAK_SRCLINE_H
#define KMODLEAK_SRCLINE_H

#include "../lib/lib.h"

struct srcline;

/* @path: the .ko, NULL to look below /lib/modules.  NULL when there is nothing to read. */
struct srcline *srcline__open(const char *module, const char *path);
void srcline__close(struct srcline *s);
/* "file.c:12" for @offset bytes into @function; false when not known.  @s may be NULL. */
bool srcline__find(struct srcline *s, const char *function, u64 offset, char *ret_where,
		   size_t room);

#endif
