// SPDX-License-Identifier: GPL-2.0-only
/*
 * quota.c - usage and limits by user, group and project, as programs meet them.
 *
 * Limits are tried by children that are no root.  "pull" counts rounds, on one of which the machine
 * is killed; "count" looks at all accounts, whatever was done.
 *
 * usage: quota limits|owners|crowd|full|pull|WHAT DIR DEVICE
 */
#include "quota.h"

static const char *name = "u/f";
static long nblks;		/* of which: ... */
static off_t where;

/* @nblks blocks from @where on; how many were written is in the file's size. */
static int write_with(int flags)
{
	int fd = open(name, O_CREAT | O_WRONLY | flags, 0666);
	void *p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long i;

	if (fd < 0)
		return errno;
	memset(p, 7, BLOCK);
	for (i = 0; i < nblks; i++)
		if (pwrite(fd, p, BLOCK, where + i * BLOCK) != BLOCK)
			return errno;
	if (fsync(fd))
		return 100;
	return failed(close(fd));
}

static int do_write(void) { return write_with(0); }
static int do_write_direct(void) { return write_with(O_DIRECT); }

static int do_write_once(void)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0666);

	return write(fd, buf, nblks * BLOCK) == nblks * BLOCK ? 0 : errno ? errno : 101;
}

static int do_fallocate(void)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0666);

	return failed(fallocate(fd, 0, where, nblks * BLOCK));
}

static void on_bus(int sig)
{
	_exit(sig == SIGBUS ? 102 : 103);
}

static int do_store(void)
{
	int fd = open(name, O_CREAT | O_RDWR, 0666);
	char *p;
	long i;

	signal(SIGBUS, on_bus);
	if (ftruncate(fd, nblks * BLOCK))
		return errno;
	p = mmap(NULL, nblks * BLOCK, PROT_WRITE, MAP_SHARED, fd, 0);
	for (i = 0; i < nblks; i++)
		p[i * BLOCK] = 1;
	return failed(msync(p, nblks * BLOCK, MS_SYNC));
}

/* Records of more and more extents, whose nodes come before blocks go. */
static int do_holes(void)
{
	int fd = open(name, O_RDWR);
	long i;

	for (i = 1; i < nblks; i += 4)
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, i * BLOCK, BLOCK))
			return errno;
	for (i = 2; i < nblks / 2; i += 4)
		if (fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, i * BLOCK, BLOCK))
			return errno;
	return 0;
}

static int do_create(void) { return failed(open(name, O_CREAT | O_EXCL | O_WRONLY, 0666)); }
static int do_mkdir(void) { return failed(mkdir(name, 0777)); }
static int do_fifo(void) { return failed(mkfifo(name, 0666)); }
static int do_tmpfile(void) { return failed(open("u", O_TMPFILE | O_RDWR, 0666)); }
static int do_link(void) { return failed(link("u/f", name)); }
static int do_unlink(void) { return failed(unlink(name)); }
static int do_truncate(void) { return failed(truncate(name, where)); }

static int do_symlink(void)
{
	char target[4000] = { 0 };

	memset(target, 't', sizeof(target) - 1);
	return failed(symlink(target, name));
}

static int do_xattr(void)
{
	return failed(setxattr(name, "user.large", buf, nblks * BLOCK, 0));
}

/* @nblks long names for u/f, or, if it is negative, none. */
static int do_names(void)
{
	char path[300];
	int i, err = 0;

	for (i = 0; i < labs(nblks) && !err; i++) {
		snprintf(path, sizeof(path), "u/%0200d", i);
		if (nblks < 0)
			unlink(path);
		else
			err = failed(link("u/f", path));
	}
	return err;
}

/* @fn for USER with the three of its parameters. */
static int try(int (*fn)(void), const char *path, long n)
{
	name = path;
	nblks = n;
	return as(USER, fn);
}

static void begin(void)
{
	remove_tree("u");
	TAP_REQUIRE(!mkdir("u", 0777) && !chown("u", USER, USER), "a directory");
	limit(USRQUOTA, USER, 0, 0, 0, 0);
}

