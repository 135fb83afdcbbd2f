/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h - a sequence of file operations that follows from a seed, and what it makes.
 *
 * The same code runs in the machine, where each operation is also done (ops.c), and beside the
 * record of what reached its disks (replay-log.c), where it says what a crash may leave.  Every
 * node made gets the number of the operation that made it, which goes to disk as its group id in
 * the same transaction; every byte written follows from writer, operation and position, so a byte
 * found later tells where it came from.  Several workers have a model each, and a folder (crowd.h).
 */
#ifndef SFS_CRASH_MODEL_H
#define SFS_CRASH_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define MODEL_OPS	20000
#define MODEL_NAMES	14		/* different names in a directory */
#define MODEL_ENTRIES	80
#define MODEL_FILE_MAX	(64 << 10)
#define MODEL_ROOT	1
#define MODEL_LATER	600		/* changes of a file since it was last made durable */

enum model_kind {
	OP_CREATE, OP_MKDIR, OP_SYMLINK, OP_LINK, OP_UNLINK, OP_RMDIR, OP_RENAME, OP_EXCHANGE,
	OP_WRITE, OP_DIRECT, OP_MMAP, OP_DSYNC, OP_TRUNCATE, OP_FALLOCATE, OP_PUNCH, OP_ZERO,
	OP_FSYNC, OP_FDATASYNC, OP_SYNC,
	/* of a crowd's workers only */
	OP_PUSH, OP_POP, OP_SCATTER, OP_SCATTER_SYNC, OP_RENEW, OP_SHARED,
	/* on a volume of several zones only */
	OP_LABEL, OP_LAND,
	OP_KINDS
};

static const char *const model_names[OP_KINDS] = {
	"create", "mkdir", "symlink", "link", "unlink", "rmdir", "rename", "exchange",
	"write", "direct", "mmap", "dsync", "truncate", "fallocate", "punch", "zero",
	"fsync", "fdatasync", "sync",
	"push", "pop", "scatter", "fsync of scattered", "renew", "shared",
	"label", "land",
};

/* What an operation came to: there was no space for it, or a number that crowd.h explains. */
#define MODEL_REFUSED	(-1)
#define MODEL_UNKNOWN	(-2)		/* nobody has come back to tell */

/* What goes to the device of marks before each operation, into the next of the worker's sectors. */
#define MODEL_MARK_BYTES	512
#define MODEL_MARKS_BYTES	(MODEL_OPS * (off_t)MODEL_MARK_BYTES)
struct model_mark {
	int n;				/* operations that have returned */
	int outcome;			/* of the last of them */
};

struct model_op {
	enum model_kind kind;
	int node;			/* what it is done to */
	int dir, name;			/* where */
	int to_dir, to_name;
	long pos, nbytes;		/* of data; truncate: the size */
};

struct model_later {
	enum model_kind kind;
	int op;
	long pos, nbytes;
};

struct model_file {
	long size;
	uint16_t origin[MODEL_FILE_MAX];	/* operation that wrote the byte, 0: zero */
	/* What a crash may not take back, the operation that made it so, what was done since. */
	uint8_t durable[MODEL_FILE_MAX];
	uint16_t since[MODEL_FILE_MAX];
	int nlater;
	struct model_later later[MODEL_LATER];
	long size_min, size_max;	/* of the sizes since then */
};

enum model_type { MODEL_NONE, MODEL_REG, MODEL_DIR, MODEL_LNK };

struct model_node {
	enum model_type type;
	int nlink;
	int parent;			/* directories */
	int touched;			/* operation that last changed it or its names */
	struct model_file *file;
};

struct model_entry {
	int dir, name, node;		/* node 0: free */
};

/* What a worker of a crowd has besides: see crowd.h. */
struct crowd {
	int head, tail;			/* the queue's names: [head, tail) */
	int gen;			/* of the scattered file */
	/* after each operation */
	int heads[MODEL_OPS + 2], tails[MODEL_OPS + 2], gens[MODEL_OPS + 2];
	/* of each generation: pieces written, on disk for sure, operation that made it */
	int written[MODEL_OPS + 2], synced[MODEL_OPS + 2], made[MODEL_OPS + 2];
};

