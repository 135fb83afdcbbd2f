// SPDX-License-Identifier: GPL-2.0-only
/*
 * target.c - may this be overwritten, and then: lock it, empty it.
 *
 * A device is opened exclusively, which the kernel refuses while it is mounted or part of
 * something, and its whole disk is locked as udev's rules ask, so that nobody probes half a volume.
 * An image has no such guard but the loop devices on it, which are asked.  Then libblkid, and our
 * own signatures, say whether something is there.
 */
#include <blkid/blkid.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fs.h>

#include "edu.h"
#include "target.h"

/* An image that this run has made: goes again if the run does not end well. */
static const char *sfs_made;

static void sfs_unmake(void)
{
	if (sfs_made)
		unlink(sfs_made);
}

static void sfs_interrupted(int sig)
{
	sfs_unmake();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Unless who started this wants it to be ignored, as nohup does. */
static void sfs_unmake_on(int sig)
{
	if (signal(sig, sfs_interrupted) == SIG_IGN)
		signal(sig, SIG_IGN);
}

void sfs_target_keep(void)
{
	sfs_made = NULL;
}

void sfs_target_make(struct sfs_target *t, u64 nblks)
{
	struct stat st;
	int err;
	int fd;

	/* A file that may not become so long is an error that is told, as others are. */
	signal(SIGXFSZ, SIG_IGN);
	if (!t->dev) {
		fd = open(t->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0)
			sfs_die(SFS_MKFS_FAILED, "%s: cannot be made: %s", t->path,
				strerror(errno));
		close(fd);
		sfs_made = t->path;
		atexit(sfs_unmake);
		sfs_unmake_on(SIGINT);
		sfs_unmake_on(SIGTERM);
		sfs_unmake_on(SIGHUP);
		sfs_unmake_on(SIGQUIT);
		sfs_target_open(t, t->path, true, true, false);
	}
	if (fstat(sfs_dev_fd(t->dev), &st) || !S_ISREG(st.st_mode) ||
	    sfs_dev_nblks(t->dev) >= nblks)
		return;
	err = sfs_dev_grow(t->dev, nblks);
	if (err)
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be made %llu blocks long: %s", t->path,
			(unsigned long long)nblks, strerror(-err));
}

/* ---- in use? ---- */

static void sfs_lock_path(const char *path, int fd)
{
	int err = sfs_lock(fd, path);

	if (err == -EWOULDBLOCK)
		sfs_die(SFS_MKFS_FAILED, "%s: locked by another program", path);
	if (err)
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be locked: %s", path, strerror(-err));
}

/* A partition's lock is that of its disk, which volume and journal may share. */
static void sfs_lock_disk(struct sfs_target *t, dev_t dev)
{
	static dev_t locked;
	char name[64];
	char *path;
	dev_t disk;

	if (blkid_devno_to_wholedisk(dev, name, sizeof(name), &disk) || disk == dev ||
	    disk == locked)
		return;
	path = blkid_devno_to_devname(disk);
	t->disk_fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (t->disk_fd < 0) {
		sfs_warn("%s: its disk %s cannot be opened and stays unlocked", t->path, name);
	} else {
		sfs_lock_path(path, t->disk_fd);
		locked = disk;
	}
	free(path);
}

static void sfs_refuse_busy(struct sfs_target *t, bool writable)
{
	int fd = sfs_dev_fd(t->dev);
	struct stat st;
	int ro = 0;

	if (fstat(fd, &st))
		sfs_die(SFS_MKFS_FAILED, "%s: no status: %s", t->path, strerror(errno));
	if (S_ISBLK(st.st_mode)) {
		if (writable && !ioctl(fd, BLKROGET, &ro) && ro)
			sfs_die(SFS_MKFS_FAILED, "%s: the device is read-only", t->path);
		sfs_lock_disk(t, st.st_rdev);
	}
	sfs_lock_path(t->path, fd);
}

void sfs_target_stripe(const struct sfs_target *t, u64 *ret_unit, u64 *ret_width)
{
	int fd = sfs_dev_fd(t->dev);
	unsigned int unit = 0, width = 0;

	*ret_unit = *ret_width = 0;
	if (ioctl(fd, BLKIOMIN, &unit) || ioctl(fd, BLKIOOPT, &width))
		return;
	/* Single disks name sizes that they like, too: a stripe has more than one part. */
	if (!unit || unit % SFS_BLOCK_SIZE || width % unit || width < 2 * (u64)unit ||
	    width / SFS_BLOCK_SIZE > SFS_GROUP_BLOCKS)
		return;
	*ret_unit = unit;
	*ret_width = width;
}

