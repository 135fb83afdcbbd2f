// SPDX-License-Identifier: GPL-2.0-only
/*
 * extent_record.c - one record of an extent, by itself: is it true, and in words.
 */
#include "core.h"

const char *sfs_extent_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			      unsigned int nbytes)
{
	const struct sfs_extent_disk *disk = rec;
	u64 blk, nblks;

	if (nbytes != sizeof(*disk))
		return "extent record of a wrong length";
	blk = le64_to_cpu(disk->e_start) & ~SFS_EXTENT_UNWRITTEN;
	nblks = le32_to_cpu(disk->e_len);
	if (!nblks || nblks > SFS_EXTENT_LEN_MAX)
		return "extent of a bad length";
	if (pos > SFS_LBLK_MAX || nblks > SFS_LBLK_MAX + 1 - pos)
		return "extent beyond the largest file";
	if (!sfs_blk_is_valid(fs, blk, nblks))
		return "extent outside the data area";
	return NULL;
}

void sfs_extent_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes)
{
	const struct sfs_extent_disk *disk = rec;

	out->num(out, "pos", pos);
	if (nbytes != sizeof(*disk)) {
		out->bytes(out, "data", rec, nbytes);
		return;
	}
	out->num(out, "start", le64_to_cpu(disk->e_start) & ~SFS_EXTENT_UNWRITTEN);
	out->num(out, "len", le32_to_cpu(disk->e_len));
	out->num(out, "unwritten", !!(le64_to_cpu(disk->e_start) & SFS_EXTENT_UNWRITTEN));
}
