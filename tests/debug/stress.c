// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress.c - many processes at one volume, each sure of what it wrote.
 *
 * usage: stress SEED OPS [MODE]...      MODE: faults, full, remount
 * Every worker has files of its own with a copy of their content in memory, which it changes and
 * compares in all the ways there are; all of them fight over a directory of shared names; one
 * disturbs: sync, statfs, freeze and thaw, dropping caches, remounting.  A given seed makes every
 * worker do the same things; how they meet differs.  Then the volume is unmounted, checked,
 * mounted, and all files compared again.
 * "faults" lets one allocation of the module in a hundred fail, wherever it is: then only the checker
 * judges.  "full" works on the last blocks of a full volume: then ENOSPC is an answer too.
 */
#include <dirent.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "aio.h"
#include "guest.h"

#define WORKERS		5
#define FILES		6
#define FILE_BYTES	(96 * 4096)
#define SHARED_NAMES	24
#define BLOCK		4096

struct shadow {
	bool exists;
	bool lost;			/* a failure left it in doubt: content is not compared */
	off_t size;
	unsigned char data[FILE_BYTES];
};

struct worker {
	struct shadow file[FILES];
	unsigned long ops;
};

static struct worker *workers;		/* shared with the children */
static struct worker *self;
static unsigned int me;
static uint64_t random_state;
static bool with_faults, nearly_full, with_remount;
static unsigned char *bounce;		/* aligned, FILE_BYTES */
static int dir_fd;

static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % below;
}

/* ---- verdicts ---- */

static bool excused(int err)
{
	return (nearly_full && err == ENOSPC) || (with_remount && err == EROFS) ||
	       (with_faults && (err == ENOMEM || err == EIO || err == ENOSPC || err == EROFS));
}

/* A failure that nothing explains is the end of the worker. */
__attribute__((format(printf, 1, 2)))
static void bad(const char *fmt, ...)
{
	va_list ap;
	int err = errno;

	printf("# worker %u, op %lu: ", me, self->ops);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": %s\n", strerror(err));
	fflush(stdout);
	_exit(1);
}

/* True when @ret says success; an excused failure makes the file doubtful. */
static bool fine(long ret, struct shadow *s, const char *what)
{
	if (ret >= 0)
		return true;
	if (!excused(errno))
		bad("%s", what);
	if (s)
		s->lost = true;
	return false;
}

/* ---- own files ---- */

static void path_of(char *path, unsigned int worker, unsigned int n)
{
	sprintf(path, "/mnt/own%u/file %u", worker, n);
}

static void grow(struct shadow *s, off_t end)
{
	if (end > s->size) {
		memset(s->data + s->size, 0, end - s->size);
		s->size = end;
	}
}

static void scribble(unsigned char *p, size_t nbytes)
{
	uint32_t value = rnd(UINT32_MAX);
	size_t i;

	for (i = 0; i < nbytes; i++)
		p[i] = value + i * 13 + (i >> 8);
}

/* @n bytes of @asked have come. */
static void compare(const struct shadow *s, const unsigned char *got, off_t pos, ssize_t n,
		    ssize_t asked, const char *how)
{
	off_t want = pos >= s->size ? 0 : s->size - pos;
	ssize_t i;

	if (s->lost)
		return;
	if (n != (want < asked ? want : asked)) {
		errno = 0;
		bad("%s at %ld: %zd bytes of a file of %ld", how, (long)pos, n, (long)s->size);
	}
	for (i = 0; i < n && got[i] == s->data[pos + i]; i++)
		;
	if (i < n) {
		errno = 0;
		bad("%s at %ld (size %ld): byte %ld is %02x, not %02x", how, (long)pos, (long)s->size,
		    (long)(pos + i), got[i], s->data[pos + i]);
	}
}

static void own_write(int fd, struct shadow *s, bool direct)
{
	off_t pos = rnd(FILE_BYTES - BLOCK);
	size_t nbytes = 1 + rnd(FILE_BYTES / 4);
	ssize_t n;

	if (direct) {
		pos &= -(off_t)BLOCK;
		nbytes = (nbytes + BLOCK - 1) & -BLOCK;
	}
	if (pos + (off_t)nbytes > FILE_BYTES)
		nbytes = FILE_BYTES - pos;
	scribble(bounce, nbytes);
	n = pwrite(fd, bounce, nbytes, pos);
	if (!fine(n, s, direct ? "direct write" : "write"))
		return;
	grow(s, pos + n);
	memcpy(s->data + pos, bounce, n);
}

