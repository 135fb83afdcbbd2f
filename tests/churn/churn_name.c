// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn_name.c - what a worker does to the names in its own folders, and what must come of it.
 *
 * The model knows of each name what it is, so every answer is foreseen, the refusals too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "churn.h"

static char target[TARGET_MAX + 1], got[TARGET_MAX + 2];

void dir_path(char *path, unsigned int worker, unsigned int dir)
{
	if (dir)
		sprintf(path, "own%u/sub%u", worker, dir);
	else
		sprintf(path, "own%u", worker);
}

/* Short and long ones, so that few or many go into a block. */
static void entry_name(char *name, unsigned int n)
{
	unsigned int length = sprintf(name, "n%02u", n);
	unsigned int end = n % 4 ? length + 12 : 40 + n * 9;

	memset(name + length, '-', end - length);
	name[end] = '\0';
}

void entry_path(char *path, unsigned int worker, unsigned int dir, unsigned int n)
{
	dir_path(path, worker, dir);
	strcat(path, "/");
	entry_name(path + strlen(path), n);
}

static struct entry *pick(char *path)
{
	unsigned int dir = rnd(DIRS);
	unsigned int n = rnd(NAMES);

	entry_path(path, me, dir, n);
	return &self->name[dir][n];
}

struct object *object_pick(void)
{
	struct object *o = NULL;
	unsigned int i, n = 0;

	for (i = 0; i < FILES; i++)
		if (self->file[i].nlink && !rnd(++n))
			o = &self->file[i];
	return o;
}

int object_open(struct object *o, int flags)
{
	unsigned int dir, n;
	char path[320];

	for (dir = 0; dir < DIRS; dir++)
		for (n = 0; n < NAMES; n++) {
			struct entry *e = &self->name[dir][n];

			if (e->kind != FILE_NAME || &self->file[e->file] != o)
				continue;
			entry_path(path, me, dir, n);
			return open(path, flags);
		}
	errno = ENOENT;
	return -1;
}

/* A file of the model without a name yet; NULL when there are enough. */
static struct object *object_new(void)
{
	unsigned int i;

	for (i = 0; i < FILES; i++) {
		struct object *o = &self->file[i];

		if (o->nlink)
			continue;
		o->serial = ++self->serials;
		o->version = 0;
		o->size = 0;
		memset(o->attr, 0, sizeof(o->attr));
		o->flags = o->projid = 0;
		return o;
	}
	return NULL;
}

static void name_object(struct entry *e, struct object *o)
{
	e->kind = FILE_NAME;
	e->file = o - self->file;
	o->nlink++;
}

static void drop(struct entry *e)
{
	if (e->kind == FILE_NAME)
		self->file[e->file].nlink--;
	e->kind = NONE;
}

static void check_target(const char *path, const struct entry *e)
{
	ssize_t n = readlink(path, got, sizeof(got));

	if (!must(n, 0, "readlink"))
		return;
	target_make(target, me, e->serial, e->nbytes);
	errno = 0;
	if (n != e->nbytes || memcmp(got, target, n))
		bad("readlink: %zd bytes, not %u, or others: %.40s", n, e->nbytes, got);
}

static void check_entry(const char *path, const struct entry *e)
{
	static const mode_t types[] = { 0, S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR };
	const struct object *o = &self->file[e->file];
	struct stat st;

	if (!must(lstat(path, &st), e->kind ? 0 : ENOENT, "lstat") || !e->kind)
		return;
	errno = 0;
	if ((st.st_mode & S_IFMT) != types[e->kind])
		bad("%s: mode %o, want %o", path, st.st_mode, types[e->kind]);
	if (e->kind == FILE_NAME && (st.st_nlink != o->nlink || st.st_size != o->size))
		bad("%s: %lu links, %ld bytes, want %u, %ld", path, (long)st.st_nlink,
		    (long)st.st_size, o->nlink, (long)o->size);
	if (e->kind == DIR_NAME && st.st_nlink != 2)
		bad("%s: a directory with %lu links", path, (long)st.st_nlink);
	if (e->kind == WHITEOUT_NAME && st.st_rdev)
		bad("%s: a device, no whiteout", path);
	if (e->kind == LINK_NAME)
		check_target(path, e);
}

