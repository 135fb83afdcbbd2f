// SPDX-License-Identifier: GPL-2.0-only
/*
 * dev.c - a device or image: whether it can be had, how large it is, and that it is lasting.
 *
 * What is read from it and written to it passes the cache (cache.c).
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"

static int sfs_dev_size(int fd, u64 *ret_nbytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(fd, BLKGETSIZE64, ret_nbytes))
			return -errno;
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return -ENOTBLK;
	*ret_nbytes = st.st_size;
	return 0;
}

int sfs_dev_open(const char *path, bool writable, struct sfs_dev **ret_dev)
{
	struct sfs_dev *dev;
	struct stat st;
	u64 nbytes = 0;
	int flags = writable ? O_RDWR : O_RDONLY;
	char loop[SFS_LOOP_NAME];
	int err;

	if (stat(path, &st))
		return -errno;
	/* Before it is opened: that of a FIFO would wait for a writer. */
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -ENOTBLK;
	if (writable && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	if (writable && sfs_loop_is_busy(path, loop))
		return -EBUSY;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	dev->d_fd = open(path, flags | O_CLOEXEC);
	if (dev->d_fd < 0) {
		err = -errno;
		goto free_dev;
	}
	err = sfs_dev_size(dev->d_fd, &nbytes);
	if (err)
		goto close_fd;
	dev->d_nblks = nbytes >> SFS_BLOCK_BITS;
	dev->d_writable = writable;
	dev->d_max = SFS_CACHE_MAX;
	dev->d_full = SFS_CACHE_MAX;
	*ret_dev = dev;
	return 0;

close_fd:
	close(dev->d_fd);
free_dev:
	free(dev);
	return err;
}

const char *sfs_dev_error(int err)
{
	return err == -ENOTBLK ? "neither block device nor file" : strerror(-err);
}

bool sfs_dev_is_busy(const char *path)
{
	char loop[SFS_LOOP_NAME];
	struct stat st;
	bool busy;
	int fd;

	if (stat(path, &st) || !S_ISBLK(st.st_mode))
		return sfs_loop_is_busy(path, loop);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	busy = fd < 0 && errno == EBUSY;
	if (fd >= 0)
		close(fd);
	return busy;
}

int sfs_dev_fd(const struct sfs_dev *dev)
{
	return dev->d_fd;
}

u64 sfs_dev_nblks(const struct sfs_dev *dev)
{
	return dev->d_nblks;
}

int sfs_dev_grow(struct sfs_dev *dev, u64 nblks)
{
	if (ftruncate(dev->d_fd, nblks << SFS_BLOCK_BITS))
		return -errno;
	dev->d_nblks = nblks;
	return 0;
}

void sfs_dev_guard(struct sfs_dev *dev, sfs_guard_fn guard, void *arg)
{
	dev->d_guard = guard;
	dev->d_guard_arg = arg;
}

int sfs_dev_write_error(const struct sfs_dev *dev)
{
	return dev->d_write_err;
}

bool sfs_dev_gives(struct sfs_dev *dev, u64 blk, const void *data)
{
	u8 now[SFS_BLOCK_SIZE];
	off_t pos = blk << SFS_BLOCK_BITS;

	/* What the page cache has says nothing of the device. */
	(void)!posix_fadvise(dev->d_fd, pos, SFS_BLOCK_SIZE, POSIX_FADV_DONTNEED);
	return pread(dev->d_fd, now, sizeof(now), pos) == sizeof(now) &&
	       !memcmp(now, data, sizeof(now));
}

int sfs_dev_sync(struct sfs_dev *dev)
{
	return fsync(dev->d_fd) ? -errno : 0;
}
