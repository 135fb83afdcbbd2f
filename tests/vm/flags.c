// SPDX-License-Identifier: GPL-2.0-only
/*
 * flags.c - flags and projects of inodes by their ioctls: what they are worth, who inherits them, and
 * that they last.
 *
 * Whether a change was synchronous is asked of jbd2, which counts commits.  "pull" counts rounds, on
 * one of which the machine is killed.
 *
 * usage: flags use|verify|readonly|stopped|pull|verify-pull DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "tap/tap.h"

#define BLOCK		4096
#define USER		1000
#define EXTENTS		5000
#define ROUNDS		400

#define COMMON		(FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL)
#define OF_DIRS		(FS_DIRSYNC_FL | FS_PROJINHERIT_FL)

static const struct {
	const char *name;
	unsigned int fl, xfl;
	unsigned long long attr;	/* of statx(2) */
} all[] = {
	{ "append", FS_APPEND_FL, FS_XFLAG_APPEND, STATX_ATTR_APPEND },
	{ "immutable", FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE, STATX_ATTR_IMMUTABLE },
	{ "nodump", FS_NODUMP_FL, FS_XFLAG_NODUMP, STATX_ATTR_NODUMP },
	{ "noatime", FS_NOATIME_FL, FS_XFLAG_NOATIME, 0 },
	{ "sync", FS_SYNC_FL, FS_XFLAG_SYNC, 0 },
	{ "dirsync", FS_DIRSYNC_FL, 0, 0 },
	{ "projinherit", FS_PROJINHERIT_FL, FS_XFLAG_PROJINHERIT, 0 },
};
#define ALL	(sizeof(all) / sizeof(all[0]))
#define ATTRS	(STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE | STATX_ATTR_NODUMP)

static int look(const char *path)
{
	/* Of a FIFO nobody waits for the other end. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	TAP_REQUIRE(fd >= 0, "%s is opened", path);
	return fd;
}

static int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

static int set(const char *path, int flags)
{
	int fd = look(path);
	int err = result(ioctl(fd, FS_IOC_SETFLAGS, &flags));

	close(fd);
	return err;
}

static int get(const char *path)
{
	int fd = look(path);
	int flags = -1;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		flags = -errno;
	close(fd);
	return flags;
}

static struct fsxattr getx(const char *path)
{
	struct fsxattr x;
	int fd = look(path);

	TAP_REQUIRE(!ioctl(fd, FS_IOC_FSGETXATTR, &x), "%s: FSGETXATTR", path);
	close(fd);
	return x;
}

static int setx(const char *path, unsigned int xflags, unsigned int projid, unsigned int extsize)
{
	struct fsxattr x = { .fsx_xflags = xflags, .fsx_projid = projid, .fsx_extsize = extsize };
	int fd = look(path);
	int err = result(ioctl(fd, FS_IOC_FSSETXATTR, &x));

	close(fd);
	return err;
}

static struct statx statx_of(const char *path)
{
	struct statx stx;

	TAP_REQUIRE(!statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_ALL, &stx), "%s: statx", path);
	return stx;
}

static void make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0666);

	TAP_REQUIRE(fd >= 0 && write(fd, "content", 7) == 7 && !close(fd), "%s is made", path);
}

/* Until a time stamp taken now differs from one taken before. */
static void tick(void)
{
	struct timespec from, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &from);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (now.tv_sec == from.tv_sec && now.tv_nsec == from.tv_nsec);
}