static void own_create(int unused)
{
	char path[320];
	struct entry *e = pick(path);
	struct object *o = object_new();
	int fd;

	(void)unused;
	if (!o && !e->kind)
		return;
	fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (grew(fd, e->kind ? EEXIST : 0, "create") && !e->kind) {
		name_object(e, o);
		if (rnd(2))
			object_write(o, fd, rnd(9000), 1 + rnd(20000), "first write");
	}
	if (fd >= 0)
		close(fd);
	check_entry(path, e);
}

static void own_unlink(int unused)
{
	char path[320];
	struct entry *e = pick(path);
	int want = !e->kind ? ENOENT : e->kind == DIR_NAME ? EISDIR : 0;

	(void)unused;
	if (did(unlink(path), want, "unlink") && !want)
		drop(e);
	check_entry(path, e);
}

static void own_mkdir(int unused)
{
	char path[320];
	struct entry *e = pick(path);

	(void)unused;
	if (grew(mkdir(path, 0755), e->kind ? EEXIST : 0, "mkdir") && !e->kind)
		e->kind = DIR_NAME;
	check_entry(path, e);
}

static void own_rmdir(int unused)
{
	char path[320];
	struct entry *e = pick(path);
	int want = !e->kind ? ENOENT : e->kind != DIR_NAME ? ENOTDIR : 0;

	(void)unused;
	if (did(rmdir(path), want, "rmdir") && !want)
		drop(e);
	check_entry(path, e);
}

static void own_symlink(int is_long)
{
	unsigned int nbytes = is_long ? 1000 + rnd(TARGET_MAX - 999) : TARGET_MIN + rnd(60);
	char path[320];
	struct entry *e = pick(path);
	uint32_t serial = ++self->serials;

	target_make(target, me, serial, nbytes);
	if (grew(symlink(target, path), e->kind ? EEXIST : 0, "symlink") && !e->kind) {
		e->kind = LINK_NAME;
		e->nbytes = nbytes;
		e->serial = serial;
	}
	check_entry(path, e);
}

/* Long ones come and go, beside those that stay. */
static void own_symlinks(int unused)
{
	struct entry e = { .kind = LINK_NAME };
	char path[64];
	int i;

	(void)unused;
	sprintf(path, "own%u/passing", me);
	for (i = 0; i < 16; i++) {
		e.serial = ++self->serials;
		e.nbytes = 1000 + rnd(TARGET_MAX - 999);
		target_make(target, me, e.serial, e.nbytes);
		if (!grew(symlink(target, path), 0, "symlink that passes"))
			continue;
		check_target(path, &e);
		must(unlink(path), 0, "unlink of a symlink");
	}
}

static void own_link(int unused)
{
	char path[320], other[320];
	struct entry *a = pick(path), *b = pick(other);
	int want = 0;

	(void)unused;
	if (a->kind == LINK_NAME || a->kind == WHITEOUT_NAME)
		return;
	if (!a->kind)
		want = ENOENT;
	else if (b->kind)
		want = EEXIST;
	else if (a->kind == DIR_NAME)
		want = EPERM;
	if (grew(link(path, other), want, "link") && !want)
		name_object(b, &self->file[a->file]);
	check_entry(path, a);
	check_entry(other, b);
}

static int rename_answer(const struct entry *a, const struct entry *b, unsigned int flags)
{
	if (!a->kind)
		return ENOENT;
	if (flags & RENAME_EXCHANGE)
		return b->kind ? 0 : ENOENT;
	if (!b->kind)
		return 0;
	if (flags & RENAME_NOREPLACE)
		return EEXIST;
	if (a == b || (a->kind == DIR_NAME) == (b->kind == DIR_NAME))
		return 0;
	return a->kind == DIR_NAME ? ENOTDIR : EISDIR;
}

