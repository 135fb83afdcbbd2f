// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops.c - does in a machine what model.h says, and marks on a device of its own how far it got.
 *
 * usage: ops MARKS DIR SEED COUNT [WORKERS [full | zones | faults] | wide | synced PIECES]
 * Before operation N its number goes to the device MARKS, past all caches: what the record of the
 * disks holds before mark N was there when all operations before N had returned.  What was unlinked
 * stays open for a while, so that there are orphans.
 *
 * With WORKERS there are so many processes, each in a folder of its own with operations of its own
 * and those of crowd.h (ops_crowd.c).  "full" fills the volume before: then there may be no space.
 * "zones" has them take and give back so much at once that new zones are begun.  With "faults" what
 * finds no memory has not happened, and a worker stops at the first error of the disk.
 *
 * With "wide" it is one, on a volume of several zones (ops_wide.c); with "synced" another process
 * syncs the volume meanwhile, so that commits come between what a label does.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"

#define HELD	8

struct model *m;
uint8_t *buf;
bool full, faults;
static int held[HELD];
static int outcome;			/* of the last operation */

void fail(const struct model_op *op, const char *what)
{
	int err = errno;

	if (faults && (err == EIO || err == EROFS)) {
		printf("# worker %u stops after %d operations\n", m->worker, m->done);
		exit(0);
	}
	printf("ops: worker %u, operation %d (%s): ", m->worker, m->done + 1,
	       model_names[op->kind]);
	errno = err;
	fflush(stdout);
	perror(what);
	exit(1);
}

/* The path of a name, from the root of the volume. */
static const char *path_of(int dir, int name, char *path)
{
	char part[256];
	char rest[4096];
	int i;

	model_name(name, path);
	while (dir != MODEL_ROOT) {
		for (i = 0; m->entry[i].node != dir; i++)
			;
		model_name(m->entry[i].name, part);
		strcpy(rest, path);
		sprintf(path, "%s/%s", part, rest);
		dir = m->entry[i].dir;
	}
	return path;
}

static void mark(int fd)
{
	struct model_mark mark = { m->done, outcome };

	memset(buf, 0, MODEL_MARK_BYTES);
	memcpy(buf, &mark, sizeof(mark));
	if (pwrite(fd, buf, MODEL_MARK_BYTES, m->worker * MODEL_MARKS_BYTES +
		   m->done * MODEL_MARK_BYTES) != MODEL_MARK_BYTES) {
		perror("mark");
		exit(1);
	}
}

/* Keeps the file open past its end. */
static void hold(const char *path)
{
	static int next;

	if (held[next])
		close(held[next]);
	held[next] = open(path, O_RDONLY | O_NOFOLLOW);
	if (held[next] < 0)
		held[next] = 0;
	next = (next + 1) % HELD;
}

static int do_name(const struct model_op *op)
{
	char path[4096], to[4096], target[64];
	int fd;

	path_of(op->dir, op->name, path);
	path_of(op->to_dir, op->to_name, to);
	setfsgid(op->node);
	switch (op->kind) {
	case OP_CREATE:
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
		return fd < 0 ? -1 : close(fd);
	case OP_MKDIR:
		return mkdir(path, 0755);
	case OP_SYMLINK:
		sprintf(target, "target-of-%d", op->node);
		return symlink(target, path);
	case OP_LINK:
		return link(path, to);
	case OP_UNLINK:
		if (m->done % 3 == 0)
			hold(path);
		return unlink(path);
	case OP_RMDIR:
		return rmdir(path);
	case OP_RENAME:
		return rename(path, to);
	default:
		return renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_EXCHANGE);
	}
}

static sigjmp_buf no_page;

static void on_sigbus(int sig)
{
	siglongjmp(no_page, sig);
}

static int do_mmap(int fd, const struct model_op *op)
{
	long start = op->pos & ~4095L;
	uint8_t *p = mmap(NULL, op->pos + op->nbytes - start, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, start);

	if (p == MAP_FAILED)
		return -1;
	signal(SIGBUS, full ? on_sigbus : SIG_DFL);
	if (sigsetjmp(no_page, 1)) {
		munmap(p, op->pos + op->nbytes - start);
		errno = ENOSPC;
		return -1;
	}
	memcpy(p + op->pos - start, buf, op->nbytes);
	return munmap(p, op->pos + op->nbytes - start);
}

/* Less than all of it means that there was no space for the rest. */
static int wrote(ssize_t n, ssize_t nbytes)
{
	if (n >= 0 && n < nbytes)
		errno = ENOSPC;
	return n == nbytes ? 0 : -1;
}

