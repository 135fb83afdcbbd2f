// SPDX-License-Identifier: GPL-2.0-only
/*
 * nbd-log.c - serves files as disks over the NBD protocol and records every write and flush.
 *
 * usage: nbd-log SOCKET LOG FILE...
 * Each file is an export under its number (0, 1, ...).  One process serves them all, so the record
 * has one order over all disks, which a journal on a device of its own needs.  Requests that wait
 * together are answered as unkindly as a disk may: flushes first, then the rest backwards; so a
 * flush covers only what the machine had seen complete.  Prints "ready" when it listens; ends when
 * all connections that were made have been closed.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "nbd-log.h"

#define DISKS		8
#define REQUESTS	256
#define REQUEST_MAX	(32u << 20)

enum {
	OPT_EXPORT_NAME = 1, OPT_ABORT = 2, OPT_GO = 7,
	REP_ACK = 1, REP_INFO = 3,
	FLAGS = 1 | 4,				/* flags are there, flushes are understood */
	CMD_READ = 0, CMD_WRITE = 1, CMD_DISC = 2, CMD_FLUSH = 3,
};
#define REP_ERR_UNSUP	0x80000001u
#define REP_ERR_UNKNOWN	0x80000006u
#define OPT_MAGIC	0x49484156454f5054ULL	/* IHAVEOPT */
#define REP_MAGIC	0x0003e889045565a9ULL
#define REQUEST_MAGIC	0x25609513u
#define REPLY_MAGIC	0x67446698u

struct request {
	int fd;
	int disk;
	uint16_t type;
	uint64_t handle, offset;
	uint32_t nbytes;
	uint8_t *data;
};

static int disk_fd[DISKS];
static int disks;
static struct pollfd polled[DISKS + 1];		/* the last but one are connections */
static int conn_disk[DISKS + 1];
static int conns, ever;
static FILE *record;
static struct request queue[REQUESTS];
static int queued;

