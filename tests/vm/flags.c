// SPDX-License-Identifier: GPL-2.0-only
/*
 * flags.c - flags of inodes by their ioctls: which there are, on what, for whom, and what
 * immutable, append-only and noatime are worth.
 *
 * usage: flags DIR
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "flags.h"

#define USER		1000

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
		bad += setx(path, all[i].xfl, 0, 0) != 0;
		bad += get(path) != (all[i].xfl ? (int)all[i].fl : 0);
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
	TAP_EQ(setx("file", FS_XFLAG_NODUMP | FS_XFLAG_PROJINHERIT, 7, 0), 0,
	       "a project is set up as of directories");
	TAP_OK(get("file") == FS_NODUMP_FL && getx("file").fsx_projid == 7 &&
	       getx("file").fsx_xflags == FS_XFLAG_NODUMP, "but a file gives it to nobody");
	TAP_EQ(setx("file", FS_XFLAG_NODUMP, 0, 0), 0, "and can be of none again");
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
		      setx("his", FS_XFLAG_IMMUTABLE, 0, 0) == -EPERM && get("file") == 0 &&
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
static int store(volatile char *p, char byte)
{
	struct sigaction act = { .sa_handler = on_fault };
	int sig;

	sigaction(SIGBUS, &act, NULL);
	sig = sigsetjmp(fault, 1);
	if (!sig)
		*p = byte;
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
	volatile char *map;
	char was[2];
	int fd, i, n, moved = 0, status;

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
		/* It has come more or less far. */
		for (n = 0; n <= i; n++)
			for (was[0] = map[0]; was[0] == map[0];)
				sched_yield();
		TAP_REQUIRE(!set("raced", FS_IMMUTABLE_FL), "set");
		was[0] = map[0];
		was[1] = map[BLOCK];
		TAP_REQUIRE(waitpid(pid, &status, 0) == pid, "wait");
		moved += status || was[0] != map[0] || was[1] != map[BLOCK];
		TAP_REQUIRE(!set("raced", 0), "cleared");
	}
	TAP_EQ(moved, 0, "not a byte changes behind the flag");
	munmap((void *)map, 2 * BLOCK);
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

static void noatime(void)
{
	make("quiet");
	TAP_OK(read_moves_atime("quiet"), "a read moves atime");
	TAP_REQUIRE(!set("quiet", FS_NOATIME_FL), "set");
	TAP_OK(!read_moves_atime("quiet"), "and does not with noatime");
	TAP_REQUIRE(!set("quiet", 0), "cleared");
	TAP_OK(read_moves_atime("quiet"), "and does without it");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 2 && !chdir(argv[1]), "usage: flags DIR");
	umask(0);
	each();
	asked_by_32_bits();
	TAP_REQUIRE(!set("file", 0), "cleared");
	others();
	immutable_file();
	immutable_race();
	immutable_dir();
	append_only();
	noatime();
	return tap_done();
}
