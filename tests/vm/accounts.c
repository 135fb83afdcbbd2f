// SPDX-License-Identifier: GPL-2.0-only
/*
 * accounts.c - usage where two things meet: questions and a freeze, a new file and a folder that
 * becomes another's.
 *
 * usage: accounts frozen|nameless DIR DEVICE; "stay" is a program that runs from the volume.
 */
#include "quota.h"

#include <linux/dqblk_xfs.h>

/* ---- frozen ---- */

static void forget(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	TAP_REQUIRE(fd >= 0 && write(fd, "3", 1) == 1, "drop_caches: %s", strerror(errno));
	close(fd);
}

static int ask(int cmd, int type, unsigned int id)
{
	struct fs_disk_quota d;

	return failed(quota(cmd, type, id, &d));
}

/* Whoever waits here for the thaw waits for ever. */
static void test_frozen(void)
{
	struct statvfs st;
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	remove_tree("u");
	TAP_REQUIRE(!mkdir("u", 0777) && !mkdir("u/p", 0777), "folders");
	set_project("u/p", 1750, FS_XFLAG_PROJINHERIT, 0);
	limit(PRJQUOTA, 1750, 0, 10, 0, 0);
	TAP_REQUIRE(!mkdir("u/f", 0777) && !chown("u/f", USER, USER), "another's");
	TAP_REQUIRE(!ioctl(fd, FIFREEZE, 0), "freeze: %s", strerror(errno));
	TAP_EQ(ask(Q_XGETQUOTA, USRQUOTA, 1760), EBUSY, "an account that there is not, frozen");
	TAP_EQ(ask(Q_XGETNEXTQUOTA, USRQUOTA, 0), EBUSY, "the next one, frozen");
	forget();
	TAP_REQUIRE(!statvfs("u/p", &st) && st.f_blocks > 10, "df, frozen, of a project's folder");
	TAP_EQ(failed(quota(Q_SYNC, USRQUOTA, 0, NULL)), 0, "accounts go from memory, frozen");
	TAP_EQ(failed(ioctl(fd, FITHAW, 0)), 0, "thawed");
	TAP_EQ(ask(Q_XGETQUOTA, USRQUOTA, 1760), 0, "an account that there was not");
	TAP_EQ(ask(Q_XGETNEXTQUOTA, USRQUOTA, 0), 0, "the next one");
	TAP_REQUIRE(!statvfs("u/p", &st), "statvfs");
	TAP_EQ(st.f_blocks, 10, "df shows the limit of the project");
	close(fd);
	count("thawed");
}

/* ---- nameless ---- */

#define NAMELESS	1500

/* The folder that is made in becomes another's, over and over. */
static void give_away(void)
{
	struct fsxattr fa = { 0 };
	int fd = open("u/t", O_RDONLY | O_DIRECTORY);
	unsigned int i;

	if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &fa))
		_exit(1);
	for (i = 0;; i++) {
		fa.fsx_projid = 1410 + i % 2;
		if (fchown(fd, -1, 1400 + i % 2) || ioctl(fd, FS_IOC_FSSETXATTR, &fa))
			_exit(1);
		if (i % 8 == 0)
			syncfs(fd);
	}
}

static void test_nameless(void)
{
	char path[40], to[40];
	pid_t giver;
	int i, fd;

	remove_tree("u");
	TAP_REQUIRE(!mkdir("u", 0777) && !mkdir("u/t", 0777) && !chmod("u/t", 02777), "folders");
	set_project("u/t", 1410, FS_XFLAG_PROJINHERIT, 0);
	fflush(stdout);
	giver = fork();
	if (!giver)
		give_away();
	for (i = 0; i < NAMELESS; i++) {
		fd = open("u/t", O_TMPFILE | O_WRONLY, 0666);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		snprintf(to, sizeof(to), "u/%d", i);
		TAP_REQUIRE(fd >= 0 && (i % 8 || write(fd, buf, BLOCK) == BLOCK), "%d", i);
		TAP_REQUIRE(!linkat(AT_FDCWD, path, AT_FDCWD, to, AT_SYMLINK_FOLLOW), "%s", to);
		close(fd);
	}
	TAP_EQ(waitpid(giver, &i, WNOHANG), 0, "given away to the end");
	kill(giver, SIGKILL);
	waitpid(giver, NULL, 0);
	count("made without names");
}

int main(int argc, char **argv)
{
	arguments(argc, argv);
	if (!strcmp(argv[1], "stay") && creat("ready", 0600) >= 0)
		pause();
	if (!strcmp(argv[1], "frozen"))
		test_frozen();
	else
		test_nameless();
	return tap_done();
}
