// SPDX-License-Identifier: GPL-2.0-only
/*
 * inode.c - the inode's record: its two shapes, its rules, and how it reaches its block.
 *
 * An inode in memory is the record with its numbers decoded and its root node copied.  Between
 * sfs_inode_begin() and sfs_inode_end() its block is held with write access, so the tree and the
 * fields may change and the one copy back at the end cannot fail.  The caller holds the inode's
 * tree lock exclusively over both, inside one transaction; nothing here takes a lock.
 */
#include "core.h"

void sfs_inode_init(struct sfs_inode *in, struct sfs_fs *fs, u64 ino, u16 mode, s64 now)
{
	memset(in, 0, sizeof(*in));
	in->i_fs = fs;
	in->i_ino = ino;
	in->i_mode = mode;
	in->i_atime = now;
	in->i_mtime = now;
	in->i_ctime = now;
	in->i_btime = now;
	sfs_tree_init(in->i_root);
}

void sfs_inode_blank(struct sfs_inode_disk *disk, u32 generation)
{
	memset(disk, 0, sizeof(*disk));
	disk->i_mode = cpu_to_le16(SFS_TYPE_REG << SFS_TYPE_SHIFT);
	disk->i_generation = cpu_to_le32(generation);
	sfs_tree_init(disk->i_root);
}

void sfs_inode_decode(struct sfs_inode *in, const struct sfs_inode_disk *disk)
{
	in->i_mode = le16_to_cpu(disk->i_mode);
	in->i_uid = le32_to_cpu(disk->i_uid);
	in->i_gid = le32_to_cpu(disk->i_gid);
	in->i_nlink = le32_to_cpu(disk->i_nlink);
	/* All bits set is no project that anybody could ask for: it is none. */
	in->i_projid = le32_to_cpu(disk->i_projid);
	if (in->i_projid == ~0u)
		in->i_projid = 0;
	in->i_flags = le32_to_cpu(disk->i_flags);
	in->i_generation = le32_to_cpu(disk->i_generation);
	in->i_rdev = le32_to_cpu(disk->i_rdev);
	in->i_size = le64_to_cpu(disk->i_size);
	in->i_blocks = le64_to_cpu(disk->i_blocks);
	in->i_atime = (s64)le64_to_cpu(disk->i_atime);
	in->i_mtime = (s64)le64_to_cpu(disk->i_mtime);
	in->i_ctime = (s64)le64_to_cpu(disk->i_ctime);
	in->i_btime = (s64)le64_to_cpu(disk->i_btime);
	in->i_change = le64_to_cpu(disk->i_change);
	in->i_parent = le64_to_cpu(disk->i_parent);
	memcpy(in->i_root, disk->i_root, SFS_ROOT_BYTES);
}

/*
 * Field by field, each written once: who asks for a neighbour's SFS_INODE_ORPHAN (ialloc.c, under
 * g_lock, not under this tree's lock) must see the same before, during and after.
 */
void sfs_inode_encode(const struct sfs_inode *in, struct sfs_inode_disk *disk)
{
	disk->i_mode = cpu_to_le16(in->i_mode);
	disk->i_uid = cpu_to_le32(in->i_uid);
	disk->i_gid = cpu_to_le32(in->i_gid);
	disk->i_nlink = cpu_to_le32(in->i_nlink);
	disk->i_projid = cpu_to_le32(in->i_projid);
	WRITE_ONCE(disk->i_flags, cpu_to_le32(in->i_flags));
	disk->i_generation = cpu_to_le32(in->i_generation);
	disk->i_rdev = cpu_to_le32(in->i_rdev);
	disk->i_size = cpu_to_le64(in->i_size);
	disk->i_blocks = cpu_to_le64(in->i_blocks);
	disk->i_atime = cpu_to_le64((u64)in->i_atime);
	disk->i_mtime = cpu_to_le64((u64)in->i_mtime);
	disk->i_ctime = cpu_to_le64((u64)in->i_ctime);
	disk->i_btime = cpu_to_le64((u64)in->i_btime);
	disk->i_change = cpu_to_le64(in->i_change);
	disk->i_parent = cpu_to_le64(in->i_parent);
	memcpy(disk->i_root, in->i_root, SFS_ROOT_BYTES);
}

