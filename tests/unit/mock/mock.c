// SPDX-License-Identifier: GPL-2.0-only
/*
 * mock.c - the watched volume of mock.h.
 *
 * A metadata block has two copies: the one that is handed out and the one as of its last
 * sfs_buf_dirty().  They must agree at the end of each transaction.  A block's memory is its own
 * allocation and goes when the block is forgotten, so that the sanitizer sees any use after that.
 */
#include <stdarg.h>
#include <stdio.h>
#include "mock.h"

#define MOCK_FIRST	16	/* below: no block is valid */

struct sfs_trans {
	u64 number;
};

struct sfs_buf {
	u8 *data;		/* NULL: not a metadata block */
	u8 *clean;
	u64 seen;		/* numbers of the transactions that last came by, ... */
	u64 accessed;		/* ... took write access */
	u64 dirtied;
	u64 ready;		/* ... made it ready to be freed */
	unsigned int refs;
	bool used;
	bool verified;
};

struct mock_image {
	u64 high;
	unsigned int used;
	bool *map;
	u8 **data;
};

struct sfs_fs mock_fs;
struct mock_stat mock_stat;

static struct sfs_buf mock_buf[MOCK_BLOCKS];
static struct sfs_trans mock_trans;
static u64 mock_seen[MOCK_BLOCKS];	/* blocks seen in this transaction */
static unsigned int mock_nseen;
static u64 mock_low = MOCK_FIRST;	/* no free block is below */
static u64 mock_high = MOCK_FIRST;	/* no block from here on was ever used */
static unsigned int mock_kinds;
static unsigned int mock_nth;
static bool mock_on;

__attribute__((format(printf, 1, 2), noreturn))
static void mock_die(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! mock: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	abort();
}

/* True when the call that asks is to fail. */
static bool mock_strikes(unsigned int kind)
{
	if (!(mock_kinds & kind))
		return false;
	if (mock_nth) {
		mock_nth--;
		return false;
	}
	if (!mock_on)
		mock_kinds = 0;
	mock_stat.failed++;
	return true;
}

void mock_fail(unsigned int kinds, unsigned int nth, bool on)
{
	mock_kinds = kinds;
	mock_nth = nth;
	mock_on = on;
	mock_stat.failed = 0;
}

static void mock_drop_data(struct sfs_buf *buf)
{
	free(buf->data);
	free(buf->clean);
	buf->data = NULL;
	buf->clean = NULL;
}

void mock_init(void)
{
	mock_exit();
	memset(&mock_stat, 0, sizeof(mock_stat));
	memset(&mock_fs, 0, sizeof(mock_fs));
	mock_fs.f_blocks = MOCK_BLOCKS;
	mock_fs.f_fsid = 0x5f5f5f5f;
	mock_fs.f_kinds = mock_records;
	mock_low = MOCK_FIRST;
	mock_high = MOCK_FIRST;
	mock_fail(0, 0, false);
}

void mock_exit(void)
{
	u64 blk;

	for (blk = 0; blk < mock_high; blk++) {
		struct sfs_buf *buf = &mock_buf[blk];

		if (buf->refs)
			mock_die("block %ju is still held", blk);
		mock_drop_data(buf);
		memset(buf, 0, sizeof(*buf));
	}
	mock_nseen = 0;
}

static void mock_see(struct sfs_buf *buf)
{
	if (buf->seen == mock_trans.number)
		return;
	if (mock_nseen == MOCK_BLOCKS)
		mock_die("more blocks seen than there are");
	buf->seen = mock_trans.number;
	mock_seen[mock_nseen++] = buf - mock_buf;
}

struct sfs_trans *mock_begin(void)
{
	mock_trans.number++;
	mock_nseen = 0;
	mock_stat.touched = 0;
	mock_stat.revoked = 0;
	return &mock_trans;
}

