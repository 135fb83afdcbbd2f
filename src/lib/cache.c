// SPDX-License-Identifier: GPL-2.0-only
/*
 * cache.c - the user side of the port: blocks of a device or image, in memory.
 *
 * Every block read or made stays in a hash table until the table is full; then those go that nobody
 * holds and nobody has asked for of late.  Changed blocks are held back until sfs_dev_flush(), so
 * "transaction" means nothing here but that the program has not given up.  A program that allows it
 * (sfs_dev_bound()) lets them be written early, to bound them too; that is done only where it says
 * that nothing is half made (sfs_dev_settle()), since between two calls of the core a block may be
 * what no verifier takes: an inode's slot is live before its record is there.
 */
#include <fcntl.h>
#include <unistd.h>

#include "cache.h"
#include "progress.h"

static void sfs_report_stderr(const char *text)
{
	sfs_progress_clear();
	fprintf(stderr, "%s\n", text);
}

void (*sfs_report)(const char *text) = sfs_report_stderr;

void sfs_report_nothing(const char *text)
{
	(void)text;
}

void sfs_dev_close(struct sfs_dev *dev)
{
	unsigned int i;

	if (!dev)
		return;
	for (i = 0; i < SFS_HASH_SIZE; i++) {
		while (dev->d_hash[i]) {
			struct sfs_buf *buf = dev->d_hash[i];

			dev->d_hash[i] = buf->b_next;
			free(buf);
		}
	}
	close(dev->d_fd);
	free(dev);
}

void sfs_dev_bound(struct sfs_dev *dev, unsigned int nblks, bool early)
{
	dev->d_early = early;
	dev->d_max = nblks ? nblks : SFS_CACHE_MAX;
	dev->d_full = dev->d_max;
}

unsigned int sfs_dev_cached(const struct sfs_dev *dev)
{
	return dev->d_count;
}

u64 sfs_dev_newest(const struct sfs_dev *dev)
{
	return dev->d_newest;
}

unsigned int sfs_dev_changed(const struct sfs_dev *dev)
{
	return dev->d_changed;
}

unsigned int sfs_dev_held(const struct sfs_dev *dev)
{
	const struct sfs_buf *buf;
	unsigned int held = 0;
	unsigned int i;

	for (i = 0; i < SFS_HASH_SIZE; i++) {
		for (buf = dev->d_hash[i]; buf; buf = buf->b_next)
			held += buf->b_refs;
	}
	return held;
}

struct sfs_trans *sfs_dev_trans(struct sfs_dev *dev)
{
	return (struct sfs_trans *)dev;
}

/* By multiplication: what is read most, the heads of zones, lies at multiples of a power of 2. */
static unsigned int sfs_hash(u64 blk)
{
	return blk * 0x9e3779b97f4a7c15 >> (64 - SFS_HASH_BITS);
}

static struct sfs_buf **sfs_hash_slot(struct sfs_dev *dev, u64 blk)
{
	struct sfs_buf **slot = &dev->d_hash[sfs_hash(blk)];

	while (*slot && (*slot)->b_blk != blk)
		slot = &(*slot)->b_next;
	return slot;
}

int sfs_dev_read(struct sfs_dev *dev, u64 blk, void *data)
{
	const struct sfs_buf *buf = *sfs_hash_slot(dev, blk);
	ssize_t n = 0;
	char text[80];

	/* Of block 0 the table has what is there, if it has it: nobody forgets that one. */
	if (buf && (buf->b_dirty || (!blk && !buf->b_unread))) {
		memcpy(data, buf->b_data, SFS_BLOCK_SIZE);
		return 0;
	}
	if (blk < dev->d_nblks)
		n = pread(dev->d_fd, data, SFS_BLOCK_SIZE, blk << SFS_BLOCK_BITS);
	if (n == SFS_BLOCK_SIZE)
		return 0;
	snprintf(text, sizeof(text), "block %llu cannot be read: %s", (unsigned long long)blk,
		 n < 0 ? strerror(errno) : "the device ends there");
	sfs_report(text);
	return -EIO;
}