unsigned int sfs_type_kind(unsigned int type)
{
	switch (type) {
	case SFS_TYPE_REG:
		return SFS_KIND_EXTENT;
	case SFS_TYPE_DIR:
		return SFS_KIND_DIRENT;
	case SFS_TYPE_LNK:
		return SFS_KIND_INLINE;
	default:
		return 0;
	}
}

bool sfs_kind_fits(const struct sfs_fs *fs, unsigned int kind, unsigned int type)
{
	if (kind == SFS_KIND_XATTR || kind == sfs_type_kind(type))
		return true;
	if (kind == SFS_KIND_INLINE && type == SFS_TYPE_REG)
		return fs->f_incompat & SFS_INCOMPAT_INLINE;
	if (kind == SFS_KIND_QUOTA && type == SFS_TYPE_REG)
		return fs->f_ro_compat & SFS_RO_COMPAT_QUOTA;
	return sfs_fs_has_unknown(fs) && !sfs_kind_is_known(fs, kind);
}

/*
 * The keys of a root node that is sound in itself.  Leaves below it are not looked at: they do not
 * know the type, and who searches them asks for keys of his own kind.  fsck looks.
 *  @ret_nbytes: what its records take, by kinds
 * that are known, if it is a leaf.
 */
static const char *sfs_root_verify(const struct sfs_fs *fs, const struct sfs_node_disk *node,
				   unsigned int type, u32 ret_nbytes[SFS_KINDS])
{
	const struct sfs_slot_disk *slot = (const void *)(node + 1);
	const struct sfs_entry_disk *entry = (const void *)(node + 1);
	unsigned int n = le16_to_cpu(node->n_count);
	unsigned int i, have;

	/* The first entry of an inner root is no key but the lower bound of all keys. */
	for (i = node->n_level ? 1 : 0; i < n; i++) {
		have = sfs_key_kind(le64_to_cpu(node->n_level ? entry[i].e_key : slot[i].s_key));
		if (!sfs_kind_fits(fs, have, type))
			return "record does not fit the file type";
		if (have < SFS_KINDS && !node->n_level)
			ret_nbytes[have] += le16_to_cpu(slot[i].s_len);
	}
	return NULL;
}

/* What i_size and i_parent may be, by type. */
static const char *sfs_size_verify(const struct sfs_fs *fs, const struct sfs_inode_disk *disk,
				   unsigned int type)
{
	u64 size = le64_to_cpu(disk->i_size);
	u64 parent = le64_to_cpu(disk->i_parent);

	if (type != SFS_TYPE_DIR && parent)
		return "parent of something not a directory";
	if (type == SFS_TYPE_DIR && !sfs_blk_is_valid(fs, sfs_ino_blk(parent), 1))
		return "parent outside the volume";
	switch (type) {
	case SFS_TYPE_DIR:
	case SFS_TYPE_REG:
		return size > SFS_FILE_SIZE_MAX ? "size too large" : NULL;
	case SFS_TYPE_LNK:
		return !size || size > SFS_SYMLINK_MAX ? "bad length of symlink" : NULL;
	default:
		return size ? "size of a special file" : NULL;
	}
}

static const char *sfs_flags_verify(const struct sfs_fs *fs, u32 flags, unsigned int type)
{
	if ((flags & ~SFS_INODE_FLAGS_KNOWN) && !sfs_fs_has_unknown(fs))
		return "unknown flags";
	if (type != SFS_TYPE_DIR && (flags & SFS_INODE_FLAGS_DIR))
		return "a directory's flags on something else";
	return NULL;
}

/*
 * Not i_nlink: whether it is true only the names tell.  Who drops a link looks at it before, and
 * fsck counts it anew, for which the block with its other inodes must be readable.
 */