void mock_end(struct sfs_trans *t)
{
	unsigned int i;

	if (t != &mock_trans)
		mock_die("not the transaction that was begun");
	for (i = 0; i < mock_nseen; i++) {
		struct sfs_buf *buf = &mock_buf[mock_seen[i]];

		if (buf->refs)
			mock_die("block %ju is still held after the operation", mock_seen[i]);
		if (!buf->used && buf->data)
			mock_die("block %ju was freed but not forgotten", mock_seen[i]);
		if (buf->data && memcmp(buf->data, buf->clean, SFS_BLOCK_SIZE))
			mock_die("block %ju was changed and not dirtied", mock_seen[i]);
	}
	mock_nseen = 0;
}

static struct sfs_head *mock_head(const struct sfs_buf *buf)
{
	return (struct sfs_head *)buf->data;
}

static const char *mock_verify(const struct sfs_buf *buf)
{
	if (le32_to_cpu(mock_head(buf)->h_magic) != SFS_MAGIC_NODE)
		return NULL;
	return sfs_node_verify(&mock_fs,
			       (struct sfs_node_disk *)(buf->data + sizeof(struct sfs_head)),
			       SFS_NODE_BYTES);
}

int sfs_buf_get(struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops, u64 owner,
		struct sfs_buf **ret_buf)
{
	const struct sfs_head *head;
	struct sfs_buf *buf;
	const char *why;

	if (blk >= MOCK_BLOCKS)
		mock_die("read of block %ju, past the end", blk);
	if (mock_strikes(MOCK_GET))
		return -EIO;
	buf = &mock_buf[blk];
	if (!buf->used || !buf->data)
		return sfs_corrupt(fs, blk, 0, "block", "not in use");
	head = mock_head(buf);
	if (le64_to_cpu(head->h_blk) != blk)
		return sfs_corrupt(fs, blk, 0, "block", "of another place");
	why = sfs_block_check(ops, head, owner);
	if (!why && !buf->verified)
		why = mock_verify(buf);
	if (why)
		return sfs_corrupt(fs, blk, 0, "block", why);
	buf->verified = true;
	buf->refs++;
	mock_see(buf);
	*ret_buf = buf;
	return 0;
}

int sfs_buf_new(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops,
		u64 owner, struct sfs_buf **ret_buf)
{
	struct sfs_buf *buf = &mock_buf[blk];

	if (t != &mock_trans || fs != &mock_fs)
		mock_die("new block %ju in no transaction", blk);
	if (mock_strikes(MOCK_NEW))
		return -EIO;
	if (!buf->used || buf->data)
		mock_die("new block %ju is free, or has content", blk);
	buf->data = calloc(1, SFS_BLOCK_SIZE);
	buf->clean = calloc(1, SFS_BLOCK_SIZE);
	if (!buf->data || !buf->clean)
		mock_die("no memory");
	mock_head(buf)->h_magic = cpu_to_le32(ops->b_magic);
	mock_head(buf)->h_blk = cpu_to_le64(blk);
	mock_head(buf)->h_owner = cpu_to_le64(owner);
	buf->verified = true;
	buf->accessed = t->number;
	mock_stat.touched++;
	buf->refs++;
	mock_see(buf);
	*ret_buf = buf;
	return 0;
}

void sfs_buf_put(struct sfs_buf *buf)
{
	if (!buf)
		return;
	if (!buf->refs)
		mock_die("block %ju is put once too often", sfs_buf_blk(buf));
	buf->refs--;
	if (!buf->refs && !buf->used)
		mock_drop_data(buf);
}

void sfs_buf_hold(struct sfs_buf *buf)
{
	if (!buf->refs)
		mock_die("hold of block %ju, which nobody has", sfs_buf_blk(buf));
	buf->refs++;
}

void *sfs_buf_data(struct sfs_buf *buf)
{
	return buf->data;
}

u64 sfs_buf_blk(struct sfs_buf *buf)
{
	return buf - mock_buf;
}

