// SPDX-License-Identifier: GPL-2.0-only
/*
 * mounts.c - what a mount does besides files: read-only in an emergency, its journal, its options.
 *
 * usage: mounts DIR VERB
 *	emergency	everything becomes read-only while files are open and written to
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tap/tap.h"

#define WRITERS		8
#define BEFORE_LINES	3000		/* each writer's, before the emergency */

/* Writes and cuts an open file until it is refused. */
static void spin(int writer, int ready)
{
	char name[32];
	long i;
	int fd;

	snprintf(name, sizeof(name), "spin%d", writer);
	fd = open(name, O_RDWR | O_CREAT, 0644);
	for (i = 0; ; i++) {
		if (i == BEFORE_LINES && write(ready, "r", 1) != 1)
			_exit(1);
		if (pwrite(fd, name, sizeof(name), i % 200 * 512) < 0 ||
		    (i % 8 == 0 && (ftruncate(fd, i % 16 * 4096) || fchmod(fd, 0600 + i % 8))))
			_exit(errno != EROFS && errno != EIO);
	}
}

static bool is_readonly(const char *dir)
{
	FILE *mounts = setmntent("/proc/mounts", "r");
	struct mntent *m;
	bool found = false;

	while (mounts && (m = getmntent(mounts)))
		found |= !strcmp(m->mnt_dir, dir) && hasmntopt(m, "ro");
	endmntent(mounts);
	return found;
}

static void emergency(const char *dir)
{
	int keep = open("kept-open", O_RDWR | O_CREAT, 0644);
	int n, status, refused = 0, ready[2];
	int trigger = open("/proc/sysrq-trigger", O_WRONLY);
	char c;

	TAP_REQUIRE(keep >= 0 && trigger >= 0 && !pipe(ready), "a file is open");
	for (n = 0; n < WRITERS; n++)
		if (!fork())
			spin(n, ready[1]);
	for (n = 0; n < WRITERS; n++)
		TAP_REQUIRE(read(ready[0], &c, 1) == 1, "a writer is busy");
	TAP_REQUIRE(write(trigger, "u", 1) == 1, "an emergency");
	for (n = 0; n < WRITERS; n++)
		refused += wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
	TAP_OK(refused == WRITERS, "all writers are refused");
	while (!is_readonly(dir))
		;
	TAP_OK(true, "the volume is read-only");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc >= 3 && !chdir(argv[1]), "usage: mounts DIR VERB");
	if (!strcmp(argv[2], "emergency"))
		emergency(argv[1]);
	return tap_done();
}
