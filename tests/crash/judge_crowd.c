// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge_crowd.c - what a crash has left of the things that only workers of a crowd make (crowd.h).
 */
#include "judge.h"

/* What has been seen of the worker in hand. */
static struct {
	bool queue;
	int deep;			/* generation of the deep file, -1: none */
} seen = { .deep = -1 };

/* ---- whose is it ---- */

static bool is_of(unsigned int writer, u32 op, const u8 *data, long pos, size_t nbytes)
{
	size_t i;

	for (i = 0; i < nbytes && data[i] == model_byte(writer, op, pos + i); i++)
		;
	return i == nbytes;
}

/* A block may lie where another one of its file, or of another, has lain. */
static bool is_of_place(unsigned int writer, u32 op, const u8 *data, long pos, size_t nbytes,
			long file_max)
{
	for (pos %= SFS_BLOCK_SIZE; pos < file_max; pos += SFS_BLOCK_SIZE)
		if (is_of(writer, op, data, pos, nbytes))
			return true;
	return false;
}

const char *judge_whose(const u8 *data, long pos, size_t nbytes)
{
	static char text[80];
	int i, op;

	if (nbytes > 16)
		nbytes = 16;
	for (i = 0; i < nmodels; i++) {
		const struct model *m = models[i];

		snprintf(text, sizeof(text), "; it is worker %u's", m->worker);
		for (op = MODEL_ROOT; op <= m->done; op++)
			if (is_of_place(m->worker, op, data, pos, nbytes, MODEL_FILE_MAX))
				return text;
		for (op = 1; op <= m->crowd.gen + 1; op++)
			if (is_of_place(m->worker + CROWD_DEEP, op, data, pos, nbytes,
					deep_pos(DEEP_PIECES)))
				return text;
	}
	return "; it is nobody's who is known";
}

/* ---- the queue ---- */

struct queue {
	const struct model *m;
	struct sfs_fs *fs;
	int first, last, count;
};

static void check_link(const struct queue *q, int n, u64 ino)
{
	char want[QUEUE_TARGET + 1], got[QUEUE_TARGET + 1];
	struct sfs_inode in = { 0 };

	queue_target(q->m->worker, n, want);
	if (sfs_inode_read(q->fs, ino, &in))
		return;			/* the checker has said so */
	if (in.i_size != QUEUE_TARGET || sfs_symlink_read(&in, got, sizeof(got)) ||
	    memcmp(got, want, QUEUE_TARGET))
		wrong("worker %u: symlink %d of the queue leads elsewhere", q->m->worker, n);
}

static bool queue_entry(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	struct queue *q = arg;
	char want[QUEUE_NAME + 1];
	int n = judge_number(name, len, 1);

	(void)pos;
	queue_name(n, want);
	if (len != QUEUE_NAME || memcmp(name, want, len) ||
	    type != (n % QUEUE_LINK ? SFS_TYPE_REG : SFS_TYPE_LNK)) {
		wrong("worker %u: name %.*s was never in the queue", q->m->worker, (int)len, name);
		return false;
	}
	if (!q->count++)
		q->first = q->last = n;
	q->first = n < q->first ? n : q->first;
	q->last = n > q->last ? n : q->last;
	if (type == SFS_TYPE_LNK)
		check_link(q, n, ino);
	return true;
}

static void judge_queue(struct model *m, struct sfs_inode *in)
{
	const struct crowd *c = &m->crowd;
	struct queue q = { .m = m, .fs = in->i_fs };
	int head[2] = { c->heads[m->floor], c->heads[m->done] };
	int tail[2] = { c->tails[m->floor], c->tails[m->done] };
	bool good;

	seen.queue = true;
	(void)sfs_dirent_iterate(in, 0, queue_entry, &q);
	if (q.count)
		good = q.last - q.first + 1 == q.count &&
		       q.first >= head[0] && q.first <= head[1] &&
		       q.last + 1 >= tail[0] && q.last + 1 <= tail[1];
	else
		good = tail[0] <= head[1];
	if (!good)
		wrong("worker %u: the queue has %d names, from %d to %d; it began at %d to %d and"
		      " ended at %d to %d", m->worker, q.count, q.first, q.last + 1, head[0],
		      head[1], tail[0], tail[1]);
}

