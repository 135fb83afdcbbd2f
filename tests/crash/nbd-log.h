/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nbd-log.h - the record of what reached a machine's disks, in the order in which it did.
 *
 * A file of entries, each followed by its data.  A flush covers the writes to its own disk that
 * stand before it.
 */
#ifndef SFS_NBD_LOG_H
#define SFS_NBD_LOG_H

#include <stdint.h>

#define NBD_LOG_MAGIC	0x4e424c31u

enum nbd_log_kind { NBD_LOG_WRITE = 1, NBD_LOG_FLUSH = 2 };

struct nbd_log_entry {
	uint32_t magic;
	uint16_t disk;			/* as named on the command line, from 0 */
	uint16_t kind;
	uint64_t offset;
	uint64_t nbytes;		/* of data; flush: 0 */
};

#endif
