// SPDX-License-Identifier: GPL-2.0-only
/*
 * want.c - how a step says that something was not so: the first time counts.
 */
#include <string.h>

#include "steps.h"

/* The first failure of this process, empty if there was none. */
static char sfs_first_failure[400];
static bool sfs_excused;		/* it is the machine's */

void sfs_refuse(const char *text)
{
	if (!sfs_first_failure[0])
		snprintf(sfs_first_failure, sizeof(sfs_first_failure), "%s", text);
}

void sfs_excuse(const char *reason)
{
	if (!sfs_first_failure[0])
		sfs_excused = true;
	sfs_refuse(reason);
}

bool sfs_is_excused(void)
{
	return sfs_excused;
}

void sfs_want_not(const char *what, const char *file, int line)
{
	const char *name = strrchr(file, '/');
	char text[360];
	int err = errno;

	snprintf(text, sizeof(text), "%s:%d: not so: %s (errno: %s)", name ? name + 1 : file, line,
		 what, strerror(err));
	sfs_refuse(text);
}

const char *sfs_failure(void)
{
	return sfs_first_failure[0] ? sfs_first_failure : NULL;
}
