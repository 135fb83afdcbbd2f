// SPDX-License-Identifier: GPL-2.0-only
/*
 * cache.c - the tools' block cache: what it keeps, when it writes, and that a failed write is told.
 *
 * Blocks are made, changed and read through port.h, on an image in a temporary file.  The numbers
 * in them say which block it is and how often it was changed; an array of ours says how often it
 * should have been.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"
#include "seed.h"

#define NBLKS	8192
#define FIRST	1024
#define BOUND	64
#define ROUNDS	50000

static struct sfs_fs fs;
static char path[] = "/tmp/sfs-cache-XXXXXX";
static u32 changes[NBLKS];

static struct sfs_dev *fresh(void)
{
	struct sfs_geometry geo = { .g_blocks = NBLKS, .g_uuid = "a volume's uuid" };
	struct sfs_dev *dev;

	memset(&fs, 0, sizeof(fs));
	memset(changes, 0, sizeof(changes));
	TAP_REQUIRE(!truncate(path, 0) && !truncate(path, NBLKS * SFS_BLOCK_SIZE), "an image");
	TAP_REQUIRE(!sfs_dev_open(path, true, &dev), "is opened");
	TAP_REQUIRE(!sfs_super_make(&fs, &geo), "and measured");
	fs.f_priv = dev;
	return dev;
}

/* Where an empty leaf has nothing: between its slots and its records. */
static u32 *number(struct sfs_buf *buf)
{
	return (u32 *)((u8 *)sfs_buf_data(buf) + 2048);
}

static int change(u64 blk)
{
	struct sfs_trans *t = sfs_dev_trans(fs.f_priv);
	struct sfs_buf *buf;
	int err;

	if (changes[blk]) {
		err = sfs_buf_get(&fs, blk, &sfs_node_ops, blk, &buf);
	} else {
		err = sfs_buf_new(t, &fs, blk, &sfs_node_ops, blk, &buf);
		if (!err)	/* an empty leaf */
			sfs_buf_node(buf)->n_heap = cpu_to_le16(SFS_NODE_BYTES);
	}
	if (err)
		return err;
	TAP_REQUIRE(*number(buf) == changes[blk], "block %llu, seed %llu: what was changed stays",
		    (unsigned long long)blk, (unsigned long long)ram_seed);
	err = sfs_buf_access(t, &fs, buf);
	if (!err) {
		*number(buf) = ++changes[blk];
		err = sfs_buf_dirty(t, &fs, buf);
	}
	sfs_buf_put(buf);
	return err;
}

static u64 some_blk(void)
{
	return FIRST + ram_random(NBLKS - FIRST - 100);
}

/* All numbers, read from the file by a cache that never saw them. */
static bool file_is_true(void)
{
	struct sfs_dev *dev;
	struct sfs_buf *buf;
	bool good = true;
	u64 blk;

	TAP_REQUIRE(!sfs_dev_open(path, false, &dev), "the image is opened again");
	fs.f_priv = dev;
	for (blk = 0; blk < NBLKS && good; blk++) {
		if (!changes[blk])
			continue;
		good = !sfs_buf_get(&fs, blk, &sfs_node_ops, blk, &buf);
		if (good) {
			good = *number(buf) == changes[blk];
			sfs_buf_put(buf);
		}
	}
	sfs_dev_close(dev);
	return good;
}

static void test_bounded(void)
{
	struct sfs_dev *dev = fresh();
	struct sfs_buf *held;
	unsigned int most = 0;
	unsigned int n;

	sfs_dev_bound(dev, BOUND, true);
	TAP_REQUIRE(!change(FIRST) && !sfs_buf_get(&fs, FIRST, &sfs_node_ops, FIRST, &held),
		    "a block is held");
	for (n = 0; n < ROUNDS; n++) {
		TAP_REQUIRE(!change(some_blk()), "change %u", n);
		sfs_dev_settle(dev);
		most = max(most, sfs_dev_cached(dev));
	}
	TAP_OK(most <= BOUND, "never more than %d blocks in memory (%u)", BOUND, most);
	TAP_EQ(*number(held), changes[FIRST], "what is held stays where it is");
	sfs_buf_put(held);
	TAP_EQ(sfs_dev_flush(dev), 0, "the rest is flushed");
	sfs_dev_close(dev);
	TAP_OK(file_is_true(), "%d changes have all arrived", ROUNDS);
}

static void test_unbounded(void)
{
	struct sfs_dev *dev = fresh();
	struct stat st;
	unsigned int n;

	sfs_dev_bound(dev, BOUND, false);
	for (n = 0; n < 20000; n++) {
		TAP_REQUIRE(!change(some_blk()), "change %u", n);
		sfs_dev_settle(dev);
	}
	TAP_REQUIRE(!stat(path, &st), "stat");
	TAP_EQ(st.st_blocks, 0, "unless that is allowed nothing is written before the flush");
	sfs_dev_close(dev);
	TAP_REQUIRE(!stat(path, &st), "stat");
	TAP_EQ(st.st_blocks, 0, "nor at a close without one");
}

