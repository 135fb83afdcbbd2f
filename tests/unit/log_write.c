// SPDX-License-Identifier: GPL-2.0-only
/*
 * log_write.c - what the tools write into a log: a replay brings home just that, and what has no
 * room or would be refused is not begun.
 */
#include "log_volume.h"

#define MANY	LOG_NBLKS
#define MANY_BLK	1500

static struct sfs_fs written_fs;
static u8 many[MANY][SFS_BLOCK_SIZE];

/* An empty log whose next transaction is @tid; nothing in the blocks. */
static void log_new(u32 tid)
{
	u8 *d = vol[made.f_journal_start];

	put_super(vol[0]);
	memset(vol[log_first], 0, (size_t)(log_end - log_first) * SFS_BLOCK_SIZE);
	memset(vol[MANY_BLK], 0, sizeof(many));
	sfs_log_make(d, made.f_journal_start, made.f_journal_blocks, made.f_journal_uuid);
	sfs_log_put(d, SFS_LOG_OFF_SEQUENCE, tid);
	sfs_log_put(d, SFS_LOG_OFF_CRC, sfs_log_crc(~0u, d, SFS_LOG_OFF_CRC, SFS_LOG_SUPER_BYTES));
}

static void open_volume(struct sfs_dev **ret_dev)
{
	TAP_REQUIRE(!sfs_dev_open(vol_path, true, ret_dev), "the volume opens");
	written_fs = made;
	written_fs.f_priv = *ret_dev;
}

/* @count blocks and the superblock, into a log that is empty. */
static int write_many(unsigned int count)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_dev *dev;
	unsigned int n;
	int err;

	open_volume(&dev);
	for (n = 0; n < count; n++) {
		fill_block(many[n], MANY_BLK + n);
		TAP_REQUIRE(!sfs_dev_put(dev, MANY_BLK + n, many[n]), "a change");
	}
	put_super(super);
	err = sfs_log_write(&written_fs, NULL, super);
	sfs_dev_close(dev);
	return err;
}

static bool many_home(unsigned int count)
{
	return !memcmp(vol[MANY_BLK], many, (size_t)count * SFS_BLOCK_SIZE);
}

static void test_replayed(unsigned int rounds)
{
	unsigned int round, count;
	struct sfs_replay r;
	struct sfs_log log;
	struct sfs_dev *dev;

	for (round = 0; round < rounds; round++) {
		u32 tid = round % 3 ? ram_random(1000) : ~0u - ram_random(2);

		count = round % 4 ? 1 + ram_random(MANY - 20) : 253 + ram_random(4);
		log_new(tid);
		TAP_REQUIRE(!write_many(count), "seed %" PRIu64 ": written", ram_seed);
		TAP_REQUIRE(many_home(count), "seed %" PRIu64 ": at home", ram_seed);
		open_volume(&dev);
		TAP_REQUIRE(!sfs_log_open(&written_fs, NULL, &log) && !log.l_start &&
			    log.l_sequence == tid + 1, "seed %" PRIu64 ": the log is empty", ram_seed);
		/* As if it had been interrupted before the first block came home. */
		TAP_REQUIRE(!sfs_log_point(&log, log.l_first, tid), "pointed at");
		sfs_dev_close(dev);
		memset(vol[MANY_BLK], 0x55, (size_t)count * SFS_BLOCK_SIZE);
		open_volume(&dev);
		TAP_REQUIRE(!sfs_log_replay(&written_fs, NULL, &r) && r.r_needed &&
			    r.r_next == tid + 1 && r.r_blks == count + 1,
			    "seed %" PRIu64 ": replays: %s", ram_seed, said);
		TAP_REQUIRE(!sfs_log_finish(&written_fs, NULL, &r) && many_home(count),
			    "seed %" PRIu64 ": is what was written", ram_seed);
		sfs_dev_close(dev);
	}
	TAP_OK(true, "%u logs written and replayed", rounds);
}

static void test_room(void)
{
	struct sfs_dev *dev;
	u32 room;

	log_new(5);
	open_volume(&dev);
	TAP_REQUIRE(!sfs_log_room(&written_fs, NULL, &room), "room");
	sfs_dev_close(dev);
	TAP_REQUIRE(room == LOG_NBLKS - 3 - 5, "room for %u", room);
	TAP_OK(write_many(room) == -E2BIG && !sfs_log_get(vol[log_first], 0) && !many_home(1),
	       "too many by one: nothing is written");
	TAP_OK(!write_many(room - 1) && many_home(room - 1) &&
	       sfs_log_get(vol[log_end - 2], SFS_LOG_OFF_TYPE) == SFS_LOG_COMMIT,
	       "the most that there is room for");
}

static void test_refused(void)
{
	struct sfs_dev *dev;

	log_new(5);
	sfs_log_put(vol[made.f_journal_start], SFS_LOG_OFF_START, log_first);
	sfs_log_put(vol[made.f_journal_start], SFS_LOG_OFF_CRC,
		    sfs_log_crc(~0u, vol[made.f_journal_start], SFS_LOG_OFF_CRC,
				SFS_LOG_SUPER_BYTES));
	TAP_OK(write_many(1) == -EBUSY && !many_home(1), "a log that is not empty is left alone");
	log_new(5);
	open_volume(&dev);
	TAP_REQUIRE(!sfs_dev_put(dev, MANY_BLK, vol[0]), "a block that is none");
	TAP_OK(sfs_log_write(&written_fs, NULL, vol[0]) == -EFSCORRUPTED &&
	       strstr(said, "not its own") && !sfs_log_get(vol[log_first], 0),
	       "what a replay would refuse is refused: %s", said);
	sfs_dev_close(dev);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	volume();
	test_replayed(30);
	test_room();
	test_refused();
	sfs_fs_exit(&made);
	return tap_done();
}
