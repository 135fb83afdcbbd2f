// SPDX-License-Identifier: GPL-2.0-only
/*
 * projects.c - flags and projects of inodes: that sync and dirsync wait, who inherits what, where a
 * project ends, and that all of it lasts.
 *
 * Whether a change was synchronous is asked of jbd2, which counts commits.  "pull" counts rounds, on
 * one of which the machine is killed.
 *
 * usage: projects use|verify|readonly|stopped|pull|verify-pull DIR
 */
#include <glob.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "flags.h"

#define ROUNDS		400

/* ---- synchronous ---- */

static long commits(void)
{
	char line[128] = "";
	glob_t g;
	FILE *f;

	TAP_REQUIRE(!glob("/proc/fs/jbd2/*/info", 0, NULL, &g) && g.gl_pathc == 1, "one journal");
	f = fopen(g.gl_pathv[0], "r");
	TAP_REQUIRE(f && fgets(line, sizeof(line), f), "its counts");
	fclose(f);
	globfree(&g);
	return atol(line);
}

/* Waiters are woken a moment before it is counted. */
static long commits_settled(void)
{
	long n, before = -1;
	int i;

	while ((n = commits()) != before) {
		before = n;
		for (i = 0; i < 300; i++)
			sched_yield();
	}
	return n;
}

static int sync_fd;

static void op_append(void) { TAP_REQUIRE(pwrite(sync_fd, "written", 7, statx_of("sync/f").stx_size) == 7, "append"); }
static void op_cut(void) { TAP_REQUIRE(!ftruncate(sync_fd, 5), "cut"); }
static void op_longer(void) { TAP_REQUIRE(!ftruncate(sync_fd, 9 * BLOCK), "longer"); }
static void op_mode(void) { TAP_REQUIRE(!fchmod(sync_fd, 0640), "chmod"); }
static void op_times(void) { TAP_REQUIRE(!futimens(sync_fd, NULL), "times"); }
static void op_attr(void) { TAP_REQUIRE(!fsetxattr(sync_fd, "user.a", "b", 1, 0), "setxattr"); }
static void op_alloc(void) { TAP_REQUIRE(!fallocate(sync_fd, 0, 20 * BLOCK, BLOCK), "fallocate"); }
static void op_punch(void)
{
	TAP_REQUIRE(!fallocate(sync_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BLOCK), "punch");
}
static void op_flag(void)
{
	TAP_REQUIRE(!set("sync/f", get("sync/f") ^ FS_NODUMP_FL), "flag");
}
static void op_link(void) { TAP_REQUIRE(!link("sync/f", "sync/g"), "link"); }
static void op_rename(void) { TAP_REQUIRE(!rename("sync/g", "sync/h"), "rename"); }
static void op_unlink(void) { TAP_REQUIRE(!unlink("sync/h"), "unlink"); }
static void op_create(void) { make("sync/new"); }
static void op_mkdir(void) { TAP_REQUIRE(!mkdir("sync/dir", 0777), "mkdir"); }
static void op_symlink(void) { TAP_REQUIRE(!symlink("x", "sync/soft"), "symlink"); }
static void op_mknod(void) { TAP_REQUIRE(!mknod("sync/null", S_IFCHR | 0666, makedev(1, 3)), "mknod"); }
static void op_move(void) { TAP_REQUIRE(!rename("sync/new", "sync/newer"), "rename"); }
static void op_remove(void) { TAP_REQUIRE(!unlink("sync/newer"), "unlink"); }
static void op_rmdir(void) { TAP_REQUIRE(!rmdir("sync/dir"), "rmdir"); }

static const struct {
	const char *name;
	void (*run)(void);
	bool of_dir;			/* of names: dirsync's, too */
} ops[] = {
	{ "append", op_append, false }, { "cut", op_cut, false },
	{ "make longer", op_longer, false }, { "change the mode", op_mode, false },
	{ "change times", op_times, false }, { "set an attribute", op_attr, false },
	{ "allocate", op_alloc, false }, { "punch", op_punch, false }, { "set a flag", op_flag, false },
	{ "link", op_link, true }, { "rename", op_rename, true }, { "unlink", op_unlink, true },
	{ "create", op_create, true }, { "mkdir", op_mkdir, true }, { "symlink", op_symlink, true },
	{ "mknod", op_mknod, true }, { "move", op_move, true }, { "remove", op_remove, true },
	{ "rmdir", op_rmdir, true },
};