static int do_data(const struct model_op *op, int fd)
{
	long i;

	for (i = 0; i < op->nbytes; i++)
		buf[i] = model_byte(m->worker, m->done + 1, op->pos + i);
	switch (op->kind) {
	case OP_WRITE:
	case OP_DIRECT:
	case OP_DSYNC:
		return wrote(pwrite(fd, buf, op->nbytes, op->pos), op->nbytes);
	case OP_MMAP:
		return do_mmap(fd, op);
	case OP_TRUNCATE:
		return ftruncate(fd, op->pos);
	case OP_FALLOCATE:
		return fallocate(fd, 0, op->pos, op->nbytes);
	case OP_PUNCH:
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, op->pos,
				 op->nbytes);
	case OP_ZERO:
		return fallocate(fd, FALLOC_FL_ZERO_RANGE, op->pos, op->nbytes);
	case OP_FSYNC:
		return fsync(fd);
	default:
		return fdatasync(fd);
	}
}

bool refused(const struct model_op *op, const char *what)
{
	if ((!full || errno != ENOSPC) && (!faults || errno != ENOMEM))
		fail(op, what);
	return true;
}

/* What needs space: the rest must go well on a full volume too. */
static bool may_be_refused(enum model_kind kind)
{
	return faults || (kind != OP_UNLINK && kind != OP_RMDIR && kind < OP_FSYNC);
}

int without_memory(int result)
{
	return faults && result < 0 && errno == ENOMEM;
}

static int do_file(const struct model_op *op)
{
	int flags = op->kind == OP_DIRECT ? O_RDWR | O_DIRECT :
		    op->kind == OP_DSYNC ? O_RDWR | O_DSYNC :
		    m->node[op->node].type == MODEL_DIR ? O_RDONLY : O_RDWR;
	char path[4096];
	int fd, err;

	fd = AGAIN(open(path_of(op->dir, op->name, path), flags));
	if (fd < 0)
		fail(op, path);
	err = do_data(op, fd);
	if (err && (!may_be_refused(op->kind) || !refused(op, path)))
		fail(op, path);
	if (err && op->kind < OP_FSYNC && AGAIN(ftruncate(fd, 0)))
		fail(op, path);
	if (close(fd))
		fail(op, path);
	return err;
}

static int do_sync(const struct model_op *op)
{
	int fd = AGAIN(open(".", O_RDONLY));
	int err;

	if (fd < 0)
		fail(op, "open");
	err = syncfs(fd);
	if (err && (!faults || !refused(op, "syncfs")))
		fail(op, "syncfs");
	close(fd);
	return err;
}

static int do_op(const struct model_op *op)
{
	char path[4096];

	if (op->kind > OP_SHARED)
		return do_wide(op);
	if (op->kind > OP_SYNC)
		return do_crowd(op);
	if (op->kind == OP_SYNC)
		return do_sync(op);
	if (op->kind > OP_EXCHANGE)
		return do_file(op);
	if (!do_name(op))
		return 0;
	if (!may_be_refused(op->kind) || !refused(op, path_of(op->dir, op->name, path)))
		fail(op, path_of(op->dir, op->name, path));
	return MODEL_REFUSED;
}

/* Writeback in the background comes often, as on a machine that runs for days. */
static void tune(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		perror(file);
	close(fd);
}

static void work(int marks, int seed, unsigned int worker, int count, int pieces)
{
	struct model_op op;
	char folder[32];

	m = model_new(seed, worker);
	wide_start(m, pieces);
	sprintf(folder, "own%u", worker);
	if ((worker && chdir(folder)) || posix_memalign((void **)&buf, 4096, MODEL_FILE_MAX)) {
		perror(folder);
		exit(1);
	}
	while (m->done < count) {
		model_choose(m, &op);
		mark(marks);
		outcome = do_op(&op);
		model_begin(m, &op, outcome);
		model_end(m, &op, outcome);
	}
	mark(marks);
}

static int crowd(int marks, int seed, unsigned int workers, int count, const char *mode)
{
	unsigned int worker;
	int status, failed = 0;

	prepare_crowd(workers, mode);
	for (worker = 1; worker <= workers; worker++)
		if (!fork()) {
			work(marks, seed, worker, count, 0);
			exit(0);
		}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed > 0;
}

int main(int argc, char **argv)
{
	bool synced = argc == 7 && !strcmp(argv[5], "synced");
	bool wide = synced || (argc == 7 && !strcmp(argv[5], "wide"));
	int marks;

	if (argc < 5 || argc > 7 || (wide && atoi(argv[6]) > WIDE_PIECES)) {
		fprintf(stderr, "usage: ops MARKS DIR SEED COUNT [WORKERS [MODE]]\n");
		return 2;
	}
	marks = open(argv[1], O_WRONLY | O_DIRECT);
	if (marks < 0 || chdir(argv[2])) {
		perror(argv[2]);
		return 1;
	}
	tune("/proc/sys/vm/dirty_writeback_centisecs", "15");
	tune("/proc/sys/vm/dirty_expire_centisecs", "40");
	umask(0);
	setfsgid(MODEL_ROOT);
	if (argc > 5 && !wide)
		return crowd(marks, atoi(argv[3]), atoi(argv[5]), atoi(argv[4]),
			     argc > 6 ? argv[6] : "");
	if (synced)
		sync_beside();
	work(marks, atoi(argv[3]), 0, atoi(argv[4]), wide ? atoi(argv[6]) : 0);
	if (synced)
		sync_beside_end();
	return 0;
}