static void own_aio(int fd, struct shadow *s)
{
	off_t base = rnd(FILE_BYTES / BLOCK - 12) * BLOCK;
	long results[3];
	int i, n;

	scribble(bounce, 12 * BLOCK);
	n = aio_write(fd, bounce, 4 * BLOCK, 3, base, results);
	if (!fine(n, s, "io_submit"))
		return;
	for (i = 0; i < n; i++) {
		off_t pos = base + i * 4 * BLOCK;

		errno = results[i] < 0 ? -results[i] : 0;
		if (!fine(results[i], s, "asynchronous write"))
			continue;
		grow(s, pos + results[i]);
		memcpy(s->data + pos, bounce + (pos - base), results[i]);
	}
}

static void own_map(int fd, struct shadow *s)
{
	unsigned char *map;
	off_t pos;

	/* A store that finds no block is a signal, not an answer. */
	if (!s->size || nearly_full || with_faults || with_remount)
		return;
	map = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		bad("mmap");
	pos = rnd(s->size);
	scribble(bounce, 2000);
	if (pos + 2000 > s->size)
		pos = s->size > 2000 ? s->size - 2000 : 0;
	if (s->size > 2000) {
		memcpy(map + pos, bounce, 2000);
		memcpy(s->data + pos, bounce, 2000);
	}
	if (rnd(3) == 0 && !fine(msync(map, s->size, MS_SYNC), s, "msync"))
		return;
	compare(s, map, 0, s->size, s->size, "mapping");
	munmap(map, s->size);
}

static void own_read(int fd, struct shadow *s, bool direct)
{
	off_t pos = direct ? rnd(FILE_BYTES / BLOCK) * BLOCK : rnd(FILE_BYTES);
	size_t nbytes = direct ? (1 + rnd(16)) * BLOCK : 1 + rnd(70000);
	ssize_t n;

	if (pos + (off_t)nbytes > FILE_BYTES)
		nbytes = FILE_BYTES - pos;
	n = pread(fd, bounce, nbytes, pos);
	if (fine(n, s, "read"))
		compare(s, bounce, pos, n, nbytes, direct ? "direct read" : "read");
}

static void own_cut(int fd, struct shadow *s)
{
	off_t size = rnd(FILE_BYTES);

	if (!fine(ftruncate(fd, size), s, "ftruncate"))
		return;
	grow(s, size);
	s->size = size;
}

static void own_fallocate(int fd, struct shadow *s)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	int flags = modes[rnd(5)];
	off_t pos = rnd(FILE_BYTES - 1);
	off_t nbytes = 1 + rnd(FILE_BYTES - pos);

	if (!fine(fallocate(fd, flags, pos, nbytes), s, "fallocate"))
		return;
	if (!(flags & FALLOC_FL_KEEP_SIZE))
		grow(s, pos + nbytes);
	if ((flags & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) && pos < s->size)
		memset(s->data + pos, 0, nbytes < s->size - pos ? nbytes : s->size - pos);
}

/* Through other names and back, or gone. */
static void own_names(unsigned int n, struct shadow *s)
{
	char path[64], other[64];

	path_of(path, me, n);
	sprintf(other, "/mnt/shared/passing %u", me);
	switch (rnd(4)) {
	case 0:
		if (fine(rename(path, other), s, "rename away") &&
		    !fine(rename(other, path), s, "rename back"))
			s->exists = false;
		break;
	case 1:
		if (fine(link(path, other), NULL, "link") &&
		    fine(unlink(path), s, "unlink the first name") &&
		    !fine(rename(other, path), s, "rename to the first name"))
			s->exists = false;
		unlink(other);
		break;
	case 2:
		sprintf(other, "/mnt/own%u/file %u", me, rnd(FILES));
		if (!strcmp(path, other) || access(other, F_OK) || with_faults)
			break;
		if (fine(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE),
			 NULL, "exchange")) {
			static struct shadow keep;
			struct shadow *o = &self->file[atoi(strrchr(other, ' ') + 1)];

			keep = *s;
			*s = *o;
			*o = keep;
		}
		break;
	default:
		if (fine(unlink(path), NULL, "unlink"))
			s->exists = false;
	}
}

