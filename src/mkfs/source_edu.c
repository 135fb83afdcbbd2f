// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_edu.c - mkfs -d from a volume of the educational simplefs (edu.h).
 *
 * The whole tree is walked and checked before the first file is given out: breadth first, so that
 * parents come before what is in them, the names of a directory sorted.  A name is met once and a
 * directory has one name, or the volume is refused; so the walk ends, and what is kept in memory is
 * less than what the volume holds.
 */
#include "edu.h"
#include "source.h"

#define SFS_EDU_DEPTH	2048		/* directories in each other */
#define SFS_EDU_PATH	((SFS_EDU_DEPTH + 1) * (SFS_EDU_NAME_MAX + 1) + 1)
#define SFS_EDU_PIECE	(SFS_EDU_RUN_BLOCKS * SFS_BLOCK_SIZE)

struct sfs_edu_entry {
	size_t name;			/* where it begins among all names */
	u32 ino;
	u32 depth;
	size_t dir;			/* the entry it is in */
};

struct sfs_source_edu {
	struct sfs_source source;	/* first, so that one is the other */
	struct sfs_edu edu;
	const char *image;
	struct sfs_edu_file *files;	/* by inode; what no name leads to is never touched */
	struct sfs_edu_entry *entries;
	size_t nentries;
	size_t room;
	char *names;			/* of all entries, each with its NUL */
	size_t names_len;
	size_t names_room;
	size_t next;			/* to give out */
	char *path;			/* written from its end */
	char *outside;			/* the same behind the image's name, for messages */
	struct sfs_edu_inode_disk inode;	/* of the entry given out */
	struct sfs_edu_index_disk index;
	u32 pos;
	u8 piece[SFS_EDU_PIECE];
};

static int sfs_edu_no_memory(struct sfs_source_edu *s)
{
	return sfs_edu_fail(&s->edu, -ENOMEM, "no memory for what is in it");
}

static const char *sfs_edu_name(const struct sfs_source_edu *s, size_t at)
{
	return s->names + s->entries[at].name;
}

static const char *sfs_edu_path(struct sfs_source_edu *s, size_t at)
{
	char *p = s->path + SFS_EDU_PATH - 1;
	size_t len;

	for (*p = '\0'; at; at = s->entries[at].dir) {
		len = strlen(sfs_edu_name(s, at));
		if (*p)
			*--p = '/';
		p -= len;
		memcpy(p, sfs_edu_name(s, at), len);
	}
	return p;
}

static int sfs_edu_wrong(struct sfs_source_edu *s, size_t at, const char *why)
{
	return sfs_edu_fail(&s->edu, -EFSCORRUPTED, "ino=%u, %s", s->entries[at].ino, why);
}

/* Says what is wrong with the entry @at. */
static int sfs_edu_tell(struct sfs_source_edu *s, size_t at, int err)
{
	if (err)
		sfs_warn("%s:/%s: %s", s->image, sfs_edu_path(s, at), s->edu.why);
	return err;
}

/* Room for one more of both. */
static int sfs_edu_make_room(struct sfs_source_edu *s)
{
	size_t room = s->room ? 2 * s->room : 64;
	struct sfs_edu_entry *entries;
	char *names;

	if (s->nentries == s->room) {
		entries = reallocarray(s->entries, room, sizeof(*entries));
		if (!entries)
			return sfs_edu_no_memory(s);
		s->entries = entries;
		s->room = room;
	}
	if (s->names_room - s->names_len <= SFS_EDU_NAME_MAX) {
		room = 2 * s->names_room + 4096;
		names = realloc(s->names, room);
		if (!names)
			return sfs_edu_no_memory(s);
		s->names = names;
		s->names_room = room;
	}
	return 0;
}

/* @name is a valid one, or that of the root, which is empty. */
static int sfs_edu_add(struct sfs_source_edu *s, size_t dir, const char *name, u32 ino)
{
	size_t len = strlen(name) + 1;
	int err = sfs_edu_make_room(s);

	if (err)
		return err;
	s->entries[s->nentries++] = (struct sfs_edu_entry) {
		.name = s->names_len, .ino = ino, .dir = dir,
		.depth = *name ? s->entries[dir].depth + 1 : 0,
	};
	memcpy(s->names + s->names_len, name, len);
	s->names_len += len;
	return 0;
}

