// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops_crowd.c - what a worker of a crowd does besides the operations of model.h, and what lies
 * ready for all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ops.h"

#define FREE_BLOCKS	250		/* of a full volume, beside the last ones that are kept */
#define LAND_BYTES	(1L << 30)	/* taken at once, until zones are begun */

static bool zones;

/* ---- the queue ---- */

static int push_one(int n)
{
	char name[QUEUE_NAME + 1], path[QUEUE_NAME + 16], target[QUEUE_TARGET + 1];
	int fd;

	queue_name(n, name);
	sprintf(path, "queue/%s", name);
	if (n % QUEUE_LINK == 0) {
		queue_target(m->worker, n, target);
		return symlink(target, path);
	}
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int do_push(const struct model_op *op)
{
	int i;

	for (i = 0; i < op->nbytes; i++)
		if (push_one(m->crowd.tail + i) && refused(op, "queue"))
			return i;
	return i;
}

static int do_pop(const struct model_op *op)
{
	char name[QUEUE_NAME + 1], path[QUEUE_NAME + 16];
	int i;

	for (i = 0; i < op->nbytes; i++) {
		queue_name(m->crowd.head + i, name);
		sprintf(path, "queue/%s", name);
		if (AGAIN(unlink(path)))
			fail(op, path);
	}
	return i;
}

/* ---- the deep file ---- */

static const char *deep_path(void)
{
	static char path[32];

	sprintf(path, "deep-%d", m->crowd.gen);
	return path;
}

static int do_scatter(const struct model_op *op)
{
	int fd = AGAIN(open(deep_path(), O_CREAT | O_WRONLY, 0600));
	int first = m->crowd.written[m->crowd.gen];
	int i, b;

	if (fd < 0)
		return !refused(op, deep_path());
	for (i = 0; i < op->nbytes; i++) {
		long pos = deep_pos(first + i);

		for (b = 0; b < 4096; b++)
			buf[b] = model_byte(m->worker + CROWD_DEEP, m->crowd.gen + 1, pos + b);
		if (pwrite(fd, buf, 4096, pos) != 4096 && refused(op, deep_path()))
			break;
	}
	close(fd);
	return i;
}

static int do_scatter_sync(const struct model_op *op)
{
	int fd = AGAIN(open(deep_path(), O_WRONLY));

	if (fd < 0 || AGAIN(fsync(fd)) || close(fd))
		fail(op, deep_path());
	return 0;
}

static int do_renew(const struct model_op *op)
{
	if (AGAIN(unlink(deep_path())) && errno != ENOENT)
		fail(op, deep_path());
	return 0;
}

/* ---- the shared directory ---- */

static void shared_path(int n, char *path)
{
	sprintf(path, "../shared/s%02d", n);
}

static int shared_write(const struct model_op *op, int fd)
{
	struct statx st;
	uint32_t identity;
	long i;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st))
		fail(op, "statx");
	identity = shared_identity(st.stx_ino, st.stx_btime.tv_sec * 1000000000LL +
				   st.stx_btime.tv_nsec);
	for (i = 0; i < op->nbytes; i++)
		buf[i] = model_byte(CROWD_SHARED, identity, op->pos + i);
	return pwrite(fd, buf, op->nbytes, op->pos) < 0 ? -1 : 0;
}

static int shared_file(const struct model_op *op, const char *path)
{
	int fd = open(path, O_RDWR | (op->node == SHARED_WRITE ? O_CREAT : 0), 0600);
	int result;

	if (fd < 0)
		return -1;
	switch (op->node) {
	case SHARED_WRITE:
		result = shared_write(op, fd);
		break;
	case SHARED_CUT:
		result = ftruncate(fd, op->pos);
		break;
	case SHARED_PUNCH:
		result = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, op->pos,
				   op->nbytes);
		break;
	case SHARED_ALLOCATE:
		result = fallocate(fd, 0, op->pos, op->nbytes);
		break;
	default:
		result = fsync(fd);
	}
	return close(fd) ? -1 : result;
}

/* A GiB beside what the file has, or none of it any more, before others find no space. */
static int land(void)
{
	int fd = open("land", O_CREAT | O_RDWR, 0600);
	struct statvfs all;
	struct stat st;
	int result;

	if (fd < 0 || fstat(fd, &st) || fstatvfs(fd, &all))
		return -1;
	if ((off_t)all.f_bavail * 4096 > (CROWD_WORKERS + 1) * LAND_BYTES)
		result = fallocate(fd, 0, st.st_size, LAND_BYTES);
	else
		result = ftruncate(fd, 0);
	return close(fd) ? -1 : result;
}

static int do_shared(const struct model_op *op)
{
	char path[32], to[32];
	int result;

	shared_path(op->name, path);
	shared_path(op->to_name, to);
	if (zones && op->pos % 4 == 0)
		result = land();
	else if (op->node == SHARED_UNLINK)
		result = unlink(path);
	else if (op->node == SHARED_RENAME)
		result = rename(path, to);
	else
		result = shared_file(op, path);
	if (result && errno != ENOENT)
		(void)refused(op, path);
	return 0;
}

int do_crowd(const struct model_op *op)
{
	switch (op->kind) {
	case OP_PUSH:
		return do_push(op);
	case OP_POP:
		return do_pop(op);
	case OP_SCATTER:
		return do_scatter(op);
	case OP_SCATTER_SYNC:
		return do_scatter_sync(op);
	case OP_RENEW:
		return do_renew(op);
	default:
		return do_shared(op);
	}
}

/* ---- what lies ready ---- */

static void ready(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void fill(void)
{
	int fd = open("ballast", O_CREAT | O_RDWR, 0600);
	struct statvfs st;

	ready(fd >= 0 && !statvfs(".", &st), "ballast");
	ready(!posix_fallocate(fd, 0, (off_t)(st.f_bavail - FREE_BLOCKS) * 4096) && !close(fd),
	      "ballast");
}

void prepare_crowd(unsigned int workers, const char *mode)
{
	char path[32];
	unsigned int w;

	for (w = 1; w <= workers; w++) {
		sprintf(path, "own%u", w);
		ready(!mkdir(path, 0755), path);
		strcat(path, "/queue");
		ready(!mkdir(path, 0755), path);
	}
	ready(!mkdir("shared", 0755), "shared");
	full = !strcmp(mode, "full");
	zones = !strcmp(mode, "zones");
	faults = !strcmp(mode, "faults");
	if (full)
		fill();
	sync();
}