static bool same(struct statx_timestamp a, struct statx_timestamp b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* As a program of 32 bits asks.  @arg has to lie below 4 GiB, as static data does. */
static long ioctl32(int fd, unsigned int cmd, void *arg)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a" (ret) : "a" (54L), "b" ((long)fd), "c" ((long)cmd), "d" (arg) :
			 "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* ---- each flag ---- */

static void each_on(const char *path, unsigned int may)
{
	struct fsxattr x;
	struct statx stx;
	unsigned int i, bad = 0;

	for (i = 0; i < ALL; i++) {
		if (!(all[i].fl & may)) {
			TAP_EQ(set(path, all[i].fl), -EOPNOTSUPP, "%s: %s is not for it", path,
			       all[i].name);
			TAP_EQ(get(path), 0, "%s: nor set", path);
			continue;
		}
		bad += set(path, all[i].fl) || get(path) != (int)all[i].fl;
		x = getx(path);
		stx = statx_of(path);
		bad += x.fsx_xflags != all[i].xfl || x.fsx_projid;
		bad += (stx.stx_attributes & ATTRS) != all[i].attr;
		bad += (stx.stx_attributes_mask & ATTRS) != ATTRS;
		bad += set(path, 0) || get(path);
		/* What the other ioctl has no word for it leaves alone. */
		bad += setx(path, all[i].xfl, 0, 0) || get(path) != (all[i].xfl ? (int)all[i].fl : 0);
		bad += set(path, 0) != 0;
		TAP_EQ(bad, 0, "%s: %s is set, shown, cleared", path, all[i].name);
		bad = 0;
	}
	may &= ~FS_IMMUTABLE_FL;
	TAP_EQ(set(path, may), 0, "%s: all but one at once", path);
	TAP_EQ(get(path), may, "%s: are there", path);
	TAP_EQ(set(path, 0), 0, "%s: and go", path);
}

static void each(void)
{
	static const struct {
		const char *name;
		int fl;
	} none[] = {
		{ "compressed", FS_COMPR_FL }, { "nocow", FS_NOCOW_FL }, { "extents", FS_EXTENT_FL },
		{ "casefold", FS_CASEFOLD_FL }, { "verity", FS_VERITY_FL }, { "encrypted", FS_ENCRYPT_FL },
		{ "dax", FS_DAX_FL }, { "reserved", (int)FS_RESERVED_FL }, { "the lowest", FS_SECRM_FL },
	};
	struct statx before, after;
	unsigned int i;

	make("file");
	TAP_REQUIRE(!mkdir("dir", 0777) && !mkfifo("fifo", 0666), "made");
	each_on("file", COMMON);
	each_on("dir", COMMON | OF_DIRS);
	each_on("fifo", COMMON);
	TAP_REQUIRE(!set("file", FS_NODUMP_FL), "set");
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		TAP_EQ(set("file", FS_NODUMP_FL | none[i].fl), -EOPNOTSUPP, "there is no %s", none[i].name);
	TAP_EQ(setx("file", FS_XFLAG_NODUMP | FS_XFLAG_EXTSIZE, 0, 65536), -EOPNOTSUPP, "nor a hint of size");
	TAP_EQ(setx("file", FS_XFLAG_NODUMP | FS_XFLAG_REALTIME, 0, 0), -EOPNOTSUPP, "nor a second device");
	TAP_EQ(setx("file", FS_XFLAG_NODUMP | FS_XFLAG_HASATTR, 0, 0), 0, "what XFS tells may come back");
	TAP_EQ(get("file"), FS_NODUMP_FL, "all of that changed nothing");
	TAP_EQ(setx("file", 0, -1u, 0), -EINVAL, "no such project");
	TAP_EQ(setx("file", 0, 0xfffffffe, 0), 0, "the last project");
	TAP_EQ(getx("file").fsx_projid, 0xfffffffe, "is kept");
	TAP_EQ(set("file", FS_NOATIME_FL), 0, "flags change");
	TAP_EQ(getx("file").fsx_projid, 0xfffffffe, "and no project with them");
	TAP_REQUIRE(!setx("dir", FS_XFLAG_NOATIME, 5, 0) && !set("dir", FS_DIRSYNC_FL | FS_NOATIME_FL) &&
		    !setx("dir", FS_XFLAG_NODUMP, 6, 0), "set");
	TAP_EQ(get("dir"), FS_DIRSYNC_FL | FS_NODUMP_FL, "FSSETXATTR leaves what it has no word for");
	TAP_REQUIRE(!setx("file", 0, 0, 0) && !setx("dir", 0, 0, 0) && !set("dir", 0), "cleared");
	before = statx_of("file");
	tick();
	TAP_REQUIRE(!set("file", FS_NODUMP_FL), "set");
	after = statx_of("file");
	TAP_OK(!same(before.stx_ctime, after.stx_ctime) && same(before.stx_mtime, after.stx_mtime),
	       "ctime moves, mtime does not");
	tick();
	TAP_REQUIRE(!set("file", 0), "set");
	TAP_OK(!same(statx_of("file").stx_ctime, after.stx_ctime), "and again");
}

static void asked_by_32_bits(void)
{
	static int flags;
	static struct fsxattr x;
	int fd = look("file");
	int version = 0;

	flags = FS_NODUMP_FL;
	TAP_EQ(ioctl32(fd, FS_IOC32_SETFLAGS, &flags), 0, "set by a program of 32 bits");
	flags = 0;
	TAP_EQ(ioctl32(fd, FS_IOC32_GETFLAGS, &flags), 0, "asked");
	TAP_EQ(flags, FS_NODUMP_FL, "and told");
	x.fsx_projid = 77;
	TAP_EQ(ioctl32(fd, FS_IOC_FSSETXATTR, &x), 0, "a project");
	TAP_EQ(ioctl32(fd, FS_IOC_FSGETXATTR, &x), 0, "is asked for");
	TAP_OK(x.fsx_projid == 77 && !x.fsx_xflags, "and told");
	flags = 0;
	TAP_EQ(ioctl32(fd, FS_IOC32_GETVERSION, &flags), 0, "the generation");
	TAP_OK(!ioctl(fd, FS_IOC_GETVERSION, &version) && version == flags && version,
	       "is the same with 64 bits");
	x.fsx_projid = 0;
	TAP_REQUIRE(!ioctl(fd, FS_IOC_FSSETXATTR, &x) && !close(fd), "cleared");
}

static void others(void)
{
	int status;

	make("his");
	TAP_REQUIRE(!chown("his", USER, USER), "chown");
	if (!fork()) {
		TAP_REQUIRE(!setuid(USER), "setuid");
		_exit(set("his", FS_IMMUTABLE_FL) == -EPERM && set("his", FS_APPEND_FL) == -EPERM &&
		      set("his", FS_NODUMP_FL) == 0 && get("his") == FS_NODUMP_FL &&
		      setx("his", FS_XFLAG_IMMUTABLE, 0, 0) == -EPERM && get("file") == FS_NODUMP_FL - FS_NODUMP_FL &&
		      set("file", FS_NODUMP_FL) == -EPERM ? 0 : 1);
	}
	wait(&status);
	TAP_EQ(status, 0, "an owner sets what takes no privilege, others nothing");
}

/* ---- immutable and append-only ---- */

static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

/* 0, or the signal that a store of @byte comes to. */
static int store(char *p, char byte)
{
	struct sigaction act = { .sa_handler = on_fault };
	int sig;

	sigaction(SIGBUS, &act, NULL);
	sig = sigsetjmp(fault, 1);
	if (!sig)
		*(volatile char *)p = byte;
	return sig;
}

static void immutable_file(void)
{
	static char page[BLOCK] __attribute__((aligned(BLOCK)));
	struct statx before, after;
	char back[8] = "";
	int fd, dio, fd2;
	char *map;

	make("fixed");
	make("source");
	fd = open("fixed", O_RDWR);
	dio = open("fixed", O_RDWR | O_DIRECT);
	TAP_REQUIRE(fd >= 0 && dio >= 0 && !ftruncate(fd, 3 * BLOCK), "opened");
	map = mmap(NULL, 3 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(map != MAP_FAILED && !store(map, 'C') && !store(map + BLOCK, 'M'), "mapped");
	TAP_REQUIRE(!set("fixed", FS_IMMUTABLE_FL | FS_NODUMP_FL), "set");
	before = statx_of("fixed");
	tick();
	TAP_EQ(result(open("fixed", O_WRONLY)), -EPERM, "immutable: not opened to be written");
	TAP_EQ(result(open("fixed", O_RDONLY | O_TRUNC)), -EPERM, "nor to be cut");
	TAP_EQ(result(write(fd, "x", 1)), -EPERM, "nor written by who has it open");
	TAP_EQ(result(pwrite(dio, page, BLOCK, 0)), -EPERM, "nor directly");
	TAP_EQ(store(map, 'x'), SIGBUS, "nor stored to, where it had been");
	TAP_EQ(store(map + 2 * BLOCK, 'x'), SIGBUS, "nor where it had not");
	TAP_EQ(result(ftruncate(fd, 1)), -EPERM, "nor cut");
	TAP_EQ(result(ftruncate(fd, 4 * BLOCK)), -EPERM, "nor made longer");
	TAP_EQ(result(fallocate(fd, 0, 0, BLOCK)), -EPERM, "nor allocated");
	TAP_EQ(result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BLOCK)), -EPERM, "nor punched");
	fd2 = open("source", O_RDONLY);
	TAP_EQ(result(copy_file_range(fd2, NULL, fd, NULL, 5, 0)), -EPERM, "nor copied to");
	close(fd2);
	TAP_EQ(result(fchmod(fd, 0600)), -EPERM, "no mode");
	TAP_EQ(result(chown("fixed", USER, USER)), -EPERM, "no owner");
	TAP_EQ(result(utimensat(AT_FDCWD, "fixed", NULL, 0)), -EPERM, "no times");
	TAP_EQ(result(setxattr("fixed", "user.a", "b", 1, 0)), -EPERM, "no attribute");
	TAP_EQ(result(link("fixed", "fixed2")), -EPERM, "no other name");
	TAP_EQ(result(rename("fixed", "fixed2")), -EPERM, "nor another");
	TAP_EQ(result(rename("source", "fixed")), -EPERM, "nor replaced");
	TAP_EQ(result(unlink("fixed")), -EPERM, "nor removed");
	TAP_EQ(set("fixed", FS_IMMUTABLE_FL), -EPERM, "no other flag changes");
	TAP_EQ(set("fixed", FS_IMMUTABLE_FL | FS_NODUMP_FL | FS_SYNC_FL), -EPERM, "and none is added");
	TAP_EQ(setx("fixed", FS_XFLAG_IMMUTABLE | FS_XFLAG_NODUMP, 9, 0), -EPERM, "nor its project");
	TAP_EQ(set("fixed", FS_IMMUTABLE_FL | FS_NODUMP_FL), 0, "but what is, may be said again");
	after = statx_of("fixed");
	TAP_OK(same(before.stx_ctime, after.stx_ctime) && same(before.stx_mtime, after.stx_mtime) &&
	       after.stx_size == 3 * BLOCK && after.stx_nlink == 1, "all of that left no trace");
	TAP_OK(pread(fd, back, 7, 0) == 7 && !memcmp(back, "Content", 7) && map[BLOCK] == 'M' &&
	       !map[2 * BLOCK], "what had been stored before is there");
	TAP_REQUIRE(!set("fixed", 0), "cleared");
	TAP_EQ(store(map, 'x'), 0, "mutable: stored to");
	TAP_EQ(result(pwrite(fd, "x", 1, 1)), 1, "written");
	TAP_OK(!munmap(map, 3 * BLOCK) && !close(fd) && !close(dio) && !unlink("fixed"), "removed");
}

