// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysfs.c - what /sys/fs/simplefs says of a volume on /dev/vda, and that it comes and goes with it.
 *
 * "errors" wants a file "damaged" whose inode INO, in block BLK, has no links, and the STATE that
 * this leads to.
 *
 * usage: sysfs use DIR
 *        sysfs errors DIR BLK INO STATE
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap/tap.h"

#define DEVICE		"/dev/vda"
#define ROOT		"/sys/fs/simplefs"
#define VOLUME		ROOT "/vda/"
#define BLOCK		4096
#define SHUTDOWN	_IOR('X', 125, unsigned int)
#define MOUNTS		30

static const char *dir;

/* What @name of the volume says, without the end of the line; "" if there is none. */
static const char *get(const char *name)
{
	static char text[BLOCK];
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : VOLUME, name);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0 || text[n - 1] != '\n')
		return "";
	text[n - 1] = '\0';
	return text;
}

static bool is(const char *name, const char *want)
{
	const char *text = get(name);

	if (!strcmp(text, want))
		return true;
	printf("# %s: '%s', not '%s'\n", name, text, want);
	return false;
}

static long long num(const char *name)
{
	long long n;
	char rest;

	return sscanf(get(name), "%lld%c", &n, &rest) == 1 ? n : -1;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static void mount_it(unsigned long flags)
{
	TAP_REQUIRE(!mount(DEVICE, dir, "simplefs", flags, ""), "mounted");
}

/* ---- numbers ---- */

static void space(void)
{
	static char block[40 * BLOCK];
	struct statvfs st;
	long long nfree;
	char path[64];
	int fd;

	sync();
	TAP_REQUIRE(!statvfs(dir, &st), "statvfs");
	nfree = num("free_blocks");
	TAP_EQ(nfree, st.f_bfree, "free blocks");
	TAP_EQ(num("available_blocks"), st.f_bavail, "those that anybody can have");
	TAP_EQ(num("reserved_blocks"), nfree - (long long)st.f_bavail, "and those kept back");
	TAP_EQ(num("delayed_allocation_blocks"), 0, "none is promised");
	TAP_EQ(num("delayed_node_blocks"), 0, "nor for nodes");
	snprintf(path, sizeof(path), "%s/promised", dir);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	TAP_REQUIRE(fd >= 0 && pwrite(fd, block, sizeof(block), 0) == sizeof(block), "written");
	TAP_EQ(num("delayed_allocation_blocks"), 40, "what is written is promised");
	TAP_OK(num("delayed_node_blocks") > 0, "and what its map may want");
	TAP_OK(num("free_blocks") >= nfree - 1, "but not taken");
	TAP_REQUIRE(!fsync(fd) && !close(fd), "synced");
	TAP_EQ(num("delayed_allocation_blocks"), 0, "and then taken");
	TAP_EQ(num("delayed_node_blocks"), 0, "with what the map wanted");
	TAP_OK(num("free_blocks") <= nfree - 40, "from what was free");
}

static void sequence(void)
{
	long long before = num("sequence");
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/new", dir);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	TAP_REQUIRE(fd >= 0 && !fsync(fd) && !close(fd), "a transaction");
	TAP_OK(before > 0 && num("sequence") > before, "transactions are counted: %lld", before);
}

static void called(void)
{
	char label[FSLABEL_MAX] = "an other";
	int fd = open(dir, O_RDONLY);

	TAP_OK(is("uuid", "01234567-89ab-cdef-0123-456789abcdef"), "the UUID");
	TAP_OK(is("label", "first one"), "the label");
	TAP_REQUIRE(!ioctl(fd, FS_IOC_SETFSLABEL, label) && !close(fd), "another");
	TAP_OK(is("label", "an other"), "that it has now");
}

/* ---- coming and going ---- */

static unsigned int count_files(const char *path, bool writable)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	unsigned int n = 0;
	struct stat st;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && !fstatat(dirfd(d), entry->d_name, &st, 0))
			n += !writable || (st.st_mode & 0222);
	closedir(d);
	return n;
}

