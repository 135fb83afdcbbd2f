// SPDX-License-Identifier: GPL-2.0-only
/*
 * super.c - the superblock: made, verified, read and written.
 *
 * mkfs makes a superblock from what it is asked for (sfs_super_make), and the mount trusts none
 * that does not pass sfs_super_verify, written for images made by an enemy.  Block 0 is encoded
 * under f_zone_lock, in a transaction.
 */
#include "port.h"
#include "format.h"
#include "core.h"

#define SFS_FREE_MIN		64		/* below this a volume is of no use */

/* Of a device that is made of several. */
static const char *sfs_stripe_verify(u32 unit, u32 width)
{
	if (!unit && !width)
		return NULL;
	if (!unit || !width || unit > width || width % unit)
		return "a stripe's width is not a multiple of its unit";
	return width > SFS_GROUP_BLOCKS ? "a stripe is longer than a group" : NULL;
}

const char *sfs_super_make(struct sfs_fs *fs, const struct sfs_geometry *geo)
{
	const char *why;

	sfs_geometry_size(fs, geo->g_blocks);
	if (fs->f_blocks < SFS_VOLUME_MIN)
		return "the volume is smaller than 1 MiB";
	if (geo->g_journal_blocks && geo->g_journal_dev)
		return "a journal is either on the volume or on a device of its own";
	if (geo->g_journal_blocks && geo->g_journal_blocks < SFS_JOURNAL_MIN)
		return "the journal is smaller than 4 MiB";
	if (geo->g_journal_blocks > SFS_ZONE_BLOCKS - SFS_JOURNAL_START)
		return "the journal is longer than the first zone";
	why = sfs_stripe_verify(geo->g_stripe_unit, geo->g_stripe_width);
	if (why)
		return why;

	fs->f_stripe_unit = geo->g_stripe_unit;
	fs->f_stripe_width = geo->g_stripe_width;
	fs->f_journal_blocks = geo->g_journal_blocks;
	fs->f_journal_start = geo->g_journal_blocks ? SFS_JOURNAL_START : 0;
	if (sfs_first_free(fs) + SFS_FREE_MIN >
	    min_t(u64, SFS_ZONE_BLOCKS, fs->f_blocks - fs->f_tail))
		return "the journal leaves no room for files";

	fs->f_compat = SFS_COMPAT_XATTR;
	if (geo->g_journal_blocks || geo->g_journal_dev) {
		fs->f_compat |= SFS_COMPAT_JOURNAL;
		memcpy(fs->f_journal_uuid, geo->g_journal_uuid, sizeof(fs->f_journal_uuid));
	}
	fs->f_incompat = geo->g_journal_dev ? SFS_INCOMPAT_JOURNAL_DEV : 0;
	memcpy(fs->f_uuid, geo->g_uuid, sizeof(fs->f_uuid));
	fs->f_fsid = sfs_crc32c(~0u, geo->g_uuid, sizeof(geo->g_uuid));
	memcpy(fs->f_hash_key, geo->g_hash_key, sizeof(fs->f_hash_key));
	fs->f_zones = 1;
	fs->f_root = sfs_first_free(fs) << SFS_INODE_SLOT_BITS;
	fs->f_state = SFS_STATE_CLEAN;
	fs->f_errors = SFS_ERRORS_RO;
	fs->f_mkfs_time = geo->g_time;
	fs->f_check_time = geo->g_time;
	fs->f_sequence = 1;
	fs->f_sequence_max = 1;
	fs->f_disk_free = sfs_zones_fresh(fs, 0);
	fs->f_disk_inodes = 0;
	return NULL;
}

/* ---- verify ---- */

bool sfs_super_probe(const void *data)
{
	const struct sfs_super_disk *sup = data;

	return le32_to_cpu(sup->s_head.h_magic) == SFS_MAGIC_SUPER &&
	       !memcmp(sup->s_ident, SFS_IDENT, sizeof(sup->s_ident));
}

static bool sfs_is_zero(const u8 *p, size_t nbytes)
{
	return !memchr_inv(p, 0, nbytes);
}

/* A string that fills its field to the end, or is padded with NUL only. */
static bool sfs_is_padded(const u8 *s, size_t nbytes)
{
	size_t len = 0;

	while (len < nbytes && s[len])
		len++;
	return sfs_is_zero(s + len, nbytes - len);
}

