// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_tree.c - the tree of directories: each has one name, and the way up from it ends.
 *
 * A name of a directory counts at once where the directory's record says its parent is.  By these
 * alone each goes up to the root, to a top without a name, or round in a loop, of which one name
 * goes.  What was put off is looked at then: names of directories that have one go, and for the
 * others that takes which does not lead up to the directory itself, one below the root rather than
 * another.  The tops are kept in a forest whose ways get shorter as they are gone, so that all of
 * it takes little more than one step for each name.
 */
#include "found.h"

void sfs_name_tell(struct sfs_checker *c, enum sfs_problem_code code,
		   const struct sfs_found_inode *dir, u64 num1, u64 num2,
		   const struct sfs_name *name)
{
	sfs_problem(c, &(const struct sfs_problem) {
		.p_code = code, .p_num = { dir->i_ino, num1, num2 }, .p_name = name->n_text,
		.p_len = name->n_len,
	});
}

void sfs_name_note(struct sfs_checker *c, struct sfs_found_names *names,
		   const struct sfs_found_inode *dir, const struct sfs_name *name, u8 type)
{
	struct sfs_found_name n = {
		.n_dir = dir->i_ino, .n_ino = name->n_ino, .n_pos = name->n_pos, .n_type = type,
		.n_len = name->n_len,
	};

	memcpy(n.n_name, name->n_text, name->n_len);
	sfs_check_err(c, sfs_found_names_add(names, &n));
}

void sfs_name_take(struct sfs_checker *c, struct sfs_found_inode *dir, struct sfs_found_inode *i,
		   const struct sfs_name *name)
{
	i->i_names++;
	if (i->i_type != name->n_type) {
		sfs_name_tell(c, SFS_PROBLEM_TYPE, dir, name->n_type, i->i_type, name);
		sfs_name_note(c, &c->found->f_names, dir, name, i->i_type);
	}
	if (!i->i_is_dir)
		return;
	dir->i_names++;
	i->i_named_in = dir->i_ino;
}

static struct sfs_found_inode *sfs_dir_above(struct sfs_checker *c,
					     const struct sfs_found_inode *at)
{
	return at->i_named_in ? sfs_found_inode(c->found, at->i_named_in) : NULL;
}

/* ---- loops ---- */

struct sfs_lookout {
	struct sfs_checker *c;
	struct sfs_found_inode *dir;
	u64 ino;
};

static bool sfs_loop_name(void *arg, const char *text, unsigned int len, u64 ino, u8 type, u64 pos)
{
	struct sfs_lookout *l = arg;
	const struct sfs_name name = {
		.n_text = text, .n_len = len, .n_type = type, .n_ino = ino, .n_pos = pos,
	};

	if (ino != l->ino)
		return true;
	sfs_name_tell(l->c, SFS_PROBLEM_LOOP, l->dir, ino, 0, &name);
	sfs_name_note(l->c, &l->c->found->f_names, l->dir, &name, 0);
	return false;
}

/*
 * One in the loop of @at loses its name, for which the directory above is looked through: it is in
 * no other loop.  One that has more names, if there is one, as it may keep another.
 */
static void sfs_loop_break(struct sfs_checker *c, struct sfs_found_inode *at)
{
	struct sfs_found_inode *i, *cut = at;
	struct sfs_lookout l = { .c = c };
	struct sfs_inode in = { 0 };
	int err;

	for (i = at; i && !i->i_is_reached; i = sfs_dir_above(c, i)) {
		if (i->i_has_more)
			cut = i;
		i->i_is_reached = true;
	}
	l.dir = sfs_dir_above(c, cut);
	if (!l.dir)
		return;
	l.ino = cut->i_ino;
	err = sfs_inode_read(c->fs, l.dir->i_ino, &in);
	if (!err)
		err = sfs_dirent_iterate(&in, 0, sfs_loop_name, &l);
	sfs_check_err(c, err);
	cut->i_named_in = 0;
	cut->i_names--;
	l.dir->i_names--;
}

