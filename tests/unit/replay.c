// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay.c - logs made here, whole, torn and hostile, against what a simple model says of them.
 *
 * The volume is a file in memory.  Its log is written by a generator of our own (transactions of
 * copies and revocations, with all that the format allows: UUIDs in tags, several descriptors,
 * rings that wrap, numbers that wrap), which keeps for each block what a replay must show.  The
 * blocks are inode blocks without inodes: their slots may hold anything.
 */
#include "log_volume.h"

#define TARGETS	40			/* blocks that transactions change */

static u32 log_at, log_tid;
static u64 log_sec;
static u8 want[TARGETS][SFS_BLOCK_SIZE];
static u8 base[TARGETS][SFS_BLOCK_SIZE];	/* what is in place on the device */

static u64 target_blk(unsigned int n)
{
	return 2000 + 3 * n;
}

static u32 log_next(void)
{
	u32 at = log_at++;

	if (log_at == log_end)
		log_at = log_first;
	return at;
}

static u8 *log_begin(u32 type)
{
	u8 *d = vol[log_next()];

	memset(d, 0, SFS_BLOCK_SIZE);
	sfs_log_put(d, SFS_LOG_OFF_MAGIC, SFS_LOG_MAGIC);
	sfs_log_put(d, SFS_LOG_OFF_TYPE, type);
	sfs_log_put(d, SFS_LOG_OFF_TID, log_tid);
	return d;
}

static void log_seal(u8 *d, unsigned int at)
{
	sfs_log_put(d, at, sfs_log_crc(log_seed, d, at, SFS_BLOCK_SIZE));
}

/* A tag and its copy; returns where the next tag goes. */
static unsigned int log_copy(u8 *d, unsigned int off, u64 blk, const u8 *data, u32 flags)
{
	u8 *copy = vol[log_next()];
	u8 tid[4];

	memcpy(copy, data, SFS_BLOCK_SIZE);
	if (flags & SFS_LOG_FLAG_ESCAPED)
		sfs_log_put(copy, 0, 0);
	sfs_log_put(tid, 0, log_tid);
	sfs_log_put(d, off + SFS_LOG_TAG_BLK, blk);
	sfs_log_put(d, off + SFS_LOG_TAG_BLK_HIGH, blk >> 32);
	sfs_log_put(d, off + SFS_LOG_TAG_FLAGS, flags);
	sfs_log_put(d, off + SFS_LOG_TAG_CRC,
		    sfs_crc32c(sfs_crc32c(log_seed, tid, 4), copy, SFS_BLOCK_SIZE));
	off += SFS_LOG_TAG_BYTES;
	return flags & SFS_LOG_FLAG_SAME_UUID ? off : off + SFS_LOG_UUID_BYTES;
}

static u8 *log_commit(void)
{
	u8 *d = log_begin(SFS_LOG_COMMIT);

	sfs_log_put(d, SFS_LOG_COMMIT_SEC + 4, ++log_sec);
	log_seal(d, SFS_LOG_COMMIT_CRC);
	log_tid++;
	return d;
}

static void log_revokes(const bool *revoked)
{
	u8 *d = log_begin(SFS_LOG_REVOKE);
	unsigned int off = SFS_LOG_REVOKE_FIRST;
	unsigned int n;

	for (n = 0; n < TARGETS; n++) {
		if (!revoked[n])
			continue;
		sfs_log_put(d, off + 4, target_blk(n));
		off += 8;
		memcpy(want[n], base[n], SFS_BLOCK_SIZE);
	}
	sfs_log_put(d, SFS_LOG_REVOKE_END, off);
	log_seal(d, SFS_LOG_TAIL);
}

/* One transaction of up to @max copies; @whole: the model learns of it. */
static void log_transaction(unsigned int max, bool whole)
{
	static u8 data[SFS_BLOCK_SIZE];
	bool revoked[TARGETS] = { false };
	bool any = false;
	unsigned int n, left = 1 + ram_random(max);
	unsigned int off;
	u8 *d;

	for (n = 0; n < TARGETS && whole; n++)
		any |= revoked[n] = !ram_random(12);
	if (any)
		log_revokes(revoked);
	while (left) {
		unsigned int count = 1 + ram_random(left);

		left -= count;
		d = log_begin(SFS_LOG_DESCRIPTOR);
		off = SFS_LOG_HEAD_BYTES;
		while (count--) {
			u32 flags = count ? 0 : SFS_LOG_FLAG_LAST;

			/* jbd2 cancels a revocation when the block comes back: never both. */
			do
				n = ram_random(TARGETS);
			while (revoked[n]);
			fill_block(data, target_blk(n));
			if (off > SFS_LOG_HEAD_BYTES || ram_random(2))
				flags |= SFS_LOG_FLAG_SAME_UUID;
			off = log_copy(d, off, target_blk(n), data, flags);
			if (whole)
				memcpy(want[n], data, SFS_BLOCK_SIZE);
		}
		log_seal(d, SFS_LOG_TAIL);
	}
}

