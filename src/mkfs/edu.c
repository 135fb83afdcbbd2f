// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu.c - blocks of an educational simplefs (edu.h), none of them believed.
 *
 * That format has no checksums: a block is what its place says, and true if its numbers agree with
 * each other and with the volume's.
 */
#include <stdarg.h>
#include <sys/stat.h>

#include "edu.h"

static u32 sfs_edu_div_up(u32 n, u32 by)
{
	return n / by + (n % by != 0);
}

bool sfs_edu_probe(const void *first)
{
	__le32 magic;

	memcpy(&magic, first, sizeof(magic));
	return le32_to_cpu(magic) == SFS_EDU_MAGIC;
}

int sfs_edu_fail(struct sfs_edu *edu, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(edu->why, sizeof(edu->why), fmt, ap);
	va_end(ap);
	return err;
}

int sfs_edu_corrupt(struct sfs_edu *edu, const char *what, u32 blk, u32 ino, const char *why)
{
	return sfs_edu_fail(edu, -EFSCORRUPTED, "corrupt %s: blk=%u ino=%u, %s", what, blk, ino,
			    why);
}

int sfs_edu_read(struct sfs_edu *edu, u32 blk, void *block)
{
	int err = sfs_dev_read(edu->dev, blk, block);

	return err ? sfs_edu_fail(edu, err, "block %u is one that cannot be read", blk) : 0;
}

static const char *sfs_edu_super_verify(const struct sfs_edu_super_disk *disk, u64 have)
{
	u32 nblks = le32_to_cpu(disk->s_blocks);
	u32 inodes = le32_to_cpu(disk->s_inodes);
	u32 maps = sfs_edu_div_up(inodes, SFS_EDU_MAP_BITS);

	if (nblks > have)
		return "volume larger than what it is on";
	if (inodes <= SFS_EDU_ROOT)
		return "no inodes";
	if (le32_to_cpu(disk->s_table_blocks) != sfs_edu_div_up(inodes, SFS_EDU_INODES))
		return "table of another size than its inodes take";
	if (le32_to_cpu(disk->s_inode_map_blocks) != maps)
		return "map of inodes of another size than they take";
	if (le32_to_cpu(disk->s_block_map_blocks) != sfs_edu_div_up(nblks, SFS_EDU_MAP_BITS))
		return "map of blocks of another size than they take";
	if (1 + (u64)le32_to_cpu(disk->s_table_blocks) + maps +
	    le32_to_cpu(disk->s_block_map_blocks) >= nblks)
		return "no room behind the maps";
	if (le32_to_cpu(disk->s_free_inodes) >= inodes || le32_to_cpu(disk->s_free_blocks) >= nblks)
		return "more free than there is";
	return NULL;
}

static bool sfs_edu_bit(const u8 *map, u32 n)
{
	return map[n / 8] >> n % 8 & 1;
}

