// SPDX-License-Identifier: GPL-2.0-only
/*
 * lost.c - a store that has no room left under the volume: metadata that cannot be written.
 *
 * The volume lies in a sparse file of a small tmpfs.  When the tmpfs is full, blocks never written
 * before cannot be, and the loop device fails them; when it has room again, everything works.  The
 * copy in memory of a block that failed may go at any time, and then the device has an older one:
 * nobody may be shown that, and the volume must not be called clean.
 *
 * usage: lost IMAGE look|leave	with /dev/loop0 free, and /mnt to mount on
 *	look	look at all names after it, and try to go on
 *	leave	unmount at once
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tap/tap.h"

#define STORE		"/tmp/store"
#define BLOCK		4096
#define NAMES		2000

static char buf[BLOCK];

/* A copy that has holes where the image has zeros. */
static void copy_sparse(const char *from, const char *to)
{
	static const char zero[BLOCK];
	int in = open(from, O_RDONLY);
	int out = open(to, O_RDWR | O_CREAT | O_TRUNC, 0644);
	off_t pos;

	TAP_REQUIRE(in >= 0 && out >= 0, "the image is opened");
	for (pos = 0; read(in, buf, BLOCK) == BLOCK; pos += BLOCK)
		if (memcmp(buf, zero, BLOCK))
			TAP_REQUIRE(pwrite(out, buf, BLOCK, pos) == BLOCK, "copied");
	TAP_REQUIRE(pos && !ftruncate(out, pos) && !close(in) && !close(out), "sparse");
}

static int attach(const char *file)
{
	int fd = open(file, O_RDWR);
	int loop = open("/dev/loop0", O_RDWR);

	TAP_REQUIRE(fd >= 0 && loop >= 0 && !ioctl(loop, LOOP_SET_FD, fd), "a loop device");
	close(fd);
	return loop;
}

static void use_up(void)
{
	int fd = open(STORE "/filler", O_WRONLY | O_CREAT, 0644);

	memset(buf, 'f', BLOCK);
	while (write(fd, buf, BLOCK) == BLOCK)
		;
	TAP_REQUIRE(errno == ENOSPC && !close(fd), "the store is full");
}

static void forget_clean(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	TAP_REQUIRE(fd >= 0 && write(fd, "2", 1) == 1 && !close(fd), "names are forgotten");
}

static const char *name(int i)
{
	static char text[64];

	snprintf(text, sizeof(text), "/mnt/new/a name among many others, number %d", i);
	return text;
}

/* Looks at everything: what is found of what was made, and any answer but EIO and "not there". */
static void look(void)
{
	struct stat st;
	int strange = 0;
	int absent = 0;
	int i;

	for (i = 0; i < NAMES; i++) {
		if (!stat(name(i), &st))
			continue;
		absent += errno == ENOENT;
		strange += errno != EIO && errno != ENOENT;
	}
	TAP_EQ(absent, 0, "no name that was made is said not to be");
	TAP_EQ(strange, 0, "and nothing is called damaged");
}

int main(int argc, char **argv)
{
	int loop;
	int fd;
	int i;

	TAP_REQUIRE(argc == 3 && !mkdir(STORE, 0755) &&
		    !mount("store", STORE, "tmpfs", 0, "size=32M"), "a store of 32 MiB");
	copy_sparse(argv[1], STORE "/volume");
	loop = attach(STORE "/volume");
	TAP_REQUIRE(!mount("/dev/loop0", "/mnt", "simplefs", 0, ""), "mounted");
	fd = open("/mnt", O_RDONLY | O_DIRECTORY);
	TAP_REQUIRE(!mkdir("/mnt/new", 0755), "a directory");
	for (i = 0; i < NAMES; i++)
		TAP_REQUIRE(!mknod(name(i), S_IFREG | 0644, 0), "a name");
	use_up();
	TAP_OK(syncfs(fd) && errno == EIO, "the lost metadata is an error of sync");
	TAP_OK(!unlink(STORE "/filler"), "the store has room again");
	if (!strcmp(argv[2], "look")) {
		forget_clean();
		look();
		TAP_OK(mkdir("/mnt/late", 0755) && errno == EIO, "nothing more is changed");
		TAP_OK(syncfs(fd) && errno == EIO, "nor called synced");
	}
	TAP_OK(!close(fd) && !umount("/mnt"), "it is unmounted");
	TAP_OK(pread(loop, buf, BLOCK, 0) == BLOCK, "its superblock");
	fd = open(argv[1], O_WRONLY);
	TAP_OK(fd >= 0 && pwrite(fd, buf, BLOCK, 0) == BLOCK && !fsync(fd), "is kept for a look");
	return tap_done();
}