static const char *sfs_super_verify_journal(const struct sfs_super_disk *sup)
{
	u64 compat = le64_to_cpu(sup->s_compat);
	u64 incompat = le64_to_cpu(sup->s_incompat);
	u64 start = le64_to_cpu(sup->s_journal_start);
	u32 nblks = le32_to_cpu(sup->s_journal_blocks);

	if (!(compat & SFS_COMPAT_JOURNAL) || (incompat & SFS_INCOMPAT_JOURNAL_DEV)) {
		if (start || nblks)
			return "a journal on the volume that no feature speaks of";
		if (!(compat & SFS_COMPAT_JOURNAL) && (incompat & SFS_INCOMPAT_JOURNAL_DEV))
			return "a journal device without a journal";
		return NULL;
	}
	if (start != SFS_JOURNAL_START)
		return "the journal is not behind the first zone's head";
	if (nblks < SFS_JOURNAL_MIN)
		return "the journal is too short";
	if (nblks > SFS_ZONE_BLOCKS - SFS_JOURNAL_START)
		return "the journal is longer than the first zone";
	return NULL;
}

/* Where an inode may be that the superblock names. */
static bool sfs_super_has_inode(const struct sfs_super_disk *sup, const struct sfs_fs *fs, u64 ino)
{
	return sfs_blk_is_valid(fs, sfs_ino_blk(ino), 1) &&
	       sfs_ino_blk(ino) / SFS_ZONE_BLOCKS < le64_to_cpu(sup->s_zones);
}

/* Hidden inodes are those of features that the volume has, and each is one of its own. */
static const char *sfs_super_verify_hidden(const struct sfs_super_disk *sup,
					   const struct sfs_fs *fs)
{
	static const u64 features[SFS_HIDDEN] = {
		[SFS_HIDDEN_USER] = SFS_RO_COMPAT_QUOTA,
		[SFS_HIDDEN_GROUP] = SFS_RO_COMPAT_QUOTA,
		[SFS_HIDDEN_PROJECT] = SFS_RO_COMPAT_QUOTA,
		[SFS_HIDDEN_SHARED] = SFS_RO_COMPAT_SHARED,
	};
	unsigned int i, k;

	for (i = 0; i < SFS_HIDDEN; i++) {
		u64 ino = le64_to_cpu(sup->s_hidden[i]);

		if (!ino)
			continue;
		if (!(le64_to_cpu(sup->s_ro_compat) & features[i]))
			return "a hidden inode that no feature speaks of";
		if (!sfs_super_has_inode(sup, fs, ino) || sup->s_hidden[i] == sup->s_root)
			return "impossible hidden inode";
		for (k = 0; k < i; k++)
			if (sup->s_hidden[k] == sup->s_hidden[i])
				return "a hidden inode for two";
	}
	return NULL;
}

static const char *sfs_super_verify_geometry(const struct sfs_super_disk *sup, u64 dev_blocks)
{
	struct sfs_fs fs = { .f_tail = le32_to_cpu(sup->s_tail) };
	u64 blocks = le64_to_cpu(sup->s_blocks);
	const char *why;

	if (le32_to_cpu(sup->s_block_bits) != SFS_BLOCK_BITS)
		return "unknown block size";
	if (blocks < SFS_VOLUME_MIN || blocks > SFS_BLK_MAX)
		return "impossible size of the volume";
	if (dev_blocks && blocks > dev_blocks)
		return "the volume is larger than its device";
	if (blocks > SFS_ZONE_BLOCKS && blocks % SFS_ZONE_BLOCKS &&
	    blocks % SFS_ZONE_BLOCKS < SFS_ZONE_MIN)
		return "the last zone is too short";
	why = sfs_super_verify_journal(sup);
	if (!why)
		why = sfs_stripe_verify(le32_to_cpu(sup->s_stripe_unit),
					le32_to_cpu(sup->s_stripe_width));
	if (why)
		return why;

	sfs_geometry_measure(&fs, blocks);
	fs.f_journal_blocks = le32_to_cpu(sup->s_journal_blocks);
	if (fs.f_tail < SFS_TAIL_SMALL || fs.f_tail > SFS_TAIL_LARGE)
		return "impossible tail";
	if (sfs_first_free(&fs) + SFS_FREE_MIN > min_t(u64, SFS_ZONE_BLOCKS, blocks - fs.f_tail))
		return "no room behind the journal";
	if (!le64_to_cpu(sup->s_zones) || le64_to_cpu(sup->s_zones) > fs.f_zones_max)
		return "impossible number of zones";
	if (!sfs_super_has_inode(sup, &fs, le64_to_cpu(sup->s_root)))
		return "impossible root inode";
	why = sfs_super_verify_hidden(sup, &fs);
	if (why)
		return why;
	/* A volume that has grown large has files, or room of theirs, where a new one has none. */
	if (le64_to_cpu(sup->s_free) >
	    sfs_zones_fresh(&fs, 0) + sfs_first_free(&fs) - sfs_zone_data(&fs, 0))
		return "more blocks free than there are";
	if (le64_to_cpu(sup->s_inodes) > blocks * SFS_INODE_SLOTS)
		return "more inodes than can be";
	return NULL;
}

