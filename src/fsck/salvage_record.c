// SPDX-License-Identifier: GPL-2.0-only
/*
 * salvage_record.c - one record of a leaf, one record of an inode: what of it can be true.
 *
 * Only memory is changed.  What a verifier would refuse goes, or is made what it can only have
 * been; where a checksum is wrong nothing says which bit it was, so there what holds blocks has to
 * agree with the used map.
 */
#include "salvage.h"

/* A name's position: the high 52 bits of its hash, then 8 for collisions. */
#define SFS_HASH_DROP	12
#define SFS_HASH_SHIFT	8

static struct sfs_slot_disk *sfs_slots(struct sfs_node_disk *node)
{
	return (struct sfs_slot_disk *)(node + 1);
}

/* NULL or why record @rec cannot be one of @in's. */
static const char *sfs_record_judge(struct sfs_salvage *s, const struct sfs_inode *in, u64 key,
				    const u8 *rec, unsigned int len, bool suspect)
{
	const struct sfs_dirent_disk *dirent = (const void *)rec;
	const struct sfs_extent_disk *extent = (const void *)rec;
	unsigned int kind = sfs_key_kind(key);
	const char *why;
	u64 hash;

	if (!sfs_kind_is_known(s->fs, kind))
		return "unknown kind of record";
	if (!sfs_kind_fits(s->fs, kind, in->i_mode >> SFS_TYPE_SHIFT))
		return "record does not fit the file type";
	why = s->fs->f_kinds[kind].k_verify(s->fs, sfs_key_pos(key), rec, len);
	if (why)
		return why;
	if (kind == SFS_KIND_DIRENT) {
		hash = sfs_siphash(s->fs->f_hash_key, dirent + 1, dirent->d_len);
		if (hash >> SFS_HASH_DROP != sfs_key_pos(key) >> SFS_HASH_SHIFT)
			return "name under a wrong hash";
	}
	if (kind == SFS_KIND_EXTENT && suspect &&
	    !sfs_salvage_is_used(s, le64_to_cpu(extent->e_start) & ~SFS_EXTENT_UNWRITTEN,
				 le32_to_cpu(extent->e_len)))
		return "extent of blocks that are not in use";
	return NULL;
}

u64 sfs_record_end(u64 key, const u8 *rec)
{
	if (sfs_key_kind(key) != SFS_KIND_EXTENT)
		return key;
	return key + le32_to_cpu(((const struct sfs_extent_disk *)rec)->e_len) - 1;
}

/*
 * Of two extents that overlap in their file the first is taken to go on for too long: keys that
 * rise are two that agree, a length is one that may be wrong.
 */
bool sfs_extent_shorten(struct sfs_salvage *s, const struct sfs_inode *in, u64 key, u8 *rec,
			u64 next)
{
	struct sfs_extent_disk *extent = (struct sfs_extent_disk *)rec;

	if (sfs_key_kind(key) != SFS_KIND_EXTENT || sfs_key_kind(next) != SFS_KIND_EXTENT ||
	    sfs_record_end(key, rec) < next)
		return false;
	extent->e_len = cpu_to_le32(next - key);
	sfs_salvage_tell(s, SFS_PROBLEM_EXTENT_CUT, in->i_ino, sfs_key_pos(next), NULL);
	return true;
}

