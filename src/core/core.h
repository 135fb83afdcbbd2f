/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * core.h - the core in memory: its structures, its units, and its map (prototypes by file).  Trees
 * are in btree.h, attributes in xattr.h, printers in totext.h; they come with this.
 *
 * Units, the same words everywhere:
 *   blk     physical block number on the volume		lblk	block number within a file
 *   nblks   a count of blocks				nbytes	a count of bytes
 *   pos     position part of a key			ino	inode number, block << 3 | slot
 *   group   group number, blk / SFS_GROUP_BLOCKS	zone	zone number, group / SFS_ZONE_GROUPS
 *
 * Every function returns 0 or a negative errno unless it says otherwise; results named ret_x are
 * untouched on failure.  The core never prints and takes no lock but those below.
 *
 * Changes: an operation first calls what can fail (reading, verifying, reserving, making room,
 * taking write access) and then what cannot.  Functions below that change something either do it
 * whole or, on error, leave the volume as true as it was; a failure after the first change ends in
 * sfs_shutdown(), never in a half-made operation that commits.
 *
 * Locks, outermost first: transaction handle, tree lock of the inode (the porch's), f_zone_lock,
 * g_lock, z_run_lock, f_run_lock.  At most one g_lock is held at a time.
 */
#ifndef SFS_CORE_H
#define SFS_CORE_H

#include "port.h"
#include "format.h"

struct sfs_group;
struct sfs_zone_table;
struct sfs_record_kind;

struct sfs_fs {
	void *f_priv;			/* the port's: super_block or device */
	const struct sfs_record_kind *f_kinds;	/* of records, what the trees know of them */
	u32 f_fsid;
	u8 f_uuid[16];
	u8 f_label[SFS_LABEL_MAX + 1];	/* ended by NUL */
	u64 f_compat;
	u64 f_ro_compat;
	u64 f_incompat;
	u64 f_blocks;			/* these and f_tail may grow in use: grow.h */
	u64 f_groups;
	u64 f_zones_max;		/* zones that fit in f_blocks */
	u64 f_zones;			/* zones initialised; grows under f_zone_lock */
	u64 f_journal_start;
	u32 f_journal_blocks;
	u8 f_journal_uuid[16];
	u32 f_tail;
	u64 f_root;
	u64 f_hash_key[2];
	u64 f_hidden[SFS_HIDDEN];	/* inode numbers, 0: none */
	u32 f_stripe_unit, f_stripe_width;	/* blocks, 0: not known */
	u32 f_state;			/* SFS_STATE_* as last read or written */
	u32 f_errors;
	u32 f_mounts;
	s64 f_mkfs_time;
	s64 f_mount_time;
	s64 f_check_time;
	s64 f_error_time;
	u64 f_error_blk;
	u64 f_error_ino;
	u32 f_error_count;
	u8 f_error_why[SFS_WHY_MAX];

	bool f_unmade;			/* mkfs is at work: no copy may lead here yet */
	bool f_recounted;		/* it was not stopped in order */
	u64 f_sequence;			/* of what is written now; rises */
	u64 f_sequence_max;		/* s_sequence: nothing that is read may be above it */
	u64 f_disk_free;		/* s_free and s_inodes as last read, or as made */
	u64 f_disk_inodes;

	/* Guards growth, of f_zones too, the filling of f_zone and the encoding of block 0. */
	struct sfs_mutex f_zone_lock;
	struct sfs_mutex f_run_lock;	/* innermost */
	u32 f_run;			/* an upper bound of all z_run; changed under it */
	u64 f_busy;			/* the run that is busy (busy.h), or 0 */
	struct sfs_zone_dir *f_zone;	/* made at first need; a pointer once set stays */
	struct sfs_counter f_free;	/* clear bits of all used maps, of new zones too */
	struct sfs_counter f_avail;	/* of these, not promised by sfs_space_claim() */
	struct sfs_counter f_nodes;	/* promised for nodes, the worst case */
	struct sfs_counter f_lost;	/* of f_free: in groups whose map cannot be read */
	struct sfs_counter f_inodes;	/* inodes in use */
	u64 f_pool;			/* free blocks kept for operations that must not fail */
	u64 f_dir_rotor;		/* group for the next directory; racy, a hint */
	u64 f_load_next;		/* groups below it were tried; racy, may lag behind */
	u32 f_load_max;			/* groups that one call may load for an allocation */
	u32 f_unread;			/* rises when what failed is asked again, from 1 */
	u32 f_unread_minute;		/* when it last rose */
	u32 f_unwritten_strip;		/* the f_unread in which a zone could not be begun, or 0 */
};

/* Features that this version does not know, by what that means (format.h). */
static inline u64 sfs_unknown_compat(const struct sfs_fs *fs)
{
	return fs->f_compat & ~(u64)SFS_COMPAT_KNOWN;
}

static inline u64 sfs_unknown_ro_compat(const struct sfs_fs *fs)
{
	return fs->f_ro_compat & ~(u64)SFS_RO_COMPAT_KNOWN;
}

/* Bytes, flags and kinds of records may be there that are not ours to judge, nor to lose. */
static inline bool sfs_fs_has_unknown(const struct sfs_fs *fs)
{
	return sfs_unknown_compat(fs) || sfs_unknown_ro_compat(fs);
}

/* An inode may hold records besides those that make it what it is. */
static inline bool sfs_fs_has_other_kinds(const struct sfs_fs *fs)
{
	return sfs_fs_has_unknown(fs) || (fs->f_compat & SFS_COMPAT_XATTR);
}

/*
 * An inode in memory.  The port embeds it.  The porch's tree lock guards i_root, i_seq, i_blocks
 * and i_buf; it is held shared by lookups and exclusively by changes.
 */
struct sfs_inode {
	struct sfs_fs *i_fs;
	u64 i_ino;
	u16 i_mode;
	u32 i_uid;
	u32 i_gid;
	u32 i_nlink;
	u32 i_projid;
	u32 i_flags;
	u32 i_generation;
	u32 i_rdev;
	u64 i_size;			/* on disk; a file's size in memory is the porch's */
	u64 i_blocks;
	s64 i_atime;
	s64 i_mtime;
	s64 i_ctime;
	s64 i_btime;
	u64 i_change;
	u64 i_parent;
	u64 i_nodes;			/* blocks promised for nodes of what is to be written */
	struct sfs_buf *i_buf;		/* inode block, between sfs_inode_begin() and _end() */
	u64 i_goal;			/* where the last allocation ended; a hint */
	u8 i_root[SFS_ROOT_BYTES] __attribute__((aligned(8)));
};

/* Flags that only directories have. */
#define SFS_INODE_FLAGS_DIR	(SFS_INODE_DIRSYNC | SFS_INODE_PROJINHERIT)

static inline u64 sfs_ino_blk(u64 ino)
{
	return ino >> SFS_INODE_SLOT_BITS;
}

static inline unsigned int sfs_ino_slot(u64 ino)
{
	return ino & (SFS_INODE_SLOTS - 1);
}

/* Credits (blocks a transaction may change), upper bounds for trees of any depth. */
#define SFS_CREDITS_INODE	1		/* sfs_inode_begin .. end */
#define SFS_CREDITS_ALLOC	3		/* used map, summary, superblock for a new zone */
/* One record: at each level two nodes, a map and a summary; the superblock. */
#define SFS_CREDITS_TREE	(SFS_TREE_LEVELS * 4 + 1)
#define SFS_CREDITS_IALLOC	7		/* inode block, four maps, summary, superblock */
#define SFS_CREDITS_ORPHAN	3		/* sfs_orphan_add or _remove */
#define SFS_REVOKES_TREE	SFS_TREE_LEVELS
#define SFS_REVOKES_IALLOC	1		/* sfs_inode_free */

/* ---- bits.c: bitmaps as on disk, bit n is byte n / 8, bit n % 8 ---- */

bool sfs_bits_test(const u8 *bits, unsigned int bit);
void sfs_bits_set(u8 *bits, unsigned int bit, unsigned int n);
void sfs_bits_clear(u8 *bits, unsigned int bit, unsigned int n);
/* First set (clear) bit in [bit, end), or end. */
unsigned int sfs_bits_next_set(const u8 *bits, unsigned int bit, unsigned int end);
unsigned int sfs_bits_next_clear(const u8 *bits, unsigned int bit, unsigned int end);
unsigned int sfs_bits_count(const u8 *bits, unsigned int bit, unsigned int end);

/*
 * How far s_sequence is ahead where nobody knows what will be, or was, written: 100,000
 * transactions a second for five years, and room for half a million such times.
 */
#define SFS_SEQUENCE_AHEAD	(1ULL << 44)

/* ---- block.c: the common head ---- */

/* One kind of block: what whoever reads one is told of it.  Defined by who owns the kind. */
struct sfs_block_ops {
	u32 b_magic;
	bool b_owner_is_ino;		/* h_owner is the number of an inode */
	const char *b_name;		/* "btree node", "used map" ... for messages */
	/* NULL, or why not.  Pure.  Head and magic are as they should be. */
	const char *(*b_verify)(const struct sfs_fs *fs, const void *data, u64 blk);
};

void sfs_block_init(void *data, u32 fsid, u32 magic, u64 blk, u64 owner);
/* The number of what is written now, before the crc. */
void sfs_block_stamp(const struct sfs_fs *fs, void *data);
/* Sets the crc.  Called when a block freezes for its commit or is written, by nobody else. */
void sfs_block_seal(void *data);
/* NULL, or why not.  Pure.  Head, crc, magic, and then the structure, as @ops knows it. */
const char *sfs_block_verify(const struct sfs_fs *fs, const struct sfs_block_ops *ops,
			     const void *data, u64 blk);
/* Head and crc alone, of any kind of block. */
const char *sfs_head_verify(const void *data, u32 fsid, u64 blk);
/* What the verifiers return, this very pointer, when it is the crc: ports answer -EFSBADCRC. */
extern const char sfs_why_crc[];

/* Of a block that was verified some time: is it of this kind, and whose is it? */
static inline const char *sfs_block_check(const struct sfs_block_ops *ops, const void *data,
					  u64 owner)
{
	const struct sfs_head *head = data;

	if (le32_to_cpu(head->h_magic) != ops->b_magic)
		return "another kind of block is here";
	if (le64_to_cpu(head->h_owner) != owner)
		return "block belongs to another owner";
	return NULL;
}

/* ---- geometry.c: arithmetic of a volume ---- */

#define SFS_HEAD_START		1	/* zone 0: behind the superblock */
#define SFS_JOURNAL_START	(SFS_HEAD_START + SFS_ZONE_HEAD)

/* Sets what follows from @blocks. */
void sfs_geometry_measure(struct sfs_fs *fs, u64 blocks);
/* The same of a device of @dev_blocks, no smaller than it: all but a last zone too short. */
void sfs_geometry_size(struct sfs_fs *fs, u64 dev_blocks);
u64 sfs_zone_head(u64 zone);				/* its first block */
u64 sfs_copy_blk(u64 zone);				/* of its copy of the superblock */
u64 sfs_summary_blk(u64 zone);				/* of the summary of its groups */
u64 sfs_map_blk(u64 group, unsigned int map);		/* address of a bitmap */
/* Which bitmap lies at @blk.  False: none can. */
bool sfs_map_at(const struct sfs_fs *fs, u64 blk, u64 *ret_group, unsigned int *ret_map);
/* First block of a zone that is neither superblock, head nor journal: may be allocated. */
u64 sfs_zone_data(const struct sfs_fs *fs, u64 zone);
u32 sfs_group_nblks(const struct sfs_fs *fs, u64 group);	/* shorter for the last group */
/* How many of the group's first blocks are superblock, zone's head or journal. */
u32 sfs_group_fixed(const struct sfs_fs *fs, u64 group);
/* While nobody has touched @group: how many of its blocks are free, all from *@ret_bit on. */
u32 sfs_group_fresh(const struct sfs_fs *fs, u64 group, u32 *ret_bit);
/* Bits of @group that stand for blocks of the volume; none in the last zone's missing groups. */
u32 sfs_group_bits(const struct sfs_fs *fs, u64 group);
/* Those of them that can be free. */
u32 sfs_group_usable(const struct sfs_fs *fs, u64 group);
/* True when the run lies inside the volume and touches no superblock, zone's head or journal. */
bool sfs_blk_is_valid(const struct sfs_fs *fs, u64 blk, u64 nblks);
/* First block of zone 0 that is free on a new volume: also past the room that belongs to nobody. */
u64 sfs_first_free(const struct sfs_fs *fs);
/* Free blocks of @zone and all behind it, while nobody has touched them. */
u64 sfs_zones_fresh(const struct sfs_fs *fs, u64 zone);

/* ---- super.c: the superblock ---- */

/* What mkfs is asked for; sfs_super_make() fills the rest of @fs from it or says why not. */
struct sfs_geometry {
	u64 g_blocks;			/* of the device; trimmed as the format demands */
	u32 g_journal_blocks;		/* 0: none on this device */
	u8 g_uuid[16];
	u8 g_journal_uuid[16];
	u64 g_hash_key[2];
	s64 g_time;
	u32 g_stripe_unit;		/* blocks; 0: not known */
	u32 g_stripe_width;
	bool g_journal_dev;		/* an external journal, g_journal_uuid */
};
/*
 * @fs is zero but for f_priv.  f_root is set too: on a fresh volume the first sfs_inode_alloc(),
 * with parent 0, gives exactly that inode.
 */
const char *sfs_super_make(struct sfs_fs *fs, const struct sfs_geometry *geo);
extern const struct sfs_block_ops sfs_super_ops;
extern const struct sfs_block_ops sfs_journal_dev_ops;	/* head of an external journal's device */
/* Pure: NULL or why not.  @data is block 0; @dev_blocks the size of the device, 0 if unknown. */
const char *sfs_super_verify(const void *data, u64 dev_blocks);
/* The same without head and crc. */
const char *sfs_super_verify_fields(const struct sfs_super_disk *sup, u64 dev_blocks);
/*
 * What a newer version has changed may be anything, so this is asked first of all, of a block that
 * was only probed.  True: not for this version; *@ret_incompat are the features that it does not
 * know, 0 if it is the whole format.
 */
bool sfs_super_is_newer(const void *data, u64 *ret_incompat);
/* True when block 0 looks like ours at all (magic and ident), whatever else is wrong. */
bool sfs_super_probe(const void *data);
void sfs_super_decode(struct sfs_fs *fs, const void *data);	/* a verified block */
/*
 * After sfs_fs_init(): head, not crc, included.  Into block 0 as it is, or zeros on a new volume:
 * what no field says is left alone.
 */
void sfs_super_encode(struct sfs_fs *fs, void *data);
/* In a transaction: encodes @fs into block 0.  Takes f_zone_lock. */
int sfs_super_write(struct sfs_trans *t, struct sfs_fs *fs);

/* ---- copy.c: copies of the superblock ---- */

extern const struct sfs_block_ops sfs_copy_ops;
/* Pure: NULL or why not, of any volume.  @dev_blocks as above. */
const char *sfs_copy_verify(const void *data, u64 blk, u64 dev_blocks);
/* The copy at @blk of the superblock @super, head but not crc included.  @data may be anything. */
void sfs_copy_make(const void *super, u64 blk, void *data);
/*
 * For whoever has changed what block 0 says of the volume itself (format.h): the copies of all
 * zones begun say the same from then on.  Takes f_zone_lock.  An error leaves some of them old or
 * damaged, which harms nothing while block 0 is there.
 */
int sfs_copies_write(struct sfs_fs *fs);

/* ---- space.c: the account of free blocks ---- */

#define SFS_ALLOC_CLAIMED	0x1	/* the blocks were claimed; the claim is used up */
#define SFS_ALLOC_POOL		0x2	/* may take the last blocks: must not fail */
#define SFS_ALLOC_PROMISE	0x4	/* a promise that may take half of them */
#define SFS_ALLOC_NODES		0x8	/* nodes are those that the file was promised, i_nodes */

/* The account begins: @nfree bits are clear, nothing is promised. */
void sfs_space_set(struct sfs_fs *fs, u64 nfree);
/*
 * Promises @nblks free blocks without choosing them, -ENOSPC if there are not so many.  Takes no
 * lock.  @flags SFS_ALLOC_POOL, _PROMISE or 0.  _some: up to @want, at least one.
 */
int sfs_space_claim(struct sfs_fs *fs, u64 nblks, unsigned int flags);
int sfs_space_claim_some(struct sfs_fs *fs, u32 want, unsigned int flags, u32 *ret_nblks);
void sfs_space_unclaim(struct sfs_fs *fs, u64 nblks);
/* Promised blocks whose bits have been set; blocks whose bits have been cleared.  g_lock held. */
void sfs_space_taken(struct sfs_fs *fs, u32 nblks);
void sfs_space_freed(struct sfs_fs *fs, u32 nblks);
/* Blocks that statfs may show as available. */
u64 sfs_space_available(struct sfs_fs *fs);

/* ---- alloc.c, zone.c: who owns each block ---- */

/*
 * Takes one run of 1 to @want blocks, as near after @goal (0: anywhere) as can be had, the longest
 * where @want cannot be met.  -ENOSPC: the promise cannot be made.  -EAGAIN: what there is lies in
 * groups that were not loaded, or has been freed in a transaction that has not committed, or is
 * busy: end this one, call sfs_load_next(), if that had nothing to do commit, wait for the end of
 * sfs_busy_begin(), and try again.
 * Credits: SFS_CREDITS_ALLOC.
 */
int sfs_alloc_blks(struct sfs_trans *t, struct sfs_fs *fs, u64 goal, u32 want, unsigned int flags,
		   u64 *ret_blk, u32 *ret_nblks);
/*
 * Frees a run.  All or nothing; damage (already free, outside) is reported.  Credits: one per
 * group touched, and one.
 */
int sfs_free_blks(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, u32 nblks);
/*
 * Metadata is freed in one order: what is wanted of the block is read, then it is forgotten (so
 * that no replay brings it back), then its bit is cleared: from there on it may be another's.
 * sfs_free_meta() does the last two and consumes the reference; sfs_free_meta_ready(), earlier in
 * the same transaction, does what can fail before the first change: after it only a dead journal is
 * an error. Every block of metadata goes this way; ialloc.c, under g_lock, by sfs_used_give_meta().
 */
int sfs_free_meta_ready(struct sfs_trans *t, struct sfs_fs *fs, u64 blk);
int sfs_free_meta(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf);

/*
 * A search for blocks in one group, and what it does to the group's books.  For alloc.c, busy.c and
 * ialloc.c only: g_lock is held, @used has undo access in the transaction and is dirtied after a
 * change.  sfs_used_lock() locks @g, which is @group, and opens its map so; _unlock() ends both.
 */
struct sfs_search {
	u32 s_goal;			/* bit to continue at, if but for one block; or NO_GOAL */
	u32 s_want;
	u32 s_need;			/* anywhere else, shorter runs than this do not count */
	bool s_thorough;		/* look between blocks whose freeing has not committed */
};
#define SFS_NO_GOAL		(~0u)
int sfs_used_lock(struct sfs_trans *t, struct sfs_fs *fs, u64 group, struct sfs_group *g,
		  struct sfs_buf **ret_used);
void sfs_used_unlock(struct sfs_group *g, struct sfs_buf *used);
/* Length of the run found, at most s_want; 0 if there is none that may be taken now. */
u32 sfs_used_find(const struct sfs_fs *fs, u64 group, struct sfs_group *g, struct sfs_buf *used,
		  const struct sfs_search *s, u32 *ret_bit);
void sfs_used_take(struct sfs_fs *fs, struct sfs_group *group, struct sfs_buf *used, u32 bit,
		   u32 n);
int sfs_used_give_meta(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_group *group,
		       struct sfs_buf *used, struct sfs_buf *buf);

/* zone.c: the memory of zones, by sfs_fs_init() and _exit(). */
int sfs_zones_init(struct sfs_fs *fs);
void sfs_zones_exit(struct sfs_fs *fs);
/* Groups whose maps exist; more as zones are initialised, never fewer. */
static inline u64 sfs_groups_ready(const struct sfs_fs *fs)
{
	return min(smp_load_acquire(&fs->f_zones) * SFS_ZONE_GROUPS,
		   smp_load_acquire(&fs->f_groups));
}

/* The group's memory, its counts loaded at first need.  -ENOSPC past the last zone. */
int sfs_group_get(struct sfs_fs *fs, u64 group, struct sfs_group **ret_group);

/*
 * Outside of transactions: loads groups that nobody has looked at, of some zones, until one has a
 * decent run.  Positive if there were any, 0 if all are loaded.  One that cannot be is passed over,
 * for this and all later calls; its error is told where nothing else is left to load.
 */
int sfs_load_next(struct sfs_fs *fs);
int sfs_map_get(struct sfs_fs *fs, u64 group, unsigned int map, struct sfs_buf **ret_buf);
/* The same with g_lock of @g, which is @group: damage where its counts are not those of the map. */
int sfs_map_open(struct sfs_fs *fs, u64 group, struct sfs_group *g, unsigned int map,
		 struct sfs_buf **ret_buf);
/* Content of a fresh bitmap block: what is taken from the start and what does not exist. */
void sfs_map_fill(const struct sfs_fs *fs, u64 blk, void *data);
/* The same of any block of a zone's head; @super is for the copy. */
void sfs_head_fill(struct sfs_fs *fs, u64 blk, void *data, const void *super);
/* Writes the head of a zone that nobody uses yet, lasting; @super is block 0. */
int sfs_zone_format(struct sfs_fs *fs, u64 zone, const void *super);
extern const struct sfs_block_ops sfs_map_ops[SFS_MAPS];

/* ---- ialloc.c: inode slots and orphans ---- */

/*
 * A free slot, near @parent's block, in another group when @is_dir asks to spread.  The slot is
 * live and its record zero but for i_generation until sfs_inode_end() writes it.  -ENOSPC, -EAGAIN
 * as sfs_alloc_blks().  Credits: SFS_CREDITS_IALLOC.
 */
int sfs_inode_alloc(struct sfs_trans *t, struct sfs_fs *fs, u64 parent, bool is_dir,
		    u64 *ret_ino, u32 *ret_generation);
/*
 * Gives the slot back, as orphan or not; the tree must be empty.  Takes the place of _end(): when
 * i_buf is still there after an error, nothing has changed and _end() is due.  Credits:
 * SFS_CREDITS_IALLOC and SFS_REVOKES_IALLOC.
 */
int sfs_inode_free(struct sfs_trans *t, struct sfs_inode *in);
/*
 * Marks (unmarks) @in as orphan: SFS_INODE_ORPHAN in i_flags and the bit of its block.  Between
 * sfs_inode_begin() and _end().  Credits: SFS_CREDITS_ORPHAN.
 */
int sfs_orphan_add(struct sfs_trans *t, struct sfs_inode *in);
int sfs_orphan_remove(struct sfs_trans *t, struct sfs_inode *in);
/* orphan.c: the first orphan >= @ino, or -ENOENT; mount time only.  *@nbad counts bad blocks. */
int sfs_orphan_next(struct sfs_fs *fs, u64 ino, u64 *ret_ino, u64 *nbad);

/* ---- inode.c: the record and its block ---- */

extern const struct sfs_block_ops sfs_inodes_ops;
/* The kind of record that makes up what an inode of @type, SFS_TYPE_*, is; 0: none. */
unsigned int sfs_type_kind(unsigned int type);
/* May records of @kind belong to an inode of @type, as its own or besides them? */
bool sfs_kind_fits(const struct sfs_fs *fs, unsigned int kind, unsigned int type);
/* 1 if there are records that are not of the inode's own kind. */
int sfs_inode_has_others(struct sfs_inode *in);
/*
 * Deletes one record that is not of the inode's own kind, as goes with an inode that goes.  0: one
 * is gone, call again; 1: none is left.  Between sfs_inode_begin() and _end().  Credits:
 * SFS_CREDITS_TREE, SFS_REVOKES_TREE.
 */
int sfs_inode_strip(struct sfs_trans *t, struct sfs_inode *in);
/* NULL or why not: one live record, its root node included. */
const char *sfs_inode_verify(const struct sfs_fs *fs, const struct sfs_inode_disk *disk, u64 ino);
/* A new inode in memory: zero, empty tree, times set to @now. */
void sfs_inode_init(struct sfs_inode *in, struct sfs_fs *fs, u64 ino, u16 mode, s64 now);
/* The record of a slot that is just taken: sound, though without links, for it may be written. */
void sfs_inode_blank(struct sfs_inode_disk *disk, u32 generation);
/* Reads @ino.  -ESTALE when the slot is not in use. */
int sfs_inode_read(struct sfs_fs *fs, u64 ino, struct sfs_inode *ret_in);
void sfs_inode_decode(struct sfs_inode *in, const struct sfs_inode_disk *disk);
/* Into the record as it is, zeros if it is new: what no field says is left alone. */
void sfs_inode_encode(const struct sfs_inode *in, struct sfs_inode_disk *disk);
/*
 * Takes write access to the inode's block and holds it in i_buf, so that _end() cannot fail; _end()
 * writes the record.  Every change of the inode or its tree lies between the two.  Tree lock held
 * exclusively.  A begin is always followed by an end (or sfs_inode_free()), after an error too.
 */
int sfs_inode_begin(struct sfs_trans *t, struct sfs_inode *in);
void sfs_inode_end(struct sfs_trans *t, struct sfs_inode *in);

/* ---- handle.c: a number from outside of the volume ---- */

/* As sfs_inode_read(), but whatever is wrong with @ino is -ESTALE.  Takes g_lock. */
int sfs_inode_find(struct sfs_fs *fs, u64 ino, struct sfs_inode *ret_in);
bool sfs_inode_is_hidden(const struct sfs_fs *fs, u64 ino);	/* of a feature, no file */

/* ---- extent.c: logical to physical ---- */

struct sfs_extent {
	u64 e_lblk;
	u64 e_blk;		/* 0: a hole */
	u64 e_nblks;
	bool e_unwritten;
};

const char *sfs_extent_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			      unsigned int nbytes);
/*
 * What covers @lblk: the extent, cut so that it begins at @lblk, or the hole up to the next extent
 * (to SFS_LBLK_MAX + 1 when there is none).
 */