/* ---- somebody's? ---- */

static blkid_probe sfs_probe(const struct sfs_target *t, int super_flags)
{
	blkid_probe pr = blkid_new_probe();

	if (!pr || blkid_probe_set_device(pr, sfs_dev_fd(t->dev), 0, 0))
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be probed", t->path);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, super_flags | BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	return pr;
}

/* Anything libblkid or we can name is somebody's. */
static void sfs_refuse_foreign(const struct sfs_target *t)
{
	u8 block[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const char *type = NULL;
	blkid_probe pr;
	int status;

	/* Less than a block holds nothing; it will be refused for its size, or grow. */
	if (!sfs_dev_nblks(t->dev))
		return;
	if (sfs_dev_read(t->dev, 0, block))
		sfs_die(SFS_MKFS_FAILED, "%s: its first block cannot be read", t->path);
	if (sfs_super_probe(block))
		sfs_die(SFS_MKFS_FAILED, "%s: holds a simplefs already; -f overwrites it", t->path);
	if (le32_to_cpu(((struct sfs_head *)block)->h_magic) == SFS_MAGIC_JOURNAL_DEV)
		sfs_die(SFS_MKFS_FAILED, "%s: holds the journal of a simplefs; -f overwrites it",
			t->path);
	if (sfs_edu_probe(block))
		sfs_die(SFS_MKFS_FAILED, "%s: holds an educational simplefs; -f overwrites it",
			t->path);
	pr = sfs_probe(t, BLKID_SUBLKS_TYPE);
	while ((status = blkid_do_probe(pr)) == 0) {
		if (!blkid_probe_lookup_value(pr, "TYPE", &type, NULL) ||
		    !blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL))
			sfs_die(SFS_MKFS_FAILED, "%s: holds something (%s); -f overwrites it",
				t->path, type);
	}
	if (status < 0)
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be read by libblkid", t->path);
	blkid_free_probe(pr);
}

void sfs_target_open(struct sfs_target *t, const char *path, bool writable, bool force,
		     bool may_miss)
{
	char loop[SFS_LOOP_NAME];
	int err;

	t->path = path;
	t->disk_fd = -1;
	if (sfs_loop_is_busy(path, loop))
		sfs_die(SFS_MKFS_FAILED, "%s: in use, through /dev/%s", path, loop);
	err = sfs_dev_open(path, writable, &t->dev);
	if (err == -ENOENT && may_miss)
		return;
	if (err == -EBUSY)
		sfs_die(SFS_MKFS_FAILED, "%s: in use (mounted?)", path);
	if (err == -ENOTBLK)
		sfs_die(SFS_MKFS_FAILED, "%s: neither block device nor file", path);
	if (err)
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be opened: %s", path, strerror(-err));
	sfs_refuse_busy(t, writable);
	if (!force)
		sfs_refuse_foreign(t);
}

bool sfs_target_is_same(const struct sfs_target *a, const struct sfs_target *b)
{
	struct stat x;
	struct stat y;

	if (stat(a->path, &x) || stat(b->path, &y))
		return false;
	return S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode) ? x.st_rdev == y.st_rdev :
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void sfs_target_close(struct sfs_target *t)
{
	if (t->dev && t->disk_fd >= 0)
		close(t->disk_fd);
	sfs_dev_close(t->dev);
}

/* ---- empty it ---- */

void sfs_target_discard(const struct sfs_target *t, u64 nblks)
{
	u64 range[2] = { 0, nblks << SFS_BLOCK_BITS };
	int fd = sfs_dev_fd(t->dev);
	struct stat st;

	/* A favour to who stores it; many cannot, and nothing depends on it. */
	if (!fstat(fd, &st) && S_ISBLK(st.st_mode))
		(void)!ioctl(fd, BLKDISCARD, range);
	else
		(void)!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, range[1]);
}

