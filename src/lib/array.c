// SPDX-License-Identifier: GPL-2.0-only
/*
 * array.c - arrays that grow.
 */
#include "lib.h"

int sfs_array_grow(void **array, size_t count, size_t nbytes)
{
	void *p;

	if (count & (count - 1))
		return 0;
	p = realloc(*array, (count ? 2 * count : 1) * nbytes);
	if (!p)
		return -ENOMEM;
	*array = p;
	return 0;
}