int sfs_edu_open(const char *path, struct sfs_edu *edu)
{
	u8 block[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_edu_super_disk *disk = (const struct sfs_edu_super_disk *)block;
	const char *why;
	u32 blk;
	int err;

	if (sfs_dev_is_busy(path))
		return sfs_edu_fail(edu, -EBUSY, "is in use, and may change while it is read");
	err = sfs_dev_open(path, false, &edu->dev);
	if (err)
		return sfs_edu_fail(edu, err, "is there, and not to be opened: %s",
				    strerror(-err));
	err = sfs_edu_read(edu, 0, block);
	if (err)
		return err;
	why = sfs_edu_super_verify(disk, sfs_dev_nblks(edu->dev));
	if (why)
		return sfs_edu_corrupt(edu, "superblock", 0, 0, why);
	edu->nblks = le32_to_cpu(disk->s_blocks);
	edu->inodes = le32_to_cpu(disk->s_inodes);
	edu->table_blocks = le32_to_cpu(disk->s_table_blocks);
	edu->inode_map = 1 + edu->table_blocks;
	edu->block_map = edu->inode_map + le32_to_cpu(disk->s_inode_map_blocks);
	edu->data = edu->block_map + le32_to_cpu(disk->s_block_map_blocks);
	edu->taken = calloc(1, edu->nblks / 8 + 1);
	if (!edu->taken)
		return sfs_edu_fail(edu, -ENOMEM, "no memory for a map of %u blocks", edu->nblks);
	for (blk = 0; blk < edu->data; blk++)
		edu->taken[blk / 8] |= 1 << blk % 8;
	return 0;
}

void sfs_edu_close(struct sfs_edu *edu)
{
	sfs_dev_close(edu->dev);
	free(edu->taken);
}

static bool sfs_edu_lies_in(const struct sfs_edu *edu, u32 blk, u32 nblks)
{
	return blk >= edu->data && blk < edu->nblks && nblks <= edu->nblks - blk;
}

static const char *sfs_edu_inode_verify(const struct sfs_edu *edu,
					const struct sfs_edu_inode_disk *inode)
{
	u32 mode = le32_to_cpu(inode->i_mode);
	u32 size = le32_to_cpu(inode->i_size);

	if (!mode)
		return "inode is not in use";
	if (mode >> 16 || (!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode)))
		return "inode of a type that there is not";
	if (le32_to_cpu(inode->i_uid) == (u32)-1 || le32_to_cpu(inode->i_gid) == (u32)-1)
		return "owner or group that no file can have";
	if (S_ISLNK(mode))
		return !size || strnlen(inode->i_target, SFS_EDU_TARGET) != size ||
		       size == SFS_EDU_TARGET ? "symlink of another length than its target" : NULL;
	if (!sfs_edu_lies_in(edu, le32_to_cpu(inode->i_index), 1))
		return "index that is not in the volume";
	if (S_ISDIR(mode) && size != SFS_BLOCK_SIZE)
		return "directory that is not one block long";
	return NULL;
}

int sfs_edu_inode(struct sfs_edu *edu, u32 ino, struct sfs_edu_inode_disk *ret_inode)
{
	u8 block[SFS_BLOCK_SIZE];
	u32 blk = 1 + ino / SFS_EDU_INODES;
	const char *why;
	int err;

	if (ino < SFS_EDU_ROOT || ino >= edu->inodes)
		return sfs_edu_corrupt(edu, "inode", 0, ino, "no number of an inode");
	err = sfs_edu_read(edu, blk, block);
	if (err)
		return err;
	memcpy(ret_inode, block + ino % SFS_EDU_INODES * sizeof(*ret_inode), sizeof(*ret_inode));
	why = sfs_edu_inode_verify(edu, ret_inode);
	return why ? sfs_edu_corrupt(edu, "inode", blk, ino, why) : 0;
}

static const char *sfs_edu_index_verify(const struct sfs_edu *edu, bool is_dir, u32 size,
					const struct sfs_edu_index_disk *index)
{
	u64 names = 0;
	u32 runs = 0;
	u32 i;

	for (i = 0; i < SFS_EDU_RUNS; i++) {
		const struct sfs_edu_run_disk *run = &index->x_runs[i];

		if (!run->r_blk)
			continue;
		if (le32_to_cpu(run->r_nblks) != SFS_EDU_RUN_BLOCKS)
			return "run that is not 8 blocks long";
		if (!sfs_edu_lies_in(edu, le32_to_cpu(run->r_blk), SFS_EDU_RUN_BLOCKS))
			return "run that is not in the volume";
		if (!is_dir && (i != runs || le32_to_cpu(run->r_lblk) != i * SFS_EDU_RUN_BLOCKS))
			return "runs that do not follow one another";
		names += le32_to_cpu(run->r_names);
		runs++;
	}
	if (is_dir && names != le32_to_cpu(index->x_names))
		return "count of names is not that of its runs";
	if (!is_dir && size > (u64)runs * SFS_EDU_RUN_BLOCKS * SFS_BLOCK_SIZE)
		return "file longer than its runs";
	return NULL;
}