/* Which of them waited for a commit: bits. */
static unsigned int sync_ops(int of_file, int of_dir)
{
	unsigned int i, waited = 0;

	TAP_REQUIRE(!mkdir("sync", 0777), "made");
	make("sync/f");
	TAP_REQUIRE(!set("sync/f", of_file) && !set("sync", of_dir), "set");
	sync_fd = open("sync/f", O_RDWR);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		long n;

		sync();
		n = commits_settled();
		ops[i].run();
		waited |= commits_settled() != n ? 1u << i : 0;
	}
	close(sync_fd);
	TAP_REQUIRE(!set("sync/f", 0) && !set("sync", 0) && !unlink("sync/f") && !unlink("sync/soft") &&
		    !unlink("sync/null") && !rmdir("sync"), "removed");
	return waited;
}

static void synchronous(void)
{
	unsigned int plain = -1, file, names, dir, i;

	/* A commit may come by itself, every few seconds. */
	for (i = 0; i < 3; i++)
		plain &= sync_ops(0, 0);
	file = sync_ops(FS_SYNC_FL, 0);
	names = sync_ops(0, FS_DIRSYNC_FL);
	dir = sync_ops(0, FS_SYNC_FL);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		/* Up to "unlink" they are of a file that has the flag. */
		if (i <= 11)
			TAP_OK(file >> i & 1, "sync: to %s waits", ops[i].name);
		if (ops[i].of_dir) {
			TAP_OK(names >> i & 1, "dirsync: to %s waits", ops[i].name);
			TAP_OK(dir >> i & 1, "sync of a directory: to %s waits", ops[i].name);
		}
		TAP_OK(!(plain >> i & 1), "and does not without");
	}
}

/* ---- what is inherited, and projects ---- */

static void inherited(void)
{
	int fd, flags = -1;

	TAP_REQUIRE(!mkdir("from", 0777) &&
		    !setx("from", FS_XFLAG_NODUMP | FS_XFLAG_NOATIME | FS_XFLAG_SYNC | FS_XFLAG_PROJINHERIT, 42, 0) &&
		    !set("from", get("from") | FS_DIRSYNC_FL | FS_APPEND_FL), "set");
	make("from/file");
	TAP_REQUIRE(!mkdir("from/dir", 0777) && !mkfifo("from/fifo", 0666) && !symlink("x", "from/link"), "made");
	make("from/dir/file");
	fd = open("from", O_TMPFILE | O_RDWR, 0666);
	TAP_EQ(get("from/file"), FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL, "a file inherits what files have");
	TAP_EQ(get("from/dir"), FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL | OF_DIRS, "a directory all but append");
	TAP_EQ(get("from/fifo"), FS_NODUMP_FL | FS_NOATIME_FL, "a FIFO two of them");
	TAP_OK(!ioctl(fd, FS_IOC_GETFLAGS, &flags) &&
	       flags == (FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL) && !close(fd),
	       "a file without a name as one with");
	TAP_OK(getx("from/file").fsx_projid == 42 && getx("from/dir").fsx_projid == 42 &&
	       getx("from/fifo").fsx_projid == 42 && getx("from/dir/file").fsx_projid == 42,
	       "the project all of them");
	TAP_OK(statx_of("from/link").stx_attributes & STATX_ATTR_NODUMP, "a symlink is not dumped either");
	TAP_OK(!read_moves_atime("from/file"), "noatime is in force in what inherited it");
	TAP_REQUIRE(!setx("from", FS_XFLAG_NODUMP, 42, 0), "set");
	make("from/file2");
	TAP_OK(get("from/file2") == FS_NODUMP_FL && !getx("from/file2").fsx_projid,
	       "without projinherit there is no project for it");
}