static void own_step(void)
{
	unsigned int n = rnd(FILES);
	struct shadow *s = &self->file[n];
	unsigned int what = rnd(20);
	bool direct = rnd(3) == 0;
	char path[64];
	int fd;

	path_of(path, me, n);
	if (what == 19 && s->exists) {
		own_names(n, s);
		return;
	}
	fd = open(path, O_RDWR | O_CREAT | (direct ? O_DIRECT : 0), 0644);
	if (fd < 0) {
		fine(-1, NULL, "open");
		return;
	}
	if (!s->exists) {
		s->exists = true;
		s->size = 0;
		s->lost = with_faults;	/* it may have been there although it should not */
	}
	if (what < 5)
		own_write(fd, s, direct);
	else if (what < 6 && direct)
		own_aio(fd, s);
	else if (what < 10)
		own_read(fd, s, direct);
	else if (what < 12)
		own_map(fd, s);
	else if (what < 14)
		own_cut(fd, s);
	else if (what < 17)
		own_fallocate(fd, s);
	else if (what == 17)
		fine(rnd(2) ? fsync(fd) : fdatasync(fd), s, "fsync");
	else
		fine(fchmod(fd, 0600 + rnd(64)), NULL, "chmod");
	close(fd);
}

/* ---- the shared directory: everything may happen to a name at any time ---- */

/* What a name that others fight over may answer: it went, came, or is of another kind by now. */
static void contested(long ret, const char *what)
{
	static const int expected[] = {
		ENOENT, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL, ELOOP, EMLINK,
		ENXIO,			/* opened: a whiteout */
		EPERM,			/* linked: a directory */
		EXDEV,
	};
	unsigned int i;

	if (ret >= 0 || excused(errno))
		return;
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (errno == expected[i])
			return;
	bad("%s", what);
}

static void shared_list(void)
{
	DIR *d = opendir("/mnt/shared");
	struct dirent *e;
	int count = 0;

	if (!d) {
		contested(-1, "opendir");
		return;
	}
	for (errno = 0; (e = readdir(d)); count++)
		if (e->d_type == DT_UNKNOWN)
			bad("an entry without type");
	if (errno && !excused(errno))
		bad("readdir");
	closedir(d);
	if (count > 5 * SHARED_NAMES)
		bad("%d names listed", count);
}

static void shared_step(void)
{
	char a[64], b[64];
	struct stat st;
	int fd;

	sprintf(a, "/mnt/shared/%u a shared name with some length", rnd(SHARED_NAMES));
	sprintf(b, "/mnt/shared/%u a shared name with some length", rnd(SHARED_NAMES));
	switch (rnd(12)) {
	case 0:
	case 1:
		fd = open(a, O_CREAT | O_RDWR, 0600);
		contested(fd, "shared create");
		if (fd >= 0 && rnd(2))
			contested(pwrite(fd, bounce, 1 + rnd(9000), rnd(50000)), "shared write");
		if (fd >= 0)
			close(fd);
		break;
	case 2:
		contested(mkdir(a, 0755), "shared mkdir");
		break;
	case 3:
		contested(symlink(b, a), "shared symlink");
		break;
	case 4:
		contested(link(a, b), "shared link");
		break;
	case 5:
	case 6:
		contested(rename(a, b), "shared rename");
		break;
	case 7:
		contested(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b,
				  rnd(2) ? RENAME_EXCHANGE : RENAME_WHITEOUT), "shared renameat2");
		break;
	case 8:
		contested(unlink(a), "shared unlink");
		break;
	case 9:
		contested(rmdir(a), "shared rmdir");
		break;
	case 10:
		contested(lstat(a, &st), "shared stat");
		break;
	default:
		shared_list();
	}
}

/* ---- the disturber ---- */

static void disturb(void)
{
	struct statvfs st;
	int fd = dir_fd;

	switch (rnd(8)) {
	case 0:
		if (ioctl(fd, FIFREEZE, 0)) {
			if (errno != EBUSY && !excused(errno))
				bad("freeze");
			break;
		}
		statvfs(GUEST_DIR, &st);
		if (ioctl(fd, FITHAW, 0))
			bad("thaw");
		break;
	case 1:
	case 2:
		fine(syncfs(fd), NULL, "syncfs");
		break;
	case 3:
		guest_set("/proc/sys/vm/drop_caches", "3");
		break;
	case 4:
		if (statvfs(GUEST_DIR, &st) || st.f_bfree > st.f_blocks || st.f_bavail > st.f_bfree)
			bad("statfs");
		break;
	case 5:
		/* Files are open for writing: refused, unless it may be. */
		if (!with_remount)
			break;
		if (!mount("none", GUEST_DIR, NULL, MS_REMOUNT | MS_RDONLY, NULL) &&
		    mount("none", GUEST_DIR, NULL, MS_REMOUNT, NULL))
			bad("remount");
		break;
	default:
		poll(NULL, 0, rnd(20));
	}
}

/* ---- all of it ---- */

