// SPDX-License-Identifier: GPL-2.0-only
/*
 * data.c - steps on the content of files: written, sparse, in many pieces, reserved, moved along.
 */
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "steps.h"

#define SFS_HOLE_AT	(3LL << 30)
#define SFS_PIECES	400		/* extents: more than one tree node holds */

static void sfs_pattern_fill(unsigned char *buf, size_t nbytes, unsigned int seed, long long pos)
{
	size_t i;

	for (i = 0; i < nbytes; i++)
		buf[i] = seed * 131 + (pos + i) * 7 + ((pos + i) >> 12) * 13;
}

bool sfs_pattern_write(int fd, unsigned int seed, long long nbytes)
{
	unsigned char buf[40001];	/* odd, so that pieces do not end with blocks */
	long long pos = 0;

	while (pos < nbytes) {
		size_t piece = nbytes - pos < (long long)sizeof(buf) ? (size_t)(nbytes - pos) :
								       sizeof(buf);

		sfs_pattern_fill(buf, piece, seed, pos);
		if (write(fd, buf, piece) != (ssize_t)piece)
			return false;
		pos += piece;
	}
	return true;
}

bool sfs_pattern_is(const char *path, unsigned int seed, long long nbytes)
{
	static unsigned char got[65536];
	static unsigned char want[65536];
	int fd = open(path, O_RDONLY);
	long long pos = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, got, sizeof(got))) > 0) {
		sfs_pattern_fill(want, n, seed, pos);
		if (memcmp(got, want, n))
			break;
		pos += n;
	}
	close(fd);
	return n == 0 && pos == nbytes;
}

bool sfs_pattern_file(const char *path, unsigned int seed, long long nbytes, bool sync)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	bool good = fd >= 0 && sfs_pattern_write(fd, seed, nbytes);

	if (good && sync)
		good = !fsync(fd);
	return !close(fd) && good;
}

void sfs_step_write(struct sfs_worker *w)
{
	struct iovec vec[2] = { { "head", 4 }, { "tail", 4 } };
	char buf[16];
	int fd;

	(void)w;
	WANT(sfs_pattern_file("big", 7, 3 << 20, true) && sfs_pattern_is("big", 7, 3 << 20));
	fd = open("small", O_RDWR | O_CREAT | O_APPEND | O_SYNC, 0644);
	WANT(fd >= 0 && writev(fd, vec, 2) == 8 && write(fd, "!", 1) == 1);
	WANT(pread(fd, buf, sizeof(buf), 0) == 9 && !memcmp(buf, "headtail!", 9));
	WANT(!fdatasync(fd) && pread(fd, buf, sizeof(buf), 9) == 0);
	close(fd);
	fd = open("big", O_RDWR);
	WANT(pwrite(fd, "over", 4, 4094) == 4 && pread(fd, buf, 4, 4094) == 4 &&
	     !memcmp(buf, "over", 4));
	FAILS(pwrite(fd, buf, 4, LLONG_MAX - 2), EINVAL);
	FAILS(syscall(SYS_pwrite64, fd, 8L, 4L, 0L), EFAULT);
	/* Dropped from memory and read from the device. */
	WANT(!fsync(fd) && !posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	WANT(!posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) && pread(fd, buf, 4, 4094) == 4 &&
	     !memcmp(buf, "over", 4));
	close(fd);
	FAILS(open("names", O_RDWR | O_CREAT, 0644), EISDIR);
	WANT(!unlink("small") && !unlink("big"));
}

void sfs_step_sparse(struct sfs_worker *w)
{
	int fd = open("sparse", O_RDWR | O_CREAT, 0644);
	struct stat st;
	char buf[8] = "x";

	(void)w;
	WANT(fd >= 0 && pwrite(fd, "end", 3, SFS_HOLE_AT) == 3);
	WANT(lseek(fd, 0, SEEK_DATA) == SFS_HOLE_AT);	/* promised, not yet written */
	WANT(!fsync(fd) && !fstat(fd, &st) && st.st_blocks <= 16);
	WANT(lseek(fd, 0, SEEK_DATA) == SFS_HOLE_AT && lseek(fd, 0, SEEK_HOLE) == 0);
	FAILS(lseek(fd, SFS_HOLE_AT + 3, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, 0, 77), EINVAL);
	WANT(pread(fd, buf, 1, 12345) == 1 && !buf[0]);
	WANT(pwrite(fd, "z", 1, LLONG_MAX - 1) == 1 && !fsync(fd));
	WANT(!ftruncate(fd, SFS_HOLE_AT + 1) && pread(fd, buf, 8, SFS_HOLE_AT) == 1);
	close(fd);
	WANT(!unlink("sparse"));
}