static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void test_blocks(void)
{
	begin();
	TAP_EQ(space(USER), 0, "nothing yet");
	TAP_EQ(inodes(USER), 1, "but the directory");
	TAP_EQ(try(do_write, "u/f", 10), 0, "ten blocks");
	TAP_EQ(space(USER), 10, "are charged");
	limit(USRQUOTA, USER, 0, 15, 0, 0);
	where = 10 * BLOCK;
	TAP_EQ(try(do_write, "u/f", 10), EDQUOT, "a write past the limit says so");
	where = 0;
	TAP_EQ(size_of("u/f"), 15 * BLOCK, "at the block that is too much");
	TAP_EQ(space(USER), 15, "all that may be is charged");
	TAP_EQ(try(do_write, "u/f", 15), 0, "what is there may be written");
	TAP_EQ(try(do_write_once, "u/g", 1), EDQUOT, "another file");
	TAP_EQ(inodes(USER), 3, "which is there all the same");
	TAP_EQ(try(do_truncate, "u/f", 0), 0, "a cut");
	sync();
	TAP_EQ(space(USER), 0, "gives back");
	TAP_EQ(try(do_write_once, "u/g", 20), 101, "one write of more than may be is short");
	sync();
	TAP_EQ(space(USER), 15, "and as long as may be");
	TAP_EQ(try(do_unlink, "u/g", 0), 0, "a file goes");
	TAP_EQ(space(USER), 0, "and its blocks");
	TAP_EQ(inodes(USER), 2, "and itself");
	count("blocks");
}

static void test_ways(void)
{
	begin();
	limit(USRQUOTA, USER, 0, 40, 0, 0);
	TAP_EQ(try(do_fallocate, "u/f", 30), 0, "fallocate");
	TAP_EQ(space(USER), 30, "is charged");
	TAP_EQ(try(do_fallocate, "u/g", 11), EDQUOT, "fallocate past the limit");
	TAP_EQ(space(USER), 30, "has taken nothing");
	TAP_EQ(try(do_write_direct, "u/g", 15), EDQUOT, "a direct write past the limit");
	TAP_EQ(space(USER), 40, "up to the limit");
	TAP_EQ(try(do_unlink, "u/g", 0), 0, "away with it");
	TAP_EQ(try(do_store, "u/g", 15), 102, "a store through a mapping past the limit");
	sync();
	TAP_EQ(space(USER), 40, "up to the limit");
	TAP_EQ(try(do_unlink, "u/g", 0), 0, "away with it");
	limit(USRQUOTA, USER, 0, 34, 0, 0);
	TAP_EQ(try(do_create, "u/g", 0), 0, "an empty file");
	TAP_EQ(try(do_xattr, "u/g", 15), EDQUOT, "a large attribute past the limit");
	TAP_EQ(try(do_xattr, "u/g", 2), 0, "one that is not so large");
	TAP_OK(space(USER) > 30, "takes blocks");
	TAP_EQ(try(do_symlink, "u/l", 0), EDQUOT, "a long symlink past the limit");
	TAP_OK(access("u/l", F_OK) && errno == ENOENT, "is not there");
	limit(USRQUOTA, USER, 0, 40, 0, 0);
	TAP_EQ(try(do_symlink, "u/l", 0), 0, "a long symlink");
	count("attributes and symlinks");
	limit(USRQUOTA, USER, 0, space(USER) + 3, 0, 0);
	TAP_EQ(try(do_names, "u", 500), EDQUOT, "names, until their directory is too large");
	count("names");
	TAP_EQ(try(do_names, "u", -500), 0, "they can go");
	count("no names");
	begin();
	TAP_EQ(try(do_write, "u/f", 400), 0, "a file");
	limit(USRQUOTA, USER, 0, 1, 0, 0);
	TAP_EQ(try(do_holes, "u/f", 400), 0, "blocks of it go, whatever is the limit");
	count("pieces");
}

static void test_inodes(void)
{
	int (*makers[])(void) = { do_create, do_mkdir, do_fifo, do_symlink, do_tmpfile };
	unsigned int i;

	begin();
	limit(USRQUOTA, USER, 0, 0, 0, 3);
	TAP_EQ(try(do_create, "u/f", 0), 0, "a second inode");
	TAP_EQ(try(do_mkdir, "u/d", 0), 0, "a third");
	for (i = 0; i < sizeof(makers) / sizeof(*makers); i++)
		TAP_EQ(try(makers[i], "u/x", 0), EDQUOT, "no fourth, of kind %u", i);
	TAP_EQ(try(do_link, "u/x", 0), 0, "a link is none");
	TAP_EQ(inodes(USER), 3, "three are charged");
	TAP_EQ(try(do_unlink, "u/x", 0), 0, "a link goes");
	TAP_EQ(inodes(USER), 3, "three still");
	count("inodes");
}

