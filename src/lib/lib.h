/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib.h - libsimplefs: what the tools have besides the core (prototypes by file).
 */
#ifndef SFS_LIB_H
#define SFS_LIB_H

#include <stdio.h>

#include "../core/core.h"

/* ---- cache.c: a device or image, and its blocks in memory ---- */

/*
 * An open volume; f_priv of its struct sfs_fs.  Blocks changed stay in memory until
 * sfs_dev_flush(): a tool that stops before has written nothing.
 */
struct sfs_dev;

/* @nblks: size in blocks, a trailing part of a block not counted.  @writable opens exclusively. */
int sfs_dev_open(const char *path, bool writable, struct sfs_dev **ret_dev);
void sfs_dev_close(struct sfs_dev *dev);	/* changes not flushed are dropped */
int sfs_dev_fd(const struct sfs_dev *dev);
u64 sfs_dev_nblks(const struct sfs_dev *dev);
int sfs_dev_read(struct sfs_dev *dev, u64 blk, void *data);
int sfs_dev_write(struct sfs_dev *dev, u64 blk, const void *data);	/* past the cache */
int sfs_dev_sync(struct sfs_dev *dev);
/* Writes all changed blocks, sealed, but for block 0, and waits for them. */
int sfs_dev_flush(struct sfs_dev *dev);
/* The transaction of a single-threaded program: a name for "now". */
struct sfs_trans *sfs_dev_trans(struct sfs_dev *dev);
/* Where sfs_corrupt() and sfs_shutdown() report to; NULL: stderr.  The text has no newline. */
extern void (*sfs_report)(const char *text);

/* ---- log.c: the jbd2 log as a tool sees it ---- */

/*
 * Fills @data with block @start of its device: the superblock of an empty log of @nblks blocks.
 * What jbd2 calls first block and length it counts from the start of the device.
 */
void sfs_log_make(void *data, u32 start, u32 nblks, const u8 uuid[16]);

/* ---- clock.c ---- */

/* Makes sfs_time_now() stand still at @ns and sfs_random32() count from @seed. */
void sfs_clock_fix(s64 ns, u32 seed);

/* ---- cli.c ---- */

/* "16M", "1G", "4096" (in @unit bytes when it has no suffix). -EINVAL, -ERANGE. */
int sfs_parse_size(const char *text, u64 unit, u64 *ret_nbytes);
__attribute__((format(printf, 2, 3), noreturn))
void sfs_die(int status, const char *fmt, ...);
__attribute__((format(printf, 1, 2)))
void sfs_warn(const char *fmt, ...);
extern const char *sfs_program;

/* ---- check.c ---- */

/*
 * Walks everything that is in use and compares it with the bitmaps, link counts and counters; each
 * difference goes to sfs_report().  Returns the number of differences or a negative errno.
 */
long sfs_check(struct sfs_fs *fs);

/* ---- text.c ---- */

struct sfs_text_file;
struct sfs_text *sfs_text_open(FILE *file, bool json);
int sfs_text_close(struct sfs_text *text);	/* -EIO when the output failed */

#endif