/* Bytes without a meaning, but for what features may have put there that are not known here. */
static const char *sfs_super_verify_reserved(const struct sfs_super_disk *sup)
{
	struct sfs_fs fs = {
		.f_compat = le64_to_cpu(sup->s_compat),
		.f_ro_compat = le64_to_cpu(sup->s_ro_compat),
	};

	if (sfs_fs_has_unknown(&fs))
		return NULL;
	if (!sfs_is_zero(sup->s_zero, sizeof(sup->s_zero)) ||
	    !sfs_is_zero((const u8 *)(sup + 1), SFS_BLOCK_SIZE - sizeof(*sup)))
		return "reserved bytes are not zero";
	return NULL;
}

const char *sfs_super_verify_fields(const struct sfs_super_disk *sup, u64 dev_blocks)
{
	u32 errors = le32_to_cpu(sup->s_errors);
	const char *why;

	if (memcmp(sup->s_ident, SFS_IDENT, sizeof(sup->s_ident)))
		return "not a simplefs volume";
	if (le32_to_cpu(sup->s_version) != SFS_VERSION)
		return "unknown version of the format";
	if (le64_to_cpu(sup->s_incompat) & ~(u64)SFS_INCOMPAT_KNOWN)
		return "unknown features";
	if (sup->s_head.h_owner || sup->s_head.h_live || sup->s_head.h_generation ||
	    sup->s_head.h_fsid != sup->s_fsid)
		return "the head is not a superblock's";
	if (le64_to_cpu(sup->s_head.h_seq) > le64_to_cpu(sup->s_sequence))
		return "newer than it says itself";
	if (le64_to_cpu(sup->s_sequence) > SFS_SEQUENCE_MAX)
		return "impossible sequence";
	why = sfs_super_verify_reserved(sup);
	if (why)
		return why;
	if (!sfs_is_padded(sup->s_label, sizeof(sup->s_label)))
		return "bytes behind the end of the label";
	if (!sfs_is_padded(sup->s_error_why, sizeof(sup->s_error_why)))
		return "bytes behind the end of the error record";
	if (le32_to_cpu(sup->s_state) & ~(u32)(SFS_STATE_CLEAN | SFS_STATE_ERROR))
		return "unknown state";
	if (errors < SFS_ERRORS_CONTINUE || errors > SFS_ERRORS_PANIC)
		return "unknown behaviour on errors";
	return sfs_super_verify_geometry(sup, dev_blocks);
}

bool sfs_super_is_newer(const void *data, u64 *ret_incompat)
{
	const struct sfs_super_disk *sup = data;
	bool newer = le32_to_cpu(sup->s_version) > SFS_VERSION;

	*ret_incompat = newer ? 0 : le64_to_cpu(sup->s_incompat) & ~(u64)SFS_INCOMPAT_KNOWN;
	return newer || *ret_incompat;
}

const char *sfs_super_verify(const void *data, u64 dev_blocks)
{
	const struct sfs_super_disk *sup = data;
	const char *why;

	if (!sfs_super_probe(data))
		return "not a simplefs volume";
	why = sfs_head_verify(data, le32_to_cpu(sup->s_head.h_fsid), 0);
	return why ? why : sfs_super_verify_fields(sup, dev_blocks);
}

static const char *sfs_super_verify_block(const struct sfs_fs *fs, const void *data, u64 blk)
{
	(void)fs;
	return blk ? "superblock outside block 0" : sfs_super_verify_fields(data, 0);
}