/* Somebody writes all the time: once the flag is set, what is there stays. */
static void immutable_race(void)
{
	char *map, was[2];
	int fd, i, moved = 0, status;

	make("raced");
	fd = open("raced", O_RDWR);
	TAP_REQUIRE(fd >= 0 && !ftruncate(fd, 2 * BLOCK), "opened");
	map = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TAP_REQUIRE(map != MAP_FAILED, "mapped");
	for (i = 0; i < 30; i++) {
		pid_t pid = fork();

		if (!pid) {
			unsigned char n = 0;
			int stopped = 0;

			/* Both ways end: in an error, and in a signal. */
			while (stopped != 3) {
				stopped |= store(map, ++n) ? 1 : 0;
				stopped |= pwrite(fd, &n, 1, BLOCK) < 0 && errno == EPERM ? 2 : 0;
			}
			_exit(0);
		}
		usleep(3000 + i * 700);
		TAP_REQUIRE(!set("raced", FS_IMMUTABLE_FL), "set");
		was[0] = map[0];
		was[1] = map[BLOCK];
		TAP_REQUIRE(waitpid(pid, &status, 0) == pid, "wait");
		moved += status || was[0] != map[0] || was[1] != map[BLOCK];
		TAP_REQUIRE(!set("raced", 0), "cleared");
	}
	TAP_EQ(moved, 0, "not a byte changes behind the flag");
	munmap(map, 2 * BLOCK);
	close(fd);
	unlink("raced");
}

