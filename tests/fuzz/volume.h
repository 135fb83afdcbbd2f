/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * volume.h - a volume to damage: a file in memory, made and opened through the library that the
 * tools use, with a little of everything in it.
 */
#ifndef SFS_FUZZ_VOLUME_H
#define SFS_FUZZ_VOLUME_H

#include "lib.h"

#define FUZZ_NBLKS	2048

/* What must hold whatever the input is; the fuzzer keeps the input when it does not. */
#define FUZZ_REQUIRE(cond) do {							\
	if (!(cond)) {								\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		abort();							\
	}									\
} while (0)

/* Makes the volume and keeps a copy of it; once.  @journal: with a log in it. */
void fuzz_volume_make(bool journal);
/* The blocks of it that hold something: superblock, maps, inodes, nodes. */
extern u64 fuzz_blks[FUZZ_NBLKS];
extern unsigned int fuzz_nblks;

/* The bytes of the volume on the device: for change.  fuzz_volume_reset() takes changes back. */
u8 *fuzz_block(u64 blk);
void fuzz_volume_reset(void);

/* Opens what is on the device; false when its superblock says no. */
bool fuzz_volume_open(struct sfs_fs *fs);
/* Closes it again: nothing may be held, no lock, no buffer. */
void fuzz_volume_close(struct sfs_fs *fs);

/*
 * Reads @data as a list of patches (which block, where, what) and applies them, most under a right
 * checksum.  What is left of it is returned in the two.
 */
void fuzz_patch(const u8 **data, size_t *nbytes);

#endif
