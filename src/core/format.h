/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * format.h - every byte that simplefs writes to a device.
 *
 * Little-endian, 4096-byte blocks, 64-bit block numbers of which 48 bits are used.
 * A volume is a row of groups of 32256 blocks; 32 groups make a zone.  A zone starts with
 * its head (the first zone: with the superblock, then its head): a strip of bitmap blocks, a copy
 * of the superblock, and a summary of the strip:
 *
 *   zone 0:  super | used[32] inode[32] room[32] orphan[32] copy summary | journal, data ...
 *   zone n:          used[32] inode[32] room[32] orphan[32] copy summary | data, inodes, nodes ...
 *
 * Everything else follows from four record kinds in one B+tree per inode.  This header
 * includes nothing: it wants __le16/32/64, u8 and static_assert from whoever includes it.
 * simplefs(5) describes the same bytes in words and is checked against this file.
 */
#ifndef SFS_FORMAT_H
#define SFS_FORMAT_H

#define SFS_BLOCK_BITS		12
#define SFS_BLOCK_SIZE		4096
#define SFS_BLK_BITS		48		/* width of a physical block number */
#define SFS_BLK_MAX		((1ULL << SFS_BLK_BITS) - 1)
#define SFS_LBLK_MAX		((1ULL << 51) - 1)	/* 2^63 bytes / 4096 */
#define SFS_FILE_SIZE_MAX	0x7fffffffffffffffULL	/* of a directory's names as well */

#define SFS_GROUP_BLOCKS	32256		/* bits of one bitmap block: (4096 - 64) * 8 */
#define SFS_ZONE_GROUPS		32
#define SFS_ZONE_BLOCKS		(SFS_GROUP_BLOCKS * SFS_ZONE_GROUPS)
#define SFS_MAPS		4
#define SFS_STRIP_BLOCKS	(SFS_MAPS * SFS_ZONE_GROUPS)
#define SFS_ZONE_COPY		SFS_STRIP_BLOCKS	/* from the first block of the head */
#define SFS_ZONE_SUMMARY	(SFS_STRIP_BLOCKS + 1)
#define SFS_ZONE_HEAD		(SFS_STRIP_BLOCKS + 2)	/* blocks of a zone's head */

/* Room that libblkid searches for other formats; no user data is ever put there. */
#define SFS_HEAD_SMALL		80		/* 320 KiB, volumes below SFS_LARGE_BLOCKS */
#define SFS_HEAD_LARGE		528		/* 2 MiB + 64 KiB */
#define SFS_TAIL_SMALL		32		/* 128 KiB */
#define SFS_TAIL_LARGE		256		/* 1 MiB */
#define SFS_LARGE_BLOCKS	65536		/* 256 MiB */

/* A last zone with fewer blocks than this is left out of the volume. */
#define SFS_ZONE_MIN		(SFS_ZONE_HEAD + SFS_TAIL_LARGE + 126)
#define SFS_VOLUME_MIN		256		/* blocks: 1 MiB, without a journal */
#define SFS_JOURNAL_MIN		1024		/* jbd2's own minimum */

/* h_magic: what a metadata block is ("SFS" and a letter, as bytes on disk). */
#define SFS_MAGIC(c)		(0x00534653u | ((u32)(c) << 24))
#define SFS_MAGIC_SUPER		SFS_MAGIC('S')
#define SFS_MAGIC_COPY		SFS_MAGIC('C')
#define SFS_MAGIC_USED		SFS_MAGIC('u')
#define SFS_MAGIC_INODE_MAP	SFS_MAGIC('i')
#define SFS_MAGIC_ROOM		SFS_MAGIC('r')
#define SFS_MAGIC_ORPHAN	SFS_MAGIC('o')
#define SFS_MAGIC_SUMMARY	SFS_MAGIC('z')
#define SFS_MAGIC_INODES	SFS_MAGIC('I')
#define SFS_MAGIC_NODE		SFS_MAGIC('N')
#define SFS_MAGIC_JOURNAL_DEV	SFS_MAGIC('J')

/*
 * Head of every metadata block, at offset 0.
 *
 * h_seq says which of two claims is the newer: it is the number of the transaction that wrote the
 * block, rises for the life of the volume, and is never above s_sequence.
 */
