/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quota.h - what the programs share that look at usage: quota.c, accounts.c.
 *
 * What the accounts say is held against what stat(2) says of every file there is.
 */
#ifndef SFS_QUOTA_TEST_H
#define SFS_QUOTA_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/quota.h>

#include "tap/tap.h"

#define BLOCK	4096
#define IDS	2000		/* of all types that are looked at: below this */
#define USER	1000
#define OTHER	1001

static const char *dir, *device;
static char buf[1 << 20];

/* COMMAND DIR DEVICE */
static inline void arguments(int argc, char **argv)
{
	TAP_REQUIRE(argc == 4, "usage: %s COMMAND DIR DEVICE", argv[0]);
	dir = argv[2];
	device = argv[3];
	TAP_REQUIRE(!chdir(dir), "%s", dir);
	umask(0);
	memset(buf, 'b', sizeof(buf));
}

/* ---- accounts ---- */

static inline int quota(int cmd, int type, unsigned int id, void *arg)
{
	return syscall(SYS_quotactl, QCMD(cmd, type), device, id, arg);
}

static inline struct if_dqblk account(int type, unsigned int id)
{
	struct if_dqblk d = { 0 };

	TAP_REQUIRE(!quota(Q_GETQUOTA, type, id, &d), "account %d of type %d: %s", id, type,
		    strerror(errno));
	return d;
}

/* Limits in blocks of the filesystem and inodes; 0: none. */
static inline void limit(int type, unsigned int id, long bsoft, long bhard, long isoft, long ihard)
{
	struct if_dqblk d = {
		.dqb_bsoftlimit = bsoft * 4, .dqb_bhardlimit = bhard * 4,
		.dqb_isoftlimit = isoft, .dqb_ihardlimit = ihard, .dqb_valid = QIF_LIMITS,
	};

	TAP_REQUIRE(!quota(Q_SETQUOTA, type, id, &d), "limits: %s", strerror(errno));
}

static inline long space(unsigned int id)
{
	return account(USRQUOTA, id).dqb_curspace / BLOCK;
}

static inline long inodes(unsigned int id)
{
	return account(USRQUOTA, id).dqb_curinodes;
}

/* ---- files ---- */

static inline int failed(int n)
{
	return n < 0 ? errno : 0;
}

static inline void remove_tree(const char *path)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", path);
	TAP_REQUIRE(!system(command), "%s", command);
}

static inline void set_project(const char *path, unsigned int id, unsigned int flags, int want)
{
	struct fsxattr fa = { 0 };
	int fd = open(path, O_RDONLY);

	TAP_REQUIRE(fd >= 0 && !ioctl(fd, FS_IOC_FSGETXATTR, &fa), "%s", path);
	fa.fsx_projid = id;
	fa.fsx_xflags |= flags;
	TAP_EQ(failed(ioctl(fd, FS_IOC_FSSETXATTR, &fa)), want, "%s to project %u", path, id);
	close(fd);
}

/* ---- what stat says ---- */

static struct {
	unsigned long long space, inodes;
} held[3][IDS];

static inline unsigned int project_of(const char *path, const struct stat *st)
{
	struct fsxattr fa = { 0 };
	int fd;

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_NOATIME);
	TAP_REQUIRE(fd >= 0 && !ioctl(fd, FS_IOC_FSGETXATTR, &fa), "project of %s", path);
	close(fd);
	return fa.fsx_projid;
}

static ino_t seen[4000];	/* files with several links */
static unsigned int nseen;

static inline int add(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
	unsigned int ids[3] = { st->st_uid, st->st_gid, project_of(path, st) };
	unsigned int i;

	(void)what;
	(void)ftw;
	for (i = 0; i < nseen; i++)
		if (seen[i] == st->st_ino)
			return 0;
	if (st->st_nlink > 1 && !S_ISDIR(st->st_mode))
		seen[nseen++] = st->st_ino;
	for (i = 0; i < 3; i++) {
		TAP_REQUIRE(ids[i] < IDS, "id %u", ids[i]);
		held[i][ids[i]].space += st->st_blocks * 512ULL;
		held[i][ids[i]].inodes++;
	}
	return 0;
}

static inline void count(const char *what)
{
	unsigned int type, id, wrong = 0, n = 0;
	struct if_dqblk d;

	memset(held, 0, sizeof(held));
	nseen = 0;
	sync();
	TAP_REQUIRE(!nftw(dir, add, 20, FTW_PHYS), "walk: %s", strerror(errno));
	for (type = 0; type < 3; type++) {
		for (id = 0; id < IDS; id++) {
			if (!held[type][id].inodes && id % 100 > 20)
				continue;
			d = account(type, id);
			n++;
			if (d.dqb_curspace == held[type][id].space &&
			    d.dqb_curinodes == held[type][id].inodes)
				continue;
			wrong++;
			printf("# type %u, %u: %llu bytes, %llu inodes; the account says %llu, %llu\n",
			       type, id, held[type][id].space, held[type][id].inodes,
			       (unsigned long long)d.dqb_curspace,
			       (unsigned long long)d.dqb_curinodes);
		}
	}
	TAP_OK(n > 60 && !wrong, "%s: the accounts say what the files do", what);
}

/* ---- no root ---- */

static inline int as(unsigned int uid, int (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setgid(uid) || setuid(uid))
			_exit(99);
		errno = 0;
		_exit(fn());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
