/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srcline.h - source file and line of a place in the module, if its .ko has debug information.
 */
#ifndef KMODLEAK_SRCLINE_H
#define KMODLEAK_SRCLINE_H

#include "../lib/lib.h"

struct srcline;

/*
 * @path: the .ko, NULL to look below /lib/modules; opened when the first place is asked for.  The
 * @nbytes of @build_id must be the file's too, or nothing is found in it and that is said; 0: the
 * module's is not known.  NULL: no memory.
 */
struct srcline *srcline__open(const char *module, const char *path, const u8 *build_id,
			      size_t nbytes);
void srcline__close(struct srcline *s);
/* "file.c:12" for @offset bytes into @function; false when not known.  @s may be NULL. */
bool srcline__find(struct srcline *s, const char *function, u64 offset, char *ret_where,
		   size_t room);

#endif
