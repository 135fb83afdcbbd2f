/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drain.h - a device and a journal in memory: port.h's blocks and transactions for the allocator.
 *
 * A block has its content in memory, its content on the device, and, once its bitmap was opened
 * with sfs_buf_access_undo(), the content that is safe.  drain_commit() seals, verifies and writes
 * what is dirty; drain_crash() forgets what was not committed.  Watched all the time: references,
 * changes without access or without sfs_buf_dirty(), credits of an operation.  Any call that may
 * fail can be told to (drain_fail_in).  Included by one file of a test program: it defines what
 * the core links to.
 */
#ifndef SFS_DRAIN_H
#define SFS_DRAIN_H

#include "lib.h"
#include "seed.h"

struct sfs_buf {
	struct sfs_buf *next;		/* of one hash */
	u64 blk;
	unsigned int refs;
	u8 *data;			/* NULL: not read */
	u8 *disk;			/* NULL: never written */
	u8 *safe;			/* committed bits, NULL: nothing is pending */
	u8 *seen;			/* data as last read or dirtied */
	u64 access;			/* operation that has write access */
	u64 counted;			/* operation that paid a credit for it */
	bool dirty;
};

#define DRAIN_HASH	4096

static struct sfs_buf *drain_hash[DRAIN_HASH];
static u64 drain_refs;
static u64 drain_op = 1;
static u32 drain_tid = 2;		/* of the transaction that drain_commit() ends */
static unsigned int drain_credits;	/* spent by this operation */
static long drain_fail_in = -1;		/* calls that go well before one fails; < 0: all do */
static u64 drain_bad;			/* a block that cannot be read, or written; 0: none */
static unsigned int drain_bad_asks;	/* how often it was asked for */
static bool drain_broken;		/* and then all do, until drain_step() */
static bool drain_failed;
static s64 drain_now = 1;		/* the clock, in nanoseconds */
static unsigned int drain_reads;		/* blocks that came from the device */
static u64 drain_asked;			/* bits, whether they are free in former states */
static unsigned int drain_shutdowns;
static unsigned int drain_corruptions;
static const char *drain_why = "";
static void (*drain_ordered)(void);	/* is told when sfs_buf_order() is called */
static struct sfs_fs drain_fs;

#define DRAIN_REQUIRE(good, fmt, ...) \
	TAP_REQUIRE(good, "seed %" PRIu64 ", op %" PRIu64 ": " fmt, ram_seed, drain_op,	\
		    ##__VA_ARGS__)

/* Ends an operation, which may have spent @credits at most, and begins the next. */
static inline void drain_step(unsigned int credits)
{
	DRAIN_REQUIRE(!drain_refs, "no buffer is left held");
	DRAIN_REQUIRE(drain_credits <= credits, "%u credits are enough", credits);
	drain_op++;
	drain_credits = 0;
	drain_fail_in = -1;
	/* What failed can be read again, and no allocation shall pass it over. */
	drain_fs.f_unread += drain_failed;
	if (drain_fs.f_zone)
		sfs_lost_look(&drain_fs);
	drain_broken = false;
	drain_failed = false;
}

static inline bool drain_fails(void)
{
	if (drain_fail_in < 0 || drain_fail_in--)
		return false;
	drain_fail_in = drain_broken ? 0 : -1;
	drain_failed = true;
	return true;
}

static struct sfs_buf *drain_find(u64 blk)
{
	struct sfs_buf **at = &drain_hash[blk % DRAIN_HASH];

	while (*at && (*at)->blk != blk)
		at = &(*at)->next;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		(*at)->blk = blk;
	}
	return *at;
}

static u8 *drain_copy(u8 *to, const u8 *from)
{
	if (!to)
		to = malloc(SFS_BLOCK_SIZE);
	return memcpy(to, from, SFS_BLOCK_SIZE);
}

static void drain_drop(u8 **p)
{
	free(*p);
	*p = NULL;
}

