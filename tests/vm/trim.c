// SPDX-License-Identifier: GPL-2.0-only
/*
 * trim.c - FITRIM, and the mount option discard: the device is told of what nobody has, and of
 * nothing that a crash could bring back.
 *
 * "pull" ends in the word on which the machine is killed; then "gone" is there whole, since its
 * removal had not committed, or it is not there.
 *
 * usage: trim refuse|use|option|off|pull|pull-option|verify DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tap/tap.h"

#define MIB	(1 << 20)
#define KEPT	(8 * MIB)
#define GONE	(64 * MIB)

static char buf[MIB], back[MIB];

static void save(const char *path, char fill, int nbytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	memset(buf, fill, MIB);
	for (; nbytes; nbytes -= MIB)
		TAP_REQUIRE(write(fd, buf, MIB) == MIB, "%s is written", path);
	TAP_REQUIRE(!fsync(fd) && !close(fd), "and synced");
}

static void holds(const char *path, char fill, int nbytes)
{
	int fd = open(path, O_RDONLY);

	memset(buf, fill, MIB);
	for (; nbytes; nbytes -= MIB)
		if (read(fd, back, MIB) != MIB || memcmp(buf, back, MIB))
			break;
	TAP_EQ(nbytes, 0, "%s holds what was written", path);
	close(fd);
}

/* Bytes that went, or a negative errno. */
static long long trim(const char *dir, __u64 start, __u64 len, __u64 minlen)
{
	struct fstrim_range range = { .start = start, .len = len, .minlen = minlen };
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	int err = ioctl(fd, FITRIM, &range) ? -errno : 0;

	close(fd);
	return err ? err : (long long)range.len;
}

static void use(void)
{
	long long all;

	save("kept", 'k', KEPT);
	save("gone", 'g', GONE);
	TAP_EQ(trim(".", 1ULL << 60, ~0ULL, 0), -EINVAL, "a start behind the volume");
	TAP_EQ(trim(".", ~0ULL, ~0ULL, 0), -EINVAL, "a start at the last byte there can be");
	TAP_EQ(trim(".", 0, 100, 0), -EINVAL, "less than a block");
	TAP_EQ(trim(".", 0, ~0ULL, 1ULL << 40), -EINVAL, "runs longer than any group");
	TAP_EQ(trim(".", 0, ~0ULL, ~0ULL), -EINVAL, "runs longer than anything");
	TAP_REQUIRE(!seteuid(1000), "a user");
	TAP_EQ(trim(".", 0, ~0ULL, 0), -EPERM, "may not");
	TAP_REQUIRE(!seteuid(0), "root again");
	TAP_REQUIRE(!unlink("gone"), "unlinked");
	sync();
	all = trim(".", 0, ~0ULL, 0);
	TAP_OK(all >= GONE && all < 256LL * MIB, "%lld bytes went", all);
	TAP_OK(trim(".", 0, ~0ULL, 100 * MIB) < all, "of long runs there are fewer");
	TAP_EQ(trim(".", 0, 64 * 1024, 0), 0, "there is nothing under the bitmaps");
}

/* What mount(2) was told and /proc/mounts says: does it have the option @name? */
static bool has_option(const char *name)
{
	char line[512], want[32], *options;
	bool has = false;
	FILE *f = fopen("/proc/mounts", "r");

	snprintf(want, sizeof(want), ",%s,", name);
	while (f && fgets(line, sizeof(line), f)) {
		options = strstr(line, " simplefs ");
		if (!options)
			continue;
		*strrchr(options, ' ') = 0;
		*strrchr(options, ' ') = ',';
		has = strstr(options, want);
	}
	fclose(f);
	return has;
}

/* Mounted with discard: removed and cut files go, whole or by the hole, also through a freeze. */
static void option(void)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	int fd;

	TAP_OK(has_option("discard"), "/proc/mounts says it");
	save("kept", 'k', KEPT);
	save("gone", 'g', GONE);
	save("cut", 'c', 16 * MIB);
	save("hole", 'h', 16 * MIB);
	sync();
	TAP_REQUIRE(!unlink("gone") && !truncate("cut", 0), "a removal and a cut");
	TAP_REQUIRE(!ioctl(dir, FIFREEZE, 0) && !ioctl(dir, FITHAW, 0), "frozen, and thawed");
	fd = open("hole", O_WRONLY);
	TAP_REQUIRE(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 16 * MIB),
		    "a hole");
	close(fd);
	holds("kept", 'k', KEPT);
}

/* The option taken away by a remount. */
static void off(void)
{
	save("gone", 'g', GONE);
	TAP_REQUIRE(!mount(NULL, ".", NULL, MS_REMOUNT, "nodiscard"), "remounted");
	TAP_OK(!has_option("discard"), "/proc/mounts does not say it");
	TAP_REQUIRE(!unlink("gone"), "unlinked");
	sync();
}

static void pull(bool fitrim)
{
	save("gone", 'g', GONE);
	TAP_REQUIRE(!unlink("gone"), "unlinked");
	if (fitrim)
		TAP_OK(trim(".", 0, ~0ULL, 0) >= 0, "what nobody has, now and before");
	printf("pull now\n");
	fflush(stdout);
	pause();
}

static void verify(void)
{
	holds("kept", 'k', KEPT);
	if (access("gone", F_OK))
		printf("# the removal had committed\n");
	else
		holds("gone", 'g', GONE);
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 3 && !chdir(argv[2]), "usage: trim refuse|use|option|off|pull|pull-option|verify DIR");
	if (!strcmp(argv[1], "refuse"))
		TAP_EQ(trim(".", 0, ~0ULL, 0), -EOPNOTSUPP, "the device cannot");
	else if (!strcmp(argv[1], "use"))
		use();
	else if (!strcmp(argv[1], "pull"))
		pull(true);
	else if (!strcmp(argv[1], "pull-option"))
		pull(false);
	else if (!strcmp(argv[1], "option"))
		option();
	else if (!strcmp(argv[1], "off"))
		off();
	else
		verify();
	return tap_done();
}
