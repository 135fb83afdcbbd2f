// SPDX-License-Identifier: GPL-2.0-only
/*
 * label.c - the name of a volume, for all who are asked to give it one: bytes of UTF-8.
 */
#include "port.h"
#include "format.h"
#include "core.h"

unsigned int sfs_utf8_len(const u8 *s, unsigned int nbytes)
{
	unsigned int len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	unsigned int i;

	if (s[0] < 0xc2 || s[0] > 0xf4 || len > nbytes)
		return 0;
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

const char *sfs_label_verify(const char *s, unsigned int nbytes)
{
	const u8 *p = (const u8 *)s;
	unsigned int len;

	if (nbytes > SFS_LABEL_MAX)
		return "a label is not longer than 64 bytes";
	for (; nbytes; p += len, nbytes -= len) {
		len = *p < 0x80 ? 1 : sfs_utf8_len(p, nbytes);
		if (!len)
			return "a label is UTF-8, this is not";
	}
	return NULL;
}

void sfs_label_get(struct sfs_fs *fs, u8 ret_label[SFS_LABEL_MAX + 1])
{
	sfs_mutex_lock(&fs->f_zone_lock);
	memcpy(ret_label, fs->f_label, SFS_LABEL_MAX + 1);
	sfs_mutex_unlock(&fs->f_zone_lock);
}
