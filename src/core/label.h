/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * label.h - the name of a volume: what may be one, and its way into block 0 and the copies.
 */
#ifndef SFS_LABEL_H
#define SFS_LABEL_H

/* ---- label.c ---- */

/*
 * The length of the UTF-8 sequence at @s, or 0 if there is none that may be shown: no surrogate, no
 * longer form than need be, nothing past U+10FFFF, and none of the controls from U+0080 to U+009F.
 * ASCII is none.
 */
unsigned int sfs_utf8_len(const u8 *s, unsigned int nbytes);
/* NULL, or why @nbytes at @s, without a NUL, are no label. */
const char *sfs_label_verify(const char *s, unsigned int nbytes);
/* Ended by NUL.  Takes f_zone_lock. */
void sfs_label_get(struct sfs_fs *fs, u8 ret_label[SFS_LABEL_MAX + 1]);

/* ---- super.c ---- */

/*
 * sfs_super_write() of a volume that is called @label, SFS_LABEL_MAX bytes padded with NUL, from
 * now on (NULL: as it was); on error it keeps its name, or the journal is dead.  The copy of a zone
 * that is begun later has it as well.
 */
int sfs_super_write_label(struct sfs_trans *t, struct sfs_fs *fs, const u8 *label);

/* ---- copy.c ---- */

/*
 * The copies of the @n zones from @zone on, all begun, say what block 0 says, in @t.  Credits: @n.
 * One that fails leaves the others; the first error is told.  Takes f_zone_lock.  They are in
 * memory if sfs_copies_read() was called before, outside of transactions.
 */
int sfs_copies_update(struct sfs_trans *t, struct sfs_fs *fs, u64 zone, unsigned int n);
void sfs_copies_read(struct sfs_fs *fs, u64 zone, unsigned int n);

#endif