static const char *sfs_fields_verify(const struct sfs_fs *fs, const struct sfs_inode_disk *disk,
				     unsigned int type)
{
	const char *why;
	unsigned int i;

	switch (type) {
	case SFS_TYPE_CHR:
	case SFS_TYPE_BLK:
		break;
	case SFS_TYPE_FIFO:
	case SFS_TYPE_DIR:
	case SFS_TYPE_REG:
	case SFS_TYPE_LNK:
	case SFS_TYPE_SOCK:
		if (disk->i_rdev)
			return "device number of something not a device";
		break;
	default:
		return "unknown file type";
	}
	if (le64_to_cpu(disk->i_blocks) > READ_ONCE(fs->f_blocks))
		return "more blocks than the volume has";
	why = sfs_flags_verify(fs, le32_to_cpu(disk->i_flags), type);
	if (why)
		return why;
	if (sfs_fs_has_unknown(fs))
		return NULL;
	if (disk->i_zero16)
		return "reserved field not zero";
	for (i = 0; i < sizeof(disk->i_zero); i++)
		if (disk->i_zero[i])
			return "reserved field not zero";
	return NULL;
}

const char *sfs_inode_verify(const struct sfs_fs *fs, const struct sfs_inode_disk *disk, u64 ino)
{
	const struct sfs_node_disk *root = (const void *)disk->i_root;
	unsigned int type = le16_to_cpu(disk->i_mode) >> SFS_TYPE_SHIFT;
	u32 nbytes[SFS_KINDS] = { 0 };
	const char *why;

	if (!sfs_blk_is_valid(fs, sfs_ino_blk(ino), 1))
		return "inode outside the volume";
	why = sfs_fields_verify(fs, disk, type);
	if (!why)
		why = sfs_size_verify(fs, disk, type);
	if (!why)
		why = sfs_node_verify(fs, root, SFS_ROOT_BYTES);
	if (!why)
		why = sfs_root_verify(fs, root, type, nbytes);
	if (why)
		return why;
	/*
	 * A root that is a leaf holds all there is, so the size can be told exactly; but an orphan
	 * may be half taken apart.
	 */
	if (!root->n_level && (type == SFS_TYPE_DIR || type == SFS_TYPE_LNK) &&
	    !(le32_to_cpu(disk->i_flags) & SFS_INODE_ORPHAN) &&
	    le64_to_cpu(disk->i_size) != nbytes[sfs_type_kind(type)])
		return "size differs from what the records hold";
	if (type == SFS_TYPE_REG && nbytes[SFS_KIND_INLINE] &&
	    (nbytes[SFS_KIND_EXTENT] || le64_to_cpu(disk->i_size) != nbytes[SFS_KIND_INLINE]))
		return "data in the inode, and extents or another size";
	return NULL;
}

static const char *sfs_inodes_verify(const struct sfs_fs *fs, const void *data, u64 blk)
{
	const struct sfs_inodes_disk *inodes = data;
	const char *why;
	unsigned int i;

	if (!sfs_blk_is_valid(fs, blk, 1))
		return "inode block where none can be";
	if (le64_to_cpu(inodes->n_head.h_owner) != blk / SFS_GROUP_BLOCKS)
		return "inode block of another group";
	if (memchr_inv(inodes->n_spare, 0, sizeof(inodes->n_spare)))
		return "reserved bytes are not zero";
	/* What a dead slot holds is left over from its last inode: nobody reads it. */
	for (i = 0; i < SFS_INODE_SLOTS; i++) {
		if (!(inodes->n_head.h_live & (1u << i)))
			continue;
		why = sfs_inode_verify(fs, &inodes->n_slot[i], blk << SFS_INODE_SLOT_BITS | i);
		if (why)
			return why;
	}
	return NULL;
}

const struct sfs_block_ops sfs_inodes_ops = {
	.b_magic = SFS_MAGIC_INODES,
	.b_name = "inode block",
	.b_verify = sfs_inodes_verify,
};

