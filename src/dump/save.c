// SPDX-License-Identifier: GPL-2.0-only
/*
 * save.c - dump --save: the way through the volume, one directory at a time.
 *
 * Of a directory all names are read; what is no directory is made at once, the others wait in a
 * list until it is their turn.  So there is one open directory, and memory for the names of
 * directories beside the way down and for the number of each inode that was met, whatever the
 * depth.  What no name has led to, because it was lost, is saved last, in lost+found.  A damaged
 * volume may lead in circles: nothing is gone into twice.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/progress.h"
#include "save.h"

#define SFS_SAVE_LOST		"lost+found"

/* A directory that waits: its number, the length of its name, and that. */
struct sfs_save_child {
	u64 c_ino;
	u8 c_len;
} __attribute__((packed));

struct sfs_save_level {
	u64 l_ino;
	size_t l_path_len;		/* of the path of the directory itself */
	dev_t l_dev;			/* what it is on the host */
	ino_t l_host;
	u8 *l_child;			/* those that wait, one behind the other */
	size_t l_nbytes;
	size_t l_room;
	size_t l_at;			/* the next */
};

/* ---- what was met ---- */

static struct sfs_saved *sfs_seen_slot(const struct sfs_save *s, u64 ino)
{
	size_t at = ino * 0x9e3779b97f4a7c15 >> 32 & (s->seen_room - 1);

	while (s->seen[at].s_ino && s->seen[at].s_ino != ino)
		at = (at + 1) & (s->seen_room - 1);
	return &s->seen[at];
}

static bool sfs_seen(const struct sfs_save *s, u64 ino)
{
	return s->seen_room && sfs_seen_slot(s, ino)->s_ino;
}

/* Half of the table stays empty.  NULL: no memory. */
static struct sfs_saved *sfs_seen_add(struct sfs_save *s, u64 ino)
{
	struct sfs_saved *old = s->seen, *slot;
	size_t i, room = s->seen_room;

	if (2 * s->nseen >= room) {
		s->seen = calloc(room ? 2 * room : 1024, sizeof(*s->seen));
		if (!s->seen) {
			s->seen = old;
			s->err = -ENOMEM;
			return NULL;
		}
		s->seen_room = room ? 2 * room : 1024;
		for (i = 0; i < room; i++)
			if (old[i].s_ino)
				*sfs_seen_slot(s, old[i].s_ino) = old[i];
		free(old);
	}
	slot = sfs_seen_slot(s, ino);
	s->nseen += !slot->s_ino;
	slot->s_ino = ino;
	return slot;
}

/* Puts @name behind the path, which was @len long. */
static bool sfs_save_path(struct sfs_save *s, size_t len, const char *name)
{
	size_t need = len + 1 + strlen(name) + 1;
	char *path;

	if (need > s->path_room) {
		path = realloc(s->path, 2 * need);
		if (!path) {
			s->err = -ENOMEM;
			return false;
		}
		s->path = path;
		s->path_room = 2 * need;
	}
	s->path_len = len + sprintf(s->path + len, "/%s", name);
	return true;
}

static void sfs_save_path_cut(struct sfs_save *s, size_t len)
{
	s->path_len = len;
	s->path[len] = '\0';
}

/* ---- one directory ---- */

struct sfs_save_names {
	struct sfs_save *s;
	struct sfs_save_level *level;
};

static void sfs_save_later(struct sfs_save *s, struct sfs_save_level *l, u64 ino, const char *name)
{
	struct sfs_save_child child = { .c_ino = ino, .c_len = strlen(name) };
	size_t need = l->l_nbytes + sizeof(child) + child.c_len;
	u8 *p;

	if (need > l->l_room) {
		p = realloc(l->l_child, 2 * need);
		if (!p) {
			s->err = -ENOMEM;
			return;
		}
		l->l_child = p;
		l->l_room = 2 * need;
	}
	memcpy(l->l_child + l->l_nbytes, &child, sizeof(child));
	memcpy(l->l_child + l->l_nbytes + sizeof(child), name, child.c_len);
	l->l_nbytes = need;
}

