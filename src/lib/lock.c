// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - the lock that says "do not look at this device now", as udev and others heed it.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib.h"

#define SFS_LOCK_TRIES_FILE	100
#define SFS_LOCK_TRIES_DEVICE	20	/* udev looks at a new device for a moment, too */
#define SFS_LOCK_WAIT_MS	100

static int sfs_lock_wait(int fd, unsigned int tries)
{
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (!--tries)
			return -EWOULDBLOCK;
		poll(NULL, 0, SFS_LOCK_WAIT_MS);
	}
	return 0;
}

/* As util-linux has it, for all that make something on a device. */
static bool sfs_lock_is_unwanted(void)
{
	const char *mode = getenv("LOCK_BLOCK_DEVICE");

	return mode && (!strcmp(mode, "0") || !strcmp(mode, "no"));
}

int sfs_lock(int fd, const char *path)
{
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return sfs_lock_wait(fd, SFS_LOCK_TRIES_FILE);
	if (sfs_lock_is_unwanted())
		return 0;
	err = sfs_lock_wait(fd, SFS_LOCK_TRIES_DEVICE);
	if (err != -EWOULDBLOCK)
		return err;
	sfs_warn("%s: another program has locked it, and may have started this one: going on", path);
	return 0;
}
