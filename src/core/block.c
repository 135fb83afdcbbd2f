// SPDX-License-Identifier: GPL-2.0-only
/*
 * block.c - the head that every metadata block begins with.
 *
 * A block says what it is, where it lies, whom it belongs to and to which volume, so that a write
 * gone astray or a block of an older volume is found out on the first read.  The crc is set when
 * a block leaves memory and is stale in between; structure is checked whatever the crc says.  Pure
 * functions on the bytes given: no locks, no transaction.
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

void sfs_block_seal(void *data)
{
	struct sfs_head *head = data;

	head->h_crc = cpu_to_le32(sfs_block_crc(data));
}

const char *sfs_block_kind(u32 magic)
{
	switch (magic) {
	case SFS_MAGIC_SUPER:
		return "superblock";
	case SFS_MAGIC_USED:
		return "used map";
	case SFS_MAGIC_INODE_MAP:
		return "inode map";
	case SFS_MAGIC_ROOM:
		return "room map";
	case SFS_MAGIC_ORPHAN:
		return "orphan map";
	case SFS_MAGIC_INODES:
		return "inode block";
	case SFS_MAGIC_NODE:
		return "btree node";
	case SFS_MAGIC_JOURNAL_DEV:
		return "journal device";
	}
	return "unknown block";
}

const char *sfs_head_verify(const void *data, u32 fsid, u64 blk, bool skip_crc)
{
	const struct sfs_head *head = data;

	if (le32_to_cpu(head->h_fsid) != fsid)
		return "block of another volume";
	if (le64_to_cpu(head->h_blk) != blk)
		return "block number is not its own";
	if (head->h_zero[0] | head->h_zero[1] | head->h_zero[2])
		return "reserved bytes of the head are not zero";
	if (head->h_live && le32_to_cpu(head->h_magic) != SFS_MAGIC_INODES)
		return "slot mask outside an inode block";
	if (!skip_crc && le32_to_cpu(head->h_crc) != sfs_block_crc(data))
		return sfs_why_crc;
	return NULL;
}

static const char *sfs_journal_dev_verify(const void *data, u64 blk)
{
	const struct sfs_journal_dev_disk *dev = data;

	if (blk)
		return "journal device's head outside block 0";
	if (memcmp(dev->j_ident, SFS_JOURNAL_IDENT, sizeof(dev->j_ident)))
		return "no identification of a journal device";
	if (le64_to_cpu(dev->j_blocks) < SFS_JOURNAL_DEV_LOG + SFS_JOURNAL_MIN)
		return "journal device too small";
	return NULL;
}

const char *sfs_block_verify(const struct sfs_fs *fs, const void *data, u64 blk, bool skip_crc)
{
	const struct sfs_head *head = data;
	const char *why;

	why = sfs_head_verify(data, fs->f_fsid, blk, skip_crc);
	if (why)
		return why;
	switch (le32_to_cpu(head->h_magic)) {
	case SFS_MAGIC_SUPER:
		return blk ? "superblock outside block 0" : sfs_super_verify_fields(data, 0);
	case SFS_MAGIC_USED:
	case SFS_MAGIC_INODE_MAP:
	case SFS_MAGIC_ROOM:
	case SFS_MAGIC_ORPHAN:
		return sfs_bitmap_verify(fs, data, blk);
	case SFS_MAGIC_INODES:
		if (!sfs_blk_is_valid(fs, blk, 1))
			return "inode block where none can be";
		return sfs_inodes_verify(fs, data, blk);
	case SFS_MAGIC_NODE:
		if (!sfs_blk_is_valid(fs, blk, 1))
			return "btree node where none can be";
		return sfs_node_verify(fs, (const struct sfs_node_disk *)(head + 1),
				       SFS_NODE_BYTES);
	case SFS_MAGIC_JOURNAL_DEV:
		return sfs_journal_dev_verify(data, blk);
	}
	return "no kind of block has this magic";
}