int sfs_dev_write(struct sfs_dev *dev, u64 blk, const void *data)
{
	struct sfs_buf *buf = *sfs_hash_slot(dev, blk);
	off_t pos = blk << SFS_BLOCK_BITS;
	size_t done = 0;
	int err;

	if (!dev->d_writable)
		return -EROFS;
	err = dev->d_guard ? dev->d_guard(dev->d_guard_arg, blk, data) : 0;
	if (err)
		return err;
	/* A short write says that the next one will say why. */
	while (done < SFS_BLOCK_SIZE) {
		ssize_t n = pwrite(dev->d_fd, (const u8 *)data + done, SFS_BLOCK_SIZE - done,
				   pos + done);

		if (n < 0 && errno != EINTR) {
			dev->d_write_err = dev->d_write_err ? dev->d_write_err : -errno;
			return -errno;
		}
		if (!n)
			return -EIO;
		done += max_t(ssize_t, n, 0);
	}
	if (buf && buf->b_data != data)
		memcpy(buf->b_data, data, SFS_BLOCK_SIZE);
	return 0;
}

/* ---- the table ---- */

static void sfs_buf_mark(struct sfs_dev *dev, struct sfs_buf *buf, bool dirty)
{
	if (buf->b_blk)
		dev->d_changed += dirty - buf->b_dirty;
	buf->b_dirty = dirty;
	buf->b_new &= dirty;
}

static int sfs_buf_write(struct sfs_dev *dev, struct sfs_buf *buf)
{
	int err;

	sfs_block_seal(buf->b_data);
	err = sfs_dev_write(dev, buf->b_blk, buf->b_data);
	if (!err)
		sfs_buf_mark(dev, buf, false);
	return err;
}

/*
 * Whether @buf may leave the table now, after a write if @write; block 0 is written by the program
 * itself, last.
 */
static bool sfs_buf_can_go(struct sfs_dev *dev, struct sfs_buf *buf, bool write)
{
	if (buf->b_refs || buf->b_asked) {
		buf->b_asked = false;
		return false;
	}
	if (!buf->b_dirty)
		return true;
	if (!write || !buf->b_blk || dev->d_err)
		return false;
	dev->d_err = sfs_buf_write(dev, buf);
	return !dev->d_err;
}

/* Makes room until half of the table is empty, as far as that can be; twice round, if need be. */
static void sfs_cache_trim(struct sfs_dev *dev, bool write)
{
	unsigned int i;

	for (i = 0; i < 2 * SFS_HASH_SIZE && dev->d_count > dev->d_max / 2; i++) {
		struct sfs_buf **slot = &dev->d_hash[i % SFS_HASH_SIZE];

		while (*slot) {
			struct sfs_buf *buf = *slot;

			if (!sfs_buf_can_go(dev, buf, write)) {
				slot = &buf->b_next;
				continue;
			}
			*slot = buf->b_next;
			free(buf);
			dev->d_count--;
		}
	}
	dev->d_full = max(dev->d_max, dev->d_count + dev->d_max / 2);
}

void sfs_dev_settle(struct sfs_dev *dev)
{
	/* A little before it is full: the next step then seldom has to look for clean blocks. */
	if (dev->d_early && dev->d_count >= dev->d_max - dev->d_max / 4)
		sfs_cache_trim(dev, true);
}

/* The block's buffer with a reference; fresh ones are zero. */
static struct sfs_buf *sfs_cache_get(struct sfs_dev *dev, u64 blk, bool *ret_fresh)
{
	struct sfs_buf **slot;

	if (dev->d_count >= dev->d_full)
		sfs_cache_trim(dev, false);
	slot = sfs_hash_slot(dev, blk);
	*ret_fresh = !*slot;
	if (!*slot) {
		*slot = calloc(1, sizeof(**slot));
		if (!*slot)
			return NULL;
		(*slot)->b_blk = blk;
		(*slot)->b_unread = true;	/* so far */
		dev->d_count++;
	}
	(*slot)->b_refs++;
	(*slot)->b_asked = true;
	return *slot;
}