static void work(unsigned long ops, uint64_t seed)
{
	char path[64];

	self = &workers[me];
	random_state = seed * 1000003 + me * 7919 + 1;
	sprintf(path, "/mnt/own%u", me);
	if (mkdir(path, 0755) && !excused(errno))
		bad("mkdir");
	for (self->ops = 0; self->ops < ops; self->ops++) {
		if (rnd(3))
			own_step();
		else
			shared_step();
	}
	_exit(0);
}

/* Compares everything; how many files are not as they should be. */
static int compare_all(void)
{
	int wrong = 0;
	unsigned int n;

	for (me = 0; me < WORKERS; me++) {
		self = &workers[me];
		for (n = 0; n < FILES; n++) {
			struct shadow *s = &self->file[n];
			char path[64];
			ssize_t got;
			int fd;

			if (!s->exists || s->lost)
				continue;
			path_of(path, me, n);
			fd = open(path, O_RDONLY);
			got = fd < 0 ? -1 : read(fd, bounce, FILE_BYTES);
			if (got != s->size || memcmp(bounce, s->data, got)) {
				printf("# %s: %zd bytes of %ld, or others\n", path, got, (long)s->size);
				wrong++;
			}
			if (fd >= 0)
				close(fd);
		}
	}
	return wrong;
}

static int run_workers(unsigned long ops, uint64_t seed)
{
	pid_t pids[WORKERS], disturber;
	int failed = 0;
	int status;

	fflush(stdout);
	disturber = fork();
	if (!disturber) {
		random_state = seed;
		me = WORKERS;
		self = &workers[me];
		for (;; self->ops++)
			disturb();
	}
	for (me = 0; me < WORKERS; me++) {
		pids[me] = fork();
		if (!pids[me])
			work(ops, seed);
	}
	for (me = 0; me < WORKERS; me++)
		failed += waitpid(pids[me], &status, 0) != pids[me] || status;
	/* It may be between freeze and thaw: that is undone here. */
	if (waitpid(disturber, &status, WNOHANG) == disturber)
		failed++;
	kill(disturber, SIGKILL);
	waitpid(disturber, &status, 0);
	ioctl(dir_fd, FITHAW, 0);
	return failed;
}

/* Leaves some 2 MiB. */
static bool fill_up(void)
{
	int fd = open("/mnt/ballast", O_CREAT | O_WRONLY, 0600);
	struct statvfs st;

	if (fd < 0 || statvfs(GUEST_DIR, &st) ||
	    fallocate(fd, 0, 0, (off_t)(st.f_bavail - 600) * BLOCK))
		return false;
	return !close(fd);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	unsigned long ops = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	int failed;
	int i;

	if (!ops) {
		fprintf(stderr, "usage: stress SEED OPS [faults|full|remount]...\n");
		return 2;
	}
	for (i = 3; i < argc; i++) {
		with_faults |= !strcmp(argv[i], "faults");
		nearly_full |= !strcmp(argv[i], "full");
		with_remount |= !strcmp(argv[i], "remount");
	}
	workers = mmap(NULL, sizeof(*workers) * (WORKERS + 1), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TAP_REQUIRE(workers != MAP_FAILED && !posix_memalign((void **)&bounce, BLOCK, FILE_BYTES),
		    "memory");
	TAP_OK(!guest_load(), "loaded");
	guest_leaks_forget();
	TAP_REQUIRE(!guest_mount(GUEST_DISK, 0, ""), "mounted");
	TAP_REQUIRE(!mkdir("/mnt/shared", 0755), "shared directory");
	TAP_REQUIRE(!nearly_full || fill_up(), "nearly full");
	dir_fd = open("/mnt/shared", O_RDONLY);
	if (with_faults) {
		guest_aim_at_module();
		guest_some_fail(1);
	}
	failed = run_workers(ops, seed);
	if (with_faults)
		guest_some_fail(0);
	close(dir_fd);
	TAP_EQ(failed, 0, "%d workers did %lu operations each and found what they wrote (seed %llu)",
	       WORKERS, ops, (unsigned long long)seed);
	TAP_EQ(with_faults ? 0 : compare_all(), 0, "all files are as written");
	TAP_REQUIRE(!guest_umount(), "unmounted");
	if (with_faults)		/* it may have been shut down */
		TAP_OK(!guest_mount(GUEST_DISK, 0, "") && !guest_umount(), "mounted again");
	TAP_OK(guest_check(GUEST_DISK), "it checks clean");
	TAP_REQUIRE(!guest_mount(GUEST_DISK, 0, ""), "mounted again");
	TAP_EQ(with_faults ? 0 : compare_all(), 0, "all files are still as written");
	TAP_REQUIRE(!guest_umount(), "unmounted");
	guest_unload_clean();
	return tap_done();
}