/* An empty log, to be written from block @at on with transaction @tid; fresh blocks in place. */
static void log_new(u32 at, u32 tid)
{
	u8 *d = vol[made.f_journal_start];
	unsigned int n;

	put_super(vol[0]);
	for (n = 0; n < TARGETS; n++) {
		fill_block(base[n], target_blk(n));
		memcpy(vol[target_blk(n)], base[n], SFS_BLOCK_SIZE);
		memcpy(want[n], base[n], SFS_BLOCK_SIZE);
	}
	for (n = log_first; n < log_end; n++)
		memset(vol[n], 0, SFS_BLOCK_SIZE);
	sfs_log_make(d, made.f_journal_start, made.f_journal_blocks, made.f_journal_uuid);
	sfs_log_put(d, SFS_LOG_OFF_START, at);
	sfs_log_put(d, SFS_LOG_OFF_SEQUENCE, tid);
	sfs_log_put(d, SFS_LOG_OFF_CRC, sfs_log_crc(~0u, d, SFS_LOG_OFF_CRC, SFS_LOG_SUPER_BYTES));
	log_at = at;
	log_tid = tid;
	log_sec = 1000;
}

static int replay(struct sfs_dev **ret_dev, struct sfs_replay *r)
{
	struct sfs_fs fs = made;
	int err;

	TAP_REQUIRE(!sfs_dev_open(vol_path, true, ret_dev), "the volume opens");
	fs.f_priv = *ret_dev;
	memset(r, 0, sizeof(*r));
	said[0] = '\0';
	err = sfs_log_replay(&fs, NULL, r);
	if (!err && r->r_needed && ram_random(2)) {
		err = sfs_log_finish(&fs, NULL, r);
		/* From here on the device itself must tell. */
		sfs_dev_close(*ret_dev);
		TAP_REQUIRE(!sfs_dev_open(vol_path, true, ret_dev), "the volume opens again");
	}
	return err;
}

static bool shows(struct sfs_dev *dev, const u8 (*what)[SFS_BLOCK_SIZE])
{
	u8 data[SFS_BLOCK_SIZE];
	unsigned int n;

	for (n = 0; n < TARGETS; n++)
		if (sfs_dev_read(dev, target_blk(n), data) || memcmp(data, what[n], sizeof(data)))
			return false;
	return true;
}

/* Replays; the model must agree, or the log must be refused and nothing changed. */
static void expect(const char *refused)
{
	struct sfs_replay r;
	struct sfs_dev *dev;
	int err = replay(&dev, &r);

	if (refused) {
		TAP_REQUIRE(err == -EFSCORRUPTED || err == -EFSBADCRC, "seed %" PRIu64
			    ": refused, want \"%s\", got %d", ram_seed, refused, err);
		TAP_REQUIRE(strstr(said, refused), "seed %" PRIu64 ": says \"%s\", got \"%s\"",
			    ram_seed, refused, said);
		TAP_REQUIRE(shows(dev, base), "seed %" PRIu64 ": nothing has changed", ram_seed);
	} else {
		TAP_REQUIRE(!err, "seed %" PRIu64 ": replays: %d %s", ram_seed, err, said);
		TAP_REQUIRE(r.r_next == log_tid, "seed %" PRIu64 ": ends with %u, got %u",
			    ram_seed, log_tid, r.r_next);
		TAP_REQUIRE(shows(dev, want), "seed %" PRIu64 ": is what was committed", ram_seed);
	}
	sfs_dev_close(dev);
}

static void test_whole(unsigned int rounds)
{
	unsigned int round, n;

	for (round = 0; round < rounds; round++) {
		u32 tid = round % 3 ? ram_random(1000) : ~0u - ram_random(4);
		unsigned int transactions = ram_random(12);

		log_new(log_first + ram_random(log_end - log_first), tid);
		for (n = 0; n < transactions; n++) {
			log_transaction(round % 5 ? 10 : 60, true);
			log_commit();
		}
		expect(NULL);
	}
	TAP_OK(true, "%u logs that wrap, revoke and repeat", rounds);
}

