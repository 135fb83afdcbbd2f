// SPDX-License-Identifier: GPL-2.0-only
/*
 * unplug.c - takes a mounted volume's disk out of the machine, and puts it back.
 *
 * The disk is a virtio one; unbinding its driver is what the kernel sees of a pulled cable.  Who
 * has files open there must get errors and nothing else, the volume must unmount, and the module
 * go.  What had been synced is there when the disk is back.
 *
 * usage: unplug DIR pull DEVICE|verify
 *	pull	DIR has a volume on DEVICE (virtio3): write, pull, be refused; DIR is unmounted
 *	verify	DIR has the volume again
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "tap/tap.h"

#define DRIVER		"/sys/bus/virtio/drivers/virtio_blk/"
#define SYNCED_BYTES	300000
#define MAYBE_BYTES	200000

static char data[SYNCED_BYTES];

static bool tell_driver(const char *what, const char *device)
{
	int fd = open(what, O_WRONLY);
	bool good = fd >= 0 && write(fd, device, strlen(device)) == (ssize_t)strlen(device);

	close(fd);
	return good;
}

/* From 6.5 on the block layer tells the filesystem; before, it learns from I/O that fails. */
static bool kernel_tells(void)
{
	struct utsname un;
	int major, minor;

	return !uname(&un) && sscanf(un.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 5));
}

static void be_refused(int fd)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	bool told = kernel_tells();
	char buf[100] = "";

	TAP_OK(pwrite(fd, data, 4096, SYNCED_BYTES) != 4096 || fsync(fd),
	       "what is written cannot be synced");
	TAP_OK(fsync(fd) && errno == EIO, "nor later");
	TAP_OK(mkdir("late-directory", 0755) ? errno == EIO : !told && fsync(dir) && errno == EIO,
	       "no directory is made, or not one that is synced");
	TAP_OK(open("late", O_WRONLY | O_CREAT, 0644) < 0 && errno == EIO, "no file is made");
	TAP_OK(rename("synced", "renamed") && errno == EIO, "nothing is renamed");
	TAP_OK(unlink("synced") && errno == EIO, "nothing is removed");
	TAP_OK(truncate("synced", 1) && errno == EIO, "nothing is cut");
	TAP_OK(pread(fd, buf, sizeof(buf), 0) < 0 ? errno == EIO : !told && buf[99] == 'd',
	       "nothing is read, or what was written");
	close(dir);
}

static void pull(const char *dir, const char *device)
{
	int synced = open("synced", O_RDWR | O_CREAT, 0644);
	int maybe = open("maybe", O_RDWR | O_CREAT, 0644);

	memset(data, 'd', sizeof(data));
	TAP_REQUIRE(write(synced, data, SYNCED_BYTES) == SYNCED_BYTES && !fsync(synced),
		    "a synced file");
	TAP_REQUIRE(write(maybe, data, MAYBE_BYTES) == MAYBE_BYTES, "a file not synced");
	TAP_REQUIRE(tell_driver(DRIVER "unbind", device), "the disk is pulled");
	be_refused(maybe);
	TAP_OK(!close(synced) && !close(maybe), "files are closed");
	TAP_OK(!chdir("/") && !umount(dir), "the volume is unmounted");
	TAP_OK(tell_driver(DRIVER "bind", device), "the disk is back");
}

static void verify(void)
{
	static char buf[SYNCED_BYTES + 1];
	int fd = open("synced", O_RDONLY);
	struct stat st;

	memset(data, 'd', sizeof(data));
	TAP_OK(read(fd, buf, sizeof(buf)) == SYNCED_BYTES && !memcmp(buf, data, SYNCED_BYTES),
	       "what was synced is there");
	close(fd);
	TAP_OK(stat("late", &st) && stat("late-directory", &st) && stat("renamed", &st),
	       "what was refused is not");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc >= 3 && !chdir(argv[1]), "usage: unplug DIR pull DEVICE|verify");
	if (!strcmp(argv[2], "pull") && argc == 4)
		pull(argv[1], argv[3]);
	else
		verify();
	return tap_done();
}