/* Into the table, changed or as it was read. */
static int sfs_cache_put(struct sfs_dev *dev, u64 blk, const void *data, bool dirty)
{
	struct sfs_buf *buf;
	bool fresh;

	if (blk >= dev->d_nblks)
		return -EIO;
	buf = sfs_cache_get(dev, blk, &fresh);
	if (!buf)
		return -ENOMEM;
	memcpy(buf->b_data, data, SFS_BLOCK_SIZE);
	sfs_buf_mark(dev, buf, dirty);
	buf->b_unread = false;
	buf->b_bad = NULL;
	buf->b_verified = false;
	sfs_buf_put(buf);
	return 0;
}

int sfs_dev_put(struct sfs_dev *dev, u64 blk, const void *data)
{
	return sfs_cache_put(dev, blk, data, true);
}

void sfs_dev_keep_super(struct sfs_dev *dev, const void *super)
{
	(void)sfs_cache_put(dev, 0, super, false);
}

/* ---- port.h ---- */

int sfs_buf_get(struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops, u64 owner,
		struct sfs_buf **ret_buf)
{
	struct sfs_dev *dev = fs->f_priv;
	const char *why = NULL;
	struct sfs_buf *buf;
	bool fresh;

	buf = sfs_cache_get(dev, blk, &fresh);
	if (!buf)
		return -ENOMEM;
	if (fresh)
		buf->b_unread = sfs_dev_read(dev, blk, buf->b_data) != 0;
	if (buf->b_unread || buf->b_bad == ops) {
		sfs_buf_put(buf);
		return buf->b_unread ? -EIO : -EFSCORRUPTED;
	}
	if (!buf->b_verified) {
		why = sfs_block_verify(fs, ops, buf->b_data, blk);
		buf->b_verified = !why;
	}
	if (!why)
		dev->d_newest = max_t(u64, dev->d_newest,
				      le64_to_cpu(((struct sfs_head *)buf->b_data)->h_seq));
	if (why)
		buf->b_bad = ops;
	if (!why)
		why = sfs_block_check(ops, buf->b_data, owner);
	if (why) {
		sfs_buf_put(buf);
		return sfs_corrupt(fs, blk, 0, ops->b_name, why);
	}
	*ret_buf = buf;
	return 0;
}

int sfs_buf_new(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops,
		u64 owner, struct sfs_buf **ret_buf)
{
	struct sfs_buf *buf;
	bool fresh;

	(void)t;
	buf = sfs_cache_get(fs->f_priv, blk, &fresh);
	if (!buf)
		return -ENOMEM;
	memset(buf->b_data, 0, SFS_BLOCK_SIZE);
	sfs_block_init(buf->b_data, fs->f_fsid, ops->b_magic, blk, owner);
	buf->b_unread = false;
	buf->b_bad = NULL;
	buf->b_verified = true;
	buf->b_new = true;
	*ret_buf = buf;
	return 0;
}

void sfs_buf_put(struct sfs_buf *buf)
{
	if (!buf)
		return;
	sfs_assert(buf->b_refs);
	buf->b_refs--;
}

void sfs_buf_hold(struct sfs_buf *buf)
{
	buf->b_refs++;
}

void *sfs_buf_data(struct sfs_buf *buf)
{
	return buf->b_data;
}

u64 sfs_buf_blk(struct sfs_buf *buf)
{
	return buf->b_blk;
}

int sfs_buf_access(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	const struct sfs_dev *dev = fs->f_priv;

	(void)t;
	(void)buf;
	if (dev->d_shutdown)
		return -EIO;
	if (dev->d_err)
		return dev->d_err;
	return dev->d_writable ? 0 : -EROFS;
}

int sfs_buf_access_undo(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	return sfs_buf_access(t, fs, buf);
}

unsigned int sfs_buf_reusable(struct sfs_buf *buf, unsigned int bit, unsigned int nbits)
{
	(void)buf;
	(void)bit;
	return nbits;
}

int sfs_buf_dirty(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	(void)t;
	/* Who has changed a group dirties the summary last, and nobody else is there. */
	sfs_summary_freeze(fs, buf->b_data);
	sfs_block_stamp(fs, buf->b_data);
	sfs_buf_mark(fs->f_priv, buf, true);
	return 0;
}

