// SPDX-License-Identifier: GPL-2.0-only
/*
 * copies.c - the copies of a superblock as a tool sees them: found without block 0, or compared
 * with it.
 *
 * Copies that a former volume has left where this one has not begun a zone yet must not be taken
 * for its own.  A volume is known by what is never changed of it: seed, hash key, time of mkfs; and
 * which volume it is says the first copy that is found, which is zone 0's, since mkfs takes away
 * what was there.  Where that one is lost too, what is left of the first maps has to fit the next,
 * or, where nothing of them is, the root.
 */
#include "lib.h"

/* So many copies one behind the other may be lost; where more are missing no zone was begun. */
#define SFS_COPY_GAP	16
/* So far behind the root of a volume are blocks of inodes looked for that are not its own. */
#define SFS_COPY_LOOK	32768

/* What was written of the volume itself: all but what format.h excepts. */
static void sfs_copy_lasting(const void *data, struct sfs_super_disk *ret_sup)
{
	memcpy(ret_sup, data, sizeof(*ret_sup));
	memset(&ret_sup->s_head, 0, sizeof(ret_sup->s_head));
	ret_sup->s_zones = 0;
	ret_sup->s_state = 0;
	ret_sup->s_free = 0;
	ret_sup->s_inodes = 0;
	ret_sup->s_mounts = 0;
	ret_sup->s_mount_time = 0;
	ret_sup->s_write_time = 0;
	ret_sup->s_check_time = 0;
	ret_sup->s_error_time = 0;
	ret_sup->s_error_blk = 0;
	ret_sup->s_error_ino = 0;
	ret_sup->s_error_count = 0;
	memset(ret_sup->s_error_why, 0, sizeof(ret_sup->s_error_why));
	ret_sup->s_sequence = 0;
}

/* @behind: as it was before what block 0 says of name, damage and size. */
static bool sfs_copy_is_like(const void *super, const void *copy, bool behind)
{
	struct sfs_super_disk a, b;

	sfs_copy_lasting(super, &a);
	sfs_copy_lasting(copy, &b);
	if (behind) {
		memcpy(b.s_label, a.s_label, sizeof(b.s_label));
		memcpy(b.s_uuid, a.s_uuid, sizeof(b.s_uuid));
		b.s_errors = a.s_errors;
	}
	if (behind && le64_to_cpu(b.s_blocks) < le64_to_cpu(a.s_blocks)) {
		b.s_blocks = a.s_blocks;
		b.s_tail = a.s_tail;
	}
	return !memcmp(&a, &b, sizeof(a)) &&
	       !memcmp((const u8 *)super + sizeof(a), (const u8 *)copy + sizeof(b),
		       SFS_BLOCK_SIZE - sizeof(a));
}

bool sfs_copy_is_true(const void *super, const void *copy)
{
	return sfs_copy_is_like(super, copy, false);
}

bool sfs_copy_is_behind(const void *super, const void *copy)
{
	return !sfs_copy_is_true(super, copy) && sfs_copy_is_like(super, copy, true);
}

static bool sfs_copy_is_same_volume(const struct sfs_super_disk *a, const struct sfs_super_disk *b)
{
	return a->s_fsid == b->s_fsid && a->s_mkfs_time == b->s_mkfs_time &&
	       !memcmp(a->s_hash_key, b->s_hash_key, sizeof(a->s_hash_key));
}

/* Is one of the maps that mkfs clears first the volume's? */
static bool sfs_copy_has_ground(struct sfs_dev *dev, const struct sfs_super_disk *sup)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u64 group;

	for (group = 0; group < SFS_ZONE_GROUPS; group++) {
		u64 blk = sfs_map_blk(group, SFS_MAP_USED);

		if (!sfs_dev_read(dev, blk, data) &&
		    !sfs_head_verify(data, le32_to_cpu(sup->s_fsid), blk))
			return true;
	}
	return false;
}

/* Is a block of inodes of some volume at @blk?  Its seed, or 0. */
static u32 sfs_copy_inodes_of(struct sfs_dev *dev, u64 blk, void *data)
{
	const struct sfs_head *head = data;
	u32 fsid;

	if (sfs_dev_read(dev, blk, data))
		return 0;
	fsid = le32_to_cpu(head->h_fsid);
	if (le32_to_cpu(head->h_magic) != SFS_MAGIC_INODES || sfs_head_verify(data, fsid, blk))
		return 0;
	return fsid;
}

/*
 * All of zone 0's head is gone.  The root's block of inodes is where the copy says, and up to some
 * way behind it no volume has others: a newer one would have had its own root there.
 */
static bool sfs_copy_has_root(struct sfs_dev *dev, const struct sfs_super_disk *sup)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u64 root = le64_to_cpu(sup->s_root), blk = sfs_ino_blk(root);
	u32 fsid = le32_to_cpu(sup->s_fsid), other;
	u64 end = min(blk + SFS_COPY_LOOK, sfs_dev_nblks(dev));

	if (blk >= end || sfs_copy_inodes_of(dev, blk, data) != fsid ||
	    !(((const struct sfs_head *)data)->h_live >> sfs_ino_slot(root) & 1))
		return false;
	for (blk = SFS_JOURNAL_START; blk < end; blk++) {
		other = sfs_copy_inodes_of(dev, blk, data);
		if (other && other != fsid)
			return false;
	}
	return true;
}

static bool sfs_copy_read(struct sfs_dev *dev, u64 zone, void *data)
{
	u64 blk = sfs_copy_blk(zone);

	return !sfs_dev_read(dev, blk, data) && !sfs_copy_verify(data, blk, sfs_dev_nblks(dev));
}

int sfs_copies_find(struct sfs_dev *dev, void *ret_super, u64 *ret_blk)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_super_disk *sup = (struct sfs_super_disk *)data;
	u8 best[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_super_disk *new = (struct sfs_super_disk *)best;
	u64 zones = 0;		/* surely begun */
	u64 zone, blk = 0;

	for (zone = 0; zone < zones + SFS_COPY_GAP && sfs_copy_blk(zone) < sfs_dev_nblks(dev);
	     zone++) {
		if (!sfs_copy_read(dev, zone, data))
			continue;
		if (!blk ? zone && !sfs_copy_has_ground(dev, sup) && !sfs_copy_has_root(dev, sup) :
			   !sfs_copy_is_same_volume(sup, new))
			continue;
		zones = max_t(u64, zones, le64_to_cpu(sup->s_zones));
		if (blk && le64_to_cpu(sup->s_head.h_seq) <= le64_to_cpu(new->s_head.h_seq))
			continue;
		blk = sfs_copy_blk(zone);
		memcpy(best, data, sizeof(best));
	}
	if (!blk)
		return -ENOENT;
	new->s_head.h_magic = cpu_to_le32(SFS_MAGIC_SUPER);
	new->s_head.h_blk = 0;
	new->s_zones = cpu_to_le64(zones);
	new->s_state = cpu_to_le32(SFS_STATE_ERROR);
	new->s_sequence = cpu_to_le64(SFS_SEQUENCE_MAX);
	sfs_block_seal(best);
	/* Of a volume that has grown the newest copy may be in a zone that an older one forbids. */
	if (sfs_super_verify(best, sfs_dev_nblks(dev)))
		return -ENOENT;
	memcpy(ret_super, best, sizeof(best));
	*ret_blk = blk;
	return 0;
}