/* What is no directory, by @name in the directory in hand. */
static void sfs_save_other(struct sfs_save *s, struct sfs_inode *in, const char *name)
{
	struct sfs_saved *slot = sfs_seen_add(s, in->i_ino);

	if (!slot)
		return;
	if (slot->s_path && sfs_save_link(s, slot->s_path, name))
		return;
	if (!slot->s_path && in->i_nlink > 1) {
		slot->s_path = strdup(s->path);
		s->err = slot->s_path ? s->err : -ENOMEM;
	}
	sfs_progress(1, name, s->nseen, 0);
	sfs_save_make(s, in, name);
}

static void sfs_save_name(struct sfs_save *s, struct sfs_save_level *level, u64 ino,
			  const char *name)
{
	struct sfs_inode in = { 0 };
	int err;

	err = sfs_inode_read(s->fs, ino, &in);
	if (err == -ESTALE)
		sfs_save_lose(s, "inode %llu is not in use", (unsigned long long)ino);
	else if (err)
		sfs_save_lose(s, "inode %llu is lost: %s", (unsigned long long)ino,
			      sfs_is_damage(err) ? "it is damaged" : strerror(-err));
	else if (sfs_inode_is_hidden(s->fs, ino))
		sfs_save_lose(s, "inode %llu is no file but hidden", (unsigned long long)ino);
	else if (S_ISDIR(in.i_mode))
		sfs_save_later(s, level, ino, name);
	else
		sfs_save_other(s, &in, name);
}

static void sfs_save_names_node(void *arg, const struct sfs_node_disk *node, u64 blk)
{
	struct sfs_save_names *n = arg;
	struct sfs_leaf_record r;
	unsigned int i = 0;

	(void)blk;
	while (!n->s->err && sfs_leaf_next(node, &i, &r)) {
		const struct sfs_dirent_disk *d = r.l_rec;
		char name[SFS_NAME_MAX + 1];

		if (sfs_key_kind(r.l_key) != SFS_KIND_DIRENT ||
		    !sfs_name_is_valid((const char *)(d + 1), d->d_len))
			continue;
		snprintf(name, sizeof(name), "%.*s", d->d_len, (const char *)(d + 1));
		if (!sfs_save_path(n->s, n->level->l_path_len, name))
			return;
		sfs_save_name(n->s, n->level, le64_to_cpu(d->d_ino), name);
		sfs_save_path_cut(n->s, n->level->l_path_len);
	}
}

static void sfs_save_names_lost(void *arg, u64 blk, u64 lo, u64 hi, int err)
{
	struct sfs_save_names *n = arg;

	(void)err;
	if (lo < sfs_key(SFS_KIND_DIRENT + 1, 0) && hi > sfs_key(SFS_KIND_DIRENT, 0))
		sfs_save_lose(n->s, "names are lost: block %llu of its tree is damaged",
			      (unsigned long long)blk);
}

/* The directory in hand is @in: what is in it.  False: it cannot go on. */
static bool sfs_save_dir(struct sfs_save *s, struct sfs_inode *in, struct sfs_save_level *l)
{
	struct sfs_save_names names = { .s = s, .level = l };
	struct stat st;

	if (fstat(s->fd, &st)) {
		s->err = -errno;
		return false;
	}
	*l = (struct sfs_save_level) {
		.l_ino = in->i_ino, .l_path_len = s->path_len, .l_dev = st.st_dev,
		.l_host = st.st_ino,
	};
	(void)sfs_tree_walk_lost(in, sfs_save_names_node, sfs_save_names_lost, &names);
	return true;
}

/* ---- down and up ---- */

/* Makes a directory in the one in hand, and takes it there. */
static bool sfs_save_down(struct sfs_save *s, const char *name)
{
	int fd;

	if (mkdirat(s->fd, name, 0700)) {
		sfs_save_fail(s, errno);
		return false;
	}
	fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		sfs_save_fail(s, errno);
		return false;
	}
	close(s->fd);
	s->fd = fd;
	return true;
}

