// SPDX-License-Identifier: GPL-2.0-only
/*
 * xattr.c - extended attributes: their records, and how they are found, set and removed.
 *
 * An attribute is one string of bytes, its structure, its name and its value, cut into pieces of
 * SFS_CHUNK bytes with keys that follow each other.  So a small one is one record, and the pieces
 * of a large one lie in neighbouring leaves: those count for the journal, not the records.
 *
 * All of an old value is read before the first change, and the new one is written over it: first
 * come the pieces that it has more, then the last one of those that both have, for which there may
 * be no room either, and then what cannot fail: all others, of the same length, and the end of what
 * it has less.
 *
 * The caller holds the tree lock, exclusively for changes.
 */
#include "core.h"

#define SFS_XATTR_CHUNKS	256		/* numbers that a position has for pieces */
#define SFS_XATTR_KEY_BITS	12		/* of a position, below the hash */
#define SFS_XATTR_HASH_DROP	16		/* low bits of the hash that are left out */
#define SFS_XATTR_BYTES_MAX	(sizeof(struct sfs_xattr_disk) + SFS_NAME_MAX + SFS_XATTR_MAX)

static unsigned int sfs_xattr_chunk(u64 pos)
{
	return pos % SFS_XATTR_CHUNKS;
}

bool sfs_xattr_is_none(const struct sfs_inode *in)
{
	const struct sfs_node_disk *root = (const void *)in->i_root;
	const struct sfs_slot_disk *slot = (const void *)(root + 1);

	/* No kind has lower keys. */
	return !root->n_level && (!root->n_count ||
				  sfs_key_kind(le64_to_cpu(slot->s_key)) != SFS_KIND_XATTR);
}

/* Of the whole attribute. */
static u32 sfs_xattr_nbytes(const struct sfs_xattr_disk *disk)
{
	return sizeof(*disk) + disk->x_len + le32_to_cpu(disk->x_nbytes);
}

const char *sfs_xattr_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			     unsigned int nbytes)
{
	const struct sfs_xattr_disk *disk = rec;
	unsigned int head;

	if (!(fs->f_compat & SFS_COMPAT_XATTR))
		return "an attribute that no feature speaks of";
	if (nbytes > SFS_CHUNK || sfs_xattr_chunk(pos) > SFS_XATTR_BYTES_MAX / SFS_CHUNK)
		return "piece of an attribute out of range";
	if (sfs_xattr_chunk(pos))
		return NULL;
	if (nbytes <= sizeof(*disk) || nbytes < sizeof(*disk) + disk->x_len)
		return "attribute of a wrong length";
	if (!disk->x_space || disk->x_space > SFS_XATTR_SYSTEM)
		return "attribute in an unknown namespace";
	if (!disk->x_len || memchr(disk + 1, 0, disk->x_len))
		return "attribute with an impossible name";
	if (le32_to_cpu(disk->x_nbytes) > SFS_XATTR_MAX)
		return "value of an attribute too long";
	if (nbytes != min_t(u32, sfs_xattr_nbytes(disk), SFS_CHUNK))
		return "attribute of a wrong length";
	head = sizeof(*disk) + disk->x_len;
	if (sfs_xattr_is_acl(disk->x_space, (const char *)(disk + 1), disk->x_len))
		return sfs_acl_verify((const u8 *)rec + head, nbytes - head,
				      le32_to_cpu(disk->x_nbytes));
	return NULL;
}

void sfs_xattr_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes)
{
	const struct sfs_xattr_disk *disk = rec;
	unsigned int at = 0;

	out->hex(out, "pos", pos);
	if (!sfs_xattr_chunk(pos) && nbytes > sizeof(*disk)) {
		at = min(nbytes, (unsigned int)sizeof(*disk) + disk->x_len);
		out->num(out, "nbytes", le32_to_cpu(disk->x_nbytes));
		out->num(out, "len", disk->x_len);
		out->num(out, "space", disk->x_space);
		out->str(out, "name", (const char *)(disk + 1), at - sizeof(*disk));
	}
	out->bytes(out, "data", (const u8 *)rec + at, nbytes - at);
}

