// SPDX-License-Identifier: GPL-2.0-only
/*
 * uuid.c - a UUID as the user gives it: itself, or how to make one.  As mke2fs and tune2fs take it.
 */
#include <uuid/uuid.h>

#include "lib.h"

int sfs_parse_uuid(const char *text, u8 uuid[16])
{
	if (!strcmp(text, "clear"))
		uuid_clear(uuid);
	else if (!strcmp(text, "random"))
		uuid_generate_random(uuid);
	else if (!strcmp(text, "time"))
		uuid_generate_time(uuid);
	else if (uuid_parse(text, uuid))
		return -EINVAL;
	return 0;
}
