/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wide.h - what one who is alone does besides on a volume of several zones.
 *
 * The volume gets labels, each of which tells the operation that gave it, and has on return what a
 * crash may not take back.  The file "land" gets a piece of WIDE_PIECE bytes after the other, so
 * that zones are begun; each is allocated as a whole, and its first block is written and synced.
 * What else lies in the root under the name "ready" was there before, and is nobody's.
 */
#ifndef SFS_CRASH_WIDE_H
#define SFS_CRASH_WIDE_H

#include "model.h"

#define WIDE_LAND	"land"
#define WIDE_READY	"ready"
#define WIDE_PIECE	(1L << 30)
#define WIDE_LABEL_MAX	64

/* What operation @op calls the volume; MODEL_ROOT: what mkfs does. */
static inline void wide_label(int op, char *buf)
{
	int n = sprintf(buf, "op %d", op);
	int pad = op > MODEL_ROOT ? op * 7 % (WIDE_LABEL_MAX - 10) : 0;

	memset(buf + n, 'x', pad);
	buf[n + pad] = '\0';
}

static inline void wide_start(struct model *m, int pieces)
{
	m->wide.pieces = pieces;
	m->wide.label = MODEL_ROOT;
	m->wide.label_safe = MODEL_ROOT;
	m->wide.labels[MODEL_ROOT] = true;
}

/* Does one of these come next?  Which, into @op. */
static inline bool wide_comes(struct model *m, struct model_op *op)
{
	if (!m->wide.pieces || model_random(m, 6))
		return false;
	op->kind = model_random(m, 2) ? OP_LABEL : OP_LAND;
	return true;
}

static inline bool wide_choose(struct model *m, struct model_op *op)
{
	op->node = MODEL_ROOT;
	op->nbytes = WIDE_PIECE;
	op->pos = m->wide.piece * WIDE_PIECE;
	return op->kind == OP_LABEL || m->wide.piece < m->wide.pieces;
}

static inline void wide_apply(struct model *m, const struct model_op *op)
{
	struct wide *w = &m->wide;

	if (op->kind == OP_LABEL) {
		w->label = m->done;
		w->labels[m->done] = true;
	} else {
		w->made[w->piece++] = m->done;
	}
}

static inline void wide_end(struct model *m, const struct model_op *op)
{
	if (op->kind < OP_LABEL)
		return;
	m->wide.label_safe = m->wide.label;
	m->wide.piece_safe = m->wide.piece;
}

#endif
