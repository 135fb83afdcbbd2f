/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mock.h - a volume in memory for unit tests: the port's blocks and the allocator, both watched.
 *
 * What lies above them is tested without device and bitmaps, but with the contract of port.h held
 * to the letter: a block that is changed without write access or not marked dirty, a reference too
 * many or too few, a free without forget, a node that is dirtied in a state that would not verify
 * ends the test.  Calls can be made to fail, and the whole volume saved and put back.
 *
 * There is one volume, mock_fs.  Transactions are numbered, not nested, and bring no rollback.
 */
#ifndef SFS_MOCK_H
#define SFS_MOCK_H

#include "core.h"

#define MOCK_BLOCKS	32768

/* Calls that mock_fail() can strike. */
#define MOCK_GET	0x01
#define MOCK_NEW	0x02
#define MOCK_ACCESS	0x04
#define MOCK_ALLOC	0x08
#define MOCK_FREE	0x10

extern struct sfs_fs mock_fs;
/* The test's: what the tree is told of records. */
extern const struct sfs_record_kind mock_records[SFS_KINDS];

/* What happened; plain numbers that a test may also reset. */
struct mock_stat {
	unsigned int used;		/* blocks allocated now */
	unsigned int touched;		/* blocks accessed or made in this transaction */
	unsigned int revoked;		/* blocks forgotten in this transaction */
	unsigned int corrupt;		/* calls of sfs_corrupt() since mock_init() */
	unsigned int shutdown;		/* calls of sfs_shutdown() since mock_init() */
	unsigned int failed;		/* failures injected by the last mock_fail() */
	u32 run_max;			/* no allocation is longer than this; 0: no limit */
};
extern struct mock_stat mock_stat;

void mock_init(void);
/* Ends the test if a block is still referenced; frees everything. */
void mock_exit(void);

/* Between the two lies one transaction; _end() checks the contract for every block it came by. */
struct sfs_trans *mock_begin(void);
void mock_end(struct sfs_trans *t);

/*
 * The @nth call (0: the next) of the @kinds from now on fails, with all that follow when @on:
 * -EIO, or -ENOSPC from the allocator.  @kinds 0: none fails any more.
 */
void mock_fail(unsigned int kinds, unsigned int nth, bool on);

/* Content of a metadata block, or NULL; mock_data_changed() after a test wrote to any. */
u8 *mock_data(u64 blk);
void mock_data_changed(void);
/* Everything must be verified again when it is next read. */
void mock_evict(void);

struct mock_image;
struct mock_image *mock_save(void);
void mock_restore(const struct mock_image *image);
void mock_image_free(struct mock_image *image);

#endif