/* Back to @up, which must be where it was; the directory that is left gets its attributes. */
static void sfs_save_up(struct sfs_save *s, u64 ino, dev_t dev, ino_t host)
{
	int fd = openat(s->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct sfs_inode in = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		s->err = s->err ? s->err : -errno;
	} else if (st.st_dev != dev || st.st_ino != host) {
		sfs_warn("somebody has moved a directory that is being filled");
		s->err = s->err ? s->err : -ESTALE;
	}
	if (!sfs_inode_read(s->fs, ino, &in))
		sfs_save_attributes(s, &in, s->fd);
	if (fd < 0)
		return;
	close(s->fd);
	s->fd = fd;
}

/* The next child of @l, if there is one; the path is its. */
static bool sfs_save_next(struct sfs_save *s, struct sfs_save_level *l, u64 *ret_ino, char *name)
{
	struct sfs_save_child child;

	sfs_save_path_cut(s, l->l_path_len);
	if (l->l_at >= l->l_nbytes || s->err)
		return false;
	memcpy(&child, l->l_child + l->l_at, sizeof(child));
	snprintf(name, SFS_NAME_MAX + 1, "%.*s", child.c_len,
		 (const char *)l->l_child + l->l_at + sizeof(child));
	l->l_at += sizeof(child) + child.c_len;
	*ret_ino = child.c_ino;
	return sfs_save_path(s, l->l_path_len, name);
}

/* @in is in hand, a directory that was met now: it and all below it, but for its attributes. */
static void sfs_save_tree(struct sfs_save *s, struct sfs_inode *in)
{
	struct sfs_save_level *stack = NULL;
	char name[SFS_NAME_MAX + 1];
	size_t depth = 0;
	u64 ino;

	if (sfs_array_grow((void **)&stack, depth, sizeof(*stack)))
		s->err = -ENOMEM;
	if (!s->err && sfs_save_dir(s, in, stack))
		depth = 1;
	while (depth) {
		struct sfs_inode child = { 0 };
		struct sfs_save_level *top = &stack[depth - 1];

		if (!sfs_save_next(s, top, &ino, name)) {
			free(top->l_child);
			if (--depth && !s->err)
				sfs_save_up(s, top->l_ino, top[-1].l_dev, top[-1].l_host);
			continue;
		}
		if (sfs_seen(s, ino)) {
			sfs_save_lose(s, "inode %llu is a directory with another name: left out",
				      (unsigned long long)ino);
			continue;
		}
		if (sfs_inode_read(s->fs, ino, &child) || !sfs_seen_add(s, ino) ||
		    !sfs_save_down(s, name))
			continue;
		if (sfs_array_grow((void **)&stack, depth, sizeof(*stack)))
			s->err = -ENOMEM;
		else if (sfs_save_dir(s, &child, &stack[depth]))
			depth++;
	}
	free(stack);
}

/* ---- what no name has led to ---- */

struct sfs_save_loose {
	struct sfs_save *s;
	bool all;			/* or only directories whose parent is not loose as well */
};

/* lost+found, or the first name like it that is free or such a directory, in hand. */
static bool sfs_save_lost_open(struct sfs_save *s)
{
	char name[32] = SFS_SAVE_LOST;
	unsigned int n;
	int fd = -1;

	for (n = 1; fd < 0 && n < 100 && !s->err; n++) {
		if (mkdirat(s->top, name, 0700) && errno != EEXIST)
			s->err = -errno;
		fd = openat(s->top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && faccessat(fd, ".", W_OK | X_OK, 0)) {
			close(fd);
			fd = -1;
		}
		if (fd < 0)
			snprintf(name, sizeof(name), SFS_SAVE_LOST ".%u", n);
	}
	if (fd < 0) {
		s->err = s->err ? s->err : -EEXIST;
		return false;
	}
	close(s->fd);
	s->fd = fd;
	return sfs_save_path(s, 0, name);
}

