// SPDX-License-Identifier: GPL-2.0-only
/*
 * label.c - the name of a volume that is mounted, and what else the VFS says that it is called.
 *
 * "grow" begins zones while labels are given, and leaves "grown"; "many" says "round N" for each label of
 * many that it gives, on one of which the machine is killed.
 *
 * usage: label use|is LABEL|grow|many DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "tap/tap.h"

#define DEVICE		"/dev/vda"
#define MAX		64
#define AT		72		/* of the label in block 0 */
#define SHUTDOWN	_IOR('X', 125, unsigned int)
#define GET_UUID	_IOR(0x15, 0, struct uuid)
#define GET_SYSFS	_IOR(0x15, 1, struct sysfs_path)
#define USER		1000

struct uuid {
	unsigned char len;
	unsigned char uuid[16];
};

struct sysfs_path {
	unsigned char len;
	unsigned char name[128];
};

static const char *dir;
static int fd;

static int set_by(int by, const char *label)
{
	char text[FSLABEL_MAX];

	/* What is behind the end is nobody's business. */
	memset(text, 'x', sizeof(text));
	memcpy(text, label, strlen(label) + 1);
	return ioctl(by, FS_IOC_SETFSLABEL, text) ? -errno : 0;
}

static int set(const char *label)
{
	return set_by(fd, label);
}

static bool is(const char *label)
{
	char text[FSLABEL_MAX];

	memset(text, 'x', sizeof(text));
	if (ioctl(fd, FS_IOC_GETFSLABEL, text))
		return false;
	if (!memchr(text, 0, MAX + 1) || strcmp(text, label)) {
		printf("# '%.*s'\n", MAX + 1, text);
		return false;
	}
	return true;
}

/* As blkid would see it. */
static bool is_seen(const char *label)
{
	int dev = open(DEVICE, O_RDONLY);
	char block[4096];
	bool seen = pread(dev, block, sizeof(block), 0) == sizeof(block) &&
		    !strncmp(block + AT, label, MAX);

	close(dev);
	return seen;
}

static void attach(void)
{
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	TAP_REQUIRE(fd >= 0, "%s", dir);
}

static void mount_as(unsigned long flags)
{
	TAP_REQUIRE(!mount(DEVICE, dir, "simplefs", flags, ""), "mounted with %lx", flags);
}

static void again(void)
{
	close(fd);
	TAP_REQUIRE(!umount(dir), "unmounted");
	mount_as(0);
	attach();
}

static void given(void)
{
	char longest[MAX + 2], endless[FSLABEL_MAX];
	int file;

	TAP_OK(is("first"), "what mkfs has called it");
	TAP_EQ(set("second"), 0, "a label");
	TAP_OK(is("second") && is_seen("second"), "is there, and seen on the device");
	TAP_EQ(set("x"), 0, "a shorter one");
	TAP_OK(is("x"), "is all that is left");
	TAP_EQ(set(""), 0, "none at all");
	TAP_OK(is("") && is_seen(""), "is none");
	memset(longest, 'l', MAX + 1);
	longest[MAX + 1] = '\0';
	TAP_EQ(set(longest), -EINVAL, "one byte too many");
	longest[MAX] = '\0';
	TAP_EQ(set(longest), 0, "the longest");
	TAP_OK(is(longest) && is_seen(longest), "is whole");
	memset(endless, 'e', sizeof(endless));
	TAP_OK(ioctl(fd, FS_IOC_SETFSLABEL, endless) && errno == EINVAL, "one without an end");
	TAP_EQ(set("\303\244\360\237\220\247"), 0, "characters of many bytes");
	TAP_EQ(set("a\303"), -EINVAL, "half of one");
	TAP_EQ(set("\302\233"), -EINVAL, "a control");
	TAP_OK(is("\303\244\360\237\220\247"), "nothing of these was taken");
	TAP_OK(ioctl(fd, FS_IOC_SETFSLABEL, NULL) && errno == EFAULT, "no memory to read");
	TAP_OK(ioctl(fd, FS_IOC_GETFSLABEL, NULL) && errno == EFAULT, "nor to write");
	file = open(dir, O_TMPFILE | O_RDWR, 0600);
	TAP_EQ(set_by(file, "by a file"), 0, "given through any file");
	close(file);
	TAP_OK(is("by a file"), "it is the volume's");
	again();
	TAP_OK(is("by a file"), "and is after the next mount");
}

static void allowed(void)
{
	int status;

	if (!fork()) {
		TAP_REQUIRE(!setuid(USER), "setuid");
		_exit(set("not mine") == -EPERM && is("by a file") ? 0 : 1);
	}
	wait(&status);
	TAP_EQ(status, 0, "others can ask, not change");
	TAP_REQUIRE(!mount(DEVICE, dir, "simplefs", MS_REMOUNT | MS_RDONLY, ""), "read-only");
	TAP_EQ(set("read-only"), -EROFS, "nobody changes a read-only volume");
	TAP_OK(is("by a file"), "but can ask it");
	TAP_REQUIRE(!mount(DEVICE, dir, "simplefs", MS_REMOUNT, ""), "read-write");
	TAP_EQ(set("writable"), 0, "writable again");
}