/* All that is dirty is sealed, must verify, and is on the device after. */
static inline void drain_commit(void)
{
	const char *why;
	struct sfs_buf *buf;
	unsigned int i;

	drain_tid++;
	for (i = 0; i < DRAIN_HASH; i++)
		for (buf = drain_hash[i]; buf; buf = buf->next) {
			drain_drop(&buf->safe);
			if (!buf->data)
				continue;
			DRAIN_REQUIRE(!memcmp(buf->data, buf->seen, SFS_BLOCK_SIZE),
				      "block %" PRIu64 " is not changed in secret", buf->blk);
			if (!buf->dirty)
				continue;
			buf->dirty = false;
			sfs_summary_freeze(&drain_fs, buf->data);
			sfs_block_seal(buf->data);
			buf->seen = drain_copy(buf->seen, buf->data);
			buf->disk = drain_copy(buf->disk, buf->data);
			why = sfs_block_verify_any(&drain_fs, buf->disk, buf->blk);
			DRAIN_REQUIRE(!why, "block %" PRIu64 ": %s", buf->blk, why);
		}
}

static void drain_forget(struct sfs_buf *buf)
{
	drain_drop(&buf->data);
	drain_drop(&buf->seen);
	drain_drop(&buf->safe);
	buf->dirty = false;
}

/* The power goes: what the device has is all there is. */
static inline void drain_crash(void)
{
	struct sfs_buf *buf;
	unsigned int i;

	for (i = 0; i < DRAIN_HASH; i++)
		for (buf = drain_hash[i]; buf; buf = buf->next)
			drain_forget(buf);
}

static inline void drain_empty(void)
{
	struct sfs_buf *buf;
	unsigned int i;

	sfs_fs_exit(&drain_fs);
	memset(&drain_fs, 0, sizeof(drain_fs));
	for (i = 0; i < DRAIN_HASH; i++)
		while ((buf = drain_hash[i])) {
			drain_hash[i] = buf->next;
			drain_forget(buf);
			free(buf->disk);
			free(buf);
		}
	drain_shutdowns = 0;
	drain_corruptions = 0;
}

/* A new volume without files: the superblock and the first strip are on the device. */
static inline void drain_make(u64 blocks, u32 journal_blocks)
{
	struct sfs_geometry geo = { .g_blocks = blocks, .g_journal_blocks = journal_blocks };
	struct sfs_buf *super;
	const char *why;

	drain_empty();
	memset(geo.g_uuid, 7, sizeof(geo.g_uuid));
	why = sfs_super_make(&drain_fs, &geo);
	TAP_REQUIRE(!why, "a volume of %" PRIu64 " blocks: %s", blocks, why);
	TAP_REQUIRE(!sfs_fs_init(&drain_fs), "core in memory");
	super = drain_find(0);
	super->data = calloc(1, SFS_BLOCK_SIZE);
	sfs_super_encode(&drain_fs, super->data);
	sfs_zone_format(&drain_fs, 0, super->data);
	super->seen = drain_copy(NULL, super->data);
	super->dirty = true;
	drain_commit();
}

/* Mounts what is on the device, or still in its cache; counts if @recount. */
static inline void drain_mount(bool recount)
{
	const char *why = sfs_super_verify(drain_find(0)->disk, 0);
	struct sfs_buf *sum;
	u64 zone;

	TAP_REQUIRE(!why, "superblock verifies: %s", why);
	for (zone = 0; zone < drain_fs.f_zones; zone++) {
		sum = drain_find(sfs_summary_blk(zone));
		if (!sum->data || !sum->dirty)
			continue;
		sfs_summary_freeze(&drain_fs, sum->data);
		sum->seen = drain_copy(sum->seen, sum->data);
	}
	sfs_fs_exit(&drain_fs);
	memset(&drain_fs, 0, sizeof(drain_fs));
	sfs_super_decode(&drain_fs, drain_find(0)->disk);
	TAP_REQUIRE(!sfs_fs_init(&drain_fs), "core in memory");
	if (recount)
		TAP_REQUIRE(!sfs_fs_recount(&drain_fs, NULL), "recount");
}

