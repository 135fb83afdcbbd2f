// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - the lock that says "do not look at this device now", as udev and others heed it.
 */
#include <errno.h>
#include <poll.h>
#include <sys/file.h>

#include "lib.h"

#define SFS_LOCK_TRIES		100	/* udev looks at a new device for a moment, too */
#define SFS_LOCK_WAIT_MS	100

int sfs_lock(int fd)
{
	unsigned int tries = SFS_LOCK_TRIES;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (!--tries)
			return -EWOULDBLOCK;
		poll(NULL, 0, SFS_LOCK_WAIT_MS);
	}
	return 0;
}