const struct sfs_block_ops sfs_super_ops = {
	.b_magic = SFS_MAGIC_SUPER,
	.b_name = "superblock",
	.b_verify = sfs_super_verify_block,
};

static const char *sfs_journal_dev_verify(const struct sfs_fs *fs, const void *data, u64 blk)
{
	const struct sfs_journal_dev_disk *dev = data;

	(void)fs;
	if (blk)
		return "journal device's head outside block 0";
	if (dev->j_head.h_live)
		return "slot mask outside an inode block";
	if (memcmp(dev->j_ident, SFS_JOURNAL_IDENT, sizeof(dev->j_ident)))
		return "no identification of a journal device";
	if (le64_to_cpu(dev->j_blocks) < SFS_JOURNAL_DEV_LOG + SFS_JOURNAL_MIN)
		return "journal device too small";
	return NULL;
}

const struct sfs_block_ops sfs_journal_dev_ops = {
	.b_magic = SFS_MAGIC_JOURNAL_DEV,
	.b_name = "journal device",
	.b_verify = sfs_journal_dev_verify,
};

/* ---- disk to memory and back ---- */

void sfs_super_decode(struct sfs_fs *fs, const void *data)
{
	const struct sfs_super_disk *sup = data;
	unsigned int i;

	sfs_geometry_measure(fs, le64_to_cpu(sup->s_blocks));
	fs->f_fsid = le32_to_cpu(sup->s_fsid);
	memcpy(fs->f_uuid, sup->s_uuid, sizeof(fs->f_uuid));
	memcpy(fs->f_label, sup->s_label, sizeof(sup->s_label));
	fs->f_label[SFS_LABEL_MAX] = 0;
	fs->f_compat = le64_to_cpu(sup->s_compat);
	fs->f_ro_compat = le64_to_cpu(sup->s_ro_compat);
	fs->f_incompat = le64_to_cpu(sup->s_incompat);
	fs->f_zones = le64_to_cpu(sup->s_zones);
	fs->f_journal_start = le64_to_cpu(sup->s_journal_start);
	fs->f_journal_blocks = le32_to_cpu(sup->s_journal_blocks);
	memcpy(fs->f_journal_uuid, sup->s_journal_uuid, sizeof(fs->f_journal_uuid));
	fs->f_tail = le32_to_cpu(sup->s_tail);
	fs->f_root = le64_to_cpu(sup->s_root);
	fs->f_hash_key[0] = le64_to_cpu(sup->s_hash_key[0]);
	fs->f_hash_key[1] = le64_to_cpu(sup->s_hash_key[1]);
	for (i = 0; i < SFS_HIDDEN; i++)
		fs->f_hidden[i] = le64_to_cpu(sup->s_hidden[i]);
	fs->f_stripe_unit = le32_to_cpu(sup->s_stripe_unit);
	fs->f_stripe_width = le32_to_cpu(sup->s_stripe_width);
	fs->f_state = le32_to_cpu(sup->s_state);
	if (fs->f_state & SFS_STATE_ERROR)
		fs->f_state &= ~SFS_STATE_CLEAN;
	fs->f_errors = le32_to_cpu(sup->s_errors);
	fs->f_mounts = le32_to_cpu(sup->s_mounts);
	fs->f_mkfs_time = le64_to_cpu(sup->s_mkfs_time);
	fs->f_mount_time = le64_to_cpu(sup->s_mount_time);
	fs->f_check_time = le64_to_cpu(sup->s_check_time);
	fs->f_error_time = le64_to_cpu(sup->s_error_time);
	fs->f_error_blk = le64_to_cpu(sup->s_error_blk);
	fs->f_error_ino = le64_to_cpu(sup->s_error_ino);
	fs->f_error_count = le32_to_cpu(sup->s_error_count);
	memcpy(fs->f_error_why, sup->s_error_why, sizeof(fs->f_error_why));
	fs->f_sequence = le64_to_cpu(sup->s_sequence);
	fs->f_sequence_max = fs->f_sequence;
	fs->f_disk_free = le64_to_cpu(sup->s_free);
	fs->f_disk_inodes = le64_to_cpu(sup->s_inodes);
}