static void sfs_zero(const struct sfs_target *t, u64 blk)
{
	static const u8 zero[SFS_BLOCK_SIZE];
	int err;

	if (blk >= sfs_dev_nblks(t->dev))
		return;
	err = sfs_dev_write(t->dev, blk, zero);
	if (err)
		sfs_die(SFS_MKFS_FAILED, "%s: block %llu cannot be cleared: %s", t->path,
			(unsigned long long)blk, strerror(-err));
}

/* Where data begins (@whence SEEK_DATA) or ends (SEEK_HOLE), from @pos on and before @end. */
static off_t sfs_seek(int fd, off_t pos, off_t end, int whence)
{
	off_t at = lseek(fd, pos, whence);

	if (at < 0)
		return whence == SEEK_HOLE || errno == ENXIO ? end : pos;
	return min(at, end);
}

/* What reads as zeros keeps its place: a hole, or space that the file has been given before. */
static void sfs_zero_file(const struct sfs_target *t, u64 blk, u64 nblks)
{
	off_t pos = blk << SFS_BLOCK_BITS;
	off_t end = (blk + nblks) << SFS_BLOCK_BITS;
	int fd = sfs_dev_fd(t->dev);
	off_t data;

	while ((data = sfs_seek(fd, pos, end, SEEK_DATA)) < end) {
		pos = sfs_seek(fd, data, end, SEEK_HOLE);
		if (!fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, data, pos - data))
			continue;
		for (blk = data >> SFS_BLOCK_BITS; (off_t)(blk << SFS_BLOCK_BITS) < pos; blk++)
			sfs_zero(t, blk);
	}
}

void sfs_target_zero(const struct sfs_target *t, u64 blk, u64 nblks)
{
	u64 range[2] = { blk << SFS_BLOCK_BITS, nblks << SFS_BLOCK_BITS };
	int fd = sfs_dev_fd(t->dev);
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		sfs_zero_file(t, blk, nblks);
		return;
	}
	if (!ioctl(fd, BLKZEROOUT, range))
		return;
	while (nblks--)
		sfs_zero(t, blk++);
}

/* The first zone from @zone on whose copy is not in a hole. */
static u64 sfs_zone_with_data(const struct sfs_target *t, u64 zone, u64 nblks)
{
	off_t end = nblks << SFS_BLOCK_BITS;
	int fd = sfs_dev_fd(t->dev);
	struct stat st;
	u64 blk;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return zone;
	blk = sfs_seek(fd, sfs_copy_blk(zone) << SFS_BLOCK_BITS, end, SEEK_DATA) >> SFS_BLOCK_BITS;
	return blk <= sfs_copy_blk(zone) ? zone :
	       (blk + SFS_ZONE_BLOCKS - 1 - SFS_ZONE_COPY) / SFS_ZONE_BLOCKS;
}

void sfs_target_zero_copies(const struct sfs_target *t, u64 nblks)
{
	u64 zone = 1;

	while (sfs_copy_blk(zone) < nblks) {
		zone = sfs_zone_with_data(t, zone, nblks);
		if (sfs_copy_blk(zone) < nblks)
			sfs_target_zero(t, sfs_copy_blk(zone), 1);
		zone++;
	}
}

void sfs_target_wipe(const struct sfs_target *t)
{
	blkid_probe pr = sfs_probe(t, BLKID_SUBLKS_MAGIC);
	int status;

	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC);
	while ((status = blkid_do_probe(pr)) == 0) {
		if (blkid_do_wipe(pr, 0))
			sfs_die(SFS_MKFS_FAILED, "%s: an old signature cannot be wiped", t->path);
	}
	if (status < 0)
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be searched for old signatures", t->path);
	blkid_free_probe(pr);
}

void sfs_target_clear(const struct sfs_target *t, u64 nblks)
{
	/* ext's first backup superblocks, which libblkid does not look at but e2fsck does. */
	static const u64 backups[] = { 2048, 8192, 32768, 1048576 };
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(backups) && backups[i] < nblks; i++)
		sfs_zero(t, backups[i]);
	/* First, or block 0 would be made anew from it. */
	sfs_zero(t, sfs_copy_blk(0));
	for (i = 0; i < SFS_HEAD_SMALL; i++)
		sfs_zero(t, i);
	/* Before anything new: an old superblock must not lead into it. */
	err = sfs_dev_sync(t->dev);
	if (err)
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be cleared: %s", t->path, strerror(-err));
}