static void own_rename(int flags)
{
	char path[320], other[320];
	struct entry *a = pick(path), *b = pick(other);
	int want = rename_answer(a, b, flags);
	struct entry was = *a;

	if (grew(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, flags), want, "rename") &&
	    !want && a != b &&
	    !(a->kind == FILE_NAME && b->kind == FILE_NAME && a->file == b->file)) {
		if (flags & RENAME_EXCHANGE) {
			*a = *b;
		} else {
			drop(b);
			a->kind = flags & RENAME_WHITEOUT ? WHITEOUT_NAME : NONE;
		}
		*b = was;
	}
	check_entry(path, a);
	check_entry(other, b);
}

/* Nameless, written, then often given a name. */
static void own_tmpfile(int unused)
{
	char path[320], dir[64], from[64];
	struct entry *e = pick(path);
	struct object *o = object_new();
	int fd;

	(void)unused;
	dir_path(dir, me, rnd(DIRS));
	if (!o)
		return;
	fd = open(dir, O_TMPFILE | O_RDWR, 0600);
	if (!grew(fd, 0, "O_TMPFILE"))
		return;
	object_write(o, fd, rnd(9000), 1 + rnd(30000), "write to a nameless file");
	sprintf(from, "/proc/self/fd/%d", fd);
	if (rnd(3) && grew(linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW),
			   e->kind ? EEXIST : 0, "link of a nameless file") && !e->kind)
		name_object(e, o);
	object_compare(o, fd);
	close(fd);
	check_entry(path, e);
}

/* Removed while it is open, and used on. */
static void own_orphan(int unused)
{
	struct object *o = object_new();
	char path[64];
	int fd;

	(void)unused;
	if (!o)
		return;
	sprintf(path, "own%u/orphan", me);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (!grew(fd, 0, "create an orphan"))
		return;
	object_write(o, fd, 0, 1 + rnd(20000), "write before unlink");
	must(unlink(path), 0, "unlink while open");
	object_write(o, fd, rnd(30000), 1 + rnd(20000), "write to an orphan");
	object_compare(o, fd);
	close(fd);
}

/* A directory of @count names, as compilers make them, made and removed. */
static void own_tmpdir(int count)
{
	char path[128];
	int made = 0;
	int i, fd;

	sprintf(path, "own%u/tmp", me);
	if (!grew(mkdir(path, 0700), 0, "mkdir of a temporary"))
		return;
	for (i = 0; i < count; i++) {
		sprintf(path, "own%u/tmp/cc-temporary-object-%d.o", me, i);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (!grew(fd, 0, "create of a temporary"))
			break;
		close(fd);
		made++;
	}
	for (i = 0; i < made; i++) {
		sprintf(path, "own%u/tmp/cc-temporary-object-%d.o", me, i);
		must(unlink(path), 0, "unlink of a temporary");
	}
	sprintf(path, "own%u/tmp", me);
	must(rmdir(path), 0, "rmdir of a temporary");
}

static void own_stat(int unused)
{
	char path[320];
	struct entry *e = pick(path);
	struct stat st;

	(void)unused;
	did(lstat(path, &st), e->kind ? 0 : ENOENT, "stat");
	check_entry(path, e);
}

/* Which of the names it is; NAMES for those that are always there. */
static unsigned int listed_name(const char *name, unsigned int dir)
{
	char want[256];
	unsigned int n;

	if (!strcmp(name, ".") || !strcmp(name, "..") || (!dir && !strncmp(name, "sub", 3)))
		return NAMES;
	if (sscanf(name, "n%2u", &n) == 1 && n < NAMES) {
		entry_name(want, n);
		if (!strcmp(name, want))
			return n;
	}
	errno = 0;
	bad("readdir: a name that nobody gave: %s", name);
}