int sfs_extent_find(struct sfs_inode *in, u64 lblk, struct sfs_extent *ret_ext);
/* The first extent (not hole) ending after @lblk, uncut; -ENOENT if none. */
int sfs_extent_next(struct sfs_inode *in, u64 lblk, struct sfs_extent *ret_ext);
/*
 * Allocates one run for the hole at @lblk, up to @nblks long, and maps it.  -EEXIST if @lblk is
 * mapped; cuts at the next extent.  Joins neighbours.  SFS_ALLOC_CLAIMED speaks of the data alone:
 * nodes come out of the pool then.  Credits: SFS_CREDITS_EXTENT and SFS_REVOKES_TREE.
 */
#define SFS_CREDITS_EXTENT	(SFS_CREDITS_ALLOC + 2 * SFS_CREDITS_TREE + SFS_CREDITS_INODE)
int sfs_extent_alloc(struct sfs_trans *t, struct sfs_inode *in, u64 lblk, u64 nblks,
		     bool unwritten, unsigned int flags, struct sfs_extent *ret_ext);
/* Nodes that @n more extents may take, at @nplaces places of the map; 0: the inode has room. */
u64 sfs_extent_nodes(const struct sfs_inode *in, u64 n, u64 nplaces);
/* The same after a change of other records in the tree. */
u64 sfs_extent_nodes_most(const struct sfs_inode *in, u64 n, u64 nplaces);
/* Maps blocks that the caller owns already. */
int sfs_extent_insert(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_extent *ext,
		      unsigned int flags);