int sfs_buf_access(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	if (t != &mock_trans || fs != &mock_fs || !buf->refs)
		mock_die("access to block %ju without transaction or reference", sfs_buf_blk(buf));
	if (mock_strikes(MOCK_ACCESS))
		return -EIO;
	if (memcmp(buf->data, buf->clean, SFS_BLOCK_SIZE) && buf->accessed != t->number)
		mock_die("block %ju was changed before access to it", sfs_buf_blk(buf));
	if (buf->accessed != t->number)
		mock_stat.touched++;
	buf->accessed = t->number;
	return 0;
}

int sfs_buf_dirty(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	const char *why;

	if (t != &mock_trans || fs != &mock_fs || !buf->refs)
		mock_die("block %ju dirtied without transaction or reference", sfs_buf_blk(buf));
	if (buf->accessed != t->number)
		mock_die("block %ju dirtied without access", sfs_buf_blk(buf));
	why = mock_verify(buf);
	if (why)
		mock_die("block %ju dirtied in a bad state: %s", sfs_buf_blk(buf), why);
	memcpy(buf->clean, buf->data, SFS_BLOCK_SIZE);
	buf->dirtied = t->number;
	return 0;
}

void sfs_buf_readahead(struct sfs_fs *fs, u64 blk, unsigned int nblks)
{
	(void)fs;
	(void)blk;
	(void)nblks;
}

void sfs_shutdown(struct sfs_fs *fs, int err, const char *why)
{
	(void)fs;
	(void)err;
	(void)why;
	mock_stat.shutdown++;
}

int sfs_corrupt(struct sfs_fs *fs, u64 blk, u64 ino, const char *what, const char *why)
{
	(void)blk;
	(void)ino;
	if (fs != &mock_fs || !what || !why)
		mock_die("a report of damage without its reason");
	mock_stat.corrupt++;
	return -EFSCORRUPTED;
}

bool sfs_blk_is_valid(const struct sfs_fs *fs, u64 blk, u64 nblks)
{
	(void)fs;
	return blk >= MOCK_FIRST && blk < MOCK_BLOCKS && nblks && nblks <= MOCK_BLOCKS - blk;
}

/* In use, or freed and still held by somebody. */
static bool mock_is_taken(u64 blk)
{
	return mock_buf[blk].used || mock_buf[blk].data;
}

/* From @goal on, else the lowest: so freed blocks come back at once, and stale pointers show. */
int sfs_alloc_blks(struct sfs_trans *t, struct sfs_fs *fs, u64 goal, u32 want, unsigned int flags,
		   u64 *ret_blk, u32 *ret_nblks)
{
	u64 blk = goal >= MOCK_FIRST && goal < MOCK_BLOCKS ? goal : mock_low;
	u32 n = 0;

	(void)flags;
	if (t != &mock_trans || fs != &mock_fs || !want)
		mock_die("allocation in no transaction, or of nothing");
	if (mock_strikes(MOCK_ALLOC))
		return -ENOSPC;
	if (mock_is_taken(blk))
		for (blk = mock_low; blk < MOCK_BLOCKS && mock_is_taken(blk); blk++)
			;
	if (blk == MOCK_BLOCKS)
		return -ENOSPC;
	if (mock_stat.run_max)
		want = min(want, mock_stat.run_max);
	while (n < want && blk + n < MOCK_BLOCKS && !mock_is_taken(blk + n))
		mock_buf[blk + n++].used = true;
	mock_high = max(mock_high, blk + n);
	mock_low = blk == mock_low ? blk + n : mock_low;
	mock_stat.used += n;
	*ret_blk = blk;
	*ret_nblks = n;
	return 0;
}

int sfs_free_blks(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, u32 nblks)
{
	u32 n;

	if (t != &mock_trans || !nblks)
		mock_die("blocks freed in no transaction, or none");
	if (mock_strikes(MOCK_FREE))
		return -EIO;
	if (!sfs_blk_is_valid(fs, blk, nblks))
		return sfs_corrupt(fs, blk, 0, "used map", "freed run outside the volume");
	for (n = 0; n < nblks; n++)
		if (!mock_buf[blk + n].used)
			return sfs_corrupt(fs, blk + n, 0, "used map", "block was free");
	for (n = 0; n < nblks; n++) {
		mock_buf[blk + n].used = false;
		/* A new block that nothing ever held: undone, so there is nothing to forget. */
		if (mock_buf[blk + n].data)
			mock_see(&mock_buf[blk + n]);
	}
	mock_stat.used -= nblks;
	mock_low = min(mock_low, blk);
	return 0;
}