static void test_soft(void)
{
	struct if_dqblk d = { .dqb_btime = 1, .dqb_valid = QIF_BTIME };

	begin();
	limit(USRQUOTA, USER, 5, 0, 0, 0);
	TAP_EQ(try(do_write, "u/f", 10), 0, "a soft limit may be passed");
	TAP_OK(account(USRQUOTA, USER).dqb_btime, "for some time");
	TAP_REQUIRE(!quota(Q_SETQUOTA, USRQUOTA, USER, &d), "its end: %s", strerror(errno));
	where = 10 * BLOCK;
	TAP_EQ(try(do_write, "u/f", 1), EDQUOT, "which is over");
	where = 0;
	TAP_EQ(try(do_truncate, "u/f", 0), 0, "less");
	sync();
	TAP_EQ(account(USRQUOTA, USER).dqb_btime, 0, "is in order");
	TAP_EQ(try(do_write, "u/f", 4), 0, "and may grow");
	limit(GRPQUOTA, USER, 0, 6, 0, 0);
	TAP_EQ(try(do_write, "u/g", 9), EDQUOT, "a group's limit counts as well");
	limit(GRPQUOTA, USER, 0, 0, 0, 0);
	TAP_REQUIRE(!quota(Q_QUOTAOFF, USRQUOTA, 0, NULL), "off: %s", strerror(errno));
	limit(USRQUOTA, USER, 0, 5, 0, 0);
	TAP_EQ(try(do_write, "u/h", 9), 0, "limits that are off do not count");
	TAP_REQUIRE(!quota(Q_QUOTAON, USRQUOTA, QFMT_VFS_V1, NULL), "on: %s", strerror(errno));
	TAP_EQ(try(do_write, "u/i", 1), EDQUOT, "those that are on do");
	limit(USRQUOTA, USER, 0, 0, 0, 0);
	count("on and off");
}

static void test_limits(void)
{
	test_blocks();
	test_ways();
	test_inodes();
	test_soft();
}

/* ---- owners ---- */

static void test_owners(void)
{
	struct statvfs st;
	int fd;

	begin();
	TAP_EQ(try(do_write, "u/f", 8), 0, "a file");
	TAP_EQ(chown("u/f", OTHER, -1), 0, "to another");
	TAP_EQ(space(USER), 0, "nothing left");
	TAP_EQ(space(OTHER), 8, "with the other");
	TAP_EQ(account(GRPQUOTA, USER).dqb_curspace / BLOCK, 8, "the group's still");
	count("chown");
	limit(USRQUOTA, USER, 0, 5, 0, 0);
	TAP_EQ(chown("u/f", USER, OTHER), 0, "back, by root, who may pass limits");
	count("chown and chgrp");
	fd = open("u/f", O_RDWR);
	TAP_REQUIRE(pwrite(fd, buf, 6 * BLOCK, 8 * BLOCK) == 6 * BLOCK, "more, not written yet");
	TAP_EQ(chown("u/f", OTHER, OTHER), 0, "moves with it");
	count("promised blocks");
	TAP_EQ(space(OTHER), 14, "all of it");
	TAP_REQUIRE(!unlink("u/f"), "unlink");
	TAP_EQ(space(OTHER), 14, "what is open is charged");
	close(fd);
	TAP_EQ(space(OTHER), 0, "until it is closed");
	TAP_REQUIRE(!mkdir("u/p", 0777) && !chmod("u/p", 0777), "mkdir");
	set_project("u/p", 17, FS_XFLAG_PROJINHERIT, 0);
	TAP_EQ(try(do_write, "u/p/f", 3), 0, "in a project");
	TAP_EQ(account(PRJQUOTA, 17).dqb_curspace / BLOCK, 3, "is the project's");
	limit(PRJQUOTA, 17, 0, 10, 0, 20);
	TAP_REQUIRE(!statvfs("u/p", &st), "statvfs");
	TAP_EQ(st.f_blocks, 10, "its limit is what df shows");
	TAP_EQ(st.f_bfree, 7, "and what is left of it");
	TAP_EQ(st.f_files, 20, "of inodes, too");
	limit(USRQUOTA, USER, 0, 0, 0, 0);
	TAP_EQ(try(do_write, "u/p/g", 10), EDQUOT, "a project's limit");
	TAP_EQ(account(PRJQUOTA, 17).dqb_curspace / BLOCK, 10, "is kept");
	set_project("u/p/g", 18, 0, 0);
	TAP_EQ(account(PRJQUOTA, 18).dqb_curspace / BLOCK, 7, "moved to another");
	count("projects");
	TAP_EQ(try(do_write, "u/f", 5) | try(do_write, "u/q", 5), 0, "two files");
	TAP_EQ(rename("u/q", "u/f"), 0, "one over the other");
	count("renamed over");
}

