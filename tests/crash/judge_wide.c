// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge_wide.c - whether what a crash has left of labels, and of the file that zones are begun for,
 * is what it may leave (wide.h).
 */
#include "judge.h"

static bool land_seen;

/* Nothing, or all that was written. */
static void judge_piece(struct model *m, struct sfs_inode *in, int piece)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	long pos = piece * WIDE_PIECE;
	bool zero;
	int i;

	if (sfs_file_read(in, pos / SFS_BLOCK_SIZE, data)) {
		wrong("land cannot be read at %ld", pos);
		return;
	}
	zero = !memchr_inv(data, 0, sizeof(data));
	if (zero && piece >= m->wide.piece_safe)
		return;
	for (i = 0; i < SFS_BLOCK_SIZE; i++)
		if (data[i] != model_byte(m->worker, m->wide.made[piece], pos + i)) {
			wrong("land at %ld: %02x was not written there", pos + i, data[i]);
			return;
		}
}

bool judge_land(struct model *m, const char *name, unsigned int len, struct sfs_inode *in)
{
	int piece;

	if (len == strlen(WIDE_READY) && !memcmp(name, WIDE_READY, len))
		return true;
	if (len != strlen(WIDE_LAND) || memcmp(name, WIDE_LAND, len))
		return false;
	land_seen = true;
	if ((long)in->i_size < m->wide.piece_safe * WIDE_PIECE ||
	    (long)in->i_size > m->wide.piece * WIDE_PIECE)
		wrong("land has %lld bytes, %d to %d pieces are possible", (long long)in->i_size,
		      m->wide.piece_safe, m->wide.piece);
	for (piece = 0; piece < m->wide.piece && piece * WIDE_PIECE < (long)in->i_size; piece++)
		judge_piece(m, in, piece);
	return true;
}

void judge_no_land(const struct model *m)
{
	if (!land_seen && m->wide.piece_safe)
		wrong("land is missing, and %d pieces are due", m->wide.piece_safe);
	land_seen = false;
}

/* The operation that gave this label, or 0: none has. */
static int label_of(const struct model *m, const u8 *label)
{
	char text[WIDE_LABEL_MAX + 1] = { 0 };
	int op = judge_number((const char *)label, WIDE_LABEL_MAX, 3);

	if (op < MODEL_ROOT || op > m->done || !m->wide.labels[op])
		return 0;
	wide_label(op, text);
	return memcmp(text, label, WIDE_LABEL_MAX) ? 0 : op;
}

void judge_labels(struct sfs_fs *fs, unsigned int *ret_behind)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_super_disk *sup = (struct sfs_super_disk *)data;
	struct sfs_dev *dev = fs->f_priv;
	struct model *m = models[0];
	const char *why;
	int label, copy;
	u64 zone;

	*ret_behind = 0;
	if (sfs_dev_read(dev, 0, data))
		return wrong("no superblock");
	label = label_of(m, sup->s_label);
	if (!label || (label != m->wide.label && label != m->wide.label_safe))
		return wrong("the label is '%.64s', %d or %d is due", sup->s_label,
			     m->wide.label_safe, m->wide.label);
	for (zone = 0; zone < fs->f_zones; zone++) {
		if (sfs_dev_read(dev, sfs_copy_blk(zone), data))
			return wrong("the copy of zone %llu cannot be read",
				     (unsigned long long)zone);
		why = sfs_copy_verify(data, sfs_copy_blk(zone), sfs_dev_nblks(dev));
		if (why)
			return wrong("the copy of zone %llu: %s", (unsigned long long)zone, why);
		copy = label_of(m, sup->s_label);
		if (!copy || copy > label)
			return wrong("the copy of zone %llu has '%.64s', block 0 is of %d",
				     (unsigned long long)zone, sup->s_label, label);
		*ret_behind += copy < label;
	}
}