/*
 * Marks what is mapped in [@lblk, +@nblks) as @unwritten, or as written, one record per call;
 * @ret_done is how far it got (up to lblk + nblks): call again, in a new transaction, until it is
 * all.  @ret_changed: blocks that were the other, the last before @ret_done.  Holes are passed
 * over.  Nodes: i_nodes, then the pool, @unwritten: half of it.  Credits: 3 * SFS_CREDITS_TREE.
 */
int sfs_extent_convert(struct sfs_trans *t, struct sfs_inode *in, u64 lblk, u64 nblks,
		       bool unwritten, u64 *ret_done, u64 *ret_changed);
/*
 * Unmaps and frees what is mapped in [@lblk, end), from the end backwards, at most one record per
 * call.  0: more may be left, call again; 1: nothing is left.  Credits: 2 * SFS_CREDITS_TREE +
 * SFS_CREDITS_PUNCH.
 */
#define SFS_CREDITS_PUNCH	(SFS_ZONE_GROUPS + 2)
int sfs_extent_punch(struct sfs_trans *t, struct sfs_inode *in, u64 lblk, u64 end);

/* ---- dirent.c: names ---- */

const char *sfs_type_word(unsigned int type);	/* of SFS_TYPE_*, or NULL */
const char *sfs_dirent_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			      unsigned int nbytes);
/* Length, no '/', no NUL, not "." or "..". */
bool sfs_name_is_valid(const char *name, unsigned int len);
int sfs_dirent_find(struct sfs_inode *dir, const char *name, unsigned int len, u64 *ret_ino,
		    u8 *ret_type);
