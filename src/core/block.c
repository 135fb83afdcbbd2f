// SPDX-License-Identifier: GPL-2.0-only
/*
 * block.c - the head that every metadata block begins with.
 *
 * A block says what it is, where it lies, whom it belongs to and to which volume, so that a write
 * gone astray or a block of an older volume is found out on the first read.  The crc is set when
 * a block leaves memory and is stale in between.  What lies behind the head is the business of its
 * kind, of which nothing is known here but a struct sfs_block_ops.  Pure functions on the bytes
 * given: no locks, no transaction.
 */
#include "port.h"
#include "format.h"
#include "core.h"

const char sfs_why_crc[] = "wrong checksum";

void sfs_block_init(void *data, u32 fsid, u32 magic, u64 blk, u64 owner)
{
	struct sfs_head *head = data;

	memset(head, 0, sizeof(*head));
	head->h_magic = cpu_to_le32(magic);
	head->h_blk = cpu_to_le64(blk);
	head->h_owner = cpu_to_le64(owner);
	head->h_fsid = cpu_to_le32(fsid);
}

static u32 sfs_block_crc(const void *data)
{
	const size_t at = offsetof(struct sfs_head, h_crc);
	const struct sfs_head *head = data;
	const __le32 zero = 0;
	u32 crc;

	crc = sfs_crc32c(le32_to_cpu(head->h_fsid), data, at);
	crc = sfs_crc32c(crc, &zero, sizeof(zero));
	return sfs_crc32c(crc, (const u8 *)data + at + sizeof(zero),
			  SFS_BLOCK_SIZE - at - sizeof(zero));
}

void sfs_block_stamp(const struct sfs_fs *fs, void *data)
{
	struct sfs_head *head = data;

	head->h_seq = cpu_to_le64(READ_ONCE(fs->f_sequence));
}

void sfs_block_seal(void *data)
{
	struct sfs_head *head = data;

	head->h_crc = cpu_to_le32(sfs_block_crc(data));
}

const char *sfs_head_verify(const void *data, u32 fsid, u64 blk)
{
	const struct sfs_head *head = data;

	if (le32_to_cpu(head->h_fsid) != fsid)
		return memchr_inv(data, 0, SFS_BLOCK_SIZE) ? "block of another volume" :
							     "block of zeros";
	if (le64_to_cpu(head->h_blk) != blk)
		return "block number is not its own";
	if (memchr_inv(head->h_zero, 0, sizeof(head->h_zero)))
		return "reserved bytes of the head are not zero";
	if (le32_to_cpu(head->h_crc) != sfs_block_crc(data))
		return sfs_why_crc;
	return NULL;
}

const char *sfs_block_verify(const struct sfs_fs *fs, const struct sfs_block_ops *ops,
			     const void *data, u64 blk)
{
	const struct sfs_head *head = data;
	const char *why;

	why = sfs_head_verify(data, fs->f_fsid, blk);
	if (why)
		return why;
	if (le32_to_cpu(head->h_magic) != ops->b_magic)
		return "another kind of block is here";
	if (le64_to_cpu(head->h_seq) > READ_ONCE(fs->f_sequence_max))
		return "newer than the superblock says";
	if (head->h_generation && !ops->b_owner_is_ino)
		return "a generation without an inode";
	return ops->b_verify(fs, data, blk);
}