/* NULL, or why the record at @pos cannot come after @last, of whose attribute @left are missing. */
static const char *sfs_xattr_follows(const struct sfs_inode *in, u64 pos, u64 last, u32 left,
				     const struct sfs_xattr_disk *disk, unsigned int nbytes)
{
	u64 hash;

	if (left && pos != last + 1)
		return "a piece of it is missing";
	if (left)
		return nbytes == min_t(u32, left, SFS_CHUNK) ? NULL : "a piece of it is too short";
	if (sfs_xattr_chunk(pos))
		return "a piece without a beginning";
	hash = sfs_siphash(in->i_fs->f_hash_key, &disk->x_space, 1 + disk->x_len);
	if (hash >> SFS_XATTR_HASH_DROP != pos >> SFS_XATTR_KEY_BITS)
		return "its key is not the hash of its name";
	return NULL;
}

/* ---- finding ---- */

/* Where an attribute is, or would be. */
struct sfs_xattr_place {
	bool p_found;
	u64 p_key;			/* if found: of its first piece */
	u32 p_nbytes;			/* and all of it */
	u64 p_free;			/* if not: where it may be put, or 0 */
};

/* The first key that an attribute with this structure and name may have. */
static u64 sfs_xattr_first(const struct sfs_inode *in, u8 space, const char *name,
			   unsigned int len)
{
	u8 hashed[1 + SFS_NAME_MAX] = { space };
	u64 hash;

	memcpy(hashed + 1, name, len);
	hash = sfs_siphash(in->i_fs->f_hash_key, hashed, 1 + len);
	return sfs_key(SFS_KIND_XATTR, hash >> SFS_XATTR_HASH_DROP << SFS_XATTR_KEY_BITS);
}

static int sfs_xattr_corrupt(const struct sfs_inode *in, const char *why)
{
	return sfs_corrupt(in->i_fs, 0, in->i_ino, "attribute", why);
}

/*
 * Looks at the record at @path, which is to be the first piece of an attribute.  Sets @place if it
 * is that of @x.
 */
static int sfs_xattr_match(const struct sfs_path *path, const struct sfs_xattr *x,
			   struct sfs_xattr_place *place)
{
	struct sfs_inode *in = path->p_inode;
	const struct sfs_xattr_disk *disk;
	unsigned int nbytes;
	const char *why;
	u64 key = sfs_path_key(path);

	disk = sfs_path_record(path, &nbytes);
	why = sfs_xattr_follows(in, sfs_key_pos(key), 0, 0, disk, nbytes);
	if (why)
		return sfs_xattr_corrupt(in, why);
	if (disk->x_space != x->x_space || disk->x_len != x->x_len ||
	    memcmp(disk + 1, x->x_name, x->x_len))
		return 0;
	place->p_found = true;
	place->p_key = key;
	place->p_nbytes = sfs_xattr_nbytes(disk);
	return 0;
}

/* Not finding it is no error. */
static int sfs_xattr_place(struct sfs_inode *in, const struct sfs_xattr *x,
			   struct sfs_xattr_place *ret_place)
{
	u64 first = sfs_xattr_first(in, x->x_space, x->x_name, x->x_len);
	u64 end = first + SFS_XATTR_COLLISIONS * SFS_XATTR_CHUNKS;
	struct sfs_xattr_place place = { 0 };
	struct sfs_path path;
	u64 key = first;
	u64 have;
	int err = 0;

	while (key < end && !place.p_found) {
		err = sfs_tree_find_ge(in, key, &path);
		if (err)
			break;
		have = sfs_path_key(&path);
		if (have < end)
			err = sfs_xattr_match(&path, x, &place);
		sfs_path_release(&path);
		if (err)
			return err;
		if (have > key && !place.p_free)
			place.p_free = key;
		key = have - have % SFS_XATTR_CHUNKS + SFS_XATTR_CHUNKS;
	}
	if (err && err != -ENOENT)
		return err;
	if (err && !place.p_free)
		place.p_free = key;
	*ret_place = place;
	return 0;
}

/* Pieces of an attribute of @nbytes in all. */
static unsigned int sfs_xattr_pieces(u32 nbytes)
{
	return (nbytes + SFS_CHUNK - 1) / SFS_CHUNK;
}

/*
 * Reads all pieces of the attribute at @place, with a name of @len bytes: its value to @buf, unless
 * that is NULL.  *@ret_nleaves: how many leaves they lie in.
 */
