// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops.c - does in a machine what model.h says, and marks on a device of its own how far it got.
 *
 * usage: ops MARKS DIR SEED COUNT
 * Before operation N its number goes to the device MARKS, past all caches: what the record of the
 * disks holds before mark N was there when all operations before N had returned.  What was unlinked
 * stays open for a while, so that there are orphans.
 */
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"

#define HELD	8

static struct model *m;
static uint8_t *buf;
static int held[HELD];

static void fail(const struct model_op *op, const char *what)
{
	printf("ops: operation %d (%s): ", m->done + 1, model_names[op->kind]);
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

static void mark(int fd, int n)
{
	memset(buf, 0, 512);
	memcpy(buf, &n, sizeof(n));
	if (pwrite(fd, buf, 512, 0) != 512) {
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

static int do_mmap(int fd, const struct model_op *op)
{
	long start = op->pos & ~4095L;
	uint8_t *p = mmap(NULL, op->pos + op->nbytes - start, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, start);

	if (p == MAP_FAILED)
		return -1;
	memcpy(p + op->pos - start, buf, op->nbytes);
	return munmap(p, op->pos + op->nbytes - start);
}

static int do_data(const struct model_op *op, int fd)
{
	long i;

	for (i = 0; i < op->nbytes; i++)
		buf[i] = model_byte(m->done + 1, op->pos + i);
	switch (op->kind) {
	case OP_WRITE:
	case OP_DIRECT:
	case OP_DSYNC:
		return pwrite(fd, buf, op->nbytes, op->pos) == op->nbytes ? 0 : -1;
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

static void do_op(const struct model_op *op)
{
	int flags = op->kind == OP_DIRECT ? O_RDWR | O_DIRECT :
		    op->kind == OP_DSYNC ? O_RDWR | O_DSYNC :
		    m->node[op->node].type == MODEL_DIR ? O_RDONLY : O_RDWR;
	char path[4096];
	int fd;

	if (op->kind == OP_SYNC) {
		sync();
		return;
	}
	if (op->kind <= OP_EXCHANGE) {
		if (do_name(op))
			fail(op, path_of(op->dir, op->name, path));
		return;
	}
	fd = open(path_of(op->dir, op->name, path), flags);
	if (fd < 0 || do_data(op, fd) || close(fd))
		fail(op, path);
}

/* Writeback in the background comes often, as on a machine that runs for days. */
static void tune(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		perror(file);
	close(fd);
}

int main(int argc, char **argv)
{
	struct model_op op;
	int count;
	int marks;

	if (argc != 5) {
		fprintf(stderr, "usage: ops MARKS DIR SEED COUNT\n");
		return 2;
	}
	marks = open(argv[1], O_WRONLY | O_DIRECT);
	count = atoi(argv[4]);
	m = model_new(atoi(argv[3]));
	if (marks < 0 || chdir(argv[2]) || posix_memalign((void **)&buf, 4096, MODEL_FILE_MAX)) {
		perror(argv[2]);
		return 1;
	}
	tune("/proc/sys/vm/dirty_writeback_centisecs", "15");
	tune("/proc/sys/vm/dirty_expire_centisecs", "40");
	umask(0);
	setfsgid(MODEL_ROOT);
	while (m->done < count) {
		model_choose(m, &op);
		mark(marks, m->done);
		do_op(&op);
		model_begin(m, &op);
		model_end(m, &op);
	}
	mark(marks, m->done);
	return 0;
}