static void immutable_dir(void)
{
	int fd;

	TAP_REQUIRE(!mkdir("shut", 0777), "made");
	make("shut/in");
	TAP_REQUIRE(!set("shut", FS_IMMUTABLE_FL), "set");
	TAP_EQ(result(open("shut/new", O_CREAT | O_WRONLY, 0666)), -EPERM, "an immutable directory gets no file");
	TAP_EQ(result(mkdir("shut/new", 0777)), -EPERM, "nor directory");
	TAP_EQ(result(open("shut", O_TMPFILE | O_WRONLY, 0666)), -EPERM, "nor one without a name");
	TAP_EQ(result(link("source", "shut/new")), -EPERM, "nor link");
	TAP_EQ(result(rename("source", "shut/in")), -EPERM, "nor takes what moves");
	TAP_EQ(result(unlink("shut/in")), -EPERM, "nor loses a name");
	TAP_EQ(result(rename("shut/in", "out")), -EPERM, "nor lets it go");
	fd = open("shut/in", O_WRONLY);
	TAP_OK(fd >= 0 && write(fd, "more", 4) == 4 && !close(fd), "what is in it may be written");
	TAP_OK(!set("shut", 0) && !unlink("shut/in") && !rmdir("shut"), "all goes");
}

static void append_only(void)
{
	int fd, before;

	make("log");
	before = open("log", O_RDWR);
	TAP_REQUIRE(before >= 0 && !set("log", FS_APPEND_FL), "set");
	TAP_EQ(result(open("log", O_WRONLY)), -EPERM, "append-only: not opened to be overwritten");
	TAP_EQ(result(open("log", O_WRONLY | O_APPEND | O_TRUNC)), -EPERM, "nor cut");
	TAP_EQ(result(ftruncate(before, 3)), -EPERM, "nor by who has it open");
	TAP_EQ(result(fallocate(before, FALLOC_FL_ZERO_RANGE, 0, BLOCK)), -EPERM, "nor zeroed");
	TAP_EQ(result(unlink("log")), -EPERM, "nor removed");
	TAP_EQ(result(chmod("log", 0600)), -EPERM, "nor its mode changed");
	fd = open("log", O_WRONLY | O_APPEND);
	TAP_OK(fd >= 0 && write(fd, "more", 4) == 4 && statx_of("log").stx_size == 11, "but appended to");
	TAP_EQ(result(fcntl(fd, F_SETFL, 0)), -EPERM, "and nothing else");
	close(fd);
	close(before);
	TAP_OK(!set("log", 0) && !unlink("log"), "all goes");

	TAP_REQUIRE(!mkdir("grows", 0777) && !set("grows", FS_APPEND_FL), "made");
	make("grows/new");
	TAP_EQ(result(unlink("grows/new")), -EPERM, "an append-only directory gets names, loses none");
	TAP_EQ(result(rename("grows/new", "grows/old")), -EPERM, "nor moves one");
	TAP_OK(get("grows/new") == 0 && !set("grows", 0) && !unlink("grows/new") && !rmdir("grows"),
	       "nor passes it on");
}