/* Writes past 16 MiB fail: the first that must be made early is told by the next change. */
static void test_failure(void)
{
	struct rlimit limit = { 16 << 20, RLIM_INFINITY };
	struct sfs_dev *dev = fresh();
	unsigned int n;
	int err = 0;

	sfs_dev_bound(dev, BOUND, true);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (n = 0; n < 20000 && !err; n++) {
		err = change(FIRST + 3500 + n % 3000);
		sfs_dev_settle(dev);
	}
	TAP_EQ(err, -EFBIG, "a failed early write comes back from a change");
	TAP_OK(n <= 2 * BOUND, "soon (after %u changes)", n);
	TAP_EQ(change(FIRST), -EFBIG, "and from every later one");
	TAP_EQ(sfs_dev_flush(dev), -EFBIG, "and from the flush");
	sfs_dev_close(dev);

	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	dev = fresh();
	setrlimit(RLIMIT_FSIZE, &limit);
	TAP_REQUIRE(!change(FIRST + 4000), "a change that stays in memory");
	TAP_EQ(sfs_dev_flush(dev), -EFBIG, "a failed flush says so");
	sfs_dev_close(dev);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
}

/*
 * An inode's slot is live before its record is there: wherever the table fills between the two, the
 * block must not be written and read again as it is.  In between, other blocks are asked for.
 */
static void test_half_made(void)
{
	struct sfs_dev *dev = fresh();
	struct sfs_trans *t = sfs_dev_trans(dev);
	struct sfs_inode in;
	unsigned int i, n;
	u32 generation;
	int err = 0;
	u64 ino;

	TAP_REQUIRE(!sfs_buf_format(&fs, sfs_map_blk(0, SFS_MAP_USED), SFS_STRIP_BLOCKS,
				    sfs_head_fill, NULL) && !sfs_fs_init(&fs), "an empty volume");
	sfs_dev_bound(dev, BOUND, true);
	for (n = 0; n < 1000 && !err; n++) {
		err = sfs_inode_alloc(t, &fs, 0, false, &ino, &generation);
		for (i = 0; i < n % (2 * BOUND) && !err; i++)
			err = change(NBLKS - 90 - i);
		if (err)
			break;
		sfs_inode_init(&in, &fs, ino, S_IFREG | 0644, 0);
		in.i_nlink = 1;
		err = sfs_inode_begin(t, &in);
		if (!err)
			sfs_inode_end(t, &in);
		sfs_dev_settle(dev);
	}
	TAP_EQ(err, 0, "inodes are made in a table that is always full (%u)", n);
	TAP_OK(sfs_dev_cached(dev) <= BOUND, "which stays bounded");
	TAP_EQ(sfs_dev_flush(dev), 0, "and is flushed");
	sfs_fs_exit(&fs);
	sfs_dev_close(dev);
}

/* Block 0 is read once, by reference or by the program; what the device has is asked of that. */
static void test_super(void)
{
	struct sfs_dev *dev = fresh();
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	u8 zeros[SFS_BLOCK_SIZE] = { 0 };
	u8 data[SFS_BLOCK_SIZE];
	struct sfs_buf *buf;
	int fd;

	sfs_super_encode(&fs, super);
	sfs_block_seal(super);
	TAP_EQ(sfs_dev_write(dev, 0, super), 0, "a superblock");
	TAP_REQUIRE(!sfs_buf_get(&fs, 0, &sfs_super_ops, 0, &buf), "is read");
	TAP_OK(!memcmp(sfs_buf_data(buf), super, sizeof(super)), "as it is on the device");
	sfs_buf_put(buf);
	TAP_OK(!sfs_dev_sync(dev) && sfs_dev_gives(dev, 0, super), "which gives it");
	fd = open(path, O_WRONLY);
	TAP_REQUIRE(pwrite(fd, zeros, sizeof(zeros), 0) == sizeof(zeros) && !close(fd), "lost");
	TAP_OK(!sfs_dev_read(dev, 0, data) && !memcmp(data, super, sizeof(super)),
	       "it is not asked for again");
	TAP_OK(!sfs_dev_gives(dev, 0, super), "but by who wants to know what the device gives");
	sfs_dev_close(dev);
	TAP_REQUIRE(!sfs_dev_open(path, true, &dev), "opened again");
	sfs_dev_keep_super(dev, super);
	TAP_OK(!sfs_dev_read(dev, 0, data) && !memcmp(data, super, sizeof(super)),
	       "what the program has read is kept");
	TAP_EQ(sfs_dev_changed(dev), 0, "and is no change");
	sfs_dev_close(dev);
}

static void clean_up(void)
{
	unlink(path);
}

int main(int argc, char **argv)
{
	int fd = mkstemp(path);

	ram_seed_from(argc, argv, 11);
	TAP_REQUIRE(fd >= 0, "a temporary file");
	close(fd);
	atexit(clean_up);
	test_bounded();
	test_unbounded();
	test_failure();
	test_half_made();
	test_super();
	return tap_done();
}