/* Up from @dir by its names, as far as a top or where another went before. */
static void sfs_check_reach(struct sfs_checker *c, struct sfs_found_inode *dir)
{
	struct sfs_found_inode *at;

	for (at = dir; at && !at->i_is_reached; at = sfs_dir_above(c, at)) {
		if (at->i_is_walked) {
			sfs_loop_break(c, at);
			break;
		}
		at->i_is_walked = true;
	}
	for (at = dir; at && !at->i_is_reached; at = sfs_dir_above(c, at))
		at->i_is_reached = true;
}

/* ---- names that were put off ---- */

/* For each inode one that is above it, or itself; by their place in f_inodes. */
static size_t *sfs_forest_make(struct sfs_checker *c)
{
	const struct sfs_found_inode *at = c->found->f_inodes, *above;
	size_t *top = calloc(c->found->f_ninodes + 1, sizeof(*top));
	size_t n;

	for (n = 0; top && n < c->found->f_ninodes; n++) {
		above = sfs_dir_above(c, &at[n]);
		top[n] = above ? (size_t)(above - at) : n;
	}
	return top;
}

static size_t sfs_forest_top(size_t *top, size_t n)
{
	while (top[n] != n) {
		top[n] = top[top[n]];
		n = top[n];
	}
	return n;
}

/* @below: only where it gets below that.  False: it has yet to be decided. */
static bool sfs_double_settle(struct sfs_checker *c, size_t *top, const struct sfs_found_name *n,
			      const struct sfs_found_inode *below)
{
	struct sfs_found_inode *i = sfs_found_inode(c->found, n->n_ino);
	struct sfs_found_inode *dir = sfs_found_inode(c->found, n->n_dir);
	size_t above = sfs_forest_top(top, dir - c->found->f_inodes);
	const struct sfs_name name = {
		.n_text = n->n_name, .n_len = n->n_len, .n_type = n->n_type, .n_ino = n->n_ino,
		.n_pos = n->n_pos,
	};
	bool is_root = i->i_ino == c->fs->f_root;

	if (is_root || i->i_named_in) {
		sfs_name_tell(c, SFS_PROBLEM_TWO_NAMES, dir, i->i_ino,
			      is_root ? i->i_ino : i->i_named_in, &name);
		sfs_name_note(c, &c->found->f_names, dir, &name, 0);
		return true;
	}
	if (below && &c->found->f_inodes[above] != below)
		return false;
	if (&c->found->f_inodes[above] == i) {
		sfs_name_tell(c, SFS_PROBLEM_LOOP, dir, i->i_ino, 0, &name);
		sfs_name_note(c, &c->found->f_names, dir, &name, 0);
		return true;
	}
	SFS_PROBLEM(c, SFS_PROBLEM_PARENT, i->i_ino, dir->i_ino, i->i_parent);
	sfs_name_take(c, dir, i, &name);
	top[i - c->found->f_inodes] = above;
	return true;
}

static void sfs_check_doubles(struct sfs_checker *c, size_t *top)
{
	const struct sfs_found_inode *root = sfs_found_inode(c->found, c->fs->f_root);
	struct sfs_found_name *name = c->doubles.f_name;
	size_t n, left = 0;

	for (n = 0; n < c->doubles.f_n && !c->err; n++)
		if (!root || !sfs_double_settle(c, top, &name[n], root))
			name[left++] = name[n];
	for (n = 0; n < left && !c->err; n++)
		sfs_double_settle(c, top, &name[n], NULL);
}

void sfs_check_tree(struct sfs_checker *c)
{
	struct sfs_found *found = c->found;
	size_t *top;
	size_t n;

	for (n = 0; n < found->f_ninodes && !c->err; n++)
		if (found->f_inodes[n].i_is_dir)
			sfs_check_reach(c, &found->f_inodes[n]);
	if (!c->doubles.f_n || c->err)
		return;
	top = sfs_forest_make(c);
	if (!top) {
		sfs_check_err(c, -ENOMEM);
		return;
	}
	sfs_check_doubles(c, top);
	free(top);
}
