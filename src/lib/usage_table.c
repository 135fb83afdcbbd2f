// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage_table.c - tables of usage in memory, and their shape on the volume: Linux's vfsv1.
 *
 * Chunk 0 has the head, chunk 1 is the root of a tree of four levels, each a byte of the id: 256
 * numbers of chunks, 0 for none.  Below the last are chunks of entries, for any ids: the tree says
 * only where an id's entry is.  Chunks of entries with room are on one list, chunks of no use on
 * another.  The kernel believes most of it, so all of it is verified here.
 */
#include "usage.h"

#define SFS_USAGE_FAN		(SFS_CHUNK / 4)

struct sfs_usage_block_disk {
	__le32 b_next;			/* on its list */
	__le32 b_prev;
	__le16 b_entries;		/* in use */
	__le16 b_pad16;
	__le32 b_pad32;
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_usage_block_disk) == 16, "sfs_usage_block_disk");

/* All zero: there is none. */
struct sfs_usage_disk {
	__le32 e_id;
	__le32 e_pad;
	__le64 e_ihard;
	__le64 e_isoft;
	__le64 e_inodes;
	__le64 e_bhard;
	__le64 e_bsoft;
	__le64 e_space;
	__le64 e_btime;
	__le64 e_itime;
} __attribute__((packed, aligned(4)));
static_assert(sizeof(struct sfs_usage_disk) == 72, "sfs_usage_disk");

#define SFS_USAGE_ENTRIES \
	((SFS_CHUNK - sizeof(struct sfs_usage_block_disk)) / sizeof(struct sfs_usage_disk))

static const struct sfs_usage_disk sfs_usage_none;

static struct sfs_usage_disk *sfs_usage_entry(void *chunk, unsigned int n)
{
	return (struct sfs_usage_disk *)((struct sfs_usage_block_disk *)chunk + 1) + n;
}

static bool sfs_usage_is_none(const struct sfs_usage_disk *e)
{
	return !memcmp(e, &sfs_usage_none, sizeof(*e));
}

/* ---- in memory ---- */

static size_t sfs_usage_slot(const struct sfs_usages *t, u32 id)
{
	size_t n = (id * 0x9e3779b1u) & (t->t_nhash - 1);

	while (t->t_hash[n] && t->t_usage[t->t_hash[n] - 1].u_id != id)
		n = (n + 1) & (t->t_nhash - 1);
	return n;
}

static int sfs_usages_widen(struct sfs_usages *t)
{
	size_t room = t->t_nhash ? 2 * t->t_nhash : 64;
	u32 *hash = calloc(room, sizeof(*hash));
	void *p = realloc(t->t_usage, room / 2 * sizeof(*t->t_usage));
	size_t n;

	if (p)
		t->t_usage = p;
	if (!hash || !p) {
		free(hash);
		return -ENOMEM;
	}
	free(t->t_hash);
	t->t_hash = hash;
	t->t_nhash = room;
	for (n = 0; n < t->t_n; n++)
		hash[sfs_usage_slot(t, t->t_usage[n].u_id)] = n + 1;
	return 0;
}

struct sfs_usage *sfs_usage_of(struct sfs_usages *t, u32 id)
{
	size_t slot;

	if (2 * t->t_n >= t->t_nhash && sfs_usages_widen(t))
		return NULL;
	slot = sfs_usage_slot(t, id);
	if (!t->t_hash[slot]) {
		t->t_usage[t->t_n] = (struct sfs_usage) { .u_id = id };
		t->t_hash[slot] = ++t->t_n;
	}
	return &t->t_usage[t->t_hash[slot] - 1];
}

void sfs_usages_free(struct sfs_usages *t)
{
	free(t->t_usage);
	free(t->t_hash);
	memset(t, 0, sizeof(*t));
}

/* ---- read ---- */

enum { SFS_USAGE_UNSEEN, SFS_USAGE_INNER, SFS_USAGE_LEAF, SFS_USAGE_UNUSED };

struct sfs_usage_reader {
	struct sfs_inode *in;
	struct sfs_usages *t;
	u64 nchunks;			/* in use */
	u8 *seen;			/* what each is */
	const char *why;
};