static void check_list(unsigned int dir)
{
	static const unsigned char types[] = { 0, DT_REG, DT_DIR, DT_LNK, DT_CHR };
	bool seen[NAMES + 1] = { false };
	unsigned int n, subdirs = dir ? 0 : DIRS - 1;
	char path[64];
	struct dirent *d;
	struct stat st;
	DIR *list;

	dir_path(path, me, dir);
	list = opendir(path);
	must(list ? 0 : -1, 0, "opendir");
	for (errno = 0; (d = readdir(list)); errno = 0) {
		n = listed_name(d->d_name, dir);
		if (n < NAMES && (seen[n] || d->d_type != types[self->name[dir][n].kind]))
			bad("readdir: %s twice, or of type %u", d->d_name, d->d_type);
		seen[n] = true;
	}
	did(errno ? -1 : 0, 0, "readdir");
	closedir(list);
	for (n = 0; n < NAMES; n++) {
		if (seen[n] != !!self->name[dir][n].kind)
			bad("readdir: name %u of directory %u is missing", n, dir);
		subdirs += self->name[dir][n].kind == DIR_NAME;
	}
	if (must(lstat(path, &st), 0, "lstat") && st.st_nlink != subdirs + 2)
		bad("%s: %lu links with %u subdirectories", path, (long)st.st_nlink, subdirs);
}

static void own_list(int unused)
{
	(void)unused;
	check_list(rnd(DIRS));
}

static void own_statfs(int unused)
{
	struct statvfs st;

	(void)unused;
	if (did(statvfs(".", &st), 0, "statfs") &&
	    (st.f_bfree > st.f_blocks || st.f_bavail > st.f_bfree))
		bad("statfs: %lu blocks, %lu free, %lu to be had", (long)st.f_blocks,
		    (long)st.f_bfree, (long)st.f_bavail);
}

void verify_own(void)
{
	unsigned int dir, n;
	char path[320];

	for (dir = 0; dir < DIRS; dir++) {
		check_list(dir);
		for (n = 0; n < NAMES; n++) {
			struct entry *e = &self->name[dir][n];
			int fd;

			entry_path(path, me, dir, n);
			check_entry(path, e);
			if (e->kind != FILE_NAME)
				continue;
			fd = open(path, O_RDONLY);
			if (must(fd, 0, "open")) {
				object_compare(&self->file[e->file], fd);
				attrs_compare(&self->file[e->file], fd);
			}
			close(fd);
		}
	}
}

const struct op name_ops[] = {
	{ "create", 12, own_create, 0 },
	{ "unlink", 8, own_unlink, 0 },
	{ "mkdir", 4, own_mkdir, 0 },
	{ "rmdir", 6, own_rmdir, 0 },
	{ "temporary directory", 6, own_tmpdir, 30 },
	{ "large temporary directory", 1, own_tmpdir, 200 },
	{ "symlink", 4, own_symlink, 0 },
	{ "long symlink", 8, own_symlink, 1 },
	{ "long symlinks that pass", 6, own_symlinks, 0 },
	{ "link", 5, own_link, 0 },
	{ "rename", 8, own_rename, 0 },
	{ "rename noreplace", 3, own_rename, RENAME_NOREPLACE },
	{ "rename exchange", 3, own_rename, RENAME_EXCHANGE },
	{ "rename whiteout", 3, own_rename, RENAME_WHITEOUT },
	{ "tmpfile", 4, own_tmpfile, 0 },
	{ "orphan", 3, own_orphan, 0 },
	{ "stat", 4, own_stat, 0 },
	{ "readdir", 3, own_list, 0 },
	{ "statfs", 2, own_statfs, 0 },
};
const unsigned int name_ops_count = sizeof(name_ops) / sizeof(name_ops[0]);
