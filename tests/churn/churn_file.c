// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn_file.c - what a worker does to the content of its own files, and how it judges them.
 *
 * Nobody else touches them: whatever is read, in whichever way, must be what the model says.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "churn.h"
#include "tap/store.h"

static void grow(struct object *o, off_t size)
{
	if (size > o->size) {
		memset(o->data + o->size, 0, size - o->size);
		o->size = size;
	}
}

/* Any file, open; NULL when there is none. */
static struct object *begin(int *ret_fd, int flags)
{
	struct object *o = object_pick();

	if (!o)
		return NULL;
	*ret_fd = object_open(o, flags);
	must(*ret_fd, 0, "open");
	return o;
}

/* Whatever the answer was, the size must be what the model says. */
static void end(const struct object *o, int fd)
{
	struct stat st;

	must(fstat(fd, &st), 0, "fstat");
	errno = 0;
	if (st.st_size != o->size)
		bad("file %x: afterwards it has %ld bytes, not %ld", o->serial, (long)st.st_size,
		    (long)o->size);
	close(fd);
}

static void scribble(struct object *o, off_t pos, size_t nbytes)
{
	trace(o, pos, nbytes);
	stamp(bounce, me, o->serial, o->version++, pos, nbytes);
}

static void taken(struct object *o, off_t pos, ssize_t n)
{
	grow(o, pos + n);
	memcpy(o->data + pos, bounce, n);
}

void object_compare(struct object *o, int fd)
{
	ssize_t n = pread(fd, bounce, FILE_BYTES, 0);

	if (must(n, 0, "read"))
		compare(o, 0, bounce, n, FILE_BYTES, "read");
}

static void check_range(struct object *o, int fd, off_t pos, size_t nbytes, const char *what)
{
	ssize_t n = pread(fd, bounce, nbytes, pos);

	if (must(n, 0, "read back"))
		compare(o, pos, bounce, n, nbytes, what);
}

/*
 * A write of @nbytes of bounce[] at @pos came to @n.  False: to an error, and nothing is known of
 * the range; else the file holds what was taken.
 */
static bool wrote(struct object *o, int fd, off_t pos, size_t nbytes, ssize_t n, const char *what)
{
	if (!grew(n, 0, what))
		return false;
	taken(o, pos, n);
	check_range(o, fd, pos, nbytes, what);
	return true;
}

void object_write(struct object *o, int fd, off_t pos, size_t nbytes, const char *what)
{
	ssize_t n;

	scribble(o, pos, nbytes);
	n = pwrite(fd, bounce, nbytes, pos);
	if (n >= 0 && n != (ssize_t)nbytes && !full)
		bad("%s: %zd bytes of %zu", what, n, nbytes);
	wrote(o, fd, pos, nbytes, n, what);
}

static size_t some_bytes(off_t pos, unsigned int most)
{
	off_t nbytes = 1 + rnd(most);

	return nbytes > FILE_BYTES - pos ? FILE_BYTES - pos : nbytes;
}

static void own_write(int unused)
{
	off_t pos = rnd(FILE_BYTES - 1);
	struct object *o;
	int fd;

	(void)unused;
	o = begin(&fd, O_RDWR);
	if (!o)
		return;
	object_write(o, fd, pos, some_bytes(pos, FILE_BYTES / 4), "write");
	end(o, fd);
}

static void own_append(int unused)
{
	struct object *o;
	size_t nbytes;
	int fd;

	(void)unused;
	o = begin(&fd, O_RDWR | O_APPEND);
	if (!o)
		return;
	nbytes = o->size < FILE_BYTES ? some_bytes(o->size, 9000) : 0;
	scribble(o, o->size, nbytes);
	if (nbytes)
		wrote(o, fd, o->size, nbytes, write(fd, bounce, nbytes), "append");
	end(o, fd);
}

static void own_overwrite(int unused)
{
	struct object *o;
	off_t pos;
	int fd;

	(void)unused;
	o = begin(&fd, O_RDWR);
	if (!o)
		return;
	if (o->size) {
		pos = rnd(o->size);
		object_write(o, fd, pos, 1 + rnd(o->size - pos), "overwrite");
	}
	end(o, fd);
}

