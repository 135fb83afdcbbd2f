// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress_map.c - does what the kernel says of a file's map agree with what is in the file?
 *
 * Where fiemap or lseek see nothing, or nothing written, the shadow must have zeros.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "guest.h"
#include "stress.h"

#define EXTENTS_MAX	128		/* more than a file has blocks */

static void zeros(const struct shadow *s, off_t from, off_t to, const char *what)
{
	if (s->lost)
		return;
	for (; from < to && from < s->size; from++)
		if (s->data[from]) {
			errno = 0;
			bad("%s (size %ld): byte %ld is %02x", what, (long)s->size, (long)from,
			    s->data[from]);
		}
}

static void own_fiemap(int fd, const struct shadow *s)
{
	static union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + EXTENTS_MAX * sizeof(struct fiemap_extent)];
	} f;
	const struct fiemap_extent *e = f.map.fm_extents;
	uint64_t pos = 0;
	unsigned int i;

	memset(&f.map, 0, sizeof(f.map));
	f.map.fm_length = FIEMAP_MAX_OFFSET;
	f.map.fm_flags = FIEMAP_FLAG_SYNC;
	f.map.fm_extent_count = EXTENTS_MAX;
	if (!fine(ioctl(fd, FS_IOC_FIEMAP, &f), NULL, "fiemap"))
		return;
	errno = 0;
	for (i = 0; i < f.map.fm_mapped_extents; i++, e++) {
		bool last = i + 1 == f.map.fm_mapped_extents;

		if (e->fe_logical < pos || !e->fe_length || e->fe_flags & FIEMAP_EXTENT_DELALLOC ||
		    !e->fe_physical || last != !!(e->fe_flags & FIEMAP_EXTENT_LAST))
			bad("fiemap: extent %u of %u at %llu, %llu bytes, flags %x", i,
			    f.map.fm_mapped_extents, (unsigned long long)e->fe_logical,
			    (unsigned long long)e->fe_length, e->fe_flags);
		zeros(s, pos, e->fe_logical, "fiemap: a hole");
		pos = e->fe_logical + e->fe_length;
		if (e->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
			zeros(s, e->fe_logical, pos, "fiemap: unwritten");
	}
	zeros(s, pos, s->size, "fiemap: behind the last extent");
}

static void own_seek(int fd, const struct shadow *s)
{
	off_t pos = 0;
	off_t data;

	while ((data = lseek(fd, pos, SEEK_DATA)) >= 0) {
		zeros(s, pos, data, "lseek: a hole");
		pos = lseek(fd, data, SEEK_HOLE);
		if (pos <= data || (!s->lost && pos > s->size))
			bad("lseek: data at %ld, the next hole at %ld", (long)data, (long)pos);
	}
	if (errno == ENXIO)
		zeros(s, pos, s->size, "lseek: behind the last data");
	else
		fine(-1, NULL, "lseek");
}

void own_extents(int fd, const struct shadow *s)
{
	own_fiemap(fd, s);
	own_seek(fd, s);
}
