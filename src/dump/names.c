// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - the way from an inode to its names, which no file knows: all directories are read.
 *
 * What cannot be read is passed over.  A directory says who its parent is, so the rest of a path is
 * found upwards, by looking in each parent for the name of its child.
 */
#include <sys/stat.h>

#include "look.h"

struct sfs_names_walk {
	struct sfs_names *names;
	u64 dir;
	int err;			/* no memory, or of what could not be read */
};

static bool sfs_names_want(const struct sfs_names *names, u64 ino)
{
	size_t i;

	for (i = 0; i < names->n_ninos; i++)
		if (names->n_inos[i] == ino)
			return true;
	return false;
}

static int sfs_names_add(struct sfs_names *names, u64 dir, const struct sfs_dirent_disk *d)
{
	struct sfs_name *name;

	if (sfs_array_grow((void **)&names->n_list, names->n_n, sizeof(*names->n_list)))
		return -ENOMEM;
	name = &names->n_list[names->n_n++];
	name->n_ino = le64_to_cpu(d->d_ino);
	name->n_dir = dir;
	name->n_len = d->d_len;
	memcpy(name->n_name, d + 1, d->d_len);
	return 0;
}

static void sfs_names_node(void *arg, const struct sfs_node_disk *node, u64 blk)
{
	struct sfs_names_walk *w = arg;
	struct sfs_leaf_record r;
	unsigned int i = 0;

	(void)blk;
	while (sfs_leaf_next(node, &i, &r)) {
		const struct sfs_dirent_disk *d = r.l_rec;
		int err;

		if (sfs_key_kind(r.l_key) != SFS_KIND_DIRENT ||
		    !sfs_names_want(w->names, le64_to_cpu(d->d_ino)))
			continue;
		err = sfs_names_add(w->names, w->dir, d);
		w->err = w->err ? w->err : err;
	}
}

static bool sfs_names_inode(void *arg, struct sfs_inode *in)
{
	struct sfs_names_walk *w = arg;
	int err;

	if (!S_ISDIR(in->i_mode))
		return true;
	w->dir = in->i_ino;
	err = sfs_tree_walk(in, sfs_names_node, w);
	w->err = w->err ? w->err : err;
	return w->err != -ENOMEM;
}

static int sfs_names_compare(const void *a, const void *b)
{
	const struct sfs_name *x = a;
	const struct sfs_name *y = b;

	if (x->n_ino != y->n_ino)
		return x->n_ino < y->n_ino ? -1 : 1;
	return (x->n_dir > y->n_dir) - (x->n_dir < y->n_dir);
}

int sfs_names_find(struct sfs_fs *fs, struct sfs_names *names)
{
	struct sfs_names_walk w = { .names = names };
	int err = sfs_each_inode(fs, sfs_names_inode, &w);

	if (names->n_n)
		qsort(names->n_list, names->n_n, sizeof(*names->n_list), sfs_names_compare);
	return w.err ? w.err : err;
}

/* ---- upwards ---- */

/* A path that is written from its end. */
struct sfs_upwards {
	char *text;
	size_t room;
	size_t start;			/* it lies from here to the end of the room */
};

static int sfs_upwards_put(struct sfs_upwards *up, const char *s, size_t n)
{
	size_t have = up->room - up->start;
	char *text;

	if (!n)
		return 0;
	if (up->start < n) {
		text = malloc(2 * up->room + n);
		if (!text)
			return -ENOMEM;
		if (have)
			memcpy(text + 2 * up->room + n - have, up->text + up->start, have);
		free(up->text);
		up->text = text;
		up->room = 2 * up->room + n;
		up->start = up->room - have;
	}
	up->start -= n;
	memcpy(up->text + up->start, s, n);
	return 0;
}

/* What @dir is called in its parent.  -ENOENT: nobody knows. */
static int sfs_names_of_dir(struct sfs_fs *fs, u64 dir, struct sfs_names *ret_names)
{
	struct sfs_names_walk w = { .names = ret_names };
	struct sfs_inode in = { 0 };
	int err;

	err = sfs_inode_read(fs, dir, &in);
	if (err)
		return err;
	w.dir = in.i_parent;
	memset(&in, 0, sizeof(in));
	err = sfs_inode_read(fs, w.dir, &in);
	if (!err && !S_ISDIR(in.i_mode))
		err = -ENOENT;
	if (!err)
		err = sfs_tree_walk(&in, sfs_names_node, &w);
	if (w.err)
		return w.err;
	if (ret_names->n_n)
		return 0;
	return err ? err : -ENOENT;
}

/* The path of @dir before what is there. */
static int sfs_upwards(struct sfs_fs *fs, struct sfs_upwards *up, u64 dir)
{
	u64 steps = 0, mark = 0;
	char text[40];
	int err = 0;

	while (dir != fs->f_root && !err) {
		struct sfs_names names = { .n_inos = &dir, .n_ninos = 1 };

		/* In a circle every one is met again. */
		err = dir == mark ? -ELOOP : sfs_names_of_dir(fs, dir, &names);
		if (!(steps & (steps + 1)))
			mark = dir;
		steps++;
		if (!err)
			err = sfs_upwards_put(up, names.n_list->n_name, names.n_list->n_len);
		if (!err)
			err = sfs_upwards_put(up, "/", 1);
		if (!err)
			dir = names.n_list->n_dir;
		free(names.n_list);
	}
	if (!err || err == -ENOMEM)
		return err;
	snprintf(text, sizeof(text), "inode %llu", (unsigned long long)dir);
	if (sfs_upwards_put(up, text, strlen(text)))
		return -ENOMEM;
	return sfs_is_bad_block(err) ? err : -EFSCORRUPTED;
}

int sfs_names_print(struct sfs_fs *fs, const struct sfs_names *names, u64 ino, struct sfs_text *out)
{
	struct sfs_upwards up = { 0 };
	int first = 0;
	size_t i;
	int err;

	out->open(out, "paths", true);
	if (ino == fs->f_root)
		out->str(out, NULL, "/", 1);
	for (i = 0; i < names->n_n; i++) {
		const struct sfs_name *name = &names->n_list[i];

		if (name->n_ino != ino)
			continue;
		up.start = up.room;
		err = sfs_upwards_put(&up, name->n_name, name->n_len);
		if (!err)
			err = sfs_upwards_put(&up, "/", 1);
		if (!err)
			err = sfs_upwards(fs, &up, name->n_dir);
		if (err != -ENOMEM)
			out->str(out, NULL, up.text + up.start, up.room - up.start);
		first = first ? first : err;
	}
	out->close(out);
	free(up.text);
	return first;
}