struct sfs_head {
	__le32 h_magic;
	__le32 h_crc;		/* crc32c(seed h_fsid, the block with this field zero) */
	__le64 h_blk;		/* the block's own number */
	__le64 h_owner;		/* nodes: inode; bitmaps, inode blocks: group; summaries: zone */
	__le64 h_seq;		/* the volume's sequence when the block was written */
	__le32 h_fsid;		/* the volume's s_fsid */
	__le32 h_generation;	/* nodes: i_generation of the owner; else 0 */
	u8 h_live;		/* inode blocks: which of the 8 slots are in use; else 0 */
	u8 h_zero[7];
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_head) == 48, "sfs_head");

/* s_state */
#define SFS_STATE_CLEAN		0x1	/* unmounted in order: counters true, journal empty */
#define SFS_STATE_ERROR		0x2	/* damage was seen since the last full check */

#define SFS_SEQUENCE_MAX	(1ULL << 63)	/* of s_sequence */

/* s_errors, and the values of errors= */
#define SFS_ERRORS_CONTINUE	1
#define SFS_ERRORS_RO		2
#define SFS_ERRORS_PANIC	3

/*
 * Features.  What a bit means to a version that does not know it depends on the field it is in:
 *
 *   s_compat     the volume may be used and changed; what belongs to the feature is kept
 *   s_ro_compat  the volume may be read, not changed
 *   s_incompat   the volume must not be touched: nothing else on it may be as this version thinks
 *
 * To features of the first two may belong, and is passed over by who does not know them: bytes
 * called zero, in an inode and in block 0; bits of i_flags; records of kinds that are not below, or
 * only reserved.
 * What belongs to one of the first holds no blocks but nodes of its inode's tree, and goes with
 * its inode.  While no bit is unknown, all of that is damage.  sfs_fs_has_unknown() is the rule.
 */
#define SFS_COMPAT_JOURNAL	0x1	/* changes go through a journal */
#define SFS_COMPAT_XATTR	0x2	/* inodes may have attributes; set by mkfs */
#define SFS_COMPAT_KNOWN	(SFS_COMPAT_JOURNAL | SFS_COMPAT_XATTR)
#define SFS_RO_COMPAT_QUOTA	0x1	/* usage is counted, in hidden inodes */
#define SFS_RO_COMPAT_SHARED	0x2	/* reserved: extents may be of several files */
#define SFS_RO_COMPAT_DATA_SUM	0x4	/* reserved: data has checksums */
#define SFS_RO_COMPAT_KNOWN	SFS_RO_COMPAT_QUOTA
#define SFS_INCOMPAT_JOURNAL_DEV 0x1	/* the journal is on another device, s_journal_uuid */
#define SFS_INCOMPAT_INLINE	0x2	/* reserved: the data of small files is in their inode */
#define SFS_INCOMPAT_JOURNAL_MOVED 0x4	/* reserved: s_journal_start is anywhere, a run in use */
#define SFS_INCOMPAT_KNOWN	SFS_INCOMPAT_JOURNAL_DEV

#define SFS_IDENT		"SIMPLEFS"
#define SFS_VERSION		1
#define SFS_LABEL_MAX		64
#define SFS_WHY_MAX		64

/* s_hidden: inodes that no directory names, of which features are made; 0: there is none. */
#define SFS_HIDDEN_USER		0	/* usage by user, SFS_RO_COMPAT_QUOTA */
#define SFS_HIDDEN_GROUP	1	/* by group */
#define SFS_HIDDEN_PROJECT	2	/* by project */
#define SFS_HIDDEN_SHARED	3	/* SFS_KIND_SHARED, SFS_RO_COMPAT_SHARED */
#define SFS_HIDDEN		4

/*
 * Block 0.  The fields end at byte 508; the rest of the block is zero, so that bytes 510-511,
 * 1024-2047 and 4086-4095 never look like a partition table, an ext2 or a swap signature.
 *
 * The head of each zone holds a copy, under SFS_MAGIC_COPY and its own number, without
 * SFS_STATE_CLEAN.  Of it head, s_zones, s_state, s_free, s_inodes, s_mounts, s_sequence, the times
 * but for s_mkfs_time and the last error are what they were when it was written; s_label, s_uuid,
 * s_errors and, of a volume that was smaller, s_blocks and s_tail may be of a time before, if the
 * change of all copies was interrupted; all else is as in block 0.
 */
