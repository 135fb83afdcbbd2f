// SPDX-License-Identifier: GPL-2.0-only
/*
 * block_fuzz.c - one block of bytes, sealed, as each kind of block that it might be.
 *
 * What a verifier lets pass must be safe to print, to decode and to search.  The first byte of the
 * input chooses the kind, the rest are the block.
 */
#include "volume.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t nbytes);

#define PLACE	900		/* where nodes and inodes can be */

static u8 block[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
static FILE *nowhere;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_volume_make(false);
	nowhere = fopen("/dev/null", "w");
	FUZZ_REQUIRE(nowhere);
	return 0;
}

/* Whatever it is: it can be shown, in both ways. */
static void print(void)
{
	int json;

	for (json = 0; json < 2; json++) {
		struct sfs_text *out = sfs_text_open(nowhere, json);

		FUZZ_REQUIRE(out);
		sfs_block_totext(out, block);
		FUZZ_REQUIRE(!sfs_text_close(out));
	}
}

static void try_super(void)
{
	u8 again[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_fs fs = { 0 };
	u64 zone;

	if (sfs_super_verify(block, 0))
		return;
	sfs_super_decode(&fs, block);
	FUZZ_REQUIRE(!sfs_fs_init(&fs));
	for (zone = 0; zone < 3 && zone < fs.f_zones_max; zone++)
		FUZZ_REQUIRE(sfs_zone_data(&fs, zone) < fs.f_blocks);
	FUZZ_REQUIRE(sfs_blk_is_valid(&fs, sfs_ino_blk(fs.f_root), 1));
	FUZZ_REQUIRE(!sfs_blk_is_valid(&fs, 0, 1) && !sfs_blk_is_valid(&fs, fs.f_blocks, 1));
	/* What was let in goes out as something that is let in again. */
	memcpy(again, block, sizeof(again));
	sfs_super_encode(&fs, again);
	sfs_block_seal(again);
	FUZZ_REQUIRE(!sfs_super_verify(again, 0));
	sfs_fs_exit(&fs);
}

/* Searches an inode whose whole tree is its root; of a higher one the rest is not there. */
static void try_inode(struct sfs_fs *fs, u64 ino, const struct sfs_inode_disk *disk)
{
	struct sfs_inode in = { .i_fs = fs, .i_ino = ino };
	struct sfs_extent ext;
	struct sfs_path path;
	u64 key = 0;
	u64 next;

	sfs_inode_decode(&in, disk);
	if (((struct sfs_node_disk *)in.i_root)->n_level)
		return;
	if (!sfs_tree_find_ge(&in, 0, &path)) {
		do {
			next = sfs_path_key(&path);
			FUZZ_REQUIRE(!key || next > key);
			key = next;
		} while (!sfs_tree_next(&path));
	}
	if (in.i_mode >> SFS_TYPE_SHIFT == SFS_TYPE_REG) {
		(void)sfs_extent_find(&in, SFS_LBLK_MAX, &ext);
		(void)sfs_extent_find(&in, 0, &ext);
	}
}

static void try_inodes(struct sfs_fs *fs, u64 blk)
{
	const struct sfs_inodes_disk *inodes = (const struct sfs_inodes_disk *)block;
	unsigned int i;

	for (i = 0; i < SFS_INODE_SLOTS; i++) {
		if (inodes->n_head.h_live >> i & 1)
			try_inode(fs, blk << SFS_INODE_SLOT_BITS | i, &inodes->n_slot[i]);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t nbytes)
{
	static const u32 magics[] = {
		SFS_MAGIC_SUPER, SFS_MAGIC_USED, SFS_MAGIC_INODE_MAP, SFS_MAGIC_ROOM,
		SFS_MAGIC_ORPHAN, SFS_MAGIC_INODES, SFS_MAGIC_NODE, SFS_MAGIC_JOURNAL_DEV,
	};
	struct sfs_head *head = (struct sfs_head *)block;
	struct sfs_fs fs;
	u32 magic;
	u64 blk;

	if (!nbytes)
		return 0;
	magic = magics[data[0] % 8];
	blk = magic == SFS_MAGIC_SUPER || magic == SFS_MAGIC_JOURNAL_DEV ? 0 :
	      magic == SFS_MAGIC_INODES || magic == SFS_MAGIC_NODE ? PLACE :
	      sfs_map_blk(0, data[0] % 8 - 1);
	memset(block, 0, sizeof(block));
	memcpy(block, data, min_t(size_t, nbytes, sizeof(block)));
	head->h_magic = cpu_to_le32(magic);
	head->h_blk = cpu_to_le64(blk);
	FUZZ_REQUIRE(fuzz_volume_open(&fs));
	if (magic == SFS_MAGIC_SUPER)
		memcpy(((struct sfs_super_disk *)block)->s_ident, SFS_IDENT, 8);
	else
		head->h_fsid = cpu_to_le32(fs.f_fsid);
	sfs_block_seal(block);
	print();
	if (magic == SFS_MAGIC_SUPER)
		try_super();
	else if (!sfs_block_verify_any(&fs, block, blk) && magic == SFS_MAGIC_INODES)
		try_inodes(&fs, blk);
	fuzz_volume_close(&fs);
	return 0;
}