/* ---- the deep file ---- */

static bool is_zero(const u8 *data)
{
	static const u8 zeros[SFS_BLOCK_SIZE];

	return !memcmp(data, zeros, SFS_BLOCK_SIZE);
}

/* Block @b of generation @gen: a piece, or nothing. */
static void check_deep_block(struct model *m, int gen, long b, const u8 *data)
{
	const struct crowd *c = &m->crowd;
	bool may = b % 2 == 0 && b / 2 < c->written[gen];
	bool must = b % 2 == 0 && b / 2 < c->synced[gen];
	long pos = b * SFS_BLOCK_SIZE;

	if (is_zero(data) ? !must : may && is_of(m->worker + CROWD_DEEP, gen + 1, data, pos,
						 SFS_BLOCK_SIZE))
		return;
	wrong("worker %u: block %ld of deep file %d, %d pieces written, %d synced: %s%s", m->worker,
	      b, gen, c->written[gen], c->synced[gen], is_zero(data) ? "is zero" : "is another",
	      is_zero(data) ? "" : judge_whose(data, pos, SFS_BLOCK_SIZE));
}

static void judge_deep(struct model *m, int gen, struct sfs_inode *in)
{
	const struct crowd *c = &m->crowd;
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	long b, nblks = (in->i_size + SFS_BLOCK_SIZE - 1) / SFS_BLOCK_SIZE;

	if (gen < c->gens[m->floor] || gen > c->gen || seen.deep >= 0) {
		wrong("worker %u: deep file %d is there, of %d to %d", m->worker, gen,
		      c->gens[m->floor], c->gen);
		return;
	}
	seen.deep = gen;
	if (nblks > 2 * c->written[gen] || nblks < 2 * c->synced[gen] - 1) {
		wrong("worker %u: deep file %d has %ld blocks, %d pieces written, %d synced",
		      m->worker, gen, nblks, c->written[gen], c->synced[gen]);
		return;
	}
	for (b = 0; b < nblks; b++)
		if (sfs_file_read(in, b, data))
			wrong("worker %u: deep file %d cannot be read", m->worker, gen);
		else
			check_deep_block(m, gen, b, data);
}

static bool begins(const char *name, unsigned int len, const char *word)
{
	return len >= strlen(word) && !memcmp(name, word, strlen(word));
}

bool judge_own(struct model *m, const char *name, unsigned int len, struct sfs_inode *in)
{
	if (begins(name, len, "queue"))
		judge_queue(m, in);
	else if (begins(name, len, "deep-"))
		judge_deep(m, judge_number(name, len, strlen("deep-")), in);
	else
		return begins(name, len, "land");
	return true;
}

void judge_absent(struct model *m)
{
	const struct crowd *c = &m->crowd;

	if (m->worker && !seen.queue)
		wrong("worker %u: the queue is missing", m->worker);
	/* Promised, and not given up since. */
	if (c->synced[c->gen] && seen.deep != c->gen)
		wrong("worker %u: deep file %d is missing, %d pieces were synced", m->worker, c->gen,
		      c->synced[c->gen]);
	seen.queue = false;
	seen.deep = -1;
}

/* ---- the directory of all ---- */

static bool shared_entry(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	struct sfs_fs *fs = arg;
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_inode in = { 0 };
	u32 identity;
	u64 at;

	(void)type;
	(void)pos;
	if (sfs_inode_read(fs, ino, &in))
		return true;		/* the checker has said so */
	identity = shared_identity(ino, in.i_btime);
	for (at = 0; at < in.i_size; at++) {
		unsigned int i = at % SFS_BLOCK_SIZE;

		if (!i && sfs_file_read(&in, at / SFS_BLOCK_SIZE, data)) {
			wrong("shared file %.*s cannot be read", (int)len, name);
			return false;
		}
		if (data[i] && data[i] != model_byte(CROWD_SHARED, identity, at)) {
			wrong("shared file %.*s: byte %llu is not its own%s", (int)len, name,
			      (unsigned long long)at,
			      judge_whose(data + i, at, SFS_BLOCK_SIZE - i));
			return false;
		}
	}
	return true;
}

void judge_shared(struct sfs_inode *dir)
{
	(void)sfs_dirent_iterate(dir, 0, shared_entry, dir->i_fs);
}