/* After a commit, or a mount: each summary on the device says what the bitmaps do. */
static inline void drain_check_summaries(void)
{
	struct sfs_summary_disk made;
	u64 zone;

	for (zone = 0; zone < drain_fs.f_zones; zone++) {
		DRAIN_REQUIRE(!sfs_summary_make(&drain_fs, zone, &made), "bitmaps are read");
		DRAIN_REQUIRE(sfs_summary_is_true((void *)drain_find(sfs_summary_blk(zone))->disk,
						  &made), "summary of zone %" PRIu64, zone);
	}
}

/* ---- port.h ---- */

int sfs_buf_get(struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops, u64 owner,
		struct sfs_buf **ret_buf)
{
	struct sfs_buf *buf = drain_find(blk);
	const char *why;

	if (drain_bad && blk == drain_bad) {
		drain_bad_asks++;
		return -EIO;
	}
	if (drain_fails())
		return -EIO;
	if (!buf->data) {
		static const u8 nothing[SFS_BLOCK_SIZE];

		why = sfs_block_verify(fs, ops, buf->disk ? buf->disk : nothing, blk);
		if (why)
			return sfs_corrupt(fs, blk, 0, ops->b_name, why);
		drain_reads++;
		buf->data = drain_copy(NULL, buf->disk);
		buf->seen = drain_copy(buf->seen, buf->disk);
	}
	why = sfs_block_check(ops, buf->data, owner);
	if (why)
		return sfs_corrupt(fs, blk, 0, ops->b_name, why);
	sfs_buf_hold(buf);
	*ret_buf = buf;
	return 0;
}

int sfs_buf_new(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops,
		u64 owner, struct sfs_buf **ret_buf)
{
	struct sfs_buf *buf = drain_find(blk);

	(void)t;
	if (drain_fails())
		return -ENOMEM;
	drain_forget(buf);
	buf->data = calloc(1, SFS_BLOCK_SIZE);
	sfs_block_init(buf->data, fs->f_fsid, ops->b_magic, blk, owner);
	buf->seen = drain_copy(NULL, buf->data);
	buf->access = drain_op;
	sfs_buf_hold(buf);
	*ret_buf = buf;
	return 0;
}

void sfs_buf_put(struct sfs_buf *buf)
{
	if (!buf)
		return;
	TAP_REQUIRE(buf->refs, "block %" PRIu64 " is held when put", buf->blk);
	buf->refs--;
	drain_refs--;
}

void sfs_buf_hold(struct sfs_buf *buf)
{
	buf->refs++;
	drain_refs++;
}

void *sfs_buf_data(struct sfs_buf *buf)
{
	return buf->data;
}

u64 sfs_buf_blk(struct sfs_buf *buf)
{
	return buf->blk;
}

int sfs_buf_access(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	(void)t;
	(void)fs;
	if (drain_fails())
		return -ENOMEM;
	buf->access = drain_op;
	return 0;
}

int sfs_buf_access_undo(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	int err = sfs_buf_access(t, fs, buf);

	if (!err && !buf->safe)
		buf->safe = drain_copy(NULL, buf->data);
	return err;
}

unsigned int sfs_buf_reusable(struct sfs_buf *buf, unsigned int bit, unsigned int nbits)
{
	const struct sfs_bitmap_disk *map = (const struct sfs_bitmap_disk *)buf->safe;

	TAP_REQUIRE(nbits && bit + nbits <= SFS_GROUP_BLOCKS, "bits of a group");
	drain_asked += nbits;
	return map ? sfs_bits_next_set(map->b_bits, bit, bit + nbits) - bit : nbits;
}

u32 sfs_trans_tid(struct sfs_trans *t)
{
	(void)t;
	return drain_tid;
}

