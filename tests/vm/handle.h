/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handle.h - file handles as programs get and use them, and what is in one.
 */
#ifndef SFS_TEST_HANDLE_H
#define SFS_TEST_HANDLE_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/klog.h>

#include "tap/tap.h"

#define PLAIN		0x81
#define CONNECTABLE	0x82
#define USER_FLAG	0x10000		/* of a type that is to be connected, since 6.13 */

struct handle {
	union {
		struct file_handle fh;
		char room[sizeof(struct file_handle) + 128];
	};
};

/* What the bytes of a handle mean. */
struct meant {
	unsigned int ino[2], generation, parent[2], parent_generation;
};

static const char *dir;
static int mount_fd;

static struct meant *meant(struct handle *h)
{
	return (struct meant *)h->fh.f_handle;
}

static unsigned long ino_of(struct handle *h)
{
	return (unsigned long)meant(h)->ino[1] << 32 | meant(h)->ino[0];
}

static inline void set_ino(struct handle *h, unsigned long ino)
{
	meant(h)->ino[0] = ino;
	meant(h)->ino[1] = ino >> 32;
}

static char *at(const char *name)
{
	static char paths[4][512];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, 512, "%s/%s", dir, name);
	return path;
}

static int get_as(const char *path, struct handle *h, int flags)
{
	int id;

	memset(h, 0, sizeof(*h));
	h->fh.handle_bytes = 128;
	return name_to_handle_at(AT_FDCWD, path, &h->fh, &id, flags) ? -errno : 0;
}

static void get(const char *path, struct handle *h)
{
	TAP_REQUIRE(!get_as(path, h, 0), "handle of %s", path);
}

static int try(struct handle *h, int flags)
{
	int fd = open_by_handle_at(mount_fd, &h->fh, flags);

	return fd < 0 ? -errno : fd;
}

/* Opened and closed again: 0, or why not. */
static int look(struct handle *h)
{
	int fd = try(h, O_PATH);

	return fd < 0 ? fd : close(fd);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	TAP_REQUIRE(fd >= 0 && write(fd, "3", 1) == 1 && !close(fd), "caches are dropped");
}

static void make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	TAP_REQUIRE(fd >= 0 && !close(fd), "%s is made", path);
}

/* Lines that the module has written. */
static unsigned int said(void)
{
	static char log[1 << 20];
	int n = klogctl(3, log, sizeof(log) - 1);
	unsigned int lines = 0;
	char *p;

	TAP_REQUIRE(n >= 0, "the kernel's log");
	log[n] = '\0';
	for (p = log; (p = strstr(p, "simplefs (")); p++)
		lines++;
	return lines;
}

static void attach(void)
{
	mount_fd = open(dir, O_RDONLY | O_DIRECTORY);
	TAP_REQUIRE(mount_fd >= 0, "%s", dir);
}

/* The arguments of main(): WHAT, which is returned, and DIR. */
static const char *begin(int argc, char **argv)
{
	if (argc != 3)
		exit(2);
	dir = argv[2];
	attach();
	alarm(800);
	return argv[1];
}

#endif