static int sfs_edu_by_name(const void *a, const void *b, void *arg)
{
	const struct sfs_source_edu *s = arg;

	return strcmp(s->names + ((const struct sfs_edu_entry *)a)->name,
		      s->names + ((const struct sfs_edu_entry *)b)->name);
}

static int sfs_edu_add_names(struct sfs_source_edu *s, size_t dir, u32 blk, u32 *count)
{
	struct sfs_edu_names_disk names;
	u32 ino = s->entries[dir].ino;
	unsigned int i;
	size_t len;
	int err;

	err = sfs_edu_names(&s->edu, ino, blk, &names);
	for (i = 0; i < SFS_EDU_NAMES && !err; i++) {
		const struct sfs_edu_name_disk *n = &names.d_slots[i];

		if (!n->n_ino)
			continue;
		len = strnlen(n->n_text, sizeof(n->n_text));
		if (len > SFS_EDU_NAME_MAX || !sfs_name_is_valid(n->n_text, len))
			return sfs_edu_corrupt(&s->edu, "names", blk, ino,
					       "a name that cannot be");
		err = sfs_edu_add(s, dir, n->n_text, le32_to_cpu(n->n_ino));
		++*count;
	}
	return err;
}

/* All names in the directory @dir become entries, sorted. */
static int sfs_edu_list(struct sfs_source_edu *s, size_t dir)
{
	size_t first = s->nentries;
	u32 ino = s->entries[dir].ino;
	unsigned int i;
	unsigned int j;
	size_t k;
	int err = 0;

	for (i = 0; i < SFS_EDU_RUNS && !err; i++) {
		const struct sfs_edu_run_disk *run = &s->index.x_runs[i];
		u32 count = 0;

		for (j = 0; run->r_blk && j < SFS_EDU_RUN_BLOCKS && !err; j++)
			err = sfs_edu_add_names(s, dir, le32_to_cpu(run->r_blk) + j, &count);
		if (!err && run->r_blk && count != le32_to_cpu(run->r_names))
			return sfs_edu_corrupt(&s->edu, "names", le32_to_cpu(run->r_blk), ino,
					       "not as many in a run as it says");
	}
	if (err || first == s->nentries)
		return err;
	qsort_r(s->entries + first, s->nentries - first, sizeof(*s->entries), sfs_edu_by_name, s);
	for (k = first + 1; k < s->nentries; k++)
		if (!strcmp(sfs_edu_name(s, k - 1), sfs_edu_name(s, k)))
			return sfs_edu_wrong(s, dir, "holds a name twice");
	return 0;
}

/* The inode that the entry @at names; met for the first time it takes its blocks. */
static int sfs_edu_meet(struct sfs_source_edu *s, size_t at)
{
	const struct sfs_edu_entry e = s->entries[at];
	struct sfs_edu_file *file;
	bool is_dir;
	int err;

	err = sfs_edu_inode(&s->edu, e.ino, &s->inode);
	if (err)
		return err;
	is_dir = S_ISDIR(le32_to_cpu(s->inode.i_mode));
	file = &s->files[e.ino];
	if (!at && !is_dir)
		return sfs_edu_wrong(s, at, "a root that is no directory");
	if (is_dir && file->links)
		return sfs_edu_wrong(s, at, "another name of a directory");
	if (e.depth > SFS_EDU_DEPTH)
		return sfs_edu_wrong(s, at, "more than 2048 directories in each other");
	if (file->links++ || S_ISLNK(le32_to_cpu(s->inode.i_mode))) {
		file->nlink = le32_to_cpu(s->inode.i_nlink);
		return 0;
	}
	file->nlink = le32_to_cpu(s->inode.i_nlink);
	err = sfs_edu_index(&s->edu, e.ino, &s->inode, &s->index);
	if (!err)
		err = sfs_edu_take(&s->edu, e.ino, &s->inode, &s->index);
	if (!err && is_dir) {
		file->links++;		/* "." */
		s->files[s->entries[e.dir].ino].links += at != 0;	/* ".." */
		err = sfs_edu_list(s, at);
	}
	return err;
}