static int sfs_xattr_read(struct sfs_inode *in, const struct sfs_xattr_place *place,
			  unsigned int len, u8 *buf, unsigned int *ret_nleaves)
{
	const struct sfs_node_disk *leaf = NULL;
	unsigned int skip = sizeof(struct sfs_xattr_disk) + len;
	u32 left = place->p_nbytes;
	unsigned int nleaves = 0;
	u64 key = place->p_key;
	unsigned int nbytes;
	struct sfs_path path;
	const u8 *rec;
	int err;

	err = sfs_tree_find(in, key, &path);
	while (!err) {
		rec = sfs_path_record(&path, &nbytes);
		if (sfs_path_key(&path) != key++ || nbytes != min_t(u32, left, SFS_CHUNK)) {
			sfs_path_release(&path);
			return sfs_xattr_corrupt(in, "a piece of it is missing");
		}
		nleaves += path.p_level[0].l_node != leaf;
		leaf = path.p_level[0].l_node;
		if (buf) {
			memcpy(buf, rec + skip, nbytes - skip);
			buf += nbytes - skip;
		}
		skip = 0;
		left -= nbytes;
		if (!left) {
			sfs_path_release(&path);
			*ret_nleaves = nleaves;
			return 0;
		}
		err = sfs_tree_next(&path);
	}
	return err == -ENOENT ? sfs_xattr_corrupt(in, "its end is missing") : err;
}

int sfs_xattr_get(struct sfs_inode *in, const struct sfs_xattr *x, void *buf, size_t nbytes)
{
	struct sfs_xattr_place place;
	unsigned int nleaves;
	u32 have;
	int err;

	err = sfs_xattr_place(in, x, &place);
	if (err)
		return err;
	if (!place.p_found)
		return -ENODATA;
	have = place.p_nbytes - sizeof(struct sfs_xattr_disk) - x->x_len;
	if (!nbytes)
		return have;
	if (have > nbytes)
		return -ERANGE;
	err = sfs_xattr_read(in, &place, x->x_len, buf, &nleaves);
	return err ? err : (int)have;
}

int sfs_xattr_each(struct sfs_inode *in, sfs_xattr_fn emit, void *arg)
{
	const struct sfs_xattr_disk *disk;
	struct sfs_xattr x = { 0 };
	unsigned int nbytes;
	struct sfs_path path;
	const char *why;
	bool more = true;
	u64 pos;
	int err;

	err = sfs_tree_find_ge(in, sfs_key(SFS_KIND_XATTR, 0), &path);
	while (!err && more && sfs_key_kind(sfs_path_key(&path)) == SFS_KIND_XATTR) {
		pos = sfs_key_pos(sfs_path_key(&path));
		disk = sfs_path_record(&path, &nbytes);
		if (!sfs_xattr_chunk(pos)) {
			why = sfs_xattr_follows(in, pos, 0, 0, disk, nbytes);
			if (why) {
				sfs_path_release(&path);
				return sfs_xattr_corrupt(in, why);
			}
			x.x_space = disk->x_space;
			x.x_len = disk->x_len;
			x.x_name = (const char *)(disk + 1);
			more = emit(arg, &x);
		}
		if (more)
			err = sfs_tree_next(&path);
	}
	if (!err)
		sfs_path_release(&path);
	return err == -ENOENT ? 0 : err;
}

/* ---- changing ---- */

/* One change of an attribute, all of whose old value has been read. */
struct sfs_xattr_plan {
	struct sfs_xattr_place p_place;
	unsigned int p_old;		/* pieces */
	unsigned int p_new;
	struct sfs_xattr_cost p_cost;
};

/*
 * Pieces that come leave two of them at least in each leaf that they split, and each new leaf takes
 * a map and a summary besides.  Pieces that go may leave leaves empty, of which each takes as many;
 * only the last of them lets nodes join.  What the levels above take, SFS_CREDITS_TREE, comes once
 * for one change and on either side of more.
 */
static struct sfs_xattr_cost sfs_xattr_count(unsigned int old, unsigned int new,
					     unsigned int old_nleaves)
{
	struct sfs_xattr_cost cost = { 0 };
	unsigned int gone = 0;

	if (max(old, new) == 1) {
		cost.c_credits = SFS_CREDITS_TREE;
		cost.c_revokes = new ? 0 : SFS_REVOKES_TREE;
		return cost;
	}
	cost.c_credits = 2 * SFS_CREDITS_TREE + old_nleaves;
	if (new > old) {
		/* What comes may have to go again. */
		gone = (new - old) / 2 + 2;
		cost.c_credits += gone;
	} else if (new < old) {
		gone = min(old - new, old_nleaves);
	}
	cost.c_credits += 2 * gone;
	cost.c_revokes = 2 * SFS_REVOKES_TREE + gone;
	return cost;
}