void sfs_super_encode(struct sfs_fs *fs, void *data)
{
	struct sfs_super_disk *sup = data;
	unsigned long flags;
	unsigned int i;

	sfs_block_init(data, fs->f_fsid, SFS_MAGIC_SUPER, 0, 0);
	memcpy(sup->s_ident, SFS_IDENT, sizeof(sup->s_ident));
	memcpy(sup->s_uuid, fs->f_uuid, sizeof(sup->s_uuid));
	memcpy(sup->s_label, fs->f_label, sizeof(sup->s_label));
	sup->s_compat = cpu_to_le64(fs->f_compat);
	sup->s_ro_compat = cpu_to_le64(fs->f_ro_compat);
	sup->s_incompat = cpu_to_le64(fs->f_incompat);
	sup->s_block_bits = cpu_to_le32(SFS_BLOCK_BITS);
	sup->s_version = cpu_to_le32(SFS_VERSION);
	sup->s_blocks = cpu_to_le64(fs->f_blocks);
	sup->s_zones = cpu_to_le64(fs->f_zones);
	sup->s_journal_start = cpu_to_le64(fs->f_journal_start);
	sup->s_journal_blocks = cpu_to_le32(fs->f_journal_blocks);
	sup->s_tail = cpu_to_le32(fs->f_tail);
	sup->s_errors = cpu_to_le32(fs->f_errors);
	memcpy(sup->s_journal_uuid, fs->f_journal_uuid, sizeof(sup->s_journal_uuid));
	sup->s_hash_key[0] = cpu_to_le64(fs->f_hash_key[0]);
	sup->s_hash_key[1] = cpu_to_le64(fs->f_hash_key[1]);
	sup->s_root = cpu_to_le64(fs->f_root);
	sup->s_free = cpu_to_le64(max_t(s64, 0, sfs_counter_read(&fs->f_free)));
	sup->s_inodes = cpu_to_le64(max_t(s64, 0, sfs_counter_read(&fs->f_inodes)));
	for (i = 0; i < SFS_HIDDEN; i++)
		sup->s_hidden[i] = cpu_to_le64(fs->f_hidden[i]);
	sup->s_stripe_unit = cpu_to_le32(fs->f_stripe_unit);
	sup->s_stripe_width = cpu_to_le32(fs->f_stripe_width);
	sup->s_fsid = cpu_to_le32(fs->f_fsid);
	sup->s_mounts = cpu_to_le32(fs->f_mounts);
	sup->s_mkfs_time = cpu_to_le64(fs->f_mkfs_time);
	sup->s_mount_time = cpu_to_le64(fs->f_mount_time);
	sup->s_write_time = cpu_to_le64(sfs_time_now());
	sup->s_check_time = cpu_to_le64(fs->f_check_time);
	sup->s_sequence = cpu_to_le64(READ_ONCE(fs->f_sequence_max));
	sfs_block_stamp(fs, data);
	flags = sfs_error_lock(fs);
	/* With damage the next mount looks at everything: it may have been met since the mark. */
	if (fs->f_state & SFS_STATE_ERROR)
		fs->f_state &= ~SFS_STATE_CLEAN;
	sup->s_state = cpu_to_le32(fs->f_state);
	sup->s_error_time = cpu_to_le64(fs->f_error_time);
	sup->s_error_blk = cpu_to_le64(fs->f_error_blk);
	sup->s_error_ino = cpu_to_le64(fs->f_error_ino);
	sup->s_error_count = cpu_to_le32(fs->f_error_count);
	memcpy(sup->s_error_why, fs->f_error_why, sizeof(sup->s_error_why));
	sfs_error_unlock(fs, flags);
}

int sfs_super_write(struct sfs_trans *t, struct sfs_fs *fs)
{
	return sfs_super_write_label(t, fs, NULL);
}

int sfs_super_write_label(struct sfs_trans *t, struct sfs_fs *fs, const u8 *label)
{
	struct sfs_buf *buf;
	int err;

	/* Encoding wipes the head for a moment: nobody may get the block meanwhile. */
	sfs_mutex_lock(&fs->f_zone_lock);
	err = sfs_buf_get(fs, 0, &sfs_super_ops, 0, &buf);
	if (err)
		goto unlock;
	err = sfs_buf_access(t, fs, buf);
	if (!err) {
		if (label)
			memcpy(fs->f_label, label, SFS_LABEL_MAX);
		sfs_super_encode(fs, sfs_buf_data(buf));
		err = sfs_buf_dirty(t, fs, buf);
	}
	sfs_buf_put(buf);
unlock:
	sfs_mutex_unlock(&fs->f_zone_lock);
	return err;
}