int sfs_buf_dirty(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	(void)t;
	(void)fs;
	DRAIN_REQUIRE(buf->access == drain_op, "block %" PRIu64 " has access", buf->blk);
	drain_credits += buf->counted != drain_op;
	buf->counted = drain_op;
	buf->dirty = true;
	buf->seen = drain_copy(buf->seen, buf->data);
	return 0;
}

/* As the used map says now. */
static bool drain_is_used(u64 blk)
{
	const u8 *map = drain_find(sfs_map_blk(blk / SFS_GROUP_BLOCKS, SFS_MAP_USED))->data;
	u32 bit = blk % SFS_GROUP_BLOCKS;

	return !map || sfs_bits_next_set(((const struct sfs_bitmap_disk *)map)->b_bits, bit,
					 bit + 1) == bit;
}

int sfs_buf_forget(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	(void)t;
	(void)fs;
	/* Who finds it free may make it his own at once. */
	DRAIN_REQUIRE(drain_is_used(buf->blk), "block %" PRIu64 " is forgotten before it is free",
		      buf->blk);
	sfs_buf_put(buf);
	if (drain_fails())
		return -EIO;
	drain_forget(buf);
	return 0;
}

int sfs_buf_order(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	(void)t;
	(void)fs;
	DRAIN_REQUIRE(buf->dirty, "block %" PRIu64 " was dirtied", buf->blk);
	if (drain_ordered)
		drain_ordered();
	return drain_fails() ? -EIO : 0;
}

void sfs_buf_readahead(struct sfs_fs *fs, u64 blk, unsigned int nblks)
{
	(void)fs;
	(void)blk;
	(void)nblks;
}

int sfs_buf_flush(struct sfs_fs *fs)
{
	(void)fs;
	return drain_fails() ? -EIO : 0;
}

int sfs_buf_format(struct sfs_fs *fs, u64 blk, unsigned int nblks, sfs_fill_fn fill,
		   const void *arg)
{
	struct sfs_buf *buf;
	unsigned int i;

	if (drain_bad >= blk && drain_bad < blk + nblks) {
		drain_bad_asks++;
		return -EIO;
	}
	if (drain_fails())
		return -EIO;
	for (i = 0; i < nblks; i++) {
		buf = drain_find(blk + i);
		drain_forget(buf);
		free(buf->disk);
		buf->disk = calloc(1, SFS_BLOCK_SIZE);
		fill(fs, blk + i, buf->disk, arg);
		sfs_block_seal(buf->disk);
	}
	return 0;
}

void sfs_shutdown(struct sfs_fs *fs, int err, const char *why)
{
	(void)fs;
	(void)err;
	drain_shutdowns++;
	drain_why = why;
}

int sfs_corrupt(struct sfs_fs *fs, u64 blk, u64 ino, const char *what, const char *why)
{
	(void)fs;
	(void)blk;
	(void)ino;
	(void)what;
	drain_corruptions++;
	drain_why = why;
	return -EFSCORRUPTED;
}

/*
 * What else the port gives.  Weak: once the library has them they are what runs, where anything
 * else of theirs is linked.
 */
__attribute__((weak)) u32 sfs_crc32c(u32 seed, const void *p, size_t nbytes)
{
	static u32 table[256];
	const u8 *s = p;
	u32 i, bit;

	for (i = 0; !table[255] && i < 256; i++)
		for (table[i] = i, bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78 : 0);
	while (nbytes--)
		seed = seed >> 8 ^ table[(seed ^ *s++) & 0xff];
	return seed;
}

__attribute__((weak)) u64 sfs_siphash(const u64 key[2], const void *p, size_t nbytes)
{
	return key[0] ^ sfs_crc32c(key[1], p, nbytes);
}

__attribute__((weak)) s64 sfs_time_now(void)
{
	return drain_now;
}

__attribute__((weak)) u32 sfs_random32(void)
{
	return ram_random(~0u);
}

#endif
