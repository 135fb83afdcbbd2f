// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops_wide.c - does what wide.h says: labels, and land that zones are begun for.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"

#define SYNCS	12		/* beside a label */

static int asked[2] = { -1, -1 };	/* of who syncs beside: a byte for each label */

void sync_beside(void)
{
	int fd = open(".", O_RDONLY);
	int i;
	char c;

	if (pipe(asked))
		fail(&(struct model_op){ .kind = OP_SYNC }, "pipe");
	if (fork()) {
		close(asked[0]);
		close(fd);
		return;
	}
	close(asked[1]);
	while (read(asked[0], &c, 1) == 1)
		for (i = 0; i < SYNCS; i++)
			(void)!syncfs(fd);
	_exit(0);
}

/* Nobody is in the volume then. */
void sync_beside_end(void)
{
	close(asked[1]);
	(void)wait(NULL);
}

static int do_label(void)
{
	char text[FSLABEL_MAX] = { 0 };
	int fd = open(".", O_RDONLY);
	int err;

	wide_label(m->done + 1, text);
	if (asked[1] >= 0 && write(asked[1], "", 1) != 1)
		return -1;
	err = fd < 0 || ioctl(fd, FS_IOC_SETFSLABEL, text);
	return fd < 0 || err || close(fd) ? -1 : 0;
}

static int do_land(const struct model_op *op)
{
	int fd = open(WIDE_LAND, O_CREAT | O_RDWR, 0600);
	int i;

	for (i = 0; i < 4096; i++)
		buf[i] = model_byte(m->worker, m->done + 1, op->pos + i);
	if (fd < 0 || fallocate(fd, 0, op->pos, op->nbytes) ||
	    pwrite(fd, buf, 4096, op->pos) != 4096 || fsync(fd))
		return -1;
	return close(fd);
}


int do_wide(const struct model_op *op)
{
	if (op->kind == OP_LABEL ? do_label() : do_land(op))
		fail(op, op->kind == OP_LABEL ? "label" : WIDE_LAND);
	return 0;
}
