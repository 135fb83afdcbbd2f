/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edu.h - the educational simplefs (sysprog21/simplefs as of July 2026): its bytes, and a reader.
 *
 * Little-endian, 4096-byte blocks with 32-bit numbers, and nothing but the magic says which format
 * it is:
 *
 *   super | inodes, 56 a block | map of inodes | map of blocks | the rest: indexes, names, data
 *
 * A bit of a map is set where something is free.  A file or directory has one index block, of up
 * to 255 runs of 8 blocks each: of a file from its first block on, one after the other; of a
 * directory at places that follow from the hash of a name.  A symlink is in its inode alone.  Other
 * types there are not.  The module of that format never begins a transaction, whatever journal it
 * is given: there is none to replay, and no mark of a clean unmount.
 */
#ifndef SFS_EDU_H
#define SFS_EDU_H

#include "lib.h"

#define SFS_EDU_MAGIC		0x00deadceu
#define SFS_EDU_ROOT		1
#define SFS_EDU_INODES		56		/* in a block */
#define SFS_EDU_RUNS		255		/* in an index */
#define SFS_EDU_RUN_BLOCKS	8
#define SFS_EDU_NAMES		15		/* in a block */
#define SFS_EDU_NAME_MAX	254
#define SFS_EDU_TARGET		32		/* with the NUL */
#define SFS_EDU_MAP_BITS	(8 * SFS_BLOCK_SIZE)

struct sfs_edu_super_disk {
	__le32 s_magic;
	__le32 s_blocks;
	__le32 s_inodes;		/* 0 is none of them */
	__le32 s_table_blocks;		/* of inodes, from block 1 */
	__le32 s_inode_map_blocks;
	__le32 s_block_map_blocks;
	__le32 s_free_inodes;
	__le32 s_free_blocks;
};

struct sfs_edu_inode_disk {
	__le32 i_mode;
	__le32 i_uid;
	__le32 i_gid;
	__le32 i_size;			/* of a directory: one block */
	__le32 i_ctime;			/* seconds since 1970, without sign */
	__le32 i_atime;
	__le32 i_mtime;
	__le32 i_blocks;		/* not kept up for all types */
	__le32 i_nlink;
	__le32 i_index;			/* of a symlink: whatever was in memory */
	char i_target[SFS_EDU_TARGET];	/* of other types the same */
};
static_assert(sizeof(struct sfs_edu_inode_disk) == 72, "inode");

struct sfs_edu_run_disk {
	__le32 r_lblk;			/* of a directory: not used */
	__le32 r_nblks;
	__le32 r_blk;			/* 0: there is no run */
	__le32 r_names;			/* of a file: not used */
};

struct sfs_edu_index_disk {
	__le32 x_names;			/* in all runs; of a file: not used */
	struct sfs_edu_run_disk x_runs[SFS_EDU_RUNS];
	u8 x_spare[12];
};
static_assert(sizeof(struct sfs_edu_index_disk) == SFS_BLOCK_SIZE, "index");

struct sfs_edu_name_disk {
	__le32 n_ino;			/* 0: free */
	__le32 n_slots;			/* from here to the next in the chain */
	char n_text[SFS_EDU_NAME_MAX + 1];
	u8 n_spare;
};
static_assert(sizeof(struct sfs_edu_name_disk) == 264, "name");

struct sfs_edu_names_disk {
	__le32 d_names;			/* in use */
	struct sfs_edu_name_disk d_slots[SFS_EDU_NAMES];
	u8 d_spare[132];
};
static_assert(sizeof(struct sfs_edu_names_disk) == SFS_BLOCK_SIZE, "block of names");

/* An open volume. */
struct sfs_edu {
	char why[128];			/* what the last error is about */
	struct sfs_dev *dev;
	u32 nblks;
	u32 inodes;
	u32 table_blocks;
	u32 inode_map;			/* its first block */
	u32 block_map;
	u32 data;			/* the first block behind the maps */
	u8 *taken;			/* a bit for each block that something was found to use */
};

/* What is known of an inode that a name leads to. */
struct sfs_edu_file {
	u64 in_volume;			/* its number in the new volume, or 0 */
	u32 nlink;			/* as the inode says */
	u32 links;			/* as the names do */
};

/* @first is the beginning of a device or file, 4 bytes at least. */
bool sfs_edu_probe(const void *first);
void sfs_edu_close(struct sfs_edu *edu);

/* Those below return a negative errno with a sentence in @why, which nobody has seen yet. */

__attribute__((format(printf, 3, 4)))
int sfs_edu_fail(struct sfs_edu *edu, int err, const char *fmt, ...);
int sfs_edu_corrupt(struct sfs_edu *edu, const char *what, u32 blk, u32 ino, const char *why);
int sfs_edu_read(struct sfs_edu *edu, u32 blk, void *block);
/* Opens and checks what describes the volume; @edu was zeroed, and goes to sfs_edu_close(). */
int sfs_edu_open(const char *path, struct sfs_edu *edu);
/* Inode @ino, found to be one of the three types and true in itself. */
int sfs_edu_inode(struct sfs_edu *edu, u32 ino, struct sfs_edu_inode_disk *ret_inode);
/* The index of @inode, which is no symlink: every run lies in the volume, a file's in order. */
int sfs_edu_index(struct sfs_edu *edu, u32 ino, const struct sfs_edu_inode_disk *inode,
		  struct sfs_edu_index_disk *ret_index);
/* Each block has one user: the index of @ino and its runs are taken by it, or it is an error. */
int sfs_edu_take(struct sfs_edu *edu, u32 ino, const struct sfs_edu_inode_disk *inode,
		 const struct sfs_edu_index_disk *index);
/* A block of names, its slots in one chain and as many in use as it says. */
int sfs_edu_names(struct sfs_edu *edu, u32 ino, u32 blk,
		  struct sfs_edu_names_disk *ret_names);
/* Blocks taken, and inodes of @files, that the maps call free. */
s64 sfs_edu_unmarked(struct sfs_edu *edu, const struct sfs_edu_file *files);

#endif