u32 sfs_trans_tid(struct sfs_trans *t)
{
	(void)t;
	return 0;
}

int sfs_buf_forget(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	(void)t;
	sfs_buf_mark(fs->f_priv, buf, false);
	buf->b_verified = false;
	sfs_buf_put(buf);
	return 0;
}

int sfs_buf_order(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	(void)t;
	(void)buf;
	return sfs_dev_flush(fs->f_priv);
}

void sfs_buf_readahead(struct sfs_fs *fs, u64 blk, unsigned int nblks)
{
	const struct sfs_dev *dev = fs->f_priv;

	/* Advice: nothing is lost when the kernel does not take it. */
	(void)!posix_fadvise(dev->d_fd, blk << SFS_BLOCK_BITS, (off_t)nblks << SFS_BLOCK_BITS,
			     POSIX_FADV_WILLNEED);
}

int sfs_buf_format(struct sfs_fs *fs, u64 blk, unsigned int nblks, sfs_fill_fn fill,
		   const void *arg)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	unsigned int n;
	int err;

	for (n = 0; n < nblks; n++) {
		memset(data, 0, sizeof(data));
		fill(fs, blk + n, data, arg);
		sfs_block_stamp(fs, data);
		sfs_block_seal(data);
		err = sfs_dev_write(fs->f_priv, blk + n, data);
		if (err)
			return err;
	}
	return 0;
}

int sfs_buf_flush(struct sfs_fs *fs)
{
	return sfs_dev_sync(fs->f_priv);
}

void sfs_dev_doubt(struct sfs_dev *dev)
{
	struct sfs_buf *buf;
	unsigned int i;

	for (i = 0; i < SFS_HASH_SIZE; i++) {
		for (buf = dev->d_hash[i]; buf; buf = buf->b_next) {
			if (!buf->b_dirty || !buf->b_verified)
				continue;
			sfs_block_seal(buf->b_data);
			buf->b_verified = false;
		}
	}
}

int sfs_dev_visit_changed(struct sfs_dev *dev, sfs_changed_fn visit, void *arg)
{
	struct sfs_buf *buf;
	unsigned int i;
	int err = dev->d_shutdown ? -EIO : dev->d_err;

	for (i = 0; i < SFS_HASH_SIZE && !err; i++) {
		for (buf = dev->d_hash[i]; buf && !err; buf = buf->b_next) {
			if (!buf->b_dirty || !buf->b_blk)
				continue;
			sfs_block_seal(buf->b_data);
			err = visit(arg, buf->b_blk, buf->b_data);
		}
	}
	return err;
}

/* Those that are new, or all. */
static int sfs_flush_some(struct sfs_dev *dev, bool all)
{
	struct sfs_buf *buf;
	unsigned int i;
	int err = 0;

	for (i = 0; i < SFS_HASH_SIZE && !err; i++)
		for (buf = dev->d_hash[i]; buf && !err; buf = buf->b_next)
			if (buf->b_dirty && buf->b_blk && (all || buf->b_new))
				err = sfs_buf_write(dev, buf);
	return err ? err : sfs_dev_sync(dev);
}

int sfs_dev_flush(struct sfs_dev *dev)
{
	int err;

	if (dev->d_shutdown)
		return -EIO;
	if (dev->d_err)
		return dev->d_err;
	/* What others will point to is there before them. */
	err = sfs_flush_some(dev, false);
	return err ? err : sfs_flush_some(dev, true);
}

int sfs_corrupt(struct sfs_fs *fs, u64 blk, u64 ino, const char *what, const char *why)
{
	char text[256];

	(void)fs;
	snprintf(text, sizeof(text), "corrupt %s: blk=%llu ino=%llu, %s", what,
		 (unsigned long long)blk, (unsigned long long)ino, why);
	sfs_report(text);
	return -EFSCORRUPTED;
}

void sfs_shutdown(struct sfs_fs *fs, int err, const char *why)
{
	struct sfs_dev *dev = fs->f_priv;
	char text[256];

	dev->d_shutdown = true;
	snprintf(text, sizeof(text), "stopped: %s (%s)", why, strerror(-err));
	sfs_report(text);
}