static void called(void)
{
	struct sysfs_path path = { 0 };
	struct utsname name;
	struct uuid uuid = { 0 };
	char block[4096];
	int major, minor, dev;

	TAP_REQUIRE(!uname(&name) && sscanf(name.release, "%d.%d", &major, &minor) == 2, "uname");
	if (major * 100 + minor < 609) {
		TAP_OK(ioctl(fd, GET_UUID, &uuid) && errno == ENOTTY, "UUIDs are not asked for so");
		return;
	}
	dev = open(DEVICE, O_RDONLY);
	TAP_REQUIRE(pread(dev, block, sizeof(block), 0) == sizeof(block) && !close(dev), "block 0");
	TAP_OK(!ioctl(fd, GET_UUID, &uuid) && uuid.len == 16 && !memcmp(uuid.uuid, block + 56, 16),
	       "its UUID");
	TAP_OK(!ioctl(fd, GET_SYSFS, &path) && !strcmp((char *)path.name, "simplefs/vda"),
	       "its name in sysfs");
}

static void *freeze(void *arg)
{
	volatile bool *over = arg;
	unsigned long n = 0;

	for (; !*over; n++) {
		if (ioctl(fd, FIFREEZE, 0) || sched_yield() || ioctl(fd, FITHAW, 0))
			return (void *)0;
	}
	return (void *)n;
}

static void *set_many(void *arg)
{
	char label[32];
	unsigned long i, bad = 0;

	for (i = 0; i < 60; i++) {
		snprintf(label, sizeof(label), "%s %lu", (char *)arg, i);
		bad += set(label) != 0;
	}
	return (void *)bad;
}

/* Several give labels, and one freezes the volume. */
static void at_once(void)
{
	pthread_t setters[2], freezer;
	void *bad, *bad2, *freezes;
	bool over = false;
	char label[FSLABEL_MAX];

	TAP_REQUIRE(!pthread_create(&freezer, NULL, freeze, &over) &&
		    !pthread_create(&setters[0], NULL, set_many, "one") &&
		    !pthread_create(&setters[1], NULL, set_many, "two"), "threads");
	pthread_join(setters[0], &bad);
	pthread_join(setters[1], &bad2);
	over = true;
	pthread_join(freezer, &freezes);
	TAP_EQ((long)bad + (long)bad2, 0, "labels from two sides, and the volume frozen");
	TAP_OK(freezes, "again and again");
	TAP_OK(!ioctl(fd, FS_IOC_GETFSLABEL, label) &&
	       (!strcmp(label, "one 59") || !strcmp(label, "two 59")), "the last one stays");
}

static void stopped(void)
{
	unsigned int how = 0;

	TAP_EQ(set("before"), 0, "a label");
	TAP_REQUIRE(!ioctl(fd, SHUTDOWN, &how), "stopped");
	TAP_EQ(set("after"), -EIO, "none after a shutdown");
	TAP_OK(is("before"), "the one before is there");
	again();
	TAP_OK(is("before"), "also after the next mount");
}

/* ---- zones that begin meanwhile ---- */

static volatile bool over;

static void *grow(void *arg)
{
	int file = openat(fd, "large", O_WRONLY | O_CREAT, 0644);
	long i;

	for (i = 0; i < 1000 && !fallocate(file, 0, i << 30, 1L << 30); i++)
		;
	close(file);
	over = true;
	*(long *)arg = i;
	return NULL;
}

static void growing(void)
{
	pthread_t grower;
	char label[32];
	unsigned int n, bad = 0;
	long gib;

	TAP_REQUIRE(!pthread_create(&grower, NULL, grow, &gib), "a thread");
	for (n = 0; !over || n < 10; n++) {
		snprintf(label, sizeof(label), "growing %u", n);
		bad += set(label) != 0;
	}
	pthread_join(grower, NULL);
	TAP_EQ(bad, 0, "labels given while zones are begun");
	TAP_OK(gib > 300, "in all the volume (%ld GiB, %u labels)", gib, n);
	TAP_OK(!set("grown"), "and one more");
}

static void many(void)
{
	char label[32];
	unsigned int n;

	for (n = 0; n < 1000; n++) {
		snprintf(label, sizeof(label), "round %u", n);
		puts(label);
		fflush(stdout);
		TAP_REQUIRE(!set(label), "%s", label);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	dir = argv[argc - 1];
	attach();
	alarm(800);
	if (!strcmp(argv[1], "use")) {
		given();
		allowed();
		called();
		at_once();
		stopped();
	} else if (!strcmp(argv[1], "is") && argc == 4) {
		TAP_OK(is(argv[2]), "it is called '%s'", argv[2]);
	} else if (!strcmp(argv[1], "grow")) {
		growing();
	} else if (!strcmp(argv[1], "many")) {
		many();
	}
	return tap_done();
}