/* ---- many ---- */

static unsigned int crowd_uid;

static int do_crowd(void)
{
	unsigned int n = crowd_uid, i;
	char path[64], to[64];
	int fd;

	for (i = 0; i < 250; i++) {
		n = n * 1103515245 + 12345;
		snprintf(path, sizeof(path), "c/%u-%u", crowd_uid, n >> 16 & 7);
		snprintf(to, sizeof(to), "c/%u-%u", crowd_uid, n >> 20 & 7);
		if ((n >> 24 & 7) == 0) {
			unlink(path);
		} else if ((n >> 24 & 7) == 1) {
			rename(path, to);
		} else if ((n >> 24 & 7) == 2) {
			truncate(path, (n >> 8 & 15) * 1000);
		} else if ((n >> 24 & 7) == 3) {
			setxattr(path, "user.x", buf, n >> 8 & 0x1fff, 0);
		} else {
			fd = open(path, O_CREAT | O_WRONLY | (n >> 27 & 1 ? O_TRUNC : 0), 0666);
			if (fd < 0)
				continue;
			pwrite(fd, buf, (n >> 8 & 31) * 1500, (n >> 4 & 15) * 4000);
			if (n >> 28 & 1)
				fallocate(fd, n & 1, (n >> 4 & 31) * 4096, 9000);
			if ((n >> 26 & 3) == 3)
				fallocate(fd, 3, (n >> 5 & 7) * 4096, 20000);
			close(fd);
		}
	}
	return 0;
}

static void crowd(unsigned int round)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		crowd_uid = 1100 + i;
		fflush(stdout);
		if (fork())
			continue;
		if (setgid(1200 + i % 2) || setuid(crowd_uid))
			_exit(1);
		crowd_uid += round;
		_exit(do_crowd());
	}
	while (wait(NULL) > 0)
		;
}

static void test_crowd(void)
{
	unsigned int i;

	remove_tree("c");
	TAP_REQUIRE(!mkdir("c", 0777) && !chmod("c", 0777), "mkdir");
	set_project("c", 5, FS_XFLAG_PROJINHERIT, 0);
	for (i = 0; i < 6; i++)
		limit(USRQUOTA, 1100 + i, 0, i % 2 ? 40 : 0, 0, i % 3 ? 0 : 6);
	crowd(0);
	count("a crowd");
	for (i = 0; i < 6; i += 2)
		chown("c", 1100 + i, 1200);
	crowd(6);
	count("and another");
}

static void test_full(void)
{
	long i, n = 0;

	where = 0;
	begin();
	for (i = 0; i < 400 && !n; i++) {
		char path[32];

		snprintf(path, sizeof(path), "u/%ld", i);
		n = try(do_write, path, 100);
	}
	TAP_EQ(n, ENOSPC, "the volume is full");
	count("full");
	chown("u/0", 1300, 1301);
	count("an account more");
	remove_tree("u");
	count("empty again");
}

/* An option that was given while nothing could be written counts when something can. */
static void test_unlimited(void)
{
	where = 0;
	begin();
	limit(USRQUOTA, USER, 0, 5, 0, 0);
	TAP_EQ(try(do_write, "u/f", 9), 0, "limits do not count");
	count("no limits");
}

static void pull(void)
{
	unsigned int round;

	if (mkdir("c", 0777) && errno != EEXIST)
		exit(1);
	chmod("c", 0777);
	for (round = 0; round < 400; round++) {
		char path[32];

		printf("round %u\n", round);
		fflush(stdout);
		crowd(round * 7);
		snprintf(path, sizeof(path), "c/1100-%u", round % 8);
		chown(path, 1110 + round % 5, 1210 + round % 3);
		if (round % 3 == 0)
			sync();
	}
}

int main(int argc, char **argv)
{
	arguments(argc, argv);
	if (!strcmp(argv[1], "limits"))
		test_limits();
	else if (!strcmp(argv[1], "owners"))
		test_owners();
	else if (!strcmp(argv[1], "crowd"))
		test_crowd();
	else if (!strcmp(argv[1], "unlimited"))
		test_unlimited();
	else if (!strcmp(argv[1], "full"))
		test_full();
	else if (!strcmp(argv[1], "pull"))
		pull();
	else
		count(argv[1]);
	return tap_done();
}