/* Something is wrong: the first is told, and the rest is read. */
static void sfs_usage_bad(struct sfs_usage_reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

static int sfs_usage_chunk(struct sfs_usage_reader *r, u64 n, void *chunk)
{
	return sfs_quota_read(r->in, n * SFS_CHUNK, chunk, SFS_CHUNK);
}

static int sfs_usage_take(struct sfs_usage_reader *r, const struct sfs_usage_disk *e)
{
	struct sfs_usage *u = sfs_usage_of(r->t, le32_to_cpu(e->e_id));

	if (!u)
		return -ENOMEM;
	u->u_space = le64_to_cpu(e->e_space);
	u->u_inodes = le64_to_cpu(e->e_inodes);
	u->u_bsoft = le64_to_cpu(e->e_bsoft);
	u->u_bhard = le64_to_cpu(e->e_bhard);
	u->u_isoft = le64_to_cpu(e->e_isoft);
	u->u_ihard = le64_to_cpu(e->e_ihard);
	u->u_btime = le64_to_cpu(e->e_btime);
	u->u_itime = le64_to_cpu(e->e_itime);
	return 0;
}

/* The entry of @id, which the tree says is in chunk @n. */
static int sfs_usage_read_leaf(struct sfs_usage_reader *r, u64 n, u32 id)
{
	u8 chunk[SFS_CHUNK] __attribute__((aligned(8)));
	unsigned int i, found = 0;
	int err = sfs_usage_chunk(r, n, chunk);

	for (i = 0; i < SFS_USAGE_ENTRIES && !err; i++) {
		const struct sfs_usage_disk *e = sfs_usage_entry(chunk, i);

		if (le32_to_cpu(e->e_id) != id || sfs_usage_is_none(e))
			continue;
		if (!found++)
			err = sfs_usage_take(r, e);
	}
	if (!err && found != 1)
		sfs_usage_bad(r, "an entry is not where the tree says");
	return err;
}

/* Chunk @n is to be of @kind; only leaves are named more than once.  False: not to be read. */
static bool sfs_usage_see(struct sfs_usage_reader *r, u64 n, u8 kind)
{
	if (n <= SFS_QUOTA_ROOT || n >= r->nchunks) {
		sfs_usage_bad(r, "a chunk's number is out of range");
		return false;
	}
	if (r->seen[n] != SFS_USAGE_UNSEEN &&
	    (kind != SFS_USAGE_LEAF || r->seen[n] != SFS_USAGE_LEAF)) {
		sfs_usage_bad(r, "a chunk is used twice");
		return false;
	}
	r->seen[n] = kind;
	return true;
}

static int sfs_usage_read_inner(struct sfs_usage_reader *r, u64 n, unsigned int level, u32 id)
{
	__le32 refs[SFS_USAGE_FAN];
	bool last = level + 1 == SFS_QUOTA_LEVELS;
	unsigned int i;
	int err = sfs_usage_chunk(r, n, refs);

	for (i = 0; i < SFS_USAGE_FAN && !err; i++) {
		u32 child = le32_to_cpu(refs[i]);

		if (!child || !sfs_usage_see(r, child, last ? SFS_USAGE_LEAF : SFS_USAGE_INNER))
			continue;
		err = last ? sfs_usage_read_leaf(r, child, id << 8 | i) :
			     sfs_usage_read_inner(r, child, level + 1, id << 8 | i);
		if (sfs_is_damage(err)) {
			sfs_usage_bad(r, "a chunk cannot be read");
			err = 0;
		}
	}
	return err;
}

/* Chunks of no use are seen for the first time here. */
static int sfs_usage_read_unused(struct sfs_usage_reader *r, u32 n)
{
	u8 chunk[SFS_CHUNK] __attribute__((aligned(8)));
	int err = 0;

	for (; n && !err; n = le32_to_cpu(((struct sfs_usage_block_disk *)chunk)->b_next)) {
		if (!sfs_usage_see(r, n, SFS_USAGE_UNUSED))
			break;
		err = sfs_usage_chunk(r, n, chunk);
		if (err)
			break;
	}
	return err;
}

/* All leaves with room are on the list from @first on, in @ret_n steps, and no others. */
static int sfs_usage_read_room(struct sfs_usage_reader *r, u32 first, u64 *ret_n)
{
	u8 chunk[SFS_CHUNK] __attribute__((aligned(8)));
	const struct sfs_usage_block_disk *b = (const void *)chunk;
	u32 n, prev = 0;
	u64 steps = 0;
	int err;

	for (n = first; n; n = le32_to_cpu(b->b_next)) {
		if (n >= r->nchunks || r->seen[n] != SFS_USAGE_LEAF || ++steps > r->nchunks) {
			sfs_usage_bad(r, "the list of entries leads astray");
			break;
		}
		err = sfs_usage_chunk(r, n, chunk);
		if (err)
			return err;
		if (le32_to_cpu(b->b_prev) != prev ||
		    le16_to_cpu(b->b_entries) >= SFS_USAGE_ENTRIES)
			sfs_usage_bad(r, "the list of entries leads astray");
		prev = n;
	}
	*ret_n = steps;
	return 0;
}

/* Every chunk is something, and counts its entries right. */
static int sfs_usage_read_rest(struct sfs_usage_reader *r, u64 on_list)
{
	u8 chunk[SFS_CHUNK] __attribute__((aligned(8)));
	unsigned int i, entries;
	u64 n, room = 0, total = 0;
	int err;

	for (n = SFS_QUOTA_ROOT + 1; n < r->nchunks; n++) {
		if (r->seen[n] == SFS_USAGE_UNSEEN)
			sfs_usage_bad(r, "a chunk is nowhere");
		if (r->seen[n] != SFS_USAGE_LEAF)
			continue;
		err = sfs_usage_chunk(r, n, chunk);
		if (err)
			return err;
		for (i = entries = 0; i < SFS_USAGE_ENTRIES; i++)
			entries += !sfs_usage_is_none(sfs_usage_entry(chunk, i));
		if (entries != le16_to_cpu(((struct sfs_usage_block_disk *)chunk)->b_entries))
			sfs_usage_bad(r, "a chunk counts its entries wrong");
		room += entries < SFS_USAGE_ENTRIES;
		total += entries;
	}
	if (room != on_list)
		sfs_usage_bad(r, "room for entries is not on its list");
	if (total != r->t->t_n)
		sfs_usage_bad(r, "entries that the tree does not know");
	return 0;
}

static int sfs_usages_read(struct sfs_usage_reader *r, unsigned int q)
{
	struct sfs_quota_head_disk head;
	u64 on_list = 0;
	int err;

	if (r->in->i_size < 2 * SFS_CHUNK || r->in->i_size % SFS_CHUNK) {
		sfs_usage_bad(r, "its size is wrong");
		return 0;
	}
	err = sfs_quota_read(r->in, 0, &head, sizeof(head));
	if (err)
		return err;
	if (le32_to_cpu(head.q_magic) != sfs_quota_magic[q] ||
	    le32_to_cpu(head.q_version) != SFS_QUOTA_VERSION) {
		sfs_usage_bad(r, "its head is another's");
		return 0;
	}
	r->t->t_bgrace = le32_to_cpu(head.q_bgrace);
	r->t->t_igrace = le32_to_cpu(head.q_igrace);
	r->t->t_flags = le32_to_cpu(head.q_flags);
	r->nchunks = le32_to_cpu(head.q_blocks);
	/* A block has three of them at most. */
	if (r->nchunks <= SFS_QUOTA_ROOT || r->nchunks > r->in->i_size / SFS_CHUNK ||
	    r->nchunks > 3 * r->in->i_fs->f_blocks) {
		sfs_usage_bad(r, "more chunks in use than there are");
		return 0;
	}
	r->seen = calloc(1, r->nchunks);
	if (!r->seen)
		return -ENOMEM;
	err = sfs_usage_read_inner(r, SFS_QUOTA_ROOT, 0, 0);
	if (!err)
		err = sfs_usage_read_unused(r, le32_to_cpu(head.q_free_blk));
	if (!err)
		err = sfs_usage_read_room(r, le32_to_cpu(head.q_free_entry), &on_list);
	return err ? err : sfs_usage_read_rest(r, on_list);
}

int sfs_usages_load(struct sfs_inode *in, unsigned int q, struct sfs_usages *t,
		    const char **ret_why)
{
	struct sfs_usage_reader r = { .in = in, .t = t };
	int err = sfs_usages_read(&r, q);

	free(r.seen);
	if (sfs_is_damage(err))
		sfs_usage_bad(&r, "a chunk cannot be read");
	else if (err)
		return err;
	if (!r.why)
		return 0;
	*ret_why = r.why;
	return -EFSCORRUPTED;
}

/* ---- changed ---- */

/* A time that a soft limit may be passed for begins when it is. */
static u64 sfs_usage_time(u64 time, u64 held, u64 soft)
{
	return soft && held > soft ? time : 0;
}

int sfs_usage_subtract(struct sfs_trans *t, struct sfs_inode *in, u32 id, u64 space, u64 inodes)
{
	u64 at = SFS_QUOTA_ROOT;
	struct sfs_usage_disk e;
	unsigned int level, i;
	__le32 next;
	int err;

	for (level = SFS_QUOTA_LEVELS; level--; at = le32_to_cpu(next)) {
		err = sfs_quota_read(in, at * SFS_CHUNK + 4 * (id >> 8 * level & 0xff), &next,
				     sizeof(next));
		if (err || !next)
			return err;
	}
	at = at * SFS_CHUNK + sizeof(struct sfs_usage_block_disk);
	for (i = 0; i < SFS_USAGE_ENTRIES; i++, at += sizeof(e)) {
		err = sfs_quota_read(in, at, &e, sizeof(e));
		if (err)
			return err;
		if (le32_to_cpu(e.e_id) != id || sfs_usage_is_none(&e))
			continue;
		e.e_space = cpu_to_le64(le64_to_cpu(e.e_space) -
					min(space, le64_to_cpu(e.e_space)));
		e.e_inodes = cpu_to_le64(le64_to_cpu(e.e_inodes) -
					 min(inodes, le64_to_cpu(e.e_inodes)));
		e.e_btime = cpu_to_le64(sfs_usage_time(le64_to_cpu(e.e_btime),
						       le64_to_cpu(e.e_space),
						       le64_to_cpu(e.e_bsoft) << 10));
		e.e_itime = cpu_to_le64(sfs_usage_time(le64_to_cpu(e.e_itime),
						       le64_to_cpu(e.e_inodes),
						       le64_to_cpu(e.e_isoft)));
		/* An entry of zeros would be none. */
		if (sfs_usage_is_none(&e))
			e.e_itime = cpu_to_le64(1);
		return sfs_quota_write(t, in, at, &e, sizeof(e));
	}
	return 0;
}

/* ---- made ---- */

struct sfs_usage_maker {
	u8 *chunks;
	u64 n;
	u64 room;
	u64 leaf;			/* the last one with entries, 0: none */
	unsigned int entries;		/* in it */
};

/* The number of a new chunk of zeros; 0: no memory. */
static u64 sfs_usage_add(struct sfs_usage_maker *m)
{
	void *p;

	if (!m->chunks || m->n == m->room) {
		m->room = m->room ? 2 * m->room : 16;
		p = realloc(m->chunks, m->room * SFS_CHUNK);
		if (!p)
			return 0;
		m->chunks = p;
	}
	memset(m->chunks + m->n * SFS_CHUNK, 0, SFS_CHUNK);
	return m->n++;
}

static int sfs_usage_put(struct sfs_usage_maker *m, const struct sfs_usage *u)
{
	u64 at = SFS_QUOTA_ROOT;
	unsigned int level;
	u64 next;

	if (!m->leaf || m->entries == SFS_USAGE_ENTRIES) {
		m->leaf = sfs_usage_add(m);
		if (!m->leaf)
			return -ENOMEM;
		m->entries = 0;
	}
	for (level = 0; level < SFS_QUOTA_LEVELS; level++, at = next) {
		unsigned int i = u->u_id >> (8 * (SFS_QUOTA_LEVELS - 1 - level)) & 0xff;

		next = le32_to_cpu(((__le32 *)(m->chunks + at * SFS_CHUNK))[i]);
		if (!next) {
			next = level + 1 == SFS_QUOTA_LEVELS ? m->leaf : sfs_usage_add(m);
			if (!next)
				return -ENOMEM;
			((__le32 *)(m->chunks + at * SFS_CHUNK))[i] = cpu_to_le32(next);
		}
	}
	*sfs_usage_entry(m->chunks + m->leaf * SFS_CHUNK, m->entries++) = (struct sfs_usage_disk) {
		.e_id = cpu_to_le32(u->u_id),
		.e_ihard = cpu_to_le64(u->u_ihard), .e_isoft = cpu_to_le64(u->u_isoft),
		.e_inodes = cpu_to_le64(u->u_held_inodes),
		.e_bhard = cpu_to_le64(u->u_bhard), .e_bsoft = cpu_to_le64(u->u_bsoft),
		.e_space = cpu_to_le64(u->u_held_space),
		.e_btime = cpu_to_le64(sfs_usage_time(u->u_btime, u->u_held_space,
						      u->u_bsoft << 10)),
		.e_itime = cpu_to_le64(sfs_usage_time(u->u_itime, u->u_held_inodes, u->u_isoft)),
	};
	((struct sfs_usage_block_disk *)(m->chunks + m->leaf * SFS_CHUNK))->b_entries =
		cpu_to_le16(m->entries);
	return 0;
}

static int sfs_usage_compare(const void *a, const void *b)
{
	u32 left = ((const struct sfs_usage *)a)->u_id;
	u32 right = ((const struct sfs_usage *)b)->u_id;

	return left < right ? -1 : left > right;
}

static bool sfs_usage_is_worth(const struct sfs_usage *u)
{
	return u->u_held_space || u->u_held_inodes || u->u_bsoft || u->u_bhard || u->u_isoft ||
	       u->u_ihard;
}

int sfs_usages_build(struct sfs_usages *t, unsigned int q, u8 **ret_chunks, u64 *ret_n)
{
	struct sfs_usage_maker m = { 0 };
	struct sfs_quota_head_disk *head;
	size_t n;
	int err = 0;

	/* The order of the ids, so that the same usage gives the same bytes. */
	if (t->t_n)
		qsort(t->t_usage, t->t_n, sizeof(*t->t_usage), sfs_usage_compare);
	if (t->t_hash)
		memset(t->t_hash, 0, t->t_nhash * sizeof(*t->t_hash));
	for (n = 0; t->t_hash && n < t->t_n; n++)
		t->t_hash[sfs_usage_slot(t, t->t_usage[n].u_id)] = n + 1;
	sfs_usage_add(&m);
	if (!sfs_usage_add(&m))
		err = -ENOMEM;
	for (n = 0; n < t->t_n && !err; n++)
		if (sfs_usage_is_worth(&t->t_usage[n]))
			err = sfs_usage_put(&m, &t->t_usage[n]);
	if (err) {
		free(m.chunks);
		return err;
	}
	head = (struct sfs_quota_head_disk *)m.chunks;
	head->q_magic = cpu_to_le32(sfs_quota_magic[q]);
	head->q_version = cpu_to_le32(SFS_QUOTA_VERSION);
	head->q_bgrace = cpu_to_le32(t->t_bgrace);
	head->q_igrace = cpu_to_le32(t->t_igrace);
	head->q_flags = cpu_to_le32(t->t_flags);
	head->q_blocks = cpu_to_le32(m.n);
	if (m.leaf && m.entries < SFS_USAGE_ENTRIES)
		head->q_free_entry = cpu_to_le32(m.leaf);
	*ret_chunks = m.chunks;
	*ret_n = m.n;
	return 0;
}

/* ---- named ---- */

int sfs_usage_parse(const char *text)
{
	static const char *const names[SFS_QUOTAS] = { "usr", "grp", "prj" };
	int mask = 0;
	unsigned int q;

	while (*text) {
		size_t len = strcspn(text, ",");

		for (q = 0; q < SFS_QUOTAS; q++)
			if (len == strlen(names[q]) && !memcmp(text, names[q], len))
				break;
		if (q == SFS_QUOTAS)
			return -1;
		mask |= 1 << q;
		text += len;
		if (*text == ',' && !*++text)
			return -1;
	}
	return mask ? mask : -1;
}