unsigned int sfs_leaf_mend(struct sfs_salvage *s, const struct sfs_inode *in,
			   struct sfs_node_disk *node, unsigned int capacity, bool suspect,
			   u64 tell_blk)
{
	u8 old_bytes[SFS_NODE_BYTES] __attribute__((aligned(8)));
	struct sfs_node_disk *old = (struct sfs_node_disk *)old_bytes;
	unsigned int most = (capacity - sizeof(*node)) / sizeof(struct sfs_slot_disk);
	unsigned int i, n = min_t(unsigned int, le16_to_cpu(node->n_count), most);
	unsigned int kept = 0, gone = le16_to_cpu(node->n_count) - n, heap = capacity;
	unsigned int cut = 0;
	u64 last = 0;

	memcpy(old, node, capacity);
	memset(node, 0, capacity);
	for (i = 0; i < n; i++) {
		unsigned int off = le16_to_cpu(sfs_slots(old)[i].s_off);
		unsigned int len = le16_to_cpu(sfs_slots(old)[i].s_len);
		u64 key = le64_to_cpu(sfs_slots(old)[i].s_key);
		const char *why = NULL;

		if (!len || len > SFS_RECORD_MAX || off + len > capacity ||
		    off < sizeof(*old) + (i + 1) * sizeof(struct sfs_slot_disk))
			why = "record outside the heap";
		else if (kept && key <= last)
			why = "keys out of order";
		else if (sizeof(*node) + (kept + 1) * sizeof(struct sfs_slot_disk) + len > heap)
			why = "two records overlap";
		else
			why = sfs_record_judge(s, in, key, old_bytes + off, len, suspect);
		if (why) {
			sfs_salvage_tell(s, SFS_PROBLEM_RECORD_GONE, in->i_ino, tell_blk, why);
			gone++;
			continue;
		}
		cut += kept && sfs_extent_shorten(s, in, last, (u8 *)node + heap, key);
		heap -= len;
		memcpy((u8 *)node + heap, old_bytes + off, len);
		sfs_slots(node)[kept].s_key = cpu_to_le64(key);
		sfs_slots(node)[kept].s_off = cpu_to_le16(heap);
		sfs_slots(node)[kept++].s_len = cpu_to_le16(len);
		last = key;
	}
	node->n_count = cpu_to_le16(kept);
	node->n_heap = cpu_to_le16(heap);
	return gone + cut;
}

/* ---- inodes ---- */

static unsigned int sfs_key_type(u64 key)
{
	switch (sfs_key_kind(key)) {
	case SFS_KIND_EXTENT:
		return SFS_TYPE_REG;
	case SFS_KIND_DIRENT:
		return SFS_TYPE_DIR;
	case SFS_KIND_INLINE:
		return SFS_TYPE_LNK;
	}
	return 0;
}

/*
 * The type of an inode whose records are those below @node, or 0.  The last one tells: attributes
 * are before all others.
 */
static unsigned int sfs_tree_type(struct sfs_salvage *s, u64 ino, const struct sfs_node_disk *node)
{
	const struct sfs_slot_disk *slot = (const void *)(node + 1);
	const struct sfs_entry_disk *entry = (const void *)(node + 1);
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_head *head = (const struct sfs_head *)data;
	const struct sfs_node_disk *child = (const void *)(head + 1);
	unsigned int n = le16_to_cpu(node->n_count), type = 0;
	u64 blk;

	if (!n)
		return 0;
	if (!node->n_level)
		return sfs_key_type(le64_to_cpu(slot[n - 1].s_key));
	/* The first entry's own key says nothing. */
	if (n > 1)
		type = sfs_key_type(le64_to_cpu(entry[n - 1].e_key));
	blk = le64_to_cpu(entry[n - 1].e_blk);
	if (type || !sfs_blk_is_valid(s->fs, blk, 1) || sfs_dev_read(s->fs->f_priv, blk, data) ||
	    sfs_block_verify(s->fs, &sfs_node_ops, data, blk) ||
	    le64_to_cpu(head->h_owner) != ino || child->n_level >= node->n_level)
		return type;
	return sfs_tree_type(s, ino, child);
}

u64 sfs_root_nbytes(const struct sfs_node_disk *root, unsigned int type)
{
	const struct sfs_slot_disk *slot = (const void *)(root + 1);
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < le16_to_cpu(root->n_count); i++)
		if (sfs_key_kind(le64_to_cpu(slot[i].s_key)) == sfs_type_kind(type))
			sum += le16_to_cpu(slot[i].s_len);
	return sum;
}

/* What has only one value, or one that a check counts anyway. */
static void sfs_fields_mend(struct sfs_fs *fs, struct sfs_inode_disk *disk, unsigned int type)
{
	u32 flags = le32_to_cpu(disk->i_flags) & SFS_INODE_FLAGS_KNOWN;

	if (type != SFS_TYPE_DIR)
		flags &= ~(u32)SFS_INODE_FLAGS_DIR;
	disk->i_flags = cpu_to_le32(flags);
	disk->i_zero16 = 0;
	memset(disk->i_zero, 0, sizeof(disk->i_zero));
	if (type != SFS_TYPE_CHR && type != SFS_TYPE_BLK)
		disk->i_rdev = 0;
	if (le64_to_cpu(disk->i_blocks) > fs->f_blocks)
		disk->i_blocks = 0;
	if (type != SFS_TYPE_DIR)
		disk->i_parent = 0;
	else if (!sfs_blk_is_valid(fs, sfs_ino_blk(le64_to_cpu(disk->i_parent)), 1))
		disk->i_parent = cpu_to_le64(fs->f_root);
}