/* What there is on a volume of several zones besides: see wide.h. */
#define WIDE_PIECES	64
struct wide {
	int pieces;			/* of the file "land", at most; 0: there is none of this */
	int piece, piece_safe;		/* begun, and on disk for sure */
	int made[WIDE_PIECES];		/* the operation that each is of */
	int label, label_safe;		/* operations that gave the last, and the last returned */
	bool labels[MODEL_OPS + 2];	/* operations that gave one */
};

struct model {
	uint64_t random;
	unsigned int worker;		/* of a crowd, from 1; 0: alone, with all of the volume */
	struct crowd crowd;
	struct wide wide;
	int done;			/* operations applied; the first has number 2 */
	int floor;			/* no crash may show names from before this many */
	struct model_node node[MODEL_OPS + 2];
	struct model_entry entry[MODEL_ENTRIES];
	uint64_t hash[MODEL_OPS + 2];	/* of all names, after each operation */
};

static inline uint64_t model_scatter(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* What @writer's operation @op, from 1, puts at @pos of a file. */
static inline uint8_t model_byte(unsigned int writer, uint32_t op, long pos)
{
	return op ? 1 + model_scatter(((uint64_t)writer << 56 ^ (uint64_t)op << 32) |
				      (uint64_t)pos) % 255 : 0;
}

static inline void model_name(int name, char *buf)
{
	int n = sprintf(buf, "n%02d-", name);
	int pad = name * 17 % 120;

	memset(buf + n, 'x', pad);
	buf[n + pad] = '\0';
}

static inline unsigned int model_random(struct model *m, unsigned int below)
{
	m->random = m->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(((m->random >> 32) * below) >> 32);
}

static inline uint64_t model_mix(int dir, int name, int node, int type, int nlink)
{
	return model_scatter((uint64_t)dir << 40 ^ (uint64_t)name << 32 ^ (uint64_t)node << 12 ^
			     (uint64_t)type << 8 ^ (uint64_t)nlink);
}

/* The sum over all names: order does not matter. */
static inline uint64_t model_hash(const struct model *m)
{
	uint64_t hash = 0;
	int i;

	for (i = 0; i < MODEL_ENTRIES; i++) {
		const struct model_entry *e = &m->entry[i];

		if (e->node)
			hash += model_mix(e->dir, e->name, e->node, m->node[e->node].type,
					  m->node[e->node].nlink);
	}
	return hash;
}

static inline struct model *model_new(uint64_t seed, unsigned int worker)
{
	struct model *m = calloc(1, sizeof(*m));

	m->random = (seed + ((uint64_t)worker << 32)) * 2 + 1;
	m->worker = worker;
	m->node[MODEL_ROOT].type = MODEL_DIR;
	m->node[MODEL_ROOT].nlink = 2;
	m->node[MODEL_ROOT].parent = MODEL_ROOT;
	m->done = MODEL_ROOT;
	m->floor = MODEL_ROOT;
	return m;
}

static inline struct model_entry *model_find(struct model *m, int dir, int name)
{
	int i;

	for (i = 0; i < MODEL_ENTRIES; i++)
		if (m->entry[i].node && m->entry[i].dir == dir && m->entry[i].name == name)
			return &m->entry[i];
	return NULL;
}

static inline bool model_is_empty(const struct model *m, int dir)
{
	int i;

	for (i = 0; i < MODEL_ENTRIES; i++)
		if (m->entry[i].node && m->entry[i].dir == dir)
			return false;
	return true;
}

static inline bool model_is_full(const struct model *m)
{
	int i;

	for (i = 0; i < MODEL_ENTRIES && m->entry[i].node; i++)
		;
	return i == MODEL_ENTRIES;
}

/* Is @dir @node, or below it? */
static inline bool model_is_below(const struct model *m, int dir, int node)
{
	while (dir != MODEL_ROOT && dir != node)
		dir = m->node[dir].parent;
	return dir == node;
}

/* ---- of a crowd: crowd.h ---- */

static inline bool crowd_choose(struct model *m, struct model_op *op);
static inline void crowd_apply(struct model *m, const struct model_op *op, int outcome);
static inline void crowd_note(struct model *m);
static inline int crowd_durable(struct model *m);
/* Of several zones: wide.h. */
static inline bool wide_comes(struct model *m, struct model_op *op);
static inline bool wide_choose(struct model *m, struct model_op *op);
static inline void wide_apply(struct model *m, const struct model_op *op);
static inline void wide_end(struct model *m, const struct model_op *op);

/* ---- choosing ---- */

static inline struct model_entry *model_pick(struct model *m)
{
	struct model_entry *e = &m->entry[model_random(m, MODEL_ENTRIES)];

	return e->node ? e : NULL;
}

static inline int model_pick_dir(struct model *m)
{
	struct model_entry *e = model_pick(m);

	return e && m->node[e->node].type == MODEL_DIR ? e->node : MODEL_ROOT;
}

static inline bool model_may_rename(struct model *m, const struct model_op *op)
{
	struct model_entry *to = model_find(m, op->to_dir, op->to_name);
	bool dir = m->node[op->node].type == MODEL_DIR;

	if (dir && model_is_below(m, op->to_dir, op->node))
		return false;
	if (op->kind == OP_EXCHANGE)
		return to && to->node != op->node &&
		       !(m->node[to->node].type == MODEL_DIR &&
			 model_is_below(m, op->dir, to->node));
	if (!to)
		return true;
	if (to->node == op->node || dir != (m->node[to->node].type == MODEL_DIR))
		return false;
	return !dir || model_is_empty(m, to->node);
}

static inline bool model_choose_name(struct model *m, struct model_op *op)
{
	struct model_entry *e = model_pick(m);

	if (op->kind <= OP_LINK && model_is_full(m))
		return false;
	op->to_dir = model_pick_dir(m);
	op->to_name = model_random(m, MODEL_NAMES);
	if (op->kind <= OP_SYMLINK) {
		op->dir = op->to_dir;
		op->name = op->to_name;
		op->node = m->done + 1;
		return !model_find(m, op->dir, op->name);
	}
	if (!e)
		return false;
	op->node = e->node;
	op->dir = e->dir;
	op->name = e->name;
	switch (op->kind) {
	case OP_LINK:
		return m->node[e->node].type == MODEL_REG && m->node[e->node].nlink < 5 &&
		       !model_find(m, op->to_dir, op->to_name);
	case OP_UNLINK:
		return m->node[e->node].type != MODEL_DIR;
	case OP_RMDIR:
		return m->node[e->node].type == MODEL_DIR && model_is_empty(m, e->node);
	default:
		return model_may_rename(m, op);
	}
}

static inline bool model_choose_data(struct model *m, struct model_op *op)
{
	struct model_entry *e = model_pick(m);
	const struct model_file *f;
	long unit = 1;

	if (op->kind == OP_SYNC)
		return true;
	if (!e)
		return false;
	op->node = e->node;
	op->dir = e->dir;
	op->name = e->name;
	/* Directories are synced as well. */
	if (op->kind == OP_FSYNC && m->node[e->node].type == MODEL_DIR)
		return true;
	if (m->node[e->node].type != MODEL_REG)
		return false;
	f = m->node[e->node].file;
	if (f->nlater >= MODEL_LATER - 1)
		op->kind = OP_FSYNC;
	op->nbytes = 1 + model_random(m, model_random(m, 3) ? 9000 : 300);
	op->pos = model_random(m, 4) ? model_random(m, 40000) : f->size;	/* an append */
	if (op->kind == OP_DIRECT)
		unit = model_random(m, 3) ? 4096 : 512;
	op->pos = op->pos / unit * unit;
	op->nbytes = (op->nbytes + unit - 1) / unit * unit;
	if (op->kind == OP_TRUNCATE && !model_random(m, 4))
		op->pos = 0;
	if (op->kind == OP_MMAP) {
		if (!f->size)
			return false;
		op->pos %= f->size;
		if (op->nbytes > f->size - op->pos)
			op->nbytes = f->size - op->pos;
	}
	return op->pos + op->nbytes <= MODEL_FILE_MAX;
}

/* How often each kind comes, in percent. */
static const int model_weight[OP_KINDS] = {
	[OP_CREATE] = 12, [OP_MKDIR] = 4, [OP_SYMLINK] = 2, [OP_LINK] = 4, [OP_UNLINK] = 8,
	[OP_RMDIR] = 2, [OP_RENAME] = 9, [OP_EXCHANGE] = 2, [OP_WRITE] = 22, [OP_DIRECT] = 5,
	[OP_MMAP] = 3, [OP_DSYNC] = 3, [OP_TRUNCATE] = 5, [OP_FALLOCATE] = 3, [OP_PUNCH] = 2,
	[OP_ZERO] = 1, [OP_FSYNC] = 9, [OP_FDATASYNC] = 3, [OP_SYNC] = 1,
	[OP_PUSH] = 8, [OP_POP] = 6, [OP_SCATTER] = 8, [OP_SCATTER_SYNC] = 4, [OP_RENEW] = 2,
	[OP_SHARED] = 22,
};
#define MODEL_WEIGHTS		100	/* up to OP_SYNC */
#define MODEL_WEIGHTS_CROWD	150

static inline bool model_can(struct model *m, struct model_op *op)
{
	if (op->kind > OP_SHARED)
		return wide_choose(m, op);
	if (op->kind > OP_SYNC)
		return crowd_choose(m, op);
	return op->kind <= OP_EXCHANGE ? model_choose_name(m, op) : model_choose_data(m, op);
}

static inline void model_choose(struct model *m, struct model_op *op)
{
	int kind;
	int at;

	do {
		memset(op, 0, sizeof(*op));
		if (wide_comes(m, op))
			continue;
		at = model_random(m, m->worker ? MODEL_WEIGHTS_CROWD : MODEL_WEIGHTS);
		for (kind = 0; kind < OP_KINDS - 1 && at >= model_weight[kind]; kind++)
			at -= model_weight[kind];
		op->kind = kind;
	} while (!model_can(m, op));
}

/* ---- applying ---- */

static inline void model_add(struct model *m, int dir, int name, int node)
{
	int i;

	for (i = 0; m->entry[i].node; i++)
		if (i == MODEL_ENTRIES - 1)
			abort();
	m->entry[i] = (struct model_entry) { dir, name, node };
}

static inline void model_drop(struct model *m, struct model_entry *e)
{
	struct model_node *node = &m->node[e->node];

	if (node->type == MODEL_DIR) {
		node->nlink = 0;
		m->node[node->parent].nlink--;
	} else {
		node->nlink--;
	}
	node->touched = m->done;
	e->node = 0;
}

static inline void model_make(struct model *m, const struct model_op *op)
{
	struct model_node *node = &m->node[op->node];

	node->type = op->kind == OP_CREATE ? MODEL_REG : op->kind == OP_MKDIR ? MODEL_DIR :
		     MODEL_LNK;
	node->nlink = node->type == MODEL_DIR ? 2 : 1;
	node->parent = op->dir;
	if (node->type == MODEL_DIR)
		m->node[op->dir].nlink++;
	if (node->type == MODEL_REG)
		node->file = calloc(1, sizeof(*node->file));
	model_add(m, op->dir, op->name, op->node);
}

static inline void model_move(struct model *m, int node, int from, int to)
{
	if (m->node[node].type != MODEL_DIR)
		return;
	m->node[node].parent = to;
	m->node[from].nlink--;
	m->node[to].nlink++;
}

static inline void model_rename(struct model *m, const struct model_op *op)
{
	struct model_entry *from = model_find(m, op->dir, op->name);
	struct model_entry *to = model_find(m, op->to_dir, op->to_name);

	m->node[op->to_dir].touched = m->done;
	if (op->kind == OP_EXCHANGE) {
		m->node[to->node].touched = m->done;
		from->node = to->node;
		to->node = op->node;
		model_move(m, from->node, op->to_dir, op->dir);
		model_move(m, op->node, op->dir, op->to_dir);
		return;
	}
	if (to)
		model_drop(m, to);
	from->dir = op->to_dir;
	from->name = op->to_name;
	model_move(m, op->node, op->dir, op->to_dir);
}

static inline void model_apply_name(struct model *m, const struct model_op *op)
{
	switch (op->kind) {
	case OP_CREATE:
	case OP_MKDIR:
	case OP_SYMLINK:
		model_make(m, op);
		break;
	case OP_LINK:
		model_add(m, op->to_dir, op->to_name, op->node);
		m->node[op->node].nlink++;
		m->node[op->to_dir].touched = m->done;
		break;
	case OP_UNLINK:
	case OP_RMDIR:
		model_drop(m, model_find(m, op->dir, op->name));
		break;
	default:
		model_rename(m, op);
	}
	m->node[op->node].touched = m->done;
	m->node[op->dir].touched = m->done;
}

/* Part of a file is on disk now, and so is its size as far as that. */
static inline void model_durable(struct model *m, struct model_file *f, long pos, long end)
{
	if (f->size_min < end)
		f->size_min = end < f->size ? end : f->size;
	for (; pos < end; pos++) {
		f->durable[pos] = model_byte(m->worker, f->origin[pos], pos);
		f->since[pos] = m->done;
	}
}

static inline void model_durable_all(struct model *m, struct model_file *f)
{
	model_durable(m, f, 0, MODEL_FILE_MAX);
	f->size_min = f->size_max = f->size;
	f->nlater = 0;
}

/* What has failed may have done some of it; who did it then cut the file to nothing. */
static inline void model_refuse_data(struct model *m, const struct model_op *op)
{
	struct model_file *f = m->node[op->node].file;

	f->later[f->nlater++] = (struct model_later) { op->kind, m->done, op->pos, op->nbytes };
	f->later[f->nlater++] = (struct model_later) { OP_TRUNCATE, m->done, 0, 0 };
	if (op->kind != OP_PUNCH && op->pos + op->nbytes > f->size_max)
		f->size_max = op->pos + op->nbytes;
	f->size_min = f->size = 0;
	memset(f->origin, 0, sizeof(f->origin));
}

static inline void model_apply_data(struct model *m, const struct model_op *op)
{
	struct model_file *f = m->node[op->node].file;
	int value = op->kind <= OP_DSYNC ? m->done : 0;
	long pos;

	f->later[f->nlater++] = (struct model_later) { op->kind, m->done, op->pos, op->nbytes };
	if (op->kind == OP_TRUNCATE) {
		for (pos = op->pos; pos < f->size; pos++)
			f->origin[pos] = 0;
		f->size = op->pos;
	} else if (op->kind != OP_FALLOCATE) {
		for (pos = op->pos; pos < op->pos + op->nbytes; pos++)
			if (value || pos < f->size)
				f->origin[pos] = value;
	}
	if (op->kind != OP_TRUNCATE && op->kind != OP_PUNCH && op->pos + op->nbytes > f->size)
		f->size = op->pos + op->nbytes;
	if (f->size < f->size_min)
		f->size_min = f->size;
	if (f->size > f->size_max)
		f->size_max = f->size;
}

/* @op begins, and will come to @outcome: a crash may leave what it does, or not. */
static inline void model_begin(struct model *m, const struct model_op *op, int outcome)
{
	bool refused = outcome == MODEL_REFUSED;

	if (outcome == MODEL_UNKNOWN)
		outcome = op->nbytes;
	m->done++;
	if (op->kind > OP_SHARED)
		wide_apply(m, op);
	else if (op->kind > OP_SYNC)
		crowd_apply(m, op, outcome);
	else if (op->kind <= OP_EXCHANGE && !refused)
		model_apply_name(m, op);
	else if (op->kind > OP_EXCHANGE && op->kind <= OP_ZERO && refused)
		model_refuse_data(m, op);
	else if (op->kind > OP_EXCHANGE && op->kind <= OP_ZERO)
		model_apply_data(m, op);
	m->hash[m->done] = model_hash(m);
	crowd_note(m);
}

/* @op has returned: what it promises holds from here on. */
static inline void model_end(struct model *m, const struct model_op *op, int outcome)
{
	struct model_node *node = &m->node[op->node];
	int floor = 0;
	int i;

	if (outcome < 0)
		return;
	wide_end(m, op);
	switch (op->kind) {
	case OP_SYNC:
		floor = m->done;
		for (i = 0; i < MODEL_ENTRIES; i++)
			if (m->entry[i].node && m->node[m->entry[i].node].file)
				model_durable_all(m, m->node[m->entry[i].node].file);
		(void)crowd_durable(m);
		break;
	case OP_FSYNC:
	case OP_FDATASYNC:
		/* The data's way there: that a file was made, not that it was renamed. */
		floor = op->kind == OP_FSYNC ? node->touched : op->node;
		if (node->file)
			model_durable_all(m, node->file);
		break;
	case OP_DSYNC:
		floor = op->node;
		model_durable(m, node->file, op->pos, op->pos + op->nbytes);
		break;
	case OP_SCATTER_SYNC:
		floor = crowd_durable(m);
		break;
	default:
		break;
	}
	if (floor > m->floor)
		m->floor = floor;
}

#include "crowd.h"
#include "wide.h"

#endif
