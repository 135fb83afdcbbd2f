/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ram.h - the rooms' cellar and ground in memory: port.h and the allocator for property tests.
 *
 * A volume is an array of blocks and of who took them, so that a test can count what should be
 * held, and any call that may fail can be told to: RAM_FAIL sets after how many such calls one
 * fails.  References are counted, and a change without write access in the same transaction (a
 * test's step, ram_step()) ends the test.  The hash of names is weak by choice (ram_hash_mask).
 * Included by one file of a test program, since it defines what the core links to.
 */
#ifndef SFS_RAM_H
#define SFS_RAM_H

#include "seed.h"

#ifndef RAM_BLOCKS
#define RAM_BLOCKS	40000
#endif
#define RAM_FIRST	300		/* below: what a real volume would keep */
#define RAM_FSID	0x5eed1234

struct sfs_buf {
	u64 blk;
	unsigned int refs;
};

struct ram_block {
	u8 *data;			/* of metadata, made at first need */
	bool used;
	u64 seen;			/* the last step that read it: it is cached then */
	u64 step;			/* the last with write access */
	u64 ready;			/* the last that made it ready to be freed */
};

static struct ram_block ram_blocks[RAM_BLOCKS];
static u64 ram_used;			/* how many are */
static u64 ram_refs;			/* references to buffers now */
static u64 ram_gets;			/* calls of sfs_buf_get() */
static u64 ram_steps = 1;
/* In this step: blocks accessed or made, those that are new, and metadata freed. */
static u64 ram_touched, ram_new, ram_revoked;
static long ram_fail_in = -1;		/* calls that go well before one fails; < 0: all do */
static bool ram_failed;			/* it has happened */
static unsigned int ram_shutdowns;
static unsigned int ram_corruptions;
static const char *ram_why = "";	/* the last of them */
static u64 ram_hash_mask = ~0ULL;
static struct sfs_fs ram_fs = {
	.f_blocks = RAM_BLOCKS, .f_fsid = RAM_FSID, .f_kinds = sfs_kinds
};

static inline void ram_step(void)
{
	ram_steps++;
	ram_touched = ram_new = ram_revoked = 0;
	ram_fail_in = -1;
	ram_failed = false;
	TAP_REQUIRE(!ram_refs, "seed %" PRIu64 ": no buffer is left held", ram_seed);
}

static inline bool ram_fails(void)
{
	if (ram_fail_in < 0 || ram_fail_in--)
		return false;
	ram_failed = true;
	return true;
}

/* An empty volume. */
static inline void ram_reset(void)
{
	unsigned int i;

	for (i = 0; i < RAM_BLOCKS; i++)
		free(ram_blocks[i].data);
	memset(ram_blocks, 0, sizeof(ram_blocks));
	ram_used = 0;
	ram_shutdowns = 0;
	ram_corruptions = 0;
}

/* An inode block at @blk with all slots live, and @in in its first. */
static inline void ram_inode(struct sfs_inode *in, u64 blk, u16 mode)
{
	struct sfs_inodes_disk *inodes = calloc(1, SFS_BLOCK_SIZE);
	unsigned int i;

	sfs_inode_init(in, &ram_fs, blk << SFS_INODE_SLOT_BITS, mode, 1);
	in->i_nlink = 1;
	if (mode >> SFS_TYPE_SHIFT == SFS_TYPE_DIR)
		in->i_parent = in->i_ino;
	inodes->n_head.h_magic = cpu_to_le32(SFS_MAGIC_INODES);
	inodes->n_head.h_owner = cpu_to_le64(blk / SFS_GROUP_BLOCKS);
	inodes->n_head.h_blk = cpu_to_le64(blk);
	inodes->n_head.h_live = 0xff;
	for (i = 0; i < SFS_INODE_SLOTS; i++)
		sfs_inode_encode(in, &inodes->n_slot[i]);
	ram_blocks[blk].data = (u8 *)inodes;
	ram_blocks[blk].used = true;
	ram_used++;
}

bool sfs_blk_is_valid(const struct sfs_fs *fs, u64 blk, u64 nblks)
{
	return blk >= RAM_FIRST && blk < fs->f_blocks && nblks <= fs->f_blocks - blk;
}

static struct sfs_buf *ram_buf(u64 blk)
{
	struct sfs_buf *buf = calloc(1, sizeof(*buf));

	buf->blk = blk;
	buf->refs = 1;
	ram_refs++;
	return buf;
}

int sfs_buf_get(struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops, u64 owner,
		struct sfs_buf **ret_buf)
{
	TAP_REQUIRE(blk < RAM_BLOCKS && ram_blocks[blk].data, "seed %" PRIu64 ": block %" PRIu64
		    " is metadata", ram_seed, blk);
	if (sfs_block_check(ops, ram_blocks[blk].data, owner))
		return sfs_corrupt(fs, blk, 0, "block", "not the kind asked for");
	if (ram_blocks[blk].seen != ram_steps && ram_fails())
		return -EIO;
	ram_blocks[blk].seen = ram_steps;
	ram_gets++;
	*ret_buf = ram_buf(blk);
	return 0;
}

int sfs_buf_new(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops,
		u64 owner, struct sfs_buf **ret_buf)
{
	struct sfs_head *head;

	(void)t;
	(void)fs;
	if (ram_fails())
		return -ENOMEM;
	free(ram_blocks[blk].data);
	ram_blocks[blk].data = calloc(1, SFS_BLOCK_SIZE);
	ram_touched += ram_blocks[blk].step != ram_steps;
	ram_new++;
	ram_blocks[blk].step = ram_steps;
	ram_blocks[blk].seen = ram_steps;
	head = (struct sfs_head *)ram_blocks[blk].data;
	head->h_magic = cpu_to_le32(ops->b_magic);
	head->h_owner = cpu_to_le64(owner);
	*ret_buf = ram_buf(blk);
	return 0;
}

void sfs_buf_put(struct sfs_buf *buf)
{
	if (!buf)
		return;
	ram_refs--;
	if (!--buf->refs)
		free(buf);
}

void sfs_buf_hold(struct sfs_buf *buf)
{
	ram_refs++;
	buf->refs++;
}

void *sfs_buf_data(struct sfs_buf *buf)
{
	return ram_blocks[buf->blk].data;
}

u64 sfs_buf_blk(struct sfs_buf *buf)
{
	return buf->blk;
}

int sfs_buf_access(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	(void)t;
	(void)fs;
	if (ram_blocks[buf->blk].step != ram_steps && ram_fails())
		return -ENOMEM;
	ram_touched += ram_blocks[buf->blk].step != ram_steps;
	ram_blocks[buf->blk].step = ram_steps;
	return 0;
}

int sfs_buf_dirty(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	const u8 *data = ram_blocks[buf->blk].data;

	(void)t;
	TAP_REQUIRE(ram_blocks[buf->blk].step == ram_steps, "seed %" PRIu64 ": block %" PRIu64
		    " was changed without access", ram_seed, buf->blk);
	if (le32_to_cpu(((const struct sfs_head *)data)->h_magic) == SFS_MAGIC_NODE)
		TAP_REQUIRE(!sfs_node_verify(fs, (const void *)(data + sizeof(struct sfs_head)),
					     SFS_NODE_BYTES), "seed %" PRIu64
			    ": node %" PRIu64 " is sound", ram_seed, buf->blk);
	return 0;
}

/* Near @goal, and often less than is wanted. */
int sfs_alloc_blks(struct sfs_trans *t, struct sfs_fs *fs, u64 goal, u32 want, unsigned int flags,
		   u64 *ret_blk, u32 *ret_nblks)
{
	u64 blk = goal;
	u32 n;

	(void)t;
	(void)fs;
	(void)flags;
	if (ram_fails())
		return -ENOSPC;
	if (blk < RAM_FIRST || blk >= RAM_BLOCKS || !ram_random(8))
		blk = RAM_FIRST + ram_random(RAM_BLOCKS - RAM_FIRST);
	TAP_REQUIRE(ram_used < RAM_BLOCKS / 2, "seed %" PRIu64 ": test volume is full", ram_seed);
	while (ram_blocks[blk].used)
		if (++blk == RAM_BLOCKS)
			blk = RAM_FIRST;
	if (!ram_random(3))
		want = 1 + ram_random(want);
	for (n = 0; n < want && blk + n < RAM_BLOCKS && !ram_blocks[blk + n].used; n++)
		ram_blocks[blk + n].used = true;
	ram_used += n;
	*ret_blk = blk;
	*ret_nblks = n;
	return 0;
}

int sfs_free_blks(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, u32 nblks)
{
	u32 i;

	(void)t;
	if (ram_fails())
		return -EIO;
	for (i = 0; i < nblks; i++)
		if (!sfs_blk_is_valid(fs, blk + i, 1) || !ram_blocks[blk + i].used)
			return sfs_corrupt(fs, blk, 0, "used map", "block is free already");
	for (i = 0; i < nblks; i++)
		ram_blocks[blk + i].used = false;
	ram_used -= nblks;
	return 0;
}

int sfs_free_meta_ready(struct sfs_trans *t, struct sfs_fs *fs, u64 blk)
{
	(void)t;
	if (ram_blocks[blk].ready != ram_steps && ram_fails())
		return -EIO;
	if (!sfs_blk_is_valid(fs, blk, 1) || !ram_blocks[blk].used)
		return sfs_corrupt(fs, blk, 0, "used map", "block is free already");
	ram_blocks[blk].ready = ram_steps;
	return 0;
}

/* The content goes at once: who reads the block after this finds nothing. */
int sfs_free_meta(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf)
{
	u64 blk = buf->blk;

	(void)t;
	(void)fs;
	TAP_REQUIRE(ram_blocks[blk].used && ram_blocks[blk].ready == ram_steps, "seed %" PRIu64
		    ": block was ready to be freed", ram_seed);
	sfs_buf_put(buf);
	free(ram_blocks[blk].data);
	ram_blocks[blk].data = NULL;
	ram_blocks[blk].used = false;
	ram_used--;
	ram_revoked++;
	return 0;
}

void sfs_shutdown(struct sfs_fs *fs, int err, const char *why)
{
	(void)fs;
	(void)err;
	ram_shutdowns++;
	ram_why = why;
}

int sfs_corrupt(struct sfs_fs *fs, u64 blk, u64 ino, const char *what, const char *why)
{
	(void)fs;
	(void)blk;
	(void)ino;
	(void)what;
	ram_corruptions++;
	ram_why = why;
	return -EFSCORRUPTED;
}

u64 sfs_siphash(const u64 key[2], const void *p, size_t nbytes)
{
	u64 hash = key[0] ^ 0xcbf29ce484222325ULL;
	const u8 *s = p;

	while (nbytes--)
		hash = (hash ^ *s++) * 0x100000001b3ULL;
	hash ^= hash >> 29;
	hash *= 0xbf58476d1ce4e5b9ULL;
	return (hash ^ hash >> 32) & ram_hash_mask;
}

#endif