static void projects(void)
{
	char path[40];
	int fd;

	TAP_REQUIRE(!mkdir("p1", 0777) && !mkdir("p2", 0777) && !mkdir("free", 0777), "made");
	TAP_REQUIRE(!setx("p1", FS_XFLAG_PROJINHERIT, 1, 0) && !setx("p2", FS_XFLAG_PROJINHERIT, 2, 0), "set");
	make("p1/a");
	make("p2/b");
	make("free/c");
	TAP_REQUIRE(!mkdir("free/d", 0777) && !mkdir("p1/e", 0777), "made");
	TAP_EQ(result(rename("free/c", "p1/c")), -EXDEV, "a file of no project does not get into one");
	TAP_EQ(result(rename("free/d", "p1/d")), -EXDEV, "nor a directory");
	TAP_EQ(result(rename("p1/a", "p2/a")), -EXDEV, "nor one of another project");
	TAP_EQ(result(rename("free/c", "p1/a")), -EXDEV, "nor in the place of another");
	TAP_EQ(result(link("free/c", "p1/c")), -EXDEV, "nor by a link");
	TAP_EQ(syscall(SYS_renameat2, AT_FDCWD, "p1/a", AT_FDCWD, "free/c", RENAME_EXCHANGE) ? -errno : 0, -EXDEV,
	       "nor in exchange");
	TAP_EQ(syscall(SYS_renameat2, AT_FDCWD, "free/c", AT_FDCWD, "p1/a", RENAME_EXCHANGE) ? -errno : 0, -EXDEV,
	       "seen from either side");
	TAP_EQ(syscall(SYS_renameat2, AT_FDCWD, "free/c", AT_FDCWD, "p1/c", RENAME_WHITEOUT) ? -errno : 0, -EXDEV,
	       "nor leaving a whiteout");
	TAP_OK(getx("p1/a").fsx_projid == 1 && getx("free/c").fsx_projid == 0, "all is where it was");
	fd = open("free", O_TMPFILE | O_RDWR, 0666);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	TAP_EQ(result(linkat(AT_FDCWD, path, AT_FDCWD, "p1/t", AT_SYMLINK_FOLLOW)), -EXDEV, "nor from no name");
	TAP_EQ(result(linkat(AT_FDCWD, path, AT_FDCWD, "free/t", AT_SYMLINK_FOLLOW)), 0, "which may get one elsewhere");
	close(fd);
	TAP_EQ(result(rename("p1/a", "p1/e/a")), 0, "within a project all may move");
	TAP_EQ(result(link("p1/e/a", "p1/a")), 0, "or be linked");
	TAP_EQ(result(rename("p1/a", "free/a")), 0, "and get out");
	TAP_REQUIRE(!setx("free/c", 0, 2, 0), "set");
	TAP_EQ(result(rename("free/c", "p2/c")), 0, "whose project is the same gets in");
}

static unsigned long inodes(void)
{
	struct statvfs st;

	TAP_REQUIRE(!statvfs(".", &st), "statvfs");
	return st.f_files - st.f_ffree;
}

static void unlinked(void)
{
	unsigned long n = inodes();
	int flags = FS_IMMUTABLE_FL;
	int fd;

	make("gone");
	fd = open("gone", O_RDWR);
	TAP_REQUIRE(fd >= 0 && !unlink("gone") && !ioctl(fd, FS_IOC_SETFLAGS, &flags), "set");
	TAP_EQ(inodes(), n + 1, "a file without a name may be immutable");
	close(fd);
	TAP_EQ(inodes(), n, "and goes all the same");
}

/* Inodes leave memory, and come back. */
static void drop_caches(void)
{
	int fd;

	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	TAP_REQUIRE(fd >= 0 && write(fd, "2", 1) == 1 && !close(fd), "caches are dropped");
}

/* What is left for the next mount, and looked at here after the inodes have left memory. */
static void kept(const char *when)
{
	int fd = open("kept", O_RDONLY | O_DIRECTORY);
	char what[32];
	unsigned int i, bad = 0;

	close(fd);
	for (i = 0; i < ALL; i++) {
		snprintf(what, sizeof(what), "kept/%s", all[i].name);
		bad += get(what) != (int)all[i].fl || getx(what).fsx_projid != 100 + i;
	}
	TAP_EQ(bad, 0, "%s: each flag, and projects", when);
	TAP_EQ(result(unlink("kept/immutable/x")), -EPERM, "%s: immutable is in force", when);
	TAP_EQ(result(unlink("kept/append/x")), -EPERM, "%s: append is", when);
	TAP_OK(!read_moves_atime("kept/quiet"), "%s: noatime is", when);
}