/* A direct write that failed half way may have written some: each byte is the old or the new. */
static void settle(struct object *o, int fd, off_t pos, size_t nbytes)
{
	static unsigned char new[FILE_BYTES];
	off_t i;
	ssize_t n;

	memcpy(new, bounce, nbytes);
	n = pread(fd, bounce, nbytes, pos);
	if (!must(n, 0, "read back"))
		return;
	errno = 0;
	if (n > 0 && pos + n > o->size)
		bad("direct write: failed, and the file of %ld has grown", (long)o->size);
	for (i = 0; i < n; i++)
		if (bounce[i] == new[i])
			o->data[pos + i] = new[i];
	compare(o, pos, bounce, n, nbytes, "direct write that failed");
}

static void own_direct_write(int unused)
{
	off_t pos = rnd(FILE_BYTES / BLOCK) * BLOCK;
	size_t nbytes = (1 + rnd(8)) * BLOCK;
	struct object *o;
	int fd;

	(void)unused;
	o = begin(&fd, O_RDWR | O_DIRECT);
	if (!o)
		return;
	if (pos + nbytes > FILE_BYTES)
		nbytes = FILE_BYTES - pos;
	scribble(o, pos, nbytes);
	if (!wrote(o, fd, pos, nbytes, pwrite(fd, bounce, nbytes, pos), "direct write"))
		settle(o, fd, pos, nbytes);
	end(o, fd);
}

/* Direct when @flags say so. */
static void own_read(int flags)
{
	off_t pos = rnd(FILE_BYTES / BLOCK) * BLOCK;
	struct object *o;
	ssize_t n;
	int fd;

	o = begin(&fd, O_RDONLY | flags);
	if (!o)
		return;
	trace(o, pos, FILE_BYTES - pos);
	n = pread(fd, bounce, FILE_BYTES - pos, pos);
	if (did(n, 0, "read"))
		compare(o, pos, bounce, n, FILE_BYTES - pos, flags ? "direct read" : "read");
	end(o, fd);
}

/* @way: up, down or to the same size. */
static void own_cut(int way)
{
	struct object *o;
	off_t size;
	int fd;

	o = begin(&fd, O_RDWR);
	if (!o)
		return;
	size = o->size;
	if (way > 0)
		size += rnd(FILE_BYTES - size + 1);
	else if (way < 0)
		size = rnd(4) ? rnd(size + 1) : 0;
	trace(o, size, 0);
	if (way > 0 ? grew(ftruncate(fd, size), 0, "ftruncate") :
		      did(ftruncate(fd, size), 0, "ftruncate")) {
		grow(o, size);
		o->size = size;
		object_compare(o, fd);
	}
	end(o, fd);
}

static void own_fallocate(int flags)
{
	off_t pos = rnd(FILE_BYTES - 1);
	size_t nbytes = some_bytes(pos, FILE_BYTES / 2);
	struct object *o;
	int fd;

	o = begin(&fd, O_RDWR);
	if (!o)
		return;
	trace(o, pos, nbytes);
	if (grew(fallocate(fd, flags, pos, nbytes), 0, "fallocate")) {
		if (!(flags & FALLOC_FL_KEEP_SIZE))
			grow(o, pos + nbytes);
		if ((flags & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) && pos < o->size)
			memset(o->data + pos, 0,
			       (off_t)nbytes < o->size - pos ? (off_t)nbytes : o->size - pos);
		object_compare(o, fd);
	} else if (flags & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		memset(bounce, 0, nbytes);
		settle(o, fd, pos, nbytes);
	}
	end(o, fd);
}

/* Whole blocks go, or come; a range that nothing may be done with is left to another call. */
static void own_shift(int mode)
{
	struct object *o;
	off_t nblks, pos, nbytes;
	int fd;

	o = begin(&fd, O_RDWR);
	if (!o)
		return;
	nblks = (o->size - 1) / BLOCK;
	pos = nblks > 0 ? rnd(nblks) * BLOCK : 0;
	nbytes = mode == FALLOC_FL_COLLAPSE_RANGE ? nblks * BLOCK - pos : FILE_BYTES - o->size;
	nbytes = nbytes < BLOCK ? 0 : (1 + rnd(nbytes / BLOCK)) * BLOCK;
	if (!o->size || !nbytes) {
		end(o, fd);
		return;
	}
	if (mode == FALLOC_FL_COLLAPSE_RANGE) {
		if (did(fallocate(fd, mode, pos, nbytes), 0, "collapse")) {
			memmove(o->data + pos, o->data + pos + nbytes, o->size - pos - nbytes);
			o->size -= nbytes;
		}
	} else if (grew(fallocate(fd, mode, pos, nbytes), 0, "insert")) {
		memmove(o->data + pos + nbytes, o->data + pos, o->size - pos);
		memset(o->data + pos, 0, nbytes);
		o->size += nbytes;
	}
	object_compare(o, fd);
	end(o, fd);
}