static u32 sfs_xattr_new_nbytes(const struct sfs_xattr *x)
{
	return sizeof(struct sfs_xattr_disk) + x->x_len + x->x_nbytes;
}

/* Each leaf has a piece; the root grows once, and may have had other records. */
unsigned int sfs_xattr_first_nodes(const struct sfs_xattr *x)
{
	return sfs_xattr_pieces(sfs_xattr_new_nbytes(x)) + 2;
}

static int sfs_xattr_plan(struct sfs_inode *in, const struct sfs_xattr *x,
			  struct sfs_xattr_plan *plan)
{
	u32 nbytes = sfs_xattr_new_nbytes(x);
	unsigned int nleaves = 0;
	int err;

	sfs_assert(x->x_len && x->x_len <= SFS_NAME_MAX && x->x_nbytes <= SFS_XATTR_MAX);
	memset(plan, 0, sizeof(*plan));
	if (x->x_value)
		plan->p_new = sfs_xattr_pieces(nbytes);
	err = sfs_xattr_place(in, x, &plan->p_place);
	if (err)
		return err;
	if (plan->p_place.p_found) {
		plan->p_old = sfs_xattr_pieces(plan->p_place.p_nbytes);
		err = sfs_xattr_read(in, &plan->p_place, x->x_len, NULL, &nleaves);
		if (err)
			return err;
	} else if (!x->x_value) {
		return -ENODATA;
	}
	plan->p_cost = sfs_xattr_count(plan->p_old, plan->p_new, nleaves);
	plan->p_cost.c_grows = x->x_value && nbytes > plan->p_place.p_nbytes;
	return 0;
}

int sfs_xattr_cost(struct sfs_inode *in, const struct sfs_xattr *x,
		   struct sfs_xattr_cost *ret_cost)
{
	struct sfs_xattr_plan plan;
	int err;

	err = sfs_xattr_plan(in, x, &plan);
	if (!err)
		*ret_cost = plan.p_cost;
	return err;
}

typedef int (*sfs_put_fn)(struct sfs_trans *t, struct sfs_inode *in, u64 key, const void *rec,
			  unsigned int nbytes, unsigned int flags);

/* Piece @i of @x, by sfs_tree_insert() or _replace(). */
static int sfs_xattr_put(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_xattr *x,
			 u64 first, unsigned int i, sfs_put_fn put)
{
	unsigned int head = sizeof(struct sfs_xattr_disk) + x->x_len;
	u32 nbytes = min_t(u32, sfs_xattr_new_nbytes(x) - i * SFS_CHUNK, SFS_CHUNK);
	u8 rec[SFS_CHUNK];
	struct sfs_xattr_disk *disk = (struct sfs_xattr_disk *)rec;

	if (i)
		return put(t, in, first + i, (const u8 *)x->x_value + i * SFS_CHUNK - head, nbytes,
			   0);
	disk->x_nbytes = cpu_to_le32(x->x_nbytes);
	disk->x_len = x->x_len;
	disk->x_space = x->x_space;
	memcpy(disk + 1, x->x_name, x->x_len);
	memcpy(rec + head, x->x_value, nbytes - head);
	return put(t, in, first, rec, nbytes, 0);
}

/* After the first change: half an attribute must not commit. */
static int sfs_xattr_must(struct sfs_inode *in, int err)
{
	if (err)
		sfs_shutdown(in->i_fs, err, "an attribute was changed by half");
	return err;
}

/* What can fail of changing and freeing the leaves of @n pieces at @first: before any change. */
static int sfs_xattr_ready(struct sfs_trans *t, struct sfs_inode *in, u64 first, unsigned int n)
{
	struct sfs_path path;
	struct sfs_buf *buf;
	u64 nleaves = 0;
	u64 last = 0;
	int err;

	err = sfs_tree_find(in, first, &path);
	while (!err) {
		buf = path.p_level[0].l_buf;
		if (buf && sfs_buf_blk(buf) != last) {
			last = sfs_buf_blk(buf);
			err = sfs_buf_access(t, in->i_fs, buf);
			if (!err)
				err = sfs_free_meta_ready(t, in->i_fs, last);
			if (!err && ++nleaves > in->i_blocks)
				err = sfs_xattr_corrupt(in, "in more nodes than blocks counted");
		}
		if (err || !--n) {
			sfs_path_release(&path);
			break;
		}
		err = sfs_tree_next(&path);
	}
	return err;
}

