// SPDX-License-Identifier: GPL-2.0-only
/*
 * shutdown.c - a volume stopped by FS_IOC_SHUTDOWN: what is refused from then on, and what has been
 * saved when it is mounted again.
 *
 * usage: shutdown DEVICE default|log|nothing	with /mnt to mount on
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tap/tap.h"

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN	_IOR('X', 125, __u32)
#endif
#define NBYTES		300000

static const char *const hows[] = { "default", "log", "nothing" };
static char buf[NBYTES], back[NBYTES];

static int stop(int fd, __u32 how)
{
	return ioctl(fd, FS_IOC_SHUTDOWN, &how) ? -errno : 0;
}

static int save(const char *path, char fill, bool sync)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);

	memset(buf, fill, NBYTES);
	TAP_REQUIRE(fd >= 0 && write(fd, buf, NBYTES) == NBYTES, "%s is written", path);
	TAP_REQUIRE(!sync || !fsync(fd), "and synced");
	return fd;
}

static void holds(const char *path, char fill)
{
	int fd = open(path, O_RDONLY);

	memset(buf, fill, NBYTES);
	TAP_OK(fd >= 0 && read(fd, back, NBYTES) == NBYTES && !memcmp(buf, back, NBYTES),
	       "%s holds what was written", path);
	close(fd);
}

static void refused(int dir)
{
	TAP_EQ(stop(dir, 3), -EINVAL, "an unknown way to stop");
	TAP_EQ(ioctl(dir, _IO('X', 99)) ? errno : 0, ENOTTY, "an unknown ioctl");
	TAP_EQ(ioctl(dir, FS_IOC_SHUTDOWN, (void *)8) ? errno : 0, EFAULT, "no address");
	TAP_REQUIRE(!seteuid(1000), "a user");
	TAP_EQ(stop(dir, 2), -EPERM, "may not");
	TAP_REQUIRE(!seteuid(0), "root again");
	close(save("/mnt/before", 'b', false));
}

/* After it: nothing is changed, and nobody is told that it was. */
static void stopped(int dir, int file)
{
	TAP_EQ(mkdir("/mnt/dir", 0755) ? errno : 0, EIO, "no new directory");
	TAP_EQ(unlink("/mnt/synced") ? errno : 0, EIO, "no name is removed");
	TAP_EQ(fsync(file) ? errno : 0, EIO, "fsync fails");
	TAP_EQ(syncfs(dir) ? errno : 0, EIO, "and syncfs");
	TAP_EQ(stop(dir, 2), 0, "a second time is no error");
}

int main(int argc, char **argv)
{
	__u32 how = 0;
	int dir, file;

	TAP_REQUIRE(argc == 3, "usage: shutdown DEVICE default|log|nothing");
	while (how < 2 && strcmp(hows[how], argv[2]))
		how++;
	TAP_REQUIRE(!mount(argv[1], "/mnt", "simplefs", 0, NULL), "mounted");
	dir = open("/mnt", O_RDONLY | O_DIRECTORY);
	TAP_REQUIRE(dir >= 0, "the root is opened");
	refused(dir);
	close(save("/mnt/synced", 's', true));
	file = save("/mnt/last", 'l', false);
	TAP_EQ(stop(how == 1 ? file : dir, how), 0, "stopped");
	stopped(dir, file);
	close(dir);
	close(file);
	TAP_REQUIRE(!umount("/mnt"), "unmounted");

	TAP_REQUIRE(!mount(argv[1], "/mnt", "simplefs", MS_RDONLY, NULL), "mounted again");
	holds("/mnt/synced", 's');
	if (how < 2)
		TAP_OK(!access("/mnt/last", F_OK), "the last name is there");
	if (!how)
		holds("/mnt/last", 'l');
	TAP_OK(access("/mnt/dir", F_OK), "what was refused is not");
	TAP_REQUIRE(!umount("/mnt"), "unmounted");
	return tap_done();
}
