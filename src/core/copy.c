// SPDX-License-Identifier: GPL-2.0-only
/*
 * copy.c - the copies of the superblock, one in the head of each zone that was begun.
 *
 * Nothing else on a volume could replace block 0.  A copy is block 0 as it was when the copy was
 * written, under a magic and the number of its own, so that nobody takes it for block 0, and never
 * called clean.  It comes with the head of its zone, and is written again when block 0 says
 * something else of the volume itself, and not only of its state.  No mount reads one: it is for
 * who has lost block 0.  Where they lie is arithmetic (geometry.c), so that they are found without
 * it.
 *
 * Tools write them outside of transactions, as strips are: one that is torn or old is no damage
 * that stops anything, since block 0 rules while it is there.  On a mounted volume they change in
 * transactions that begin no earlier than that of block 0: after a crash each is a whole one, some
 * of them of the time before.
 */
#include "port.h"
#include "format.h"
#include "core.h"

/* Whoever gets the block while it is made anew sees a copy's magic all the time. */
void sfs_copy_make(const void *super, u64 blk, void *data)
{
	u64 zone = blk / SFS_ZONE_BLOCKS;
	struct sfs_super_disk *sup = data;
	struct sfs_head head;

	memcpy(&head, super, sizeof(head));
	head.h_magic = cpu_to_le32(SFS_MAGIC_COPY);
	head.h_blk = cpu_to_le64(blk);
	memcpy(data, &head, sizeof(head));
	memcpy((u8 *)data + sizeof(head), (const u8 *)super + sizeof(head),
	       SFS_BLOCK_SIZE - sizeof(head));
	sup->s_state &= ~cpu_to_le32(SFS_STATE_CLEAN);
	/* With the head that it is part of, the zone is begun. */
	sup->s_zones = cpu_to_le64(max_t(u64, le64_to_cpu(sup->s_zones), zone + 1));
}

static const char *sfs_copy_verify_fields(const struct sfs_super_disk *sup, u64 blk,
					  u64 dev_blocks)
{
	if (blk != sfs_copy_blk(blk / SFS_ZONE_BLOCKS))
		return "copy of a superblock where none can be";
	if (le64_to_cpu(sup->s_zones) <= blk / SFS_ZONE_BLOCKS)
		return "copy in a zone that was not begun";
	if (sup->s_state & cpu_to_le32(SFS_STATE_CLEAN))
		return "a copy that is called clean";
	return sfs_super_verify_fields(sup, dev_blocks);
}

const char *sfs_copy_verify(const void *data, u64 blk, u64 dev_blocks)
{
	const struct sfs_super_disk *sup = data;
	const char *why;

	if (le32_to_cpu(sup->s_head.h_magic) != SFS_MAGIC_COPY)
		return "no copy of a superblock";
	why = sfs_head_verify(data, le32_to_cpu(sup->s_head.h_fsid), blk);
	return why ? why : sfs_copy_verify_fields(sup, blk, dev_blocks);
}

static const char *sfs_copy_verify_block(const struct sfs_fs *fs, const void *data, u64 blk)
{
	(void)fs;
	return sfs_copy_verify_fields(data, blk, 0);
}

const struct sfs_block_ops sfs_copy_ops = {
	.b_magic = SFS_MAGIC_COPY,
	.b_name = "copy of the superblock",
	.b_verify = sfs_copy_verify_block,
};

static void sfs_copy_fill(struct sfs_fs *fs, u64 blk, void *data, const void *super)
{
	(void)fs;
	sfs_copy_make(super, blk, data);
}

int sfs_copies_write(struct sfs_fs *fs)
{
	u64 zones = smp_load_acquire(&fs->f_zones);
	struct sfs_buf *super;
	int first, err;
	u64 zone;

	first = sfs_buf_get(fs, 0, &sfs_super_ops, 0, &super);
	if (first)
		return first;
	/* One that cannot be written keeps none of the others from being so. */
	for (zone = 0; zone < zones; zone++) {
		sfs_mutex_lock(&fs->f_zone_lock);
		err = sfs_buf_format(fs, sfs_copy_blk(zone), 1, sfs_copy_fill,
				     sfs_buf_data(super));
		sfs_mutex_unlock(&fs->f_zone_lock);
		first = first ? first : err;
	}
	sfs_buf_put(super);
	err = sfs_buf_flush(fs);
	return first ? first : err;
}

void sfs_copies_read(struct sfs_fs *fs, u64 zone, unsigned int n)
{
	struct sfs_buf *buf;
	unsigned int i;

	for (i = 0; i < n; i++)
		sfs_buf_readahead(fs, sfs_copy_blk(zone + i), 1);
	for (i = 0; i < n; i++)
		if (!sfs_buf_get(fs, sfs_copy_blk(zone + i), &sfs_copy_ops, 0, &buf))
			sfs_buf_put(buf);
}

/* f_zone_lock held.  One that cannot be had is made anew. */
static int sfs_copy_update(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, const void *super)
{
	struct sfs_buf *buf;
	int err;

	err = sfs_buf_get(fs, blk, &sfs_copy_ops, 0, &buf);
	if (sfs_is_bad_block(err)) {
		err = sfs_buf_new(t, fs, blk, &sfs_copy_ops, 0, &buf);
	} else if (!err) {
		err = sfs_buf_access(t, fs, buf);
		if (err)
			sfs_buf_put(buf);
	}
	if (err)
		return err;
	sfs_copy_make(super, blk, sfs_buf_data(buf));
	err = sfs_buf_dirty(t, fs, buf);
	sfs_buf_put(buf);
	return err;
}

int sfs_copies_update(struct sfs_trans *t, struct sfs_fs *fs, u64 zone, unsigned int n)
{
	struct sfs_buf *super;
	int first, err;

	/* Who encodes it holds the lock: before that it is no superblock for a moment. */
	sfs_mutex_lock(&fs->f_zone_lock);
	first = sfs_buf_get(fs, 0, &sfs_super_ops, 0, &super);
	sfs_mutex_unlock(&fs->f_zone_lock);
	if (first)
		return first;
	for (; n; n--, zone++) {
		sfs_mutex_lock(&fs->f_zone_lock);
		err = sfs_copy_update(t, fs, sfs_copy_blk(zone), sfs_buf_data(super));
		sfs_mutex_unlock(&fs->f_zone_lock);
		first = first ? first : err;
	}
	sfs_buf_put(super);
	return first;
}