static void features(void)
{
	static const char *const all[] = { "journal", "journal_dev", "xattr", "batched_discard" };
	unsigned int i, bad = 0;
	char path[64];

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(path, sizeof(path), ROOT "/features/%s", all[i]);
		bad += !is(path, "supported");
	}
	TAP_EQ(bad, 0, "what the module knows");
	TAP_EQ(count_files(ROOT "/features", false), i, "and no more");
}

/* An open attribute holds up neither an unmount nor what is after it. */
static void held(void)
{
	int fd = open(VOLUME "uuid", O_RDONLY);
	char c;

	TAP_REQUIRE(fd >= 0, "an attribute is open");
	TAP_EQ(umount(dir) ? -errno : 0, 0, "unmounted meanwhile");
	TAP_OK(read(fd, &c, 1) < 0 && errno == ENODEV, "it has nothing to say any more");
	TAP_OK(!exists(VOLUME), "and the directory is gone");
	mount_it(0);
	TAP_OK(read(fd, &c, 1) < 0 && errno == ENODEV, "nor of the next mount");
	close(fd);
	TAP_OK(exists(VOLUME "uuid"), "which has one of its own");
}

/* Somebody reads all there is, all the time. */
static void read_all(void)
{
	struct dirent *entry;
	char path[300];
	DIR *d;

	for (;;) {
		d = opendir(VOLUME);
		while (d && (entry = readdir(d))) {
			snprintf(path, sizeof(path), VOLUME "%s", entry->d_name);
			if (entry->d_name[0] != '.')
				get(path);
		}
		if (d)
			closedir(d);
	}
}

static void raced(void)
{
	pid_t pid = fork();
	int i, status;

	if (!pid)
		read_all();
	for (i = 0; i < MOUNTS; i++) {
		TAP_REQUIRE(!umount(dir), "unmounted");
		mount_it(i % 2 ? 0 : MS_RDONLY);
	}
	TAP_OK(!waitpid(pid, &status, WNOHANG), "read while it comes and goes");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	TAP_REQUIRE(!mount("", dir, "", MS_REMOUNT, ""), "writable");
}

static void stopped(void)
{
	unsigned int how = 0;
	int fd = open(dir, O_RDONLY);

	TAP_OK(is("state", "ok"), "all is well");
	TAP_REQUIRE(!ioctl(fd, SHUTDOWN, &how) && !close(fd), "stopped");
	TAP_OK(is("state", "shutdown"), "until it is stopped");
	TAP_EQ(num("errors_count"), 0, "which is no error");
}

static void use(void)
{
	features();
	TAP_EQ(count_files(VOLUME, true), 0, "nothing can be written");
	TAP_OK(is("features", "journal xattr"), "features of the volume");
	TAP_EQ(num("errors_count"), 0, "no errors");
	space();
	sequence();
	called();
	held();
	raced();
	stopped();
}

/* ---- damage ---- */

static void errors(const char *blk, const char *ino, const char *state)
{
	long long before = time(NULL);
	char path[64];
	struct stat st;

	TAP_OK(is("state", "ok") && num("errors_count") == 0 && num("last_error_time") == 0 &&
	       is("last_error_reason", ""), "nothing is known of damage");
	snprintf(path, sizeof(path), "%s/damaged", dir);
	TAP_OK(stat(path, &st) && errno == EUCLEAN, "damage is found");
	TAP_OK(is("state", state), "the volume says so");
	TAP_EQ(num("errors_count"), 1, "how often");
	TAP_OK(is("last_error_block", blk), "where");
	TAP_OK(is("last_error_ino", ino), "of which inode");
	TAP_OK(strlen(get("last_error_reason")) > 3, "why: %s", get("last_error_reason"));
	TAP_OK(num("last_error_time") >= before && num("last_error_time") <= time(NULL), "and when");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 3 || argc == 6, "usage: sysfs use DIR, sysfs errors DIR BLK INO STATE");
	dir = argv[2];
	alarm(800);
	if (argc == 3)
		use();
	else
		errors(argv[3], argv[4], argv[5]);
	return tap_done();
}