/* Pieces that @x has more than what is there, and the last of those that both have. */
static int sfs_xattr_extend(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_xattr *x,
			    u64 first, const struct sfs_xattr_plan *plan)
{
	unsigned int old = plan->p_old;
	unsigned int i = old;
	int err = 0;

	while (i < plan->p_new && !err) {
		err = sfs_xattr_put(t, in, x, first, i, sfs_tree_insert);
		i += !err;
	}
	if (err == -EEXIST)
		err = sfs_xattr_corrupt(in, "pieces behind its end");
	if (!err && old && plan->p_new >= old)
		err = sfs_xattr_put(t, in, x, first, old - 1, sfs_tree_replace);
	while (err && i > old)
		if (sfs_xattr_must(in, sfs_tree_delete(t, in, first + --i)))
			break;
	return err;
}

/* What is left to do, of which nothing fails that has been read. */
static int sfs_xattr_finish(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_xattr *x,
			    u64 first, const struct sfs_xattr_plan *plan)
{
	unsigned int same = min(plan->p_old, plan->p_new);
	unsigned int i = plan->p_old;
	int err = 0;

	while (i-- > plan->p_new && !err)
		err = (i > plan->p_new ? sfs_tree_delete_only : sfs_tree_delete)(t, in, first + i);
	/* The last one has been written, unless it is shorter. */
	i = plan->p_new >= plan->p_old && same ? same - 1 : same;
	while (i && !err)
		err = sfs_xattr_put(t, in, x, first, --i, sfs_tree_replace);
	return err;
}

int sfs_xattr_set(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_xattr *x,
		  const struct sfs_xattr_cost *have)
{
	struct sfs_xattr_plan plan;
	u64 first;
	int err;

	err = sfs_xattr_plan(in, x, &plan);
	if (err)
		return err;
	if (have && (plan.p_cost.c_credits > have->c_credits ||
		     plan.p_cost.c_revokes > have->c_revokes ||
		     plan.p_cost.c_grows > have->c_grows))
		return 1;
	first = plan.p_place.p_found ? plan.p_place.p_key : plan.p_place.p_free;
	if (!first)
		return -ENOSPC;
	/* One record that goes is all or nothing. */
	if (plan.p_old == 1 && !plan.p_new)
		return sfs_tree_delete(t, in, first);
	if (plan.p_old > plan.p_new)
		err = sfs_xattr_ready(t, in, first, plan.p_old);
	if (!err)
		err = sfs_xattr_extend(t, in, x, first, &plan);
	return err ? err : sfs_xattr_must(in, sfs_xattr_finish(t, in, x, first, &plan));
}

/* ---- checking ---- */

/* NULL, or why the attribute that begins at @pos is not the one that its name finds. */
static const char *sfs_xattr_is_first(struct sfs_inode *in, u64 pos,
				      const struct sfs_xattr_disk *disk)
{
	struct sfs_xattr x = {
		.x_space = disk->x_space, .x_len = disk->x_len, .x_name = (const char *)(disk + 1)
	};
	struct sfs_xattr_place place;

	/* What cannot be read is told by who reads it in its turn. */
	if (sfs_xattr_place(in, &x, &place))
		return NULL;
	return place.p_key == sfs_key(SFS_KIND_XATTR, pos) ? NULL : "its name comes twice";
}

int sfs_xattr_check(struct sfs_inode *in)
{
	unsigned int nbytes;
	struct sfs_path path;
	const char *why;
	const void *rec;
	u64 last = 0;
	u32 left = 0;
	u64 pos;
	int err;

	err = sfs_tree_find_ge(in, sfs_key(SFS_KIND_XATTR, 0), &path);
	while (!err && sfs_key_kind(sfs_path_key(&path)) == SFS_KIND_XATTR) {
		pos = sfs_key_pos(sfs_path_key(&path));
		rec = sfs_path_record(&path, &nbytes);
		why = sfs_xattr_follows(in, pos, last, left, rec, nbytes);
		if (!why && !left)
			why = sfs_xattr_is_first(in, pos, rec);
		if (why) {
			sfs_path_release(&path);
			return sfs_xattr_corrupt(in, why);
		}
		left = (left ? left : sfs_xattr_nbytes(rec)) - nbytes;
		last = pos;
		err = sfs_tree_next(&path);
	}
	if (!err)
		sfs_path_release(&path);
	else if (err != -ENOENT)
		return err;
	return left ? sfs_xattr_corrupt(in, "its end is missing") : 0;
}
