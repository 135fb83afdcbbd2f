// SPDX-License-Identifier: GPL-2.0-only
/*
 * loop.c - is an image in use?  Whoever mounts it has it behind a loop device.
 *
 * An image opened for writing is not its loop device, so O_EXCL says nothing: each loop device that
 * has the file behind it is asked whether it can be had alone.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib.h"

/* Has the loop device behind @fd, or by the name of its file, the file @st behind it? */
static bool sfs_loop_backs(int fd, const char *name, const struct stat *st)
{
	struct loop_info64 info;
	char file[PATH_MAX];
	struct stat back;
	char path[300];
	FILE *f;

	/* The kernel's word holds whatever the file is called, and in which namespace. */
	if (fd >= 0 && !ioctl(fd, LOOP_GET_STATUS64, &info))
		return info.lo_inode == st->st_ino &&
		       makedev((info.lo_device >> 8) & 0xfff,
			       (info.lo_device & 0xff) | ((info.lo_device >> 12) & 0xfff00)) ==
		       st->st_dev;
	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(file, sizeof(file), f))
		*file = '\0';
	fclose(f);
	file[strcspn(file, "\n")] = '\0';
	return !stat(file, &back) && back.st_dev == st->st_dev && back.st_ino == st->st_ino;
}

/* True if loop device @name has the file @st behind it and cannot be had alone. */
static bool sfs_loop_has(const char *name, const struct stat *st)
{
	char path[300];
	bool has;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	has = sfs_loop_backs(fd, name, st);
	if (fd >= 0)
		close(fd);
	if (!has)
		return false;
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return errno != ENXIO;	/* who may not ask must take it for busy */
	close(fd);
	return false;
}

bool sfs_loop_is_busy(const char *path, char loop[SFS_LOOP_NAME])
{
	const struct dirent *entry;
	bool busy = false;
	struct stat st;
	DIR *dir;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	dir = opendir("/sys/block");
	while (dir && !busy && (entry = readdir(dir))) {
		busy = !strncmp(entry->d_name, "loop", 4) && sfs_loop_has(entry->d_name, &st);
		if (busy)
			snprintf(loop, SFS_LOOP_NAME, "%.*s", SFS_LOOP_NAME - 1, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return busy;
}