static void die(const char *what)
{
	fprintf(stderr, "nbd-log: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* False at the end of the connection. */
static bool get(int fd, void *p, size_t nbytes)
{
	uint8_t *b = p;

	while (nbytes) {
		ssize_t n = read(fd, b, nbytes);

		if (n <= 0)
			return false;
		b += n;
		nbytes -= n;
	}
	return true;
}

static bool put(int fd, const void *p, size_t nbytes)
{
	const uint8_t *b = p;

	while (nbytes) {
		ssize_t n = write(fd, b, nbytes);

		if (n <= 0)
			return false;
		b += n;
		nbytes -= n;
	}
	return true;
}

static uint64_t disk_nbytes(int disk)
{
	struct stat st;

	if (fstat(disk_fd[disk], &st))
		die("fstat");
	return st.st_size;
}

/* ---- the greeting ---- */

static bool reply_option(int fd, uint32_t option, uint32_t type, const void *data, uint32_t nbytes)
{
	struct {
		uint64_t magic;
		uint32_t option, type, nbytes;
	} __attribute__((packed)) head = {
		htobe64(REP_MAGIC), htobe32(option), htobe32(type), htobe32(nbytes),
	};

	return put(fd, &head, sizeof(head)) && put(fd, data, nbytes);
}

/* The disk that @name means, or -1. */
static int disk_of(const uint8_t *name, uint32_t len)
{
	return len == 1 && name[0] >= '0' && name[0] < '0' + disks ? name[0] - '0' : -1;
}

/* 1: the export was chosen; 0: go on; -1: the connection is over. */
static int take_option(int fd, uint32_t option, const uint8_t *data, uint32_t nbytes, int *ret_disk)
{
	struct {
		uint16_t kind;
		uint64_t nbytes;
		uint16_t flags;
	} __attribute__((packed)) info = { 0, 0, htobe16(FLAGS) };
	uint32_t len;

	if (option == OPT_ABORT)
		return -1;
	if (option != OPT_GO || nbytes < 4)
		return reply_option(fd, option, REP_ERR_UNSUP, NULL, 0) ? 0 : -1;
	memcpy(&len, data, 4);
	len = be32toh(len);
	*ret_disk = len <= nbytes - 4 ? disk_of(data + 4, len) : -1;
	if (*ret_disk < 0)
		return reply_option(fd, option, REP_ERR_UNKNOWN, NULL, 0) ? 0 : -1;
	info.nbytes = htobe64(disk_nbytes(*ret_disk));
	if (!reply_option(fd, option, REP_INFO, &info, sizeof(info)) ||
	    !reply_option(fd, option, REP_ACK, NULL, 0))
		return -1;
	return 1;
}

static bool greet(int fd, int *ret_disk)
{
	struct {
		char magic[8], option[8];
		uint16_t flags;
	} __attribute__((packed)) hello = { "NBDMAGIC", "IHAVEOPT", htobe16(1 | 2) };
	struct {
		uint64_t magic;
		uint32_t option, nbytes;
	} __attribute__((packed)) ask;
	uint8_t data[4096];
	uint32_t flags;
	int state = 0;

	if (!put(fd, &hello, sizeof(hello)) || !get(fd, &flags, sizeof(flags)))
		return false;
	while (!state) {
		if (!get(fd, &ask, sizeof(ask)) || be64toh(ask.magic) != OPT_MAGIC ||
		    be32toh(ask.nbytes) > sizeof(data) || !get(fd, data, be32toh(ask.nbytes)))
			return false;
		state = take_option(fd, be32toh(ask.option), data, be32toh(ask.nbytes), ret_disk);
	}
	return state > 0;
}

/* ---- requests ---- */

static void record_entry(const struct request *r, enum nbd_log_kind kind, uint64_t nbytes)
{
	struct nbd_log_entry e = { NBD_LOG_MAGIC, r->disk, kind, r->offset, nbytes };

	if (fwrite(&e, sizeof(e), 1, record) != 1 ||
	    (nbytes && fwrite(r->data, nbytes, 1, record) != 1))
		die("record");
}

static bool answer(struct request *r)
{
	struct {
		uint32_t magic, error;
		uint64_t handle;
	} __attribute__((packed)) reply = { htobe32(REPLY_MAGIC), 0, r->handle };
	bool good = true;

	switch (r->type) {
	case CMD_READ:
		r->data = malloc(r->nbytes);
		good = pread(disk_fd[r->disk], r->data, r->nbytes, r->offset) == r->nbytes;
		break;
	case CMD_WRITE:
		good = pwrite(disk_fd[r->disk], r->data, r->nbytes, r->offset) == r->nbytes;
		if (good)
			record_entry(r, NBD_LOG_WRITE, r->nbytes);
		break;
	case CMD_FLUSH:
		record_entry(r, NBD_LOG_FLUSH, 0);
		break;
	default:
		good = false;
	}
	reply.error = htobe32(good ? 0 : 5);
	good = put(r->fd, &reply, sizeof(reply)) &&
	       (r->type != CMD_READ || reply.error || put(r->fd, r->data, r->nbytes));
	free(r->data);
	return good;
}

/* One request of a connection, into the queue; false: the connection is over. */
static bool take_request(int fd, int disk)
{
	struct {
		uint32_t magic;
		uint16_t flags, type;
		uint64_t handle, offset;
		uint32_t nbytes;
	} __attribute__((packed)) ask;
	struct request *r = &queue[queued];

	if (!get(fd, &ask, sizeof(ask)) || be32toh(ask.magic) != REQUEST_MAGIC ||
	    be16toh(ask.type) == CMD_DISC || be32toh(ask.nbytes) > REQUEST_MAX)
		return false;
	*r = (struct request) {
		.fd = fd, .disk = disk, .type = be16toh(ask.type), .handle = ask.handle,
		.offset = be64toh(ask.offset), .nbytes = be32toh(ask.nbytes),
	};
	if (r->type == CMD_WRITE) {
		r->data = malloc(r->nbytes);
		if (!r->data || !get(fd, r->data, r->nbytes))
			return false;
	}
	queued++;
	return true;
}

static void answer_all(void)
{
	int i;

	for (i = 0; i < queued; i++)
		if (queue[i].type == CMD_FLUSH)
			(void)answer(&queue[i]);
	for (i = queued - 1; i >= 0; i--)
		if (queue[i].type != CMD_FLUSH)
			(void)answer(&queue[i]);
	queued = 0;
}

static void drop(int i)
{
	close(polled[i].fd);
	conns--;
	polled[i] = polled[conns + 1];
	conn_disk[i] = conn_disk[conns + 1];
}

static void serve(void)
{
	int i;
	int waiting;

	if (poll(polled, conns + 1, -1) < 0)
		die("poll");
	if (polled[0].revents && conns < DISKS) {
		int fd = accept(polled[0].fd, NULL, NULL);
		int disk;

		if (fd >= 0 && greet(fd, &disk)) {
			conns++;
			ever++;
			polled[conns] = (struct pollfd) { .fd = fd, .events = POLLIN };
			conn_disk[conns] = disk;
		} else if (fd >= 0) {
			close(fd);
		}
		return;
	}
	for (i = conns; i > 0; i--) {
		bool alive = true;

		if (!polled[i].revents)
			continue;
		do {
			alive = take_request(polled[i].fd, conn_disk[i]);
			waiting = 0;
		} while (alive && queued < REQUESTS &&
			 !ioctl(polled[i].fd, FIONREAD, &waiting) && waiting > 0);
		if (!alive || queued == REQUESTS)
			answer_all();
		if (!alive)
			drop(i);
	}
	answer_all();
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int i;

	if (argc < 4 || argc - 3 > DISKS || strlen(argv[1]) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "usage: nbd-log SOCKET LOG FILE...\n");
		return 2;
	}
	for (i = 3; i < argc; i++) {
		disk_fd[disks] = open(argv[i], O_RDWR | O_CLOEXEC);
		if (disk_fd[disks++] < 0)
			die(argv[i]);
	}
	record = fopen(argv[2], "w");
	if (!record)
		die(argv[2]);
	strcpy(addr.sun_path, argv[1]);
	signal(SIGPIPE, SIG_IGN);
	polled[0] = (struct pollfd) {
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN,
	};
	if (polled[0].fd < 0 || bind(polled[0].fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(polled[0].fd, DISKS))
		die(argv[1]);
	printf("ready\n");
	fflush(stdout);
	while (!ever || conns)
		serve();
	if (fclose(record))
		die(argv[2]);
	return 0;
}
