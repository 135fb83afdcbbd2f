/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * undo.h - what fsck.simplefs -z keeps, and --undo takes back: the old contents of blocks.
 *
 * The file is a head and records behind each other, all little-endian.  A record that is cut off,
 * or of another checksum, is the end, as long as no sound one follows: what it tells of has not
 * been written to the volume.
 */
#ifndef SFS_UNDO_H
#define SFS_UNDO_H

#include "lib.h"

#define SFS_UNDO_IDENT		"SFSUNDO1"

struct sfs_undo_head {
	u8 u_ident[8];
	u8 u_uuid[16];			/* of the volume */
	__le64 u_blocks;		/* of its device */
	__le64 u_time;			/* when it was begun, nanoseconds since 1970 */
	__le32 u_zero;
	__le32 u_crc;			/* of the above; and the seed of all other checksums */
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_undo_head) == 48, "sfs_undo_head");

enum sfs_undo_type {
	SFS_UNDO_OLD = 1,		/* r_blk as it was, SFS_BLOCK_SIZE bytes that follow */
	SFS_UNDO_UNREAD,		/* the device did not give r_blk */
	SFS_UNDO_SUPER,			/* block 0 is about to be written, with r_sum */
	SFS_UNDO_FINAL,			/* r_blk was left with r_sum */
	SFS_UNDO_END,			/* the repair has ended, and all FINAL are there */
};

struct sfs_undo_record {
	__le32 r_magic;
	__le32 r_type;
	__le64 r_blk;
	__le32 r_number;		/* from 0 */
	__le32 r_sum;			/* of the content of a block */
	__le32 r_zero;
	__le32 r_crc;			/* of the above */
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_undo_record) == 32, "sfs_undo_record");
#define SFS_UNDO_MAGIC		0x6f646e75u	/* "undo" */

/* One such file, open. */
struct sfs_undo {
	const char *u_path;
	int u_fd;
	u32 u_seed;
	u32 u_number;			/* of the next record */
	u64 u_pos;			/* where it goes */
	struct sfs_dev *u_dev;
	const struct sfs_fs *u_fs;
	u8 *u_saved;			/* a bit for each block of the device */
	u64 u_nsaved;
	int u_err;
};

/* ---- undo.c ---- */

/*
 * From now on no block of @fs's device is written before it is in the new file @path, lasting.
 * Ends the program where that cannot be begun.  _end: the volume is as it is left; a file with
 * nothing in it goes.
 */
void sfs_undo_begin(struct sfs_undo *u, const struct sfs_fs *fs, const char *path);
int sfs_undo_end(struct sfs_undo *u);
int sfs_undo_append(struct sfs_undo *u, enum sfs_undo_type type, u64 blk, u32 sum,
		    const void *data);
u32 sfs_undo_sum(const struct sfs_undo *u, const void *data);
/* Block @blk as it is on the device, past the cache; false: the device does not give it. */
bool sfs_undo_read(const struct sfs_undo *u, u64 blk, void *data);

/* ---- undo_back.c ---- */

/*
 * Writes to @dev, the volume at @volume, what is in the file @path; @never: only says whether that
 * could be; @force: also when the volume was changed since.  Exit status.
 */
int sfs_undo_back(struct sfs_dev *dev, const char *volume, const char *path, bool never,
		  bool force);

#endif