/* The transaction that was being written: cut anywhere, as long as its commit is not there. */
static void test_torn(unsigned int rounds)
{
	unsigned int round, n;

	for (round = 0; round < rounds; round++) {
		u32 at, end, tid;

		log_new(log_first + ram_random(log_end - log_first), ram_random(1000));
		for (n = ram_random(5); n; n--) {
			log_transaction(10, true);
			log_commit();
		}
		at = log_at;
		tid = log_tid;
		log_transaction(30, false);
		end = log_at;
		if (round % 3)
			for (n = 0; n < 1 + ram_random(5); n++)
				memset(vol[log_first + (at - log_first + ram_random(30)) %
					   (log_end - log_first)], ram_random(256), 4096);
		/* A later number behind the gap must not be taken for the end. */
		log_at = end;
		log_tid = tid;
		expect(NULL);
	}
	TAP_OK(true, "%u logs whose last transaction is cut short", rounds);
}

/* One lie in an otherwise true log of one transaction: what, and why it must be refused. */
static void lie(const char *refused, void (*tell)(u8 *descriptor, u8 *commit))
{
	static u8 data[SFS_BLOCK_SIZE];
	u8 *d, *c;

	log_new(log_first, 5);
	d = log_begin(SFS_LOG_DESCRIPTOR);
	fill_block(data, target_blk(0));
	log_copy(d, SFS_LOG_HEAD_BYTES, target_blk(0), data, SFS_LOG_FLAG_LAST);
	log_seal(d, SFS_LOG_TAIL);
	c = log_commit();
	tell(d, c);
	expect(refused);
	TAP_OK(true, "refused: %s", refused);
}

static void lie_tail(u8 *d, u8 *c)
{
	(void)c;
	d[SFS_LOG_TAIL] ^= 1;
}

static void lie_commit(u8 *d, u8 *c)
{
	(void)d;
	c[SFS_LOG_COMMIT_SEC + 7] ^= 1;
}

static void lie_copy(u8 *d, u8 *c)
{
	(void)c;
	d[SFS_BLOCK_SIZE + 100] ^= 1;
}

static void retag(u8 *d, u64 blk, const u8 *data, u32 flags)
{
	log_at = log_first + 1;
	log_tid = 5;
	log_copy(d, SFS_LOG_HEAD_BYTES, blk, data, SFS_LOG_FLAG_LAST | flags);
	log_seal(d, SFS_LOG_TAIL);
}

static void lie_past_end(u8 *d, u8 *c)
{
	(void)c;
	retag(d, BLOCKS + 5, vol[target_blk(0)], 0);
}

static void lie_far(u8 *d, u8 *c)
{
	(void)c;
	retag(d, ~0ULL, vol[target_blk(0)], 0);
}

static void lie_into_log(u8 *d, u8 *c)
{
	static u8 data[SFS_BLOCK_SIZE];

	(void)c;
	fill_block(data, log_first + 9);
	retag(d, log_first + 9, data, 0);
}

static void lie_elsewhere(u8 *d, u8 *c)
{
	(void)c;
	retag(d, target_blk(1), base[0], 0);
}

static void lie_escaped(u8 *d, u8 *c)
{
	static u8 data[SFS_BLOCK_SIZE];

	(void)c;
	memcpy(data, base[0], sizeof(data));
	sfs_log_put(data, 0, SFS_LOG_MAGIC);
	sfs_block_seal(data);
	retag(d, target_blk(0), data, SFS_LOG_FLAG_ESCAPED);
}

static void lie_super(u8 *d, u8 *c)
{
	(void)c;
	retag(d, 0, base[0], 0);
}

static void lie_journal_dev(u8 *d, u8 *c)
{
	static u8 data[SFS_BLOCK_SIZE];
	struct sfs_journal_dev_disk *jd = (struct sfs_journal_dev_disk *)data;

	(void)c;
	sfs_block_init(data, made.f_fsid, SFS_MAGIC_JOURNAL_DEV, 0, 0);
	memcpy(jd->j_ident, SFS_JOURNAL_IDENT, sizeof(jd->j_ident));
	jd->j_blocks = cpu_to_le64(2000);
	sfs_block_seal(data);
	retag(d, 0, data, 0);
}

static void lie_moved(u8 *d, u8 *c)
{
	static u8 data[SFS_BLOCK_SIZE];
	struct sfs_super_disk *sup = (struct sfs_super_disk *)data;

	(void)c;
	put_super(data);
	sup->s_journal_blocks = cpu_to_le32(LOG_NBLKS - 1);
	sfs_block_seal(data);
	retag(d, 0, data, 0);
}

