/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log_volume.h - a volume in memory, all of which a test may write, for the tests of its log.
 */
#ifndef LOG_VOLUME_H
#define LOG_VOLUME_H

#include <sys/mman.h>
#include <unistd.h>

#include "seed.h"
#include "../../src/lib/lib.h"
#include "../../src/lib/log.h"

#define BLOCKS	4096
#define LOG_NBLKS	1026

static u8 (*vol)[SFS_BLOCK_SIZE];
static int vol_fd;
static char vol_path[32];
static struct sfs_fs made;		/* the volume as mkfs would know it */
static u32 log_first, log_end, log_seed;
static char said[256];			/* the last report */

static void hear(const char *text)
{
	snprintf(said, sizeof(said), "%s", text);
}

/* An inode block without inodes, of random content. */
static void fill_block(u8 *data, u64 blk)
{
	unsigned int i;

	for (i = 0; i < SFS_BLOCK_SIZE; i++)
		data[i] = ram_random(256);
	sfs_block_init(data, made.f_fsid, SFS_MAGIC_INODES, blk, blk / SFS_GROUP_BLOCKS);
	memset(((struct sfs_inodes_disk *)data)->n_spare, 0, 16);
	sfs_block_seal(data);
}

static void put_super(u8 *data)
{
	memset(data, 0, SFS_BLOCK_SIZE);
	sfs_super_encode(&made, data);
	sfs_block_seal(data);
}

static void volume(void)
{
	struct sfs_geometry geo = {
		.g_blocks = BLOCKS, .g_journal_blocks = LOG_NBLKS, .g_uuid = "0123456789abcde",
		.g_journal_uuid = "0123456789abcdE", .g_time = 42,
	};

	vol_fd = memfd_create("volume", 0);
	TAP_REQUIRE(vol_fd >= 0 && !ftruncate(vol_fd, BLOCKS * SFS_BLOCK_SIZE), "memory");
	snprintf(vol_path, sizeof(vol_path), "/proc/self/fd/%d", vol_fd);
	vol = mmap(NULL, BLOCKS * SFS_BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vol_fd, 0);
	TAP_REQUIRE(vol != MAP_FAILED, "mapped");
	TAP_REQUIRE(!sfs_super_make(&made, &geo) && !sfs_fs_init(&made), "geometry");
	log_first = made.f_journal_start + 1;
	log_end = made.f_journal_start + made.f_journal_blocks;
	log_seed = sfs_crc32c(~0u, made.f_journal_uuid, 16);
	sfs_report = hear;
}

#endif