static int sfs_edu_scan(struct sfs_source_edu *s)
{
	s64 unmarked;
	size_t i;
	int err;

	err = sfs_edu_add(s, 0, "", SFS_EDU_ROOT);
	for (i = 0; !err && i < s->nentries; i++)
		err = sfs_edu_tell(s, i, sfs_edu_meet(s, i));
	for (i = 0; !err && i < s->nentries; i++) {
		const struct sfs_edu_file *file = &s->files[s->entries[i].ino];

		if (file->nlink != file->links)
			err = sfs_edu_tell(s, i, sfs_edu_wrong(s, i, "its count of links is not "
							       "that of its names"));
	}
	if (err)
		return err;
	unmarked = sfs_edu_unmarked(&s->edu, s->files);
	if (unmarked < 0)
		return sfs_edu_tell(s, 0, unmarked);
	if (unmarked > 0)
		sfs_warn("warning: %s: was not unmounted cleanly: %lld blocks and inodes in use "
			 "are marked free; what names lead to is taken", s->image,
			 (long long)unmarked);
	return 0;
}

static int sfs_edu_next(struct sfs_source *source, struct sfs_entry *ret_entry)
{
	struct sfs_source_edu *s = (struct sfs_source_edu *)source;
	const struct sfs_edu_entry *e;
	u32 mode;
	int err;

	if (s->next == s->nentries)
		return 0;
	e = &s->entries[s->next];
	/* Read once more, and checked once more: it may have changed. */
	err = sfs_edu_inode(&s->edu, e->ino, &s->inode);
	mode = le32_to_cpu(s->inode.i_mode);
	if (!err && S_ISREG(mode))
		err = sfs_edu_index(&s->edu, e->ino, &s->inode, &s->index);
	if (err)
		return sfs_edu_tell(s, s->next, err);
	*ret_entry = (struct sfs_entry) {
		.path = sfs_edu_path(s, s->next), .name = s->outside,
		.target = S_ISLNK(mode) ? s->inode.i_target : NULL,
		.ino = S_ISDIR(mode) ? NULL : &s->files[e->ino].in_volume,
		.st = {
			.st_mode = mode,
			.st_uid = le32_to_cpu(s->inode.i_uid),
			.st_gid = le32_to_cpu(s->inode.i_gid),
			.st_size = le32_to_cpu(s->inode.i_size),
			.st_mtim.tv_sec = le32_to_cpu(s->inode.i_mtime),
		},
	};
	sprintf(s->outside, "%s:/%s", s->image, ret_entry->path);
	s->pos = 0;
	s->next++;
	return 1;
}

/* A run at a time. */
static int sfs_edu_data(struct sfs_source *source, const void **ret_data, size_t *ret_nbytes,
			u64 *ret_pos)
{
	struct sfs_source_edu *s = (struct sfs_source_edu *)source;
	u32 size = le32_to_cpu(s->inode.i_size);
	u32 want = min_t(u32, size - s->pos, SFS_EDU_PIECE);
	u32 blk;
	u32 have;
	int err;

	if (!want)
		return 0;
	blk = le32_to_cpu(s->index.x_runs[s->pos / SFS_EDU_PIECE].r_blk);
	for (have = 0; have < want; have += SFS_BLOCK_SIZE) {
		err = sfs_edu_read(&s->edu, blk++, s->piece + have);
		if (err)
			return sfs_edu_tell(s, s->next - 1, err);
	}
	*ret_data = s->piece;
	*ret_nbytes = want;
	*ret_pos = s->pos;
	s->pos += want;
	return 1;
}

static void sfs_edu_free(struct sfs_source *source)
{
	struct sfs_source_edu *s = (struct sfs_source_edu *)source;

	free(s->entries);
	free(s->names);
	free(s->files);
	free(s->path);
	free(s->outside);
	sfs_edu_close(&s->edu);
	free(s);
}

int sfs_source_edu_open(const char *path, struct sfs_source **ret_source)
{
	struct sfs_source_edu *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->source = (struct sfs_source) { sfs_edu_next, sfs_edu_data, sfs_edu_free };
	s->image = path;
	err = sfs_edu_open(path, &s->edu);
	if (!err) {
		s->files = calloc(s->edu.inodes, sizeof(*s->files));
		s->path = malloc(SFS_EDU_PATH);
		s->outside = malloc(SFS_EDU_PATH + strlen(path) + 2);
		if (!s->files || !s->path || !s->outside)
			err = sfs_edu_no_memory(s);
	}
	if (err)
		sfs_warn("%s: %s", path, s->edu.why);
	else
		err = sfs_edu_scan(s);
	if (err) {
		sfs_edu_free(&s->source);
		return err;
	}
	*ret_source = &s->source;
	return 0;
}
