// SPDX-License-Identifier: GPL-2.0-only
/*
 * blocks.c - twins that hold a block of a device.
 *
 * One of the kernel's functions came late, and was taken back to 6.12: the reference to it is weak.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "twin.h"

#define DEVICE	"/dev/vda"

/* With nothing but pointers to what they give: only that is held here. */
void *__bread_gfp(struct block_device *bdev, sector_t block, unsigned int size, gfp_t gfp);
void *__find_get_block(struct block_device *bdev, sector_t block, unsigned int size);
void *__find_get_block_nonatomic(struct block_device *bdev, sector_t block,
				 unsigned int size) __weak;
void __brelse(void *block);

static __always_inline void *find(struct block_device *bdev, sector_t block, unsigned int size)
{
	if (__find_get_block_nonatomic)
		return __find_get_block_nonatomic(bdev, block, size);
	return __find_get_block(bdev, block, size);
}

/* Read, and found again where it was read to. */
TAKE take_buffer(void)
{
	struct block_device *bdev;
	void *block, *again;
	struct file *file;
	unsigned int size;

	file = filp_open(DEVICE, O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	bdev = I_BDEV(file->f_mapping->host);
	size = i_blocksize(file->f_mapping->host);
	block = __bread_gfp(bdev, 1, size, __GFP_MOVABLE);
	again = block ? find(bdev, 1, size) : NULL;
	if (block)
		__brelse(block);
	if (again && !leak)
		__brelse(again);
	filp_close(file, NULL);
	return again ? 0 : -EIO;
}

GIVE give_buffer(void) { }

const struct twin blocks[] = { TWIN(buffer) };
const size_t nblocks = ARRAY_SIZE(blocks);