int sfs_edu_index(struct sfs_edu *edu, u32 ino, const struct sfs_edu_inode_disk *inode,
		  struct sfs_edu_index_disk *ret_index)
{
	u32 blk = le32_to_cpu(inode->i_index);
	const char *why;
	int err;

	err = sfs_edu_read(edu, blk, ret_index);
	if (err)
		return err;
	why = sfs_edu_index_verify(edu, S_ISDIR(le32_to_cpu(inode->i_mode)),
				   le32_to_cpu(inode->i_size), ret_index);
	return why ? sfs_edu_corrupt(edu, "index", blk, ino, why) : 0;
}

static int sfs_edu_take_run(struct sfs_edu *edu, u32 ino, u32 blk, u32 nblks)
{
	for (; nblks; blk++, nblks--) {
		if (sfs_edu_bit(edu->taken, blk))
			return sfs_edu_corrupt(edu, "index", blk, ino, "block with two users");
		edu->taken[blk / 8] |= 1 << blk % 8;
	}
	return 0;
}

int sfs_edu_take(struct sfs_edu *edu, u32 ino, const struct sfs_edu_inode_disk *inode,
		 const struct sfs_edu_index_disk *index)
{
	int err = sfs_edu_take_run(edu, ino, le32_to_cpu(inode->i_index), 1);
	u32 i;

	for (i = 0; i < SFS_EDU_RUNS && !err; i++)
		if (index->x_runs[i].r_blk)
			err = sfs_edu_take_run(edu, ino, le32_to_cpu(index->x_runs[i].r_blk),
					       SFS_EDU_RUN_BLOCKS);
	return err;
}

static const char *sfs_edu_names_verify(const struct sfs_edu_names_disk *names)
{
	u32 in_chain = 0;
	u32 count = 0;
	u32 slots;
	u32 i;

	for (i = 0; i < SFS_EDU_NAMES; i++)
		count += names->d_slots[i].n_ino != 0;
	if (count != le32_to_cpu(names->d_names))
		return "count of names is not that of its slots";
	for (i = 0; count && i < SFS_EDU_NAMES; i += slots) {
		slots = le32_to_cpu(names->d_slots[i].n_slots);
		if (!slots || slots > SFS_EDU_NAMES - i)
			return "chain of slots that leads nowhere";
		in_chain += names->d_slots[i].n_ino != 0;
	}
	return in_chain == count ? NULL : "name outside the chain of slots";
}

int sfs_edu_names(struct sfs_edu *edu, u32 ino, u32 blk, struct sfs_edu_names_disk *ret_names)
{
	const char *why;
	int err;

	err = sfs_edu_read(edu, blk, ret_names);
	if (err)
		return err;
	why = sfs_edu_names_verify(ret_names);
	return why ? sfs_edu_corrupt(edu, "names", blk, ino, why) : 0;
}

/* Of @nbits inodes, or blocks if @files is NULL, those in use that the map at @blk calls free. */
static s64 sfs_edu_compare_map(struct sfs_edu *edu, u32 blk, u32 nbits,
			       const struct sfs_edu_file *files)
{
	u8 map[SFS_BLOCK_SIZE];
	s64 unmarked = 0;
	u32 i;
	int err;

	for (i = 0; i < nbits; i++) {
		if (i % SFS_EDU_MAP_BITS == 0) {
			err = sfs_edu_read(edu, blk + i / SFS_EDU_MAP_BITS, map);
			if (err)
				return err;
		}
		if (files ? files[i].links != 0 : sfs_edu_bit(edu->taken, i))
			unmarked += sfs_edu_bit(map, i % SFS_EDU_MAP_BITS);
	}
	return unmarked;
}

s64 sfs_edu_unmarked(struct sfs_edu *edu, const struct sfs_edu_file *files)
{
	s64 inodes = sfs_edu_compare_map(edu, edu->inode_map, edu->inodes, files);
	s64 blocks = inodes < 0 ? 0 : sfs_edu_compare_map(edu, edu->block_map, edu->nblks, NULL);

	return inodes < 0 ? inodes : blocks < 0 ? blocks : inodes + blocks;
}