/* Changes i_size of @dir, nothing else of any inode.  -EEXIST, -ENOSPC (also: 256 collisions). */
int sfs_dirent_add(struct sfs_trans *t, struct sfs_inode *dir, const char *name, unsigned int len,
		   u64 ino, u8 type);
int sfs_dirent_remove(struct sfs_trans *t, struct sfs_inode *dir, const char *name,
		      unsigned int len);
/* Points an existing name elsewhere. */
int sfs_dirent_set(struct sfs_trans *t, struct sfs_inode *dir, const char *name, unsigned int len,
		   u64 ino, u8 type);
/* Makes sure that adding @name later in @t cannot fail, nor setting or removing an existing one. */
int sfs_dirent_room(struct sfs_trans *t, struct sfs_inode *dir, const char *name,
		    unsigned int len);
bool sfs_dirent_dir_is_empty(const struct sfs_inode *dir);
/*
 * Calls @emit for each name from position @pos on, in key order, until it returns false or they
 * end.  Its name has @len bytes and no NUL; the next call starts from the entry's own @pos + 1.
 */
typedef bool (*sfs_emit_fn)(void *arg, const char *name, unsigned int len, u64 ino, u8 type,
			    u64 pos);
int sfs_dirent_iterate(struct sfs_inode *dir, u64 pos, sfs_emit_fn emit, void *arg);

