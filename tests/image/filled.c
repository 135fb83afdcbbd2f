// SPDX-License-Identifier: GPL-2.0-only
/*
 * filled.c - a volume on which all zones have been begun and nearly all blocks are taken, by
 * nobody.
 *
 * usage: filled IMAGE FREE
 * Leaves FREE blocks in each group, none beside another, and the volume as a crash would: not
 * clean. The blocks that it takes are nobody's, so it is for mounting and measuring, not for fsck.
 */
#include "../../src/lib/lib.h"

static struct sfs_fs fs;
static u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));

static void must(int err, const char *what)
{
	if (err)
		sfs_die(1, "%s: %s", what, strerror(-err));
}

/* Single blocks of the run that was taken, as far apart as may be. */
static void give_some(struct sfs_trans *t, u64 blk, u32 nblks, u32 nfree)
{
	u32 i;

	for (i = 0; i < nfree; i++)
		must(sfs_free_blks(t, &fs, blk + (u64)i * (nblks / nfree) + 1, 1), "a free block");
}

static void fill(struct sfs_trans *t, u32 nfree)
{
	struct sfs_dev *dev = fs.f_priv;
	u64 goal = 0, blk;
	u32 n;
	int err;

	for (;;) {
		err = sfs_alloc_blks(t, &fs, goal, SFS_GROUP_BLOCKS, SFS_ALLOC_POOL, &blk, &n);
		if (err == -EAGAIN || err == -ENOSPC)
			break;
		must(err, "allocation");
		if (n < 2 * nfree) {
			must(sfs_free_blks(t, &fs, blk, n), "the last one");
			break;
		}
		give_some(t, blk, n, nfree);
		goal = blk + n;
		sfs_dev_settle(dev);
	}
}

int main(int argc, char **argv)
{
	struct sfs_dev *dev;

	if (argc != 3 || atoi(argv[2]) < 1)
		sfs_die(2, "usage: filled IMAGE FREE");
	sfs_volume_open(argv[1], 1, super, &fs);
	dev = fs.f_priv;
	must(sfs_fs_init(&fs), "zones");
	sfs_dev_bound(dev, 0, true);
	fill(sfs_dev_trans(dev), atoi(argv[2]));
	must(sfs_dev_flush(dev), "writing");
	fs.f_state &= ~SFS_STATE_CLEAN;
	must(sfs_volume_write_super(&fs, super), "the superblock");
	printf("%llu zones, %lld blocks free\n", (unsigned long long)fs.f_zones,
	       (long long)sfs_counter_read(&fs.f_free));
	sfs_fs_exit(&fs);
	sfs_dev_close(dev);
	return 0;
}