struct sfs_super_disk {
	struct sfs_head s_head;
	u8 s_ident[8];		/* SFS_IDENT */
	u8 s_uuid[16];
	u8 s_label[SFS_LABEL_MAX];	/* UTF-8, padded with NUL, not always ended by one */
	__le64 s_compat;
	__le64 s_ro_compat;
	__le64 s_incompat;
	__le32 s_block_bits;	/* SFS_BLOCK_BITS */
	__le32 s_version;	/* SFS_VERSION */
	__le64 s_blocks;	/* size of the volume, in blocks */
	__le64 s_zones;		/* high watermark: zones whose head has been written */
	__le64 s_journal_start;	/* first block of the journal on this device, or 0 */
	__le32 s_journal_blocks;	/* its length, or 0 */
	__le32 s_tail;		/* blocks at the end of the volume that are never allocated */
	__le32 s_state;
	__le32 s_errors;	/* default of errors= */
	u8 s_journal_uuid[16];	/* the jbd2 log's UUID (both kinds of journal) */
	__le64 s_hash_key[2];	/* siphash-2-4 key of directory and attribute names */
	__le64 s_root;		/* inode number of the root directory */
	__le64 s_free;		/* free blocks; true while SFS_STATE_CLEAN */
	__le64 s_inodes;	/* inodes in use; true while SFS_STATE_CLEAN */
	__le32 s_fsid;		/* crc seed, in each head; from the first UUID, never changed */
	__le32 s_mounts;	/* read-write mounts so far */
	__le64 s_mkfs_time;	/* all times: nanoseconds since 1970, signed */
	__le64 s_mount_time;
	__le64 s_write_time;
	__le64 s_check_time;
	__le64 s_error_time;	/* last error: when, where, why */
	__le64 s_error_blk;
	__le64 s_error_ino;
	__le32 s_error_count;	/* since the last full check */
	u8 s_error_why[SFS_WHY_MAX];	/* padded with NUL */
	__le64 s_sequence;	/* no block of the volume has a higher h_seq */
	__le64 s_hidden[SFS_HIDDEN];	/* inode numbers */
	__le32 s_stripe_unit;	/* blocks that lie on one disk, or 0: not known */
	__le32 s_stripe_width;	/* blocks of one stripe over all of them; a multiple, or 0 */
	u8 s_zero[64];
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_super_disk) == 508, "sfs_super_disk");

/*
 * Block 0 of an external journal device.  The jbd2 log with its own superblock starts at block 1.
 */
struct sfs_journal_dev_disk {
	struct sfs_head j_head;		/* h_fsid: that of the volume it belongs to */
	u8 j_ident[8];			/* SFS_JOURNAL_IDENT */
	u8 j_uuid[16];			/* = s_journal_uuid */
	u8 j_fs_uuid[16];		/* = s_uuid, which a copy of the volume should not have */
	__le64 j_blocks;		/* blocks of the device in use, this one included */
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_journal_dev_disk) == 96, "sfs_journal_dev_disk");
#define SFS_JOURNAL_IDENT	"SFSJRNAL"
#define SFS_JOURNAL_DEV_LOG	1		/* first block of the log on such a device */

/* The four bitmaps of a group, in the order of the strip. */
#define SFS_MAP_USED		0	/* the block is taken */
#define SFS_MAP_INODE		1	/* the block is an inode block */
#define SFS_MAP_ROOM		2	/* an inode block with a free slot */
#define SFS_MAP_ORPHAN		3	/* an inode block holding an inode with SFS_INODE_ORPHAN */

/*
 * One bitmap block.  b_count: of the used map its clear bits (those of blocks that exist), of the
 * inode and orphan maps the set bits, of the room map the free slots of the group's inode blocks,
 * so that a strip alone tells the inodes in use: 8 * inode b_count - room b_count.  Bits of blocks
 * past the end of the volume are set in the used map, clear in the others.
 */
struct sfs_bitmap_disk {
	struct sfs_head b_head;
	__le32 b_count;
	u8 b_zero[12];
	u8 b_bits[4032];		/* bit n of the group: byte n / 8, bit n % 8 */
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_bitmap_disk) == SFS_BLOCK_SIZE, "sfs_bitmap_disk");
static_assert(SFS_GROUP_BLOCKS == 4032 * 8, "bits of a group");

/*
 * What the bitmaps of a group count, once more.  All is zero where the group has no block that
 * could be free.  SFS_COUNT_UNKNOWN in c_free, and zero in the rest: only the bitmaps know.
 */