int sfs_free_meta_ready(struct sfs_trans *t, struct sfs_fs *fs, u64 blk)
{
	if (t != &mock_trans)
		mock_die("block %ju made ready in no transaction", blk);
	if (mock_strikes(MOCK_FREE))
		return -EIO;
	if (!sfs_blk_is_valid(fs, blk, 1) || !mock_buf[blk].used)
		return sfs_corrupt(fs, blk, 0, "used map", "block was free");
	mock_buf[blk].ready = t->number;
	return 0;
}

/* From here on the block may be another's: who still reads it finds rubbish. */
int sfs_free_meta(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	if (t != &mock_trans || fs != &mock_fs)
		mock_die("block %ju freed in no transaction", sfs_buf_blk(buf));
	if (!buf->used || buf->ready != t->number)
		mock_die("block %ju freed twice, or without being ready", sfs_buf_blk(buf));
	memset(buf->data, 0xdb, SFS_BLOCK_SIZE);
	memset(buf->clean, 0xdb, SFS_BLOCK_SIZE);
	buf->used = false;
	mock_see(buf);
	mock_stat.used--;
	mock_stat.revoked++;
	mock_low = min(mock_low, sfs_buf_blk(buf));
	sfs_buf_put(buf);
	return 0;
}

u8 *mock_data(u64 blk)
{
	return blk < MOCK_BLOCKS && mock_buf[blk].used ? mock_buf[blk].data : NULL;
}

void mock_data_changed(void)
{
	u64 blk;

	for (blk = 0; blk < mock_high; blk++)
		if (mock_buf[blk].data)
			memcpy(mock_buf[blk].clean, mock_buf[blk].data, SFS_BLOCK_SIZE);
	mock_evict();
}

void mock_evict(void)
{
	u64 blk;

	for (blk = 0; blk < mock_high; blk++)
		mock_buf[blk].verified = false;
}

/* An image covers what was ever used; that never shrinks before mock_init(). */
static u8 *mock_copy(const u8 *data)
{
	u8 *copy = malloc(SFS_BLOCK_SIZE);

	if (!copy)
		mock_die("no memory");
	return memcpy(copy, data, SFS_BLOCK_SIZE);
}

struct mock_image *mock_save(void)
{
	struct mock_image *image = calloc(1, sizeof(*image));
	u64 blk;

	if (!image)
		mock_die("no memory");
	image->map = calloc(mock_high, sizeof(*image->map));
	image->data = calloc(mock_high, sizeof(*image->data));
	if (!image->map || !image->data)
		mock_die("no memory");
	image->used = mock_stat.used;
	image->high = mock_high;
	for (blk = 0; blk < mock_high; blk++) {
		image->map[blk] = mock_buf[blk].used;
		if (mock_buf[blk].data)
			image->data[blk] = mock_copy(mock_buf[blk].data);
	}
	return image;
}

void mock_restore(const struct mock_image *image)
{
	u64 blk;

	for (blk = 0; blk < mock_high; blk++) {
		struct sfs_buf *buf = &mock_buf[blk];

		if (buf->refs)
			mock_die("block %ju is held while the volume is put back", blk);
		mock_drop_data(buf);
		buf->used = blk < image->high && image->map[blk];
		buf->verified = false;
		if (blk < image->high && image->data[blk]) {
			buf->data = mock_copy(image->data[blk]);
			buf->clean = mock_copy(image->data[blk]);
		}
	}
	mock_stat.used = image->used;
	mock_low = MOCK_FIRST;
}

void mock_image_free(struct mock_image *image)
{
	u64 blk;

	for (blk = 0; blk < image->high; blk++)
		free(image->data[blk]);
	free(image->data);
	free(image->map);
	free(image);
}