static void super_lie(const char *refused, unsigned int off, u32 value)
{
	u8 *d = vol[made.f_journal_start];

	log_new(log_first, 5);
	log_transaction(3, true);
	log_commit();
	sfs_log_put(d, off, value);
	if (off != SFS_LOG_OFF_CRC)
		sfs_log_put(d, SFS_LOG_OFF_CRC,
			    sfs_log_crc(~0u, d, SFS_LOG_OFF_CRC, SFS_LOG_SUPER_BYTES));
	expect(refused);
	TAP_OK(true, "refused: %s (field at %u)", refused, off);
}

static void test_lies(void)
{
	lie("within a committed", lie_tail);
	lie("of a commit record", lie_commit);
	lie("block in the log", lie_copy);
	lie("past the end of the volume", lie_past_end);
	lie("past the end of the volume", lie_far);
	lie("where none can be", lie_into_log);
	lie("not its own", lie_elsewhere);
	lie("no kind of block", lie_escaped);
	lie("not a simplefs volume", lie_super);
	lie("not a simplefs volume", lie_journal_dev);
	lie("the log moves itself", lie_moved);
	super_lie("not a log's superblock", SFS_LOG_OFF_MAGIC, 1);
	super_lie("another block size", SFS_LOG_OFF_BLOCKSIZE, 1024);
	super_lie("other features", SFS_LOG_OFF_INCOMPAT, 0x33);
	super_lie("checksum of the log's superblock", SFS_LOG_OFF_CRC, 1);
	super_lie("the log of another volume", SFS_LOG_OFF_UUID, 1);
	super_lie("impossible place", SFS_LOG_OFF_FIRST, 0);
	super_lie("impossible place", SFS_LOG_OFF_MAXLEN, BLOCKS);
	super_lie("outside itself", SFS_LOG_OFF_START, 1);
	super_lie("outside itself", SFS_LOG_OFF_START, ~0u);
}

/* Descriptors without end, under one number: the walk must not go round for ever. */
static void test_endless(void)
{
	u8 *d;

	log_new(log_first, 5);
	do {
		d = log_begin(SFS_LOG_DESCRIPTOR);
		sfs_log_put(d, SFS_LOG_HEAD_BYTES + SFS_LOG_TAG_FLAGS, SFS_LOG_FLAG_LAST);
		log_seal(d, SFS_LOG_TAIL);
		log_next();
	} while (log_at != log_first && log_at != log_first + 1);
	log_tid = 5;
	if (log_at == log_first)
		expect(NULL);
	else
		expect("the log has no end");
	TAP_OK(true, "a log that goes round is left");
}

/* Any damage, under right checksums of the log: refused or replayed, never a crash. */
static void test_damage(unsigned int rounds)
{
	struct sfs_replay r;
	struct sfs_dev *dev;
	unsigned int round, n, refused = 0;

	for (round = 0; round < rounds; round++) {
		log_new(log_first, 5);
		for (n = 0; n < 3; n++) {
			log_transaction(6, true);
			log_commit();
		}
		for (n = 1 + ram_random(3); n; n--) {
			u8 *d = vol[log_first + ram_random(log_at - log_first)];
			u32 type = sfs_log_get(d, SFS_LOG_OFF_TYPE);

			d[ram_random(ram_random(2) ? 64 : SFS_BLOCK_SIZE)] ^= 1 << ram_random(8);
			if (type == SFS_LOG_DESCRIPTOR || type == SFS_LOG_REVOKE)
				log_seal(d, SFS_LOG_TAIL);
			else if (type == SFS_LOG_COMMIT)
				log_seal(d, SFS_LOG_COMMIT_CRC);
		}
		if (replay(&dev, &r)) {
			refused++;
			TAP_REQUIRE(shows(dev, base), "seed %" PRIu64 ": all or nothing", ram_seed);
		}
		sfs_dev_close(dev);
	}
	TAP_OK(refused > rounds / 3, "%u of %u damaged logs are refused", refused, rounds);
}

/* A commit record of which only the first sector arrived is one. */
static void test_torn_commit(void)
{
	u8 *c;

	log_new(log_first, 5);
	log_transaction(3, true);
	c = log_commit();
	memset(c + 512, 0x5a, SFS_BLOCK_SIZE - 512);
	expect(NULL);
	TAP_OK(true, "a commit record torn behind its fields counts");
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	volume();
	test_whole(150);
	test_torn(150);
	test_lies();
	test_endless();
	test_torn_commit();
	test_damage(300);
	sfs_fs_exit(&made);
	return tap_done();
}