struct sfs_count_disk {
	__le32 c_free;		/* clear bits of the used map */
	__le32 c_inode_blks;	/* set bits of the inode map */
	__le32 c_room;		/* set bits of the room map */
	__le32 c_slots;		/* free slots in these blocks */
	__le32 c_orphan_blks;	/* set bits of the orphan map */
	__le32 c_run;		/* no run of free blocks is longer; 0 only if none is free */
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_count_disk) == 24, "sfs_count_disk");
#define SFS_COUNT_UNKNOWN	0xffffffffu

/* The summary of a zone, so that its groups are known without their bitmaps. */
struct sfs_summary_disk {
	struct sfs_head z_head;
	struct sfs_count_disk z_count[SFS_ZONE_GROUPS];
	u8 z_zero[3280];
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_summary_disk) == SFS_BLOCK_SIZE, "sfs_summary_disk");

/* i_flags */
#define SFS_INODE_ORPHAN	0x1	/* unlinked but open, or a truncation is under way */
#define SFS_INODE_APPEND	0x2	/* written at the end only */
#define SFS_INODE_IMMUTABLE	0x4	/* neither content, names nor attributes change */
#define SFS_INODE_NODUMP	0x8	/* left out of backups */
#define SFS_INODE_NOATIME	0x10	/* i_atime stays */
#define SFS_INODE_SYNC		0x20	/* every change is synchronous */
#define SFS_INODE_DIRSYNC	0x40	/* directories: the same for their names */
#define SFS_INODE_PROJINHERIT	0x80	/* directories: what is made in it gets i_projid */
#define SFS_INODE_FLAGS_KNOWN	0xff
#define SFS_INODE_CASEFOLD	0x100	/* reserved, of features to come: this and the next */
#define SFS_INODE_ENCRYPT	0x200
#define SFS_INODE_VERITY	0x400
#define SFS_INODE_NODATACOW	0x800

#define SFS_ROOT_BYTES		364	/* the tree's root node, inside the inode */
#define SFS_INODE_SLOTS		8
#define SFS_INODE_SLOT_BITS	3
#define SFS_INODE_BYTES		504

/* File types: the high four bits of i_mode, and d_type. */
#define SFS_TYPE_SHIFT		12
#define SFS_TYPE_FIFO		1
#define SFS_TYPE_CHR		2
#define SFS_TYPE_DIR		4
#define SFS_TYPE_BLK		6
#define SFS_TYPE_REG		8
#define SFS_TYPE_LNK		10
#define SFS_TYPE_SOCK		12

/*
 * One inode.  Number = block << 3 | slot.  What a slot that is not live holds is left over, but its
 * i_generation counts: the slot's next inode gets another, drawn by lot.
 */
struct sfs_inode_disk {
	__le16 i_mode;
	__le16 i_zero16;
	__le32 i_uid;
	__le32 i_gid;
	__le32 i_nlink;
	__le32 i_projid;
	__le32 i_flags;
	__le32 i_generation;
	__le32 i_rdev;		/* devices: Linux' 32-bit encoding of major and minor */
	__le64 i_size;		/* bytes; directories: sum of their records' lengths */
	__le64 i_blocks;	/* blocks held: data, unwritten data and tree nodes */
	__le64 i_atime;		/* nanoseconds since 1970, signed */
	__le64 i_mtime;
	__le64 i_ctime;
	__le64 i_btime;
	__le64 i_change;	/* change counter */
	__le64 i_parent;	/* directories: the parent's inode number; else 0 */
	u8 i_zero[44];
	u8 i_root[SFS_ROOT_BYTES];	/* struct sfs_node_disk and what follows it */
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_inode_disk) == SFS_INODE_BYTES, "sfs_inode_disk");

struct sfs_inodes_disk {
	struct sfs_head n_head;
	struct sfs_inode_disk n_slot[SFS_INODE_SLOTS];
	u8 n_spare[16];	/* zero */
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_inodes_disk) == SFS_BLOCK_SIZE, "sfs_inodes_disk");

/*
 * A node of the tree: in the inode (364 bytes) or after the head of a block (4048 bytes).
 * Level 0 is a leaf: slots grow up from the head, records down from the end, n_heap is the
 * offset (from the node's start) of the lowest record, n_dead the bytes lost between records.
 * Higher levels: n_count sorted entries; n_heap and n_dead are zero.
 */