static sigjmp_buf no_page;

static void on_sigbus(int sig)
{
	siglongjmp(no_page, sig);
}

off_t map_store(unsigned char *map, off_t pos, off_t stop)
{
	volatile off_t at = pos;

	signal(SIGBUS, on_sigbus);
	if (sigsetjmp(no_page, 1))
		return at;
	while (at < stop) {
		off_t next = (at / BLOCK + 1) * BLOCK;

		if (next > stop)
			next = stop;
		if (!store_bytes(map + at, bounce + (at - pos), next - at))
			return at;
		at = next;
	}
	return at;
}

static void store(struct object *o, unsigned char *map, off_t pos, off_t stop)
{
	off_t at = map_store(map, pos, stop);

	memcpy(o->data + pos, bounce, at - pos);
	errno = ENOSPC;
	grew(at < stop ? -1 : 0, 0, "a store to a mapping");
}

static void own_map(int unused)
{
	unsigned char *map;
	struct object *o;
	off_t pos, stop;
	int fd;

	(void)unused;
	o = begin(&fd, O_RDWR);
	if (!o)
		return;
	if (o->size) {
		map = mmap(NULL, o->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			bad("mmap");
		pos = rnd(o->size);
		stop = pos + 1 + rnd(20000);
		if (stop > o->size)
			stop = o->size;
		scribble(o, pos, stop - pos);
		store(o, map, pos, stop);
		if (!rnd(3))
			must(msync(map, o->size, MS_SYNC), 0, "msync");
		compare(o, 0, map, o->size, o->size, "mapping");
		munmap(map, o->size);
		object_compare(o, fd);
	}
	end(o, fd);
}

/* @how: fsync, fdatasync or sync_file_range. */
static void own_sync(int how)
{
	struct object *o;
	int fd;

	o = begin(&fd, O_RDWR);
	if (!o)
		return;
	trace(o, 0, o->size);
	if (how == 0)
		did(fsync(fd), 0, "fsync");
	else if (how == 1)
		did(fdatasync(fd), 0, "fdatasync");
	else
		did(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				    SYNC_FILE_RANGE_WAIT_AFTER), 0, "sync_file_range");
	end(o, fd);
}

const struct op file_ops[] = {
	{ "write", 10, own_write, 0 },
	{ "append", 10, own_append, 0 },
	{ "overwrite", 6, own_overwrite, 0 },
	{ "direct write", 6, own_direct_write, 0 },
	{ "direct read", 3, own_read, O_DIRECT },
	{ "read", 3, own_read, 0 },
	{ "truncate up", 3, own_cut, 1 },
	{ "truncate down", 6, own_cut, -1 },
	{ "truncate same", 2, own_cut, 0 },
	{ "fallocate", 4, own_fallocate, 0 },
	{ "fallocate keep", 4, own_fallocate, FALLOC_FL_KEEP_SIZE },
	{ "punch", 8, own_fallocate, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE },
	{ "zero range", 4, own_fallocate, FALLOC_FL_ZERO_RANGE },
	{ "zero range keep", 4, own_fallocate, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE },
	{ "collapse", 5, own_shift, FALLOC_FL_COLLAPSE_RANGE },
	{ "insert", 5, own_shift, FALLOC_FL_INSERT_RANGE },
	{ "mmap", 6, own_map, 0 },
	{ "fsync", 3, own_sync, 0 },
	{ "fdatasync", 2, own_sync, 1 },
	{ "sync_file_range", 2, own_sync, 2 },
};
const unsigned int file_ops_count = sizeof(file_ops) / sizeof(file_ops[0]);
