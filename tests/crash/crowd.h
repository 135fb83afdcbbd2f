/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * crowd.h - what workers that run beside each other do besides the operations of model.h.
 *
 * Each has its own folder; in it, besides the names of the model:
 *   queue    a directory of long names, made at one end and removed at the other, so that its tree
 *            gets deep and shrinks; every eighth is a symlink as long as a block.  A crash leaves
 *            an unbroken row of them.
 *   deep-G   a file of which every other block is written: an extent each.  When it is given up,
 *            generation G + 1 follows, and never are there two of them.
 * All of them use the directory "shared", where anything may happen to a name at any time; every
 * byte of a file there is zero or one of its own, by inode and time of birth.
 *
 * Outcome of a push, pop or scatter: how many.  Of all others: 0, or that it was refused.
 */
#ifndef SFS_CRASH_CROWD_H
#define SFS_CRASH_CROWD_H

#include "model.h"

#define CROWD_WORKERS	4
#define CROWD_DEEP	64u		/* and the worker's number: the writer of its deep files */
#define CROWD_SHARED	128u		/* writer of the shared files */
#define QUEUE_MAX	600
#define QUEUE_STEP	40		/* names in one operation, at most */
#define QUEUE_NAME	240		/* bytes of each */
#define QUEUE_LINK	8		/* every eighth is a symlink */
#define QUEUE_TARGET	3500
#define DEEP_PIECES	300
#define SHARED_NAMES	10
#define SHARED_FILE_MAX	40000

enum shared_kind {			/* model_op.node, and what else it uses */
	SHARED_WRITE,			/* created if need be: name, pos, nbytes */
	SHARED_UNLINK,			/* name */
	SHARED_RENAME,			/* name, to_name */
	SHARED_CUT,			/* name, pos */
	SHARED_PUNCH,			/* name, pos, nbytes */
	SHARED_ALLOCATE,
	SHARED_FSYNC,			/* name */
	SHARED_KINDS,
};

static inline void queue_name(int n, char *buf)
{
	int len = sprintf(buf, "q%06d-", n);

	memset(buf + len, 'y', QUEUE_NAME - len);
	buf[QUEUE_NAME] = '\0';
}

static inline void queue_target(unsigned int worker, int n, char *buf)
{
	char piece[40];
	int len = sprintf(piece, "worker%u-link%06d/", worker, n);
	int i;

	for (i = 0; i < QUEUE_TARGET; i++)
		buf[i] = piece[i % len];
	buf[QUEUE_TARGET] = '\0';
}

/* What piece @n of a deep file holds lies in this block of it. */
static inline long deep_pos(int n)
{
	return n * 8192L;
}

/* The operation that a shared file's bytes seem to come from. */
static inline uint32_t shared_identity(uint64_t ino, int64_t btime_ns)
{
	return 1 + model_scatter(ino ^ (uint64_t)btime_ns) % 0xffffff;
}

static inline bool crowd_choose(struct model *m, struct model_op *op)
{
	struct crowd *c = &m->crowd;
	long nnames = c->tail - c->head;

	switch (op->kind) {
	case OP_PUSH:
		op->nbytes = 1 + model_random(m, QUEUE_STEP);
		return nnames + op->nbytes <= QUEUE_MAX;
	case OP_POP:
		op->nbytes = model_random(m, 10) ? 1 + model_random(m, QUEUE_STEP) : nnames;
		if (op->nbytes > nnames)
			op->nbytes = nnames;
		return nnames > 0;
	case OP_SCATTER:
		op->nbytes = 1 + model_random(m, 30);
		return c->written[c->gen] + op->nbytes <= DEEP_PIECES;
	case OP_SCATTER_SYNC:
		return c->written[c->gen] > 0;
	case OP_RENEW:
		return c->written[c->gen] > DEEP_PIECES / 2 || !model_random(m, 10);
	default:
		op->node = model_random(m, SHARED_KINDS + 2) % SHARED_KINDS;
		op->name = model_random(m, SHARED_NAMES);
		op->to_name = model_random(m, SHARED_NAMES);
		op->pos = model_random(m, 30000);
		op->nbytes = 1 + model_random(m, SHARED_FILE_MAX - 30000);
		return true;
	}
}

static inline void crowd_apply(struct model *m, const struct model_op *op, int outcome)
{
	struct crowd *c = &m->crowd;

	switch (op->kind) {
	case OP_PUSH:
		c->tail += outcome;
		break;
	case OP_POP:
		c->head += outcome;
		break;
	case OP_SCATTER:
		if (outcome && !c->written[c->gen])
			c->made[c->gen] = m->done;
		c->written[c->gen] += outcome;
		break;
	case OP_RENEW:
		c->gen++;
		break;
	default:
		break;
	}
}

/* An operation has been applied. */
static inline void crowd_note(struct model *m)
{
	m->crowd.heads[m->done] = m->crowd.head;
	m->crowd.tails[m->done] = m->crowd.tail;
	m->crowd.gens[m->done] = m->crowd.gen;
}

/* The deep file is on disk as it is; returns the operation that made it, 0 if none has. */
static inline int crowd_durable(struct model *m)
{
	struct crowd *c = &m->crowd;

	c->synced[c->gen] = c->written[c->gen];
	return c->made[c->gen];
}

#endif
