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
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"

/* True if loop device @name has the file @st behind it and cannot be had alone. */
static bool sfs_loop_has(const char *name, const struct stat *st)
{
	char file[PATH_MAX];
	char path[300];
	struct stat back;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(file, sizeof(file), f))
		*file = '\0';
	fclose(f);
	file[strcspn(file, "\n")] = '\0';
	if (stat(file, &back) || back.st_dev != st->st_dev || back.st_ino != st->st_ino)
		return false;
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return errno == EBUSY;
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
