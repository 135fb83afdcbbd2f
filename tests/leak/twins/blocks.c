// SPDX-License-Identifier: GPL-2.0-only
/*
 * blocks.c - twins that hold a block of a device.
 *
 * The kernel's functions are asked for by name: one of them came late, and was taken back to 6.12.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "twin.h"

#define DEVICE	"/dev/vda"

static void *(*read)(struct block_device *bdev, sector_t block, unsigned int size, gfp_t gfp);
static void *(*find)(struct block_device *bdev, sector_t block, unsigned int size);
static void (*put)(void *block);

static bool find_functions(void)
{
	read = (void *)__symbol_get("__bread_gfp");
	put = (void *)__symbol_get("__brelse");
	find = (void *)__symbol_get("__find_get_block_nonatomic");
	if (!find)
		find = (void *)__symbol_get("__find_get_block");
	return read && put && find;
}

/* Read, and found again where it was read to. */
TAKE take_buffer(void)
{
	struct block_device *bdev;
	void *block, *again;
	struct file *file;
	unsigned int size;

	if (!find_functions())
		return -ENOENT;
	file = filp_open(DEVICE, O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	bdev = I_BDEV(file->f_mapping->host);
	size = i_blocksize(file->f_mapping->host);
	block = read(bdev, 1, size, __GFP_MOVABLE);
	again = block ? find(bdev, 1, size) : NULL;
	if (block)
		put(block);
	if (again && !leak)
		put(again);
	filp_close(file, NULL);
	return again ? 0 : -EIO;
}

GIVE give_buffer(void) { }

const struct twin blocks[] = { TWIN(buffer) };
const size_t nblocks = ARRAY_SIZE(blocks);
