/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * aio.h - a few asynchronous writes at once, through the kernel's own interface.
 */
#ifndef SFS_AIO_H
#define SFS_AIO_H

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define AIO_MAX		8

/*
 * Writes @count pieces of @nbytes, one behind the other from @pos on, and waits for all of them.
 * How many were begun, or -1 with errno; @ret_results: what each of these came to, or -errno.
 */
static inline int aio_write(int fd, const unsigned char *buf, size_t nbytes, int count, off_t pos,
			    long *ret_results)
{
	static aio_context_t context;
	struct iocb cb[AIO_MAX], *cbs[AIO_MAX];
	struct io_event events[AIO_MAX];
	int i, n;

	if (!context && syscall(SYS_io_setup, AIO_MAX, &context))
		return -1;
	memset(cb, 0, sizeof(cb));
	for (i = 0; i < count; i++) {
		cbs[i] = &cb[i];
		cb[i].aio_fildes = fd;
		cb[i].aio_lio_opcode = IOCB_CMD_PWRITE;
		cb[i].aio_buf = (uintptr_t)(buf + i * nbytes);
		cb[i].aio_nbytes = nbytes;
		cb[i].aio_offset = pos + i * nbytes;
		cb[i].aio_data = i;
	}
	n = syscall(SYS_io_submit, context, count, cbs);
	if (n <= 0)
		return n;
	if (syscall(SYS_io_getevents, context, n, n, events, NULL) != n)
		return -1;
	for (i = 0; i < n; i++)
		ret_results[events[i].data] = events[i].res;
	return n;
}

#endif