void sfs_step_extents(struct sfs_worker *w)
{
	int fd = open("pieces", O_RDWR | O_CREAT, 0644);
	bool good = fd >= 0;
	char buf[4096];
	struct stat st;
	int i;

	(void)w;
	memset(buf, 'p', sizeof(buf));
	for (i = 0; i < SFS_PIECES && good; i++)
		good = WANT(pwrite(fd, buf, sizeof(buf), 2 * i * 4096LL) == sizeof(buf));
	WANT(!fsync(fd) && !fstat(fd, &st) && st.st_blocks >= SFS_PIECES * 8);
	/* Half of them go one by one, then a promise is cut in the middle, then the rest goes. */
	for (i = 0; i < SFS_PIECES / 2 && good; i += 2)
		good = WANT(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       2 * i * 4096LL, 4096));
	for (i = 0; i < 16 && good; i++)
		good = WANT(pwrite(fd, buf, sizeof(buf), (8192 + i) * 4096LL) == sizeof(buf));
	WANT(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8197 * 4096LL, 8192));
	WANT(!ftruncate(fd, SFS_PIECES * 4096LL + 17) && !fsync(fd));
	close(fd);
	WANT(!unlink("pieces"));
}

static bool sfs_fiemap(int fd)
{
	struct {
		struct fiemap head;
		struct fiemap_extent extents[8];
	} map = { 0 };

	map.head.fm_length = ~0ULL;
	map.head.fm_extent_count = 8;
	map.head.fm_flags = FIEMAP_FLAG_SYNC;
	return !ioctl(fd, FS_IOC_FIEMAP, &map) && map.head.fm_mapped_extents > 0 &&
	       (map.extents[map.head.fm_mapped_extents - 1].fe_flags & FIEMAP_EXTENT_LAST);
}

void sfs_step_fallocate(struct sfs_worker *w)
{
	int fd = open("reserved", O_RDWR | O_CREAT, 0644);
	struct stat st;
	char buf[4] = "xxxx";

	(void)w;
	WANT(fd >= 0 && !fallocate(fd, 0, 0, 1 << 20) && !fstat(fd, &st) && st.st_size == 1 << 20);
	WANT(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 20, 65536) && !fstat(fd, &st) &&
	     st.st_size == 1 << 20 && st.st_blocks >= ((1 << 20) + 65536) / 512);
	WANT(pwrite(fd, "data", 4, 100000) == 4 && !fsync(fd));
	WANT(!fallocate(fd, FALLOC_FL_ZERO_RANGE, 98304, 8192) && pread(fd, buf, 4, 100000) == 4 &&
	     !memcmp(buf, "\0\0\0\0", 4));
	WANT(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 20000));
	WANT(sfs_fiemap(fd));
	WANT(pwrite(fd, "mark", 4, 65536) == 4 &&
	     !fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 8192, 4096) &&
	     pread(fd, buf, 4, 61440) == 4 && !memcmp(buf, "mark", 4));
	WANT(!fallocate(fd, FALLOC_FL_INSERT_RANGE, 8192, 4096) &&
	     pread(fd, buf, 4, 65536) == 4 && !memcmp(buf, "mark", 4));
	FAILS(fallocate(fd, FALLOC_FL_INSERT_RANGE, 1, 4096), EINVAL);
	FAILS(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, 4096), EOPNOTSUPP);
	FAILS(fallocate(fd, 0, 0, 1LL << 40), ENOSPC);
	FAILS(fallocate(fd, 0, -1, 4096), EINVAL);
	close(fd);
	WANT(!unlink("reserved"));
}

void sfs_step_splice(struct sfs_worker *w)
{
	int from;
	int to;
	int fds[2];
	off_t pos = 0;
	bool good;

	(void)w;
	WANT(sfs_pattern_file("from", 8, 50000, false));
	from = open("from", O_RDONLY);
	to = open("to", O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (WANT(from >= 0 && to >= 0 && !pipe2(fds, O_CLOEXEC))) {
		good = splice(from, NULL, fds[1], NULL, 4096, 0) == 4096 &&
		       splice(fds[0], NULL, to, NULL, 4096, 0) == 4096;
		WANT(good);
		close(fds[0]);
		close(fds[1]);
	}
	WANT(!ftruncate(to, 0) && lseek(to, 0, SEEK_SET) == 0);
	WANT(sendfile(to, from, &pos, 50000) == 50000 && sfs_pattern_is("to", 8, 50000));
	WANT(!ftruncate(to, 0) && lseek(from, 0, SEEK_SET) == 0 && lseek(to, 0, SEEK_SET) == 0);
	WANT(copy_file_range(from, NULL, to, NULL, 50000, 0) == 50000 &&
	     sfs_pattern_is("to", 8, 50000));
	close(from);
	close(to);
	WANT(!unlink("from") && !unlink("to"));
}

void sfs_step_ioctl(struct sfs_worker *w)
{
	int fd = open("mapped", O_RDWR | O_CREAT, 0644);
	int flags = FS_NODUMP_FL, found = 0;
	char label[FSLABEL_MAX];
	int blk = 0;

	(void)w;
	WANT(fd >= 0 && sfs_pattern_write(fd, 9, 8192) && !fsync(fd));
	WANT(!ioctl(fd, FIBMAP, &blk) && blk > 0);
	WANT(!ioctl(fd, FS_IOC_SETFLAGS, &flags) && !ioctl(fd, FS_IOC_GETFLAGS, &found) &&
	     found == FS_NODUMP_FL);
	WANT(!ioctl(fd, FS_IOC_GETFSLABEL, label) && !ioctl(fd, FS_IOC_SETFSLABEL, label));
	FAILS(ioctl(fd, _IO('S', 99)), ENOTTY);
	close(fd);
	WANT(!unlink("mapped"));
}
