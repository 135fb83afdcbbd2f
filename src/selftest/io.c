// SPDX-License-Identifier: GPL-2.0-only
/*
 * io.c - steps on the ways into a file that go past read(2) and write(2): mapped, direct, async.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps.h"

#define SFS_CHUNK	65536

void sfs_step_mmap(struct sfs_worker *w)
{
	int fd = open("map", O_RDWR | O_CREAT, 0644);
	char buf[8];
	char *map;

	(void)w;
	WANT(fd >= 0 && !ftruncate(fd, 16384) && pwrite(fd, "known", 5, 0) == 5);
	map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (WANT(map != MAP_FAILED)) {
		WANT(!memcmp(map, "known", 5));
		memset(map + 9000, 'm', 6);	/* into a hole */
		WANT(!msync(map, 16384, MS_SYNC));
		WANT(pread(fd, buf, 6, 9000) == 6 && buf[0] == 'm' && buf[5] == 'm');
		memset(map + 9000, 'a', 5);
		WANT(!munmap(map, 16384));
	}
	map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (WANT(map != MAP_FAILED)) {
		memset(map, 'p', 7);
		WANT(pread(fd, buf, 5, 0) == 5 && !memcmp(buf, "known", 5));
		WANT(!munmap(map, 16384));
	}
	WANT(!fsync(fd) && pread(fd, buf, 5, 9000) == 5 && buf[0] == 'a' && buf[4] == 'a');
	close(fd);
	WANT(!unlink("map"));
}

void sfs_step_direct(struct sfs_worker *w)
{
	int fd = open("direct", O_RDWR | O_CREAT | O_DIRECT, 0644);
	int cached = open("direct", O_RDWR);
	void *mem = NULL;
	char *buf;

	(void)w;
	if (!WANT(fd >= 0 && cached >= 0 && !posix_memalign(&mem, 4096, SFS_CHUNK)))
		return;
	buf = mem;
	memset(buf, 'd', SFS_CHUNK);
	WANT(write(fd, buf, SFS_CHUNK) == SFS_CHUNK && write(fd, buf, SFS_CHUNK) == SFS_CHUNK);
	WANT(pwrite(fd, buf, SFS_CHUNK, 4096) == SFS_CHUNK);		/* over what is there */
	WANT(pwrite(fd, buf, 4096, 10 * SFS_CHUNK) == 4096);		/* past the end */
	memset(buf, 0, 4096);
	WANT(pread(fd, buf, 4096, SFS_CHUNK) == 4096 && buf[0] == 'd' && buf[4095] == 'd');
	WANT(pread(fd, buf, 4096, 5 * SFS_CHUNK) == 4096 && !buf[0]);	/* a hole */
	FAILS(pwrite(fd, buf + 1, 4095, 1), EINVAL);
	/* Promised by a cached write, then written past the cache. */
	WANT(pwrite(cached, "cached", 6, 20 * SFS_CHUNK) == 6);
	memset(buf, 'e', 4096);
	WANT(pwrite(fd, buf, 4096, 20 * SFS_CHUNK) == 4096);
	WANT(pread(cached, buf, 6, 20 * SFS_CHUNK) == 6 && !memcmp(buf, "eeeeee", 6));
	WANT(!fsync(fd));
	close(fd);
	close(cached);
	free(mem);
	WANT(!unlink("direct"));
}

/* Two direct writes and a read in flight at once; a kernel may have been built without aio. */
void sfs_step_async(struct sfs_worker *w)
{
	struct iocb cbs[2] = { 0 };
	struct iocb *list[2] = { &cbs[0], &cbs[1] };
	struct io_event events[2];
	aio_context_t ctx = 0;
	void *mem = NULL;
	int fd;
	int i;

	(void)w;
	if (syscall(SYS_io_setup, 4, &ctx)) {
		WANT(errno == ENOSYS || errno == EAGAIN);
		return;
	}
	fd = open("async", O_RDWR | O_CREAT | O_DIRECT, 0644);
	WANT(fd >= 0 && !posix_memalign(&mem, 4096, SFS_CHUNK));
	/* Inside the file, or they would be done one after the other. */
	WANT(!fallocate(fd, 0, 0, 4 * SFS_CHUNK));
	for (i = 0; i < 2 && mem; i++) {
		memset(mem, 'a', SFS_CHUNK);
		cbs[i].aio_lio_opcode = IOCB_CMD_PWRITE;
		cbs[i].aio_fildes = fd;
		cbs[i].aio_buf = (unsigned long)mem;
		cbs[i].aio_nbytes = SFS_CHUNK;
		cbs[i].aio_offset = 2 * i * SFS_CHUNK;
	}
	WANT(syscall(SYS_io_submit, ctx, 2L, list) == 2);
	WANT(syscall(SYS_io_getevents, ctx, 2L, 2L, events, NULL) == 2 &&
	     events[0].res == SFS_CHUNK && events[1].res == SFS_CHUNK);
	WANT(!syscall(SYS_io_destroy, ctx));
	WANT(mem && pread(fd, mem, 4096, 2 * SFS_CHUNK) == 4096 && *(char *)mem == 'a');
	close(fd);
	free(mem);
	WANT(!unlink("async"));
}