struct sfs_node_disk {
	__le16 n_count;
	__le16 n_heap;
	__le16 n_dead;
	u8 n_level;
	u8 n_zero;
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_node_disk) == 8, "sfs_node_disk");
#define SFS_NODE_BYTES		(SFS_BLOCK_SIZE - 48)
#define SFS_TREE_LEVELS		8	/* levels 0 to 7 */

struct sfs_slot_disk {
	__le64 s_key;		/* strictly rising */
	__le16 s_off;		/* of the record, from the node's start */
	__le16 s_len;		/* of the record, 1 to SFS_RECORD_MAX */
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_slot_disk) == 12, "sfs_slot_disk");

/*
 * Child e_blk holds the keys from e_key up to the next entry's; the first child also those below
 * its e_key, down to the bound that the parent gives this node.
 */
struct sfs_entry_disk {
	__le64 e_key;
	__le64 e_blk;
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_entry_disk) == 16, "sfs_entry_disk");

/* So small that a full leaf always splits into two that hold any new record. */
#define SFS_RECORD_MAX		1200

/* Keys: 4 bits of kind, 60 of position. */
#define SFS_KEY_KIND_SHIFT	60
#define SFS_KEY_POS_MASK	((1ULL << SFS_KEY_KIND_SHIFT) - 1)
#define SFS_KIND_XATTR		1	/* 48 bits of siphash, 4 of collisions, 8 of chunk */
#define SFS_KIND_INLINE		2	/* symlink target, position = number of the chunk */
#define SFS_KIND_EXTENT		3	/* position = first logical block */
#define SFS_KIND_DIRENT		4	/* position = 52 bits of siphash(name), 8 of collisions */
#define SFS_KIND_DATA_SUM	5	/* reserved: checksums of data, SFS_RO_COMPAT_DATA_SUM */
#define SFS_KIND_SHARED		6	/* reserved: in SFS_HIDDEN_SHARED, by physical block */
#define SFS_KIND_QUOTA		7	/* chunk of a table of usage, position = its number */

#define SFS_CHUNK		1024	/* every chunk but the last is full */
#define SFS_QUOTA_CHUNKS	(1ULL << 32)	/* most of one table, all of them full */
#define SFS_SYMLINK_MAX		4095	/* bytes of a target */
#define SFS_NAME_MAX		255
#define SFS_DIRENT_COLLISIONS	256	/* names with one hash */

/* Records lie wherever there is room, so their structures ask for no alignment. */

/* Extent record. */
struct sfs_extent_disk {
	__le64 e_start;		/* physical block, SFS_EXTENT_UNWRITTEN */
	__le32 e_len;		/* blocks, at least 1 */
} __attribute__((packed));
static_assert(sizeof(struct sfs_extent_disk) == 12, "sfs_extent_disk");
#define SFS_EXTENT_UNWRITTEN	(1ULL << 63)	/* allocated, reads as zero */
#define SFS_EXTENT_LEN_MAX	SFS_ZONE_BLOCKS

/*
 * Directory entry record; the name follows, d_len bytes, no NUL, no '/'.  Its position holds the
 * high 52 bits of the name's hash.
 */
struct sfs_dirent_disk {
	__le64 d_ino;
	u8 d_type;		/* SFS_TYPE_* */
	u8 d_len;		/* 1 to SFS_NAME_MAX */
} __attribute__((packed));
static_assert(sizeof(struct sfs_dirent_disk) == 10, "sfs_dirent_disk");

/*
 * Extended attribute: this, x_len bytes of name without its namespace, x_nbytes of value, all cut
 * into chunks of SFS_CHUNK bytes, of which the first is number 0.  What is hashed lies together.
 */
struct sfs_xattr_disk {
	__le32 x_nbytes;	/* of the value, at most SFS_XATTR_MAX */
	u8 x_len;		/* 1 to SFS_NAME_MAX */
	u8 x_space;		/* SFS_XATTR_USER and the following */
} __attribute__((packed));
static_assert(sizeof(struct sfs_xattr_disk) == 6, "sfs_xattr_disk");
#define SFS_XATTR_MAX		65536
#define SFS_XATTR_COLLISIONS	16		/* names with one hash */
#define SFS_XATTR_USER		1		/* "user." */
#define SFS_XATTR_TRUSTED	2		/* "trusted." */
#define SFS_XATTR_SECURITY	3		/* "security." */
#define SFS_XATTR_SYSTEM	4		/* "system.", where access control lists are */

#endif
