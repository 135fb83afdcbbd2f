// SPDX-License-Identifier: GPL-2.0-only
/*
 * mounted.c - a volume that is in use: where it is mounted, for who asks the kernel to change it.
 */
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib.h"

/* The directory @dir, open, if it is on the device @dev; else -1. */
static int sfs_open_on(const char *dir, dev_t dev)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || (!fstat(fd, &st) && st.st_dev == dev))
		return fd;
	close(fd);
	return -1;
}

static bool sfs_is_readonly(int fd)
{
	struct statvfs st;

	return fstatvfs(fd, &st) || (st.f_flag & ST_RDONLY);
}

/* Which of two roots, -1 being none, is the one to ask; the other is closed. */
static int sfs_better_of(int found, int fd)
{
	if (fd >= 0 && found >= 0 && sfs_is_readonly(fd)) {
		close(fd);
		return found;
	}
	if (fd >= 0 && found >= 0)
		close(found);
	return fd >= 0 ? fd : found;
}

int sfs_mounted_open(const char *path)
{
	char dir[PATH_MAX];
	struct mntent *m;
	struct stat st;
	FILE *mounts;
	int fd = -1;

	if (stat(path, &st) || (!S_ISBLK(st.st_mode) && !S_ISDIR(st.st_mode)))
		return -1;
	if (!S_ISBLK(st.st_mode) && !realpath(path, dir))
		return -1;
	mounts = setmntent("/proc/self/mounts", "r");
	while (mounts && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "simplefs"))
			continue;
		if (S_ISBLK(st.st_mode))
			fd = sfs_better_of(fd, sfs_open_on(m->mnt_dir, st.st_rdev));
		else if (!strcmp(m->mnt_dir, dir))
			fd = sfs_better_of(fd, sfs_open_on(m->mnt_dir, st.st_dev));
	}
	if (mounts)
		endmntent(mounts);
	return fd;
}