static void leave(void)
{
	char what[32];
	unsigned int i;

	TAP_REQUIRE(!mkdir("kept", 0777), "made");
	make("kept/quiet");
	TAP_REQUIRE(!set("kept/quiet", FS_NOATIME_FL), "set");
	for (i = 0; i < ALL; i++) {
		snprintf(what, sizeof(what), "kept/%s", all[i].name);
		TAP_REQUIRE(!mkdir(what, 0777), "made");
		strcat(what, "/x");
		make(what);
		snprintf(what, sizeof(what), "kept/%s", all[i].name);
		TAP_REQUIRE(!setx(what, 0, 100 + i, 0) && !set(what, all[i].fl), "set");
	}
	kept("at once");
	drop_caches();
	kept("from the volume");
}

/* ---- where nothing may change ---- */

static void refused(int err, bool told)
{
	TAP_EQ(set("kept/nodump", 0), err, "no flag changes");
	TAP_EQ(setx("kept/nodump", 0, 3, 0), err, "no project");
	if (told)
		TAP_EQ(get("kept/nodump"), FS_NODUMP_FL, "but it can be asked");
}

static void stopped(void)
{
	unsigned int how = 1;		/* the journal saved */
	int fd = look("kept/nodump");
	int flags = 0;

	TAP_REQUIRE(!ioctl(fd, _IOR('X', 125, unsigned int), &how), "shut down");
	TAP_EQ(result(ioctl(fd, FS_IOC_SETFLAGS, &flags)), -EIO, "no flag changes on a volume shut down");
	TAP_EQ(result(ioctl(fd, FS_IOC_GETFLAGS, &flags)), 0, "it can be asked");
	TAP_EQ(flags, FS_NODUMP_FL, "and is what it was");
	close(fd);
}

/* ---- the plug ---- */

static void pull(void)
{
	int gone, fd, written, flags = FS_IMMUTABLE_FL;
	unsigned int round;

	make("synced");
	make("gone");
	gone = open("gone", O_RDWR);
	TAP_REQUIRE(gone >= 0 && !unlink("gone") && !ioctl(gone, FS_IOC_SETFLAGS, &flags), "an orphan");
	make("written");
	written = open("written", O_RDWR);
	TAP_REQUIRE(!fsync(written) && !set("written", FS_SYNC_FL), "synced");
	fd = open("synced", O_RDWR);
	for (round = 1; round < ROUNDS; round++) {
		struct fsxattr x = {
			.fsx_projid = round,
			.fsx_xflags = round & 1 ? FS_XFLAG_NODUMP : FS_XFLAG_NOATIME,
		};

		TAP_REQUIRE(!ioctl(fd, FS_IOC_FSSETXATTR, &x) && !fsync(fd), "round %u", round);
		TAP_REQUIRE(pwrite(written, &round, sizeof(round), 0) == sizeof(round), "written");
		printf("# round %u\n", round);
		fflush(stdout);
	}
	TAP_OK(false, "nobody pulled the plug");
}

static void verify_pull(void)
{
	struct fsxattr x = getx("synced");
	unsigned int round = 0;
	int fd = look("written");

	TAP_OK(read(fd, &round, sizeof(round)) == sizeof(round) && round >= 7 && round < ROUNDS,
	       "what was written to a synchronous file is there: %u", round);
	TAP_OK(x.fsx_projid >= 7 && x.fsx_projid < ROUNDS, "what was synced is there: %u", x.fsx_projid);
	TAP_EQ(x.fsx_xflags, x.fsx_projid & 1 ? FS_XFLAG_NODUMP : FS_XFLAG_NOATIME, "and all that changed with it");
	TAP_EQ(inodes(), 3, "what was immutable and had no name is gone");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 3 && !chdir(argv[2]),
		    "usage: projects use|verify|readonly|stopped|pull|verify-pull DIR");
	umask(0);
	if (!strcmp(argv[1], "use")) {
		synchronous();
		inherited();
		projects();
		unlinked();
		leave();
	} else if (!strcmp(argv[1], "verify")) {
		kept("mounted again");
	} else if (!strcmp(argv[1], "readonly")) {
		refused(-EROFS, true);
	} else if (!strcmp(argv[1], "stopped")) {
		stopped();
	} else if (!strcmp(argv[1], "pull")) {
		pull();
	} else {
		verify_pull();
	}
	return tap_done();
}