static void sfs_save_loose_make(struct sfs_save *s, struct sfs_inode *in)
{
	char name[32];
	struct stat st;

	snprintf(name, sizeof(name), "#%llu", (unsigned long long)in->i_ino);
	if (!sfs_save_lost_open(s) || !sfs_save_path(s, s->path_len, name))
		return;
	sfs_save_lose(s, "its name was lost");
	if (!S_ISDIR(in->i_mode)) {
		sfs_save_other(s, in, name);
		return;
	}
	if (fstat(s->fd, &st) || !sfs_seen_add(s, in->i_ino) || !sfs_save_down(s, name))
		return;
	sfs_save_tree(s, in);
	if (!s->err)
		sfs_save_up(s, in->i_ino, st.st_dev, st.st_ino);
}

static bool sfs_save_loose(void *arg, struct sfs_inode *in)
{
	struct sfs_save_loose *l = arg;
	struct sfs_inode parent = { 0 };
	struct sfs_save *s = l->s;

	if (sfs_seen(s, in->i_ino) || sfs_inode_is_hidden(s->fs, in->i_ino) ||
	    in->i_flags & SFS_INODE_ORPHAN)
		return !s->err;
	if (!l->all && (!S_ISDIR(in->i_mode) ||
			(!sfs_inode_read(s->fs, in->i_parent, &parent) &&
			 S_ISDIR(parent.i_mode) && !sfs_seen(s, in->i_parent))))
		return !s->err;
	sfs_save_loose_make(s, in);
	sfs_save_path_cut(s, 0);
	return !s->err;
}

/* ---- the whole ---- */

static int sfs_save_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	bool empty = true;
	DIR *dir;

	if (fd < 0)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", path, strerror(errno));
	dir = fdopendir(dup(fd));
	if (!dir)
		sfs_die(SFS_EXIT_FAILED, "%s: it cannot be read: %s", path, strerror(errno));
	while ((entry = readdir(dir)))
		empty &= !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	closedir(dir);
	if (!empty)
		sfs_die(SFS_EXIT_FAILED, "%s: it is not empty", path);
	return fd;
}

static void sfs_save_all(struct sfs_save *s)
{
	struct sfs_save_loose loose = { .s = s };
	struct sfs_inode root = { 0 };
	bool have = false;

	if (sfs_inode_read(s->fs, s->fs->f_root, &root) || !S_ISDIR(root.i_mode)) {
		sfs_save_lose(s, "the root is lost");
	} else if (sfs_seen_add(s, s->fs->f_root)) {
		have = true;
		sfs_save_tree(s, &root);
	}
	if (!s->err)
		(void)sfs_each_inode(s->fs, sfs_save_loose, &loose);
	loose.all = true;
	if (!s->err && sfs_each_inode(s->fs, sfs_save_loose, &loose))
		sfs_save_lose(s, "inodes may be missing that no name was found of: not all of"
			      " them can be read");
	if (!s->err && have)
		sfs_save_attributes(s, &root, s->top);
	if (!s->err && syncfs(s->top))
		s->err = -errno;
}

int sfs_save(struct sfs_fs *fs, const char *dir)
{
	struct sfs_save s = { .fs = fs, .top = sfs_save_open(dir) };
	size_t i;
	int status;

	s.fd = dup(s.top);
	s.data = malloc(SFS_SAVE_ROOM);
	s.path = strdup("");
	s.path_room = 1;
	if (s.fd < 0 || !s.data || !s.path)
		sfs_die(SFS_EXIT_FAILED, "%s: nothing to save with: %s", dir, strerror(errno));
	umask(0);
	sfs_save_all(&s);
	status = sfs_save_verdict(&s, dir);
	for (i = 0; i < s.seen_room; i++)
		free(s.seen[i].s_path);
	free(s.seen);
	free(s.data);
	free(s.path);
	close(s.fd);
	close(s.top);
	return status;
}