static bool read_moves_atime(const char *path)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	char c;
	int fd;

	TAP_REQUIRE(!utimensat(AT_FDCWD, path, old, 0), "utimensat");
	fd = look(path);
	TAP_REQUIRE(read(fd, &c, 1) == 1 && !close(fd), "read");
	return statx_of(path).stx_atime.tv_sec != 1000;
}

static void noatime(void)
{
	make("quiet");
	TAP_OK(read_moves_atime("quiet"), "a read moves atime");
	TAP_REQUIRE(!set("quiet", FS_NOATIME_FL), "set");
	TAP_OK(!read_moves_atime("quiet"), "and does not with noatime");
	TAP_REQUIRE(!set("quiet", 0), "cleared");
	TAP_OK(read_moves_atime("quiet"), "and does without it");
}

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

	while ((n = commits()) != before) {
		before = n;
		usleep(20000);
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
	TAP_OK(!ioctl(fd, FS_IOC_GETFLAGS, &flags) && flags == (FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL) && !close(fd),
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

static void extents(void)
{
	int fd = open("pieces", O_RDWR | O_CREAT, 0666);
	int i;

	TAP_EQ(getx("pieces").fsx_nextents, 0, "no extents");
	for (i = 0; i < EXTENTS; i++)
		TAP_REQUIRE(pwrite(fd, "x", 1, 2L * i * BLOCK) == 1, "written");
	TAP_REQUIRE(!fsync(fd) && !close(fd), "synced");
	TAP_EQ(getx("pieces").fsx_nextents, EXTENTS, "extents are counted");
	TAP_EQ(getx("dir").fsx_nextents, 0, "a directory has none");
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
			.fsx_projid = round, .fsx_xflags = round & 1 ? FS_XFLAG_NODUMP : FS_XFLAG_NOATIME,
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
	TAP_REQUIRE(argc == 3 && !chdir(argv[2]), "usage: flags use|verify|readonly|stopped|pull|verify-pull DIR");
	umask(0);
	if (!strcmp(argv[1], "use")) {
		each();
		asked_by_32_bits();
		TAP_REQUIRE(!set("file", 0), "cleared");
		others();
		immutable_file();
		immutable_race();
		immutable_dir();
		append_only();
		noatime();
		synchronous();
		inherited();
		projects();
		extents();
		unlinked();
		leave();
	} else if (!strcmp(argv[1], "verify")) {
		kept("mounted again");
		TAP_EQ(getx("pieces").fsx_nextents, EXTENTS, "extents are counted");
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