/* After its root, which is a leaf if it is no directory's or file's. */
static void sfs_size_mend(struct sfs_inode_disk *disk, unsigned int type, bool root_is_leaf,
			  bool *ret_tree)
{
	const struct sfs_node_disk *root = (const void *)disk->i_root;
	const struct sfs_slot_disk *slot = (const void *)(root + 1);
	unsigned int i;
	u64 end = 0;

	if (type == SFS_TYPE_REG && le64_to_cpu(disk->i_size) > SFS_FILE_SIZE_MAX) {
		for (i = 0; root_is_leaf && i < le16_to_cpu(root->n_count); i++)
			if (sfs_key_kind(le64_to_cpu(slot[i].s_key)) == SFS_KIND_EXTENT)
				end = sfs_record_end(le64_to_cpu(slot[i].s_key), disk->i_root +
						     le16_to_cpu(slot[i].s_off)) + 1;
		end = min_t(u64, sfs_key_pos(end) << SFS_BLOCK_BITS, SFS_FILE_SIZE_MAX);
		/* Else its tree will tell. */
		disk->i_size = cpu_to_le64(root_is_leaf ? end : SFS_FILE_SIZE_MAX);
		*ret_tree |= !root_is_leaf;
	} else if (type == SFS_TYPE_DIR && !root_is_leaf) {
		if (le64_to_cpu(disk->i_size) > SFS_FILE_SIZE_MAX)
			disk->i_size = 0;	/* it is counted */
	} else if (type == SFS_TYPE_DIR || (type == SFS_TYPE_LNK && root_is_leaf)) {
		disk->i_size = cpu_to_le64(sfs_root_nbytes(root, type));
	} else if (type != SFS_TYPE_REG && type != SFS_TYPE_LNK) {
		disk->i_size = 0;
	}
}

bool sfs_record_mend(struct sfs_salvage *s, struct sfs_inode_disk *disk, u64 ino, bool suspect,
		     bool *ret_tree)
{
	struct sfs_node_disk *root = (struct sfs_node_disk *)disk->i_root;
	const char *why = sfs_inode_verify(s->fs, disk, ino);
	unsigned int type, gone = 0;
	struct sfs_inode in = { 0 };
	bool sound_root;

	*ret_tree = false;
	if (!why && (!suspect || root->n_level))
		return true;
	sound_root = !sfs_node_verify(s->fs, root, SFS_ROOT_BYTES);
	type = sound_root ? sfs_tree_type(s, ino, root) : 0;
	if (!type && !sfs_type_word(le16_to_cpu(disk->i_mode) >> SFS_TYPE_SHIFT))
		goto give_up;
	if (type && type != le16_to_cpu(disk->i_mode) >> SFS_TYPE_SHIFT)
		disk->i_mode = cpu_to_le16(type << SFS_TYPE_SHIFT |
					   (le16_to_cpu(disk->i_mode) & 0777));
	type = le16_to_cpu(disk->i_mode) >> SFS_TYPE_SHIFT;
	sfs_fields_mend(s->fs, disk, type);
	in.i_fs = s->fs;
	in.i_ino = ino;
	sfs_inode_decode(&in, disk);
	if (!sound_root && root->n_level) {
		/* Which child is which does not matter: leaves say where they belong. */
		sfs_tree_init(disk->i_root);
		*ret_tree = true;
	} else if (!root->n_level) {
		gone = sfs_leaf_mend(s, &in, root, SFS_ROOT_BYTES, suspect, 0);
	}
	/* Its root held all, and that is lost: a file of zeros is none. */
	if (gone && type != SFS_TYPE_DIR && !le16_to_cpu(root->n_count))
		goto give_up;
	sfs_size_mend(disk, type, !root->n_level, ret_tree);
	if (sfs_inode_verify(s->fs, disk, ino))
		goto give_up;
	if (why)
		sfs_salvage_tell(s, SFS_PROBLEM_INODE_MENDED, ino, 0, why);
	return true;
give_up:
	sfs_salvage_tell(s, SFS_PROBLEM_INODE_GONE, ino, 0, why ? why : sfs_why_crc);
	return false;
}
