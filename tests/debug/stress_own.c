// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress_own.c - what a worker of the stress mix does to its own files, and how it judges them.
 *
 * Nobody else touches them, so whatever is read, in whichever way, must be what the shadow says.
 */
#include <liburing.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/mman.h>

#include "aio.h"
#include "guest.h"
#include "stress.h"
#include "tap/store.h"

void own_path(char *path, unsigned int worker, unsigned int n)
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

/* @n pieces of four blocks from @base on were begun; what each came to is in @results. */
static void own_batch(struct shadow *s, off_t base, int n, const long *results, const char *what)
{
	int i;

	for (i = 0; i < n; i++) {
		off_t pos = base + i * 4 * BLOCK;

		errno = results[i] < 0 ? -results[i] : 0;
		if (!fine(results[i], s, what))
			continue;
		grow(s, pos + results[i]);
		memcpy(s->data + pos, bounce + (pos - base), results[i]);
	}
}

static void own_aio(int fd, struct shadow *s)
{
	off_t base = rnd(FILE_BYTES / BLOCK - 12) * BLOCK;
	long results[3];
	int n;

	scribble(bounce, 12 * BLOCK);
	n = aio_write(fd, bounce, 4 * BLOCK, 3, base, results);
	if (fine(n, s, "io_submit"))
		own_batch(s, base, n, results, "asynchronous write");
}

/* Three writes at once through a ring, and an fsync that waits for them. */
static void own_ring(int fd, struct shadow *s)
{
	static struct io_uring ring;
	off_t base = rnd(FILE_BYTES / BLOCK - 12) * BLOCK;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	long results[4];
	int i;

	if (!ring.ring_fd && (errno = -io_uring_queue_init(8, &ring, 0)))
		bad("io_uring_queue_init");
	scribble(bounce, 12 * BLOCK);
	for (i = 0; i < 3; i++) {
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_write(sqe, fd, bounce + i * 4 * BLOCK, 4 * BLOCK,
				    base + i * 4 * BLOCK);
		io_uring_sqe_set_data64(sqe, i);
	}
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_fsync(sqe, fd, rnd(2) ? IORING_FSYNC_DATASYNC : 0);
	io_uring_sqe_set_flags(sqe, IOSQE_IO_DRAIN);
	io_uring_sqe_set_data64(sqe, 3);
	i = io_uring_submit_and_wait(&ring, 4);
	errno = -i;
	if (i != 4)
		bad("io_uring_submit_and_wait");
	for (i = 0; i < 4; i++) {
		errno = -io_uring_wait_cqe(&ring, &cqe);
		if (errno)
			bad("io_uring_wait_cqe");
		results[io_uring_cqe_get_data64(cqe)] = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
	}
	own_batch(s, base, 3, results, "write through a ring");
	errno = results[3] < 0 ? -results[3] : 0;
	fine(results[3], s, "fsync through a ring");
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
		if (!store_bytes(map + pos, bounce, 2000))
			bad("a store to a mapping");
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

/* Whole blocks inside the file go, or come. */
static void own_shift(int fd, struct shadow *s)
{
	off_t pos = rnd(s->size / BLOCK + 1) * BLOCK;
	off_t nbytes = (1 + rnd(8)) * BLOCK;

	if (pos + nbytes < s->size && rnd(2)) {
		if (!fine(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, pos, nbytes), s, "collapse"))
			return;
		memmove(s->data + pos, s->data + pos + nbytes, s->size - pos - nbytes);
		s->size -= nbytes;
	} else if (pos < s->size && s->size + nbytes <= FILE_BYTES) {
		if (!fine(fallocate(fd, FALLOC_FL_INSERT_RANGE, pos, nbytes), s, "insert"))
			return;
		memmove(s->data + pos + nbytes, s->data + pos, s->size - pos);
		memset(s->data + pos, 0, nbytes);
		s->size += nbytes;
	}
}

/* Through other names and back, or gone. */
static void own_names(unsigned int n, struct shadow *s)
{
	char path[64], other[64];

	own_path(path, me, n);
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

void own_step(void)
{
	unsigned int n = rnd(FILES);
	struct shadow *s = &self->file[n];
	unsigned int what = rnd(25);
	bool direct = rnd(3) == 0;
	char path[64];
	int fd;

	own_path(path, me, n);
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
	else if (what == 20)
		own_ring(fd, s);
	else if (what > 22)
		own_shift(fd, s);
	else if (what > 20)
		own_extents(fd, s);
	else if (what == 17)
		fine(rnd(2) ? fsync(fd) : fdatasync(fd), s, "fsync");
	else
		fine(fchmod(fd, 0600 + rnd(64)), NULL, "chmod");
	close(fd);
}