/* The inode block of @ino, and the record in it if the slot is live (else -ESTALE). */
static int sfs_slot_get(struct sfs_fs *fs, u64 ino, struct sfs_buf **ret_buf,
			struct sfs_inode_disk **ret_disk)
{
	u64 blk = sfs_ino_blk(ino);
	struct sfs_inodes_disk *inodes;
	struct sfs_buf *buf;
	int err;

	if (!sfs_blk_is_valid(fs, blk, 1))
		return sfs_corrupt(fs, 0, ino, "inode number", "outside the volume");
	err = sfs_buf_get(fs, blk, &sfs_inodes_ops, blk / SFS_GROUP_BLOCKS, &buf);
	if (err)
		return err;
	inodes = sfs_buf_data(buf);
	if (!(READ_ONCE(inodes->n_head.h_live) & (1u << sfs_ino_slot(ino)))) {
		sfs_buf_put(buf);
		return -ESTALE;
	}
	*ret_buf = buf;
	*ret_disk = &inodes->n_slot[sfs_ino_slot(ino)];
	return 0;
}

int sfs_inode_read(struct sfs_fs *fs, u64 ino, struct sfs_inode *ret_in)
{
	struct sfs_inode_disk *disk;
	struct sfs_buf *buf;
	int err;

	err = sfs_slot_get(fs, ino, &buf, &disk);
	if (err)
		return err;
	ret_in->i_fs = fs;
	ret_in->i_ino = ino;
	ret_in->i_buf = NULL;
	ret_in->i_goal = 0;
	ret_in->i_nodes = 0;
	sfs_inode_decode(ret_in, disk);
	sfs_buf_put(buf);
	return 0;
}

int sfs_inode_begin(struct sfs_trans *t, struct sfs_inode *in)
{
	struct sfs_inode_disk *disk;
	struct sfs_buf *buf;
	int err;

	sfs_assert(!in->i_buf);
	err = sfs_slot_get(in->i_fs, in->i_ino, &buf, &disk);
	if (err)
		return err;
	err = sfs_buf_access(t, in->i_fs, buf);
	if (err) {
		sfs_buf_put(buf);
		return err;
	}
	in->i_buf = buf;
	return 0;
}

void sfs_inode_end(struct sfs_trans *t, struct sfs_inode *in)
{
	struct sfs_inodes_disk *inodes = sfs_buf_data(in->i_buf);

	sfs_inode_encode(in, &inodes->n_slot[sfs_ino_slot(in->i_ino)]);
	/* Fails only with the journal gone: the filesystem is shut down then and has said so. */
	(void)sfs_buf_dirty(t, in->i_fs, in->i_buf);
	sfs_buf_put(in->i_buf);
	in->i_buf = NULL;
}

/* The first record that is not of the inode's own kind; -ENOENT if there is none. */
static int sfs_inode_other(struct sfs_inode *in, u64 *ret_key)
{
	unsigned int kind = sfs_type_kind(in->i_mode >> SFS_TYPE_SHIFT);
	struct sfs_path path;
	int err;

	err = sfs_tree_find_ge(in, 0, &path);
	if (!err && sfs_key_kind(sfs_path_key(&path)) == kind) {
		sfs_path_release(&path);
		err = sfs_tree_find_ge(in, sfs_key(kind + 1, 0), &path);
	}
	if (err)
		return err;
	*ret_key = sfs_path_key(&path);
	sfs_path_release(&path);
	return 0;
}

int sfs_inode_has_others(struct sfs_inode *in)
{
	u64 key;
	int err = sfs_inode_other(in, &key);

	return err == -ENOENT ? 0 : err ? err : 1;
}

int sfs_inode_strip(struct sfs_trans *t, struct sfs_inode *in)
{
	u64 key;
	int err = sfs_inode_other(in, &key);

	if (err)
		return err == -ENOENT ? 1 : err;
	return sfs_tree_delete(t, in, key);
}