/* ---- symlink.c: targets ---- */

const char *sfs_inline_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			      unsigned int nbytes);

/* Into a new inode; sets i_size.  Credits (also of _clear): SFS_CREDITS_SYMLINK. */
#define SFS_CREDITS_SYMLINK	(4 * SFS_CREDITS_TREE)
int sfs_symlink_write(struct sfs_trans *t, struct sfs_inode *in, const char *target,
		      unsigned int nbytes);
/* @buf holds i_size + 1 bytes; ends in NUL. */
int sfs_symlink_read(struct sfs_inode *in, char *buf, unsigned int nbytes);
/* Deletes the target's records (before sfs_inode_free()). */
int sfs_symlink_clear(struct sfs_trans *t, struct sfs_inode *in);

/* ---- fs.c: the state of an open volume ---- */

/*
 * After decode or make: counters, zone table, pool.  Without SFS_STATE_CLEAN the counters are wrong
 * until sfs_fs_recount().  _exit accepts an @fs that _init failed on or never saw (but zero).
 */
int sfs_fs_init(struct sfs_fs *fs);
void sfs_fs_exit(struct sfs_fs *fs);
/*
 * After an unclean stop: counts free blocks and inodes from the summaries of all zones begun.
 * A group with a bad map is full, and counted in *@ret_nbad; an error if that is NULL.
 */
int sfs_fs_recount(struct sfs_fs *fs, u64 *ret_nbad);

/* ---- blocks.c: all kinds of blocks, for who meets one without knowing what it is ---- */

const struct sfs_block_ops *sfs_block_ops_of(u32 magic);	/* NULL: no kind has it */
/* sfs_block_verify() as the kind that the magic says. */
const char *sfs_block_verify_any(const struct sfs_fs *fs, const void *data, u64 blk);

#include "btree.h"
#include "busy.h"
#include "grow.h"
#include "label.h"
#include "quota.h"
#include "reach.h"
#include "shift.h"
#include "totext.h"
#include "xattr.h"
#include "zone.h"

#endif
