// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge.c - whether the names and files that a crash has left are among those that it may leave.
 */
#include <stdarg.h>

#include "judge.h"

struct model *models[CROWD_WORKERS];
int nmodels;
char said[512];

void wrong(const char *fmt, ...)
{
	va_list ap;

	if (said[0])
		return;
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

int judge_number(const char *name, unsigned int len, unsigned int at)
{
	int number = 0;

	for (; at < len && name[at] >= '0' && name[at] <= '9' && number < 1000000; at++)
		number = number * 10 + name[at] - '0';
	return number;
}

struct walk {
	struct sfs_fs *fs;
	struct model *m;
	int dir;			/* node of the directory in hand */
	u64 ino[MODEL_ENTRIES + 1];
	int node[MODEL_ENTRIES + 1];	/* of what was found: directories to go into */
	int ndirs;
	u64 hash;
};

static bool byte_is_allowed(const struct model *m, const struct model_file *f, long pos, u8 byte)
{
	int n;

	if (byte == f->durable[pos])
		return true;
	for (n = 0; n < f->nlater; n++) {
		const struct model_later *l = &f->later[n];
		u8 value = l->kind <= OP_DSYNC ? model_byte(m->worker, l->op, pos) : 0;
		bool covers = pos >= l->pos &&
			      (l->kind == OP_TRUNCATE || pos < l->pos + l->nbytes);

		if (l->op > f->since[pos] && l->kind != OP_FALLOCATE && covers && byte == value)
			return true;
	}
	return false;
}

static void check_file(const struct model *m, int node, struct sfs_inode *in)
{
	const struct model_file *f = m->node[node].file;
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	long pos;

	if ((long)in->i_size < f->size_min || (long)in->i_size > f->size_max) {
		wrong("worker %u: file %d has %lld bytes, %ld to %ld are possible", m->worker,
		      node,
		      (long long)in->i_size, f->size_min, f->size_max);
		return;
	}
	for (pos = 0; pos < (long)in->i_size; pos++) {
		if (pos % SFS_BLOCK_SIZE == 0 &&
		    sfs_file_read(in, pos / SFS_BLOCK_SIZE, data)) {
			wrong("file %d cannot be read at %ld", node, pos);
			return;
		}
		if (pos % SECTOR == 0 && pos + SECTOR <= (long)in->i_size &&
		    !memcmp(data + pos % SFS_BLOCK_SIZE, f->durable + pos, SECTOR)) {
			pos += SECTOR - 1;
			continue;
		}
		if (!byte_is_allowed(m, f, pos, data[pos % SFS_BLOCK_SIZE])) {
			wrong("worker %u: file %d at %ld: %02x was not written there, or is older than what was"
			      " promised (%02x)%s", m->worker, node, pos, data[pos % SFS_BLOCK_SIZE],
			      f->durable[pos],
			      judge_whose(data + pos % SFS_BLOCK_SIZE, pos,
					  SFS_BLOCK_SIZE - pos % SFS_BLOCK_SIZE));
			return;
		}
	}
}

static bool check_name(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	struct walk *w = arg;
	struct model *m = w->m;
	struct sfs_inode in = { 0 };
	char want[256];
	int node, index;

	(void)pos;
	if (sfs_inode_read(w->fs, ino, &in))
		return true;		/* the checker has said so */
	if (m->worker && w->dir == MODEL_ROOT && judge_own(m, name, len, &in))
		return true;
	if (m->wide.pieces && w->dir == MODEL_ROOT && judge_land(m, name, len, &in))
		return true;
	node = in.i_gid;
	index = judge_number(name, len, 1);
	model_name(index, want);
	if (strlen(want) != len || memcmp(want, name, len) || node <= MODEL_ROOT ||
	    node > m->done || m->node[node].type == MODEL_NONE) {
		wrong("worker %u: name %.*s (node %d) was never made", m->worker, (int)len, name,
		      node);
		return false;
	}
	w->hash += model_mix(w->dir, index, node, m->node[node].type, in.i_nlink);
	if (type == SFS_TYPE_REG && m->node[node].file)
		check_file(m, node, &in);
	if (type == SFS_TYPE_DIR && w->ndirs <= MODEL_ENTRIES) {
		w->ino[w->ndirs] = ino;
		w->node[w->ndirs++] = node;
	}
	return true;
}

static void judge_model(struct sfs_fs *fs, struct model *m, u64 root)
{
	struct walk w = { .fs = fs, .m = m, .ino = { root }, .node = { MODEL_ROOT }, .ndirs = 1 };
	int n;

	for (n = 0; n < w.ndirs; n++) {
		struct sfs_inode in = { 0 };

		w.dir = w.node[n];
		if (!sfs_inode_read(fs, w.ino[n], &in))
			(void)sfs_dirent_iterate(&in, 0, check_name, &w);
	}
	judge_absent(m);
	if (m->wide.pieces)
		judge_no_land(m);
	for (n = m->done; n >= m->floor; n--)
		if (m->hash[n] == w.hash)
			return;
	wrong("worker %u: the names are those of no moment from operation %d to %d", m->worker, m->floor,
	      m->done);
}

void judge_start(uint64_t seed, int workers, int pieces)
{
	nmodels = workers ? workers : 1;
	if (!workers)
		models[0] = model_new(seed, 0);
	if (!workers)
		wide_start(models[0], pieces);
	for (; workers; workers--)
		models[workers - 1] = model_new(seed, workers);
}

void judge_names(struct sfs_fs *fs)
{
	struct sfs_inode shared = { 0 };
	char path[32];
	u64 ino;
	int i;

	if (!models[0]->worker) {
		judge_model(fs, models[0], fs->f_root);
		return;
	}
	for (i = 0; i < nmodels; i++) {
		sprintf(path, "own%d", i + 1);
		if (sfs_path_resolve(fs, path, &ino))
			wrong("%s is missing", path);
		else
			judge_model(fs, models[i], ino);
	}
	if (sfs_path_resolve(fs, "shared", &ino) || sfs_inode_read(fs, ino, &shared))
		wrong("shared is missing");
	else
		judge_shared(&shared);
}
