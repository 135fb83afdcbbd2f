// SPDX-License-Identifier: GPL-2.0-only
/*
 * salvage_tree.c - a tree from its leaves.
 *
 * A leaf says whose it is and which inode of that number, and its keys where it belongs.  So what
 * is above it can be made anew.  Leaves are those that sound nodes lead to, and those that a look
 * at all blocks finds in what is used and held by nothing: a block that was freed is not used, one
 * that was given away is held.  No leaf is moved; inner nodes are new, in blocks that were the
 * tree's or that are free.  Where keys overlap, which leaves of one moment never do, the newer leaf
 * counts.
 */
#include "salvage.h"

#define SFS_ENTRIES(nbytes)							\
	(((nbytes) - sizeof(struct sfs_node_disk)) / sizeof(struct sfs_entry_disk))

static struct sfs_node_disk *sfs_data_node(void *data)
{
	return (struct sfs_node_disk *)((struct sfs_head *)data + 1);
}

static u64 sfs_slot_at(const struct sfs_node_disk *node, unsigned int i)
{
	return le64_to_cpu(((const struct sfs_slot_disk *)(node + 1))[i].s_key);
}

static u8 *sfs_record_at(struct sfs_node_disk *node, unsigned int i)
{
	return (u8 *)node + le16_to_cpu(((const struct sfs_slot_disk *)(node + 1))[i].s_off);
}

/* ---- is anything wrong with it? ---- */

struct sfs_hurt {
	struct sfs_salvage *s;
	struct sfs_inode *in;
	u64 nrecs;
	u64 end;			/* what the last record of all so far covers */
	bool hurt;
};

/* Records that a node alone does not know to be wrong. */
static void sfs_hurt_look(void *arg, const struct sfs_node_disk *node, u64 blk)
{
	u8 bytes[SFS_NODE_BYTES] __attribute__((aligned(8)));
	struct sfs_node_disk *copy = (struct sfs_node_disk *)bytes;
	unsigned int n, capacity = blk ? SFS_NODE_BYTES : SFS_ROOT_BYTES;
	void (*tell)(const char *text);
	struct sfs_hurt *h = arg;

	if (node->n_level)
		return;
	memcpy(copy, node, capacity);
	tell = h->s->tell;
	h->s->tell = NULL;
	h->hurt |= sfs_leaf_mend(h->s, h->in, copy, capacity, false, blk);
	h->s->tell = tell;
	n = le16_to_cpu(copy->n_count);
	if (n) {
		h->hurt |= h->nrecs && sfs_slot_at(copy, 0) <= h->end;
		h->end = sfs_slot_at(copy, n - 1);
		h->end = sfs_record_end(h->end, sfs_record_at(copy, n - 1));
	}
	h->nrecs += le16_to_cpu(node->n_count);
}

bool sfs_tree_is_hurt(struct sfs_salvage *s, struct sfs_inode *in)
{
	const struct sfs_node_disk *root = (const struct sfs_node_disk *)in->i_root;
	struct sfs_hurt h = { .s = s, .in = in };

	if (sfs_tree_walk(in, sfs_hurt_look, &h) || h.hurt)
		return true;
	return root->n_level && !h.nrecs;
}

/* ---- leaves ---- */

static int sfs_claim_add(struct sfs_salvage *s, const struct sfs_claim *claim)
{
	int err = sfs_array_grow((void **)&s->claim, s->nclaims, sizeof(*s->claim));

	if (!err)
		s->claim[s->nclaims++] = *claim;
	return err;
}

int sfs_ino_compare(const void *a, const void *b)
{
	u64 left = *(const u64 *)a, right = *(const u64 *)b;

	return left < right ? -1 : left > right;
}

/* By inode, then by key, then the newer first. */
static int sfs_claim_compare(const void *a, const void *b)
{
	const struct sfs_claim *left = a, *right = b;

	if (left->l_ino != right->l_ino)
		return left->l_ino < right->l_ino ? -1 : 1;
	if (left->l_first != right->l_first)
		return left->l_first < right->l_first ? -1 : 1;
	return left->l_seq > right->l_seq ? -1 : left->l_seq < right->l_seq;
}

static int sfs_claim_look(struct sfs_salvage *s, u64 blk)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_head *head = (const struct sfs_head *)data;
	u64 ino;

	if (sfs_dev_read(s->fs->f_priv, blk, data))
		return 0;
	ino = le64_to_cpu(head->h_owner);
	if (le32_to_cpu(head->h_magic) != SFS_MAGIC_NODE || sfs_data_node(data)->n_level ||
	    le64_to_cpu(head->h_seq) > s->fs->f_sequence_max ||
	    !bsearch(&ino, s->tree, s->ntrees, sizeof(*s->tree), sfs_ino_compare) ||
	    sfs_head_verify(data, s->fs->f_fsid, blk))
		return 0;
	return sfs_claim_add(s, &(struct sfs_claim) {
		.l_ino = ino, .l_first = sfs_slot_at(sfs_data_node(data), 0),
		.l_seq = le64_to_cpu(head->h_seq), .l_blk = blk,
		.l_generation = le32_to_cpu(head->h_generation) });
}

int sfs_claims_find(struct sfs_salvage *s)
{
	const struct sfs_bitmap_disk *map;
	struct sfs_buf *buf;
	u32 bit, nblks;
	u64 group;
	int err = 0;

	for (group = 0; group < sfs_groups_ready(s->fs) && !err; group++) {
		nblks = sfs_group_nblks(s->fs, group);
		/* What is used nobody knows: what is found may have been freed. */
		if (sfs_map_get(s->fs, group, SFS_MAP_USED, &buf))
			continue;
		map = sfs_buf_data(buf);
		for (bit = sfs_group_fixed(s->fs, group);
		     (bit = sfs_bits_next_set(map->b_bits, bit, nblks)) < nblks && !err; bit++) {
			if (!sfs_found_is_taken(s->found, group * SFS_GROUP_BLOCKS + bit))
				err = sfs_claim_look(s, group * SFS_GROUP_BLOCKS + bit);
		}
		sfs_buf_put(buf);
	}
	if (s->nclaims)
		qsort(s->claim, s->nclaims, sizeof(*s->claim), sfs_claim_compare);
	return err;
}

/* ---- one tree ---- */

struct sfs_renewal {
	struct sfs_salvage *s;
	struct sfs_inode *in;
	struct sfs_claim *leaf;
	size_t nleaves;
	u64 *spare;			/* blocks that were the tree's inner nodes */
	size_t nspare;
	unsigned int lost;		/* leaves that pointers lead to, and that are none */
	u64 next_free;
	int err;
};

static void sfs_renewal_leaf(struct sfs_renewal *r, u64 blk, u64 seq)
{
	r->err = sfs_array_grow((void **)&r->leaf, r->nleaves, sizeof(*r->leaf));
	if (!r->err)
		r->leaf[r->nleaves++] = (struct sfs_claim) { .l_blk = blk, .l_seq = seq };
}

static void sfs_renewal_spare(struct sfs_renewal *r, u64 blk)
{
	r->err = sfs_array_grow((void **)&r->spare, r->nspare, sizeof(*r->spare));
	if (!r->err)
		r->spare[r->nspare++] = blk;
}

/* What an entry of a sound node leads to, where a node of @level should be. */
static void sfs_renewal_child(struct sfs_renewal *r, u64 blk, unsigned int level);

static void sfs_renewal_entries(struct sfs_renewal *r, const struct sfs_node_disk *node)
{
	const struct sfs_entry_disk *entry = (const struct sfs_entry_disk *)(node + 1);
	unsigned int i;

	for (i = 0; i < le16_to_cpu(node->n_count) && !r->err; i++)
		sfs_renewal_child(r, le64_to_cpu(entry[i].e_blk), node->n_level - 1);
}

static void sfs_renewal_child(struct sfs_renewal *r, u64 blk, unsigned int level)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_head *head = (const struct sfs_head *)data;
	struct sfs_fs *fs = r->s->fs;
	bool taken, sound, ours;

	/* Once, whoever leads there: else a few nodes that name each other are visited for ever. */
	if (!sfs_blk_is_valid(fs, blk, 1) || blk >= sfs_groups_ready(fs) * SFS_GROUP_BLOCKS ||
	    r->s->seen[blk / 8] >> (blk % 8) & 1)
		return;
	r->s->seen[blk / 8] |= 1 << (blk % 8);
	if (sfs_dev_read(fs->f_priv, blk, data))
		return;
	taken = sfs_found_is_taken(r->s->found, blk);
	sound = !sfs_head_verify(data, fs->f_fsid, blk);
	/* With another's block nothing is done; what is used and not held was a node of this. */
	ours = sound && le32_to_cpu(head->h_magic) == SFS_MAGIC_NODE &&
	       le64_to_cpu(head->h_owner) == r->in->i_ino &&
	       le32_to_cpu(head->h_generation) == r->in->i_generation;
	if (!ours && (taken || sound || !sfs_salvage_is_used(r->s, blk, 1)))
		return;
	if (!level && !ours && !sfs_head_is_near(fs, data, blk, SFS_MAGIC_NODE, r->in->i_ino)) {
		r->lost++;
		sfs_renewal_spare(r, blk);
	} else if (!level) {
		sfs_renewal_leaf(r, blk, le64_to_cpu(head->h_seq));
	} else {
		sfs_renewal_spare(r, blk);
		if (ours && sfs_data_node(data)->n_level == level &&
		    !sfs_node_verify(fs, sfs_data_node(data), SFS_NODE_BYTES))
			sfs_renewal_entries(r, sfs_data_node(data));
	}
}

static int sfs_blk_compare(const void *a, const void *b)
{
	const struct sfs_claim *left = a, *right = b;

	return left->l_blk < right->l_blk ? -1 : left->l_blk > right->l_blk;
}

static void sfs_renewal_claims(struct sfs_renewal *r)
{
	size_t n, lo = 0, hi = r->s->nclaims;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (r->s->claim[mid].l_ino < r->in->i_ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (n = lo; n < r->s->nclaims && r->s->claim[n].l_ino == r->in->i_ino && !r->err; n++)
		if (r->s->claim[n].l_generation == r->in->i_generation)
			sfs_renewal_leaf(r, r->s->claim[n].l_blk, r->s->claim[n].l_seq);
	/* Some were found twice. */
	if (r->nleaves)
		qsort(r->leaf, r->nleaves, sizeof(*r->leaf), sfs_blk_compare);
	for (n = 1, lo = 1; n < r->nleaves; n++)
		if (r->leaf[n].l_blk != r->leaf[lo - 1].l_blk)
			r->leaf[lo++] = r->leaf[n];
	r->nleaves = min(r->nleaves, lo);
}

/* Takes out what cannot be.  False: nothing is left. */
static bool sfs_renewal_mend(struct sfs_renewal *r, struct sfs_claim *leaf)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_node_disk *node = sfs_data_node(data);
	struct sfs_fs *fs = r->s->fs;
	bool suspect, rewrite;
	unsigned int last;

	if (sfs_dev_read(fs->f_priv, leaf->l_blk, data))
		return false;
	suspect = sfs_head_verify(data, fs->f_fsid, leaf->l_blk);
	rewrite = suspect || node->n_level || leaf->l_seq > fs->f_sequence_max ||
		  sfs_node_verify(fs, node, SFS_NODE_BYTES);
	if (rewrite)
		sfs_salvage_tell(r->s, SFS_PROBLEM_LEAF_MENDED, r->in->i_ino, leaf->l_blk, NULL);
	rewrite |= sfs_leaf_mend(r->s, r->in, node, SFS_NODE_BYTES, suspect, leaf->l_blk) != 0;
	if (rewrite) {
		sfs_block_init(data, fs->f_fsid, SFS_MAGIC_NODE, leaf->l_blk, r->in->i_ino);
		((struct sfs_head *)data)->h_generation = cpu_to_le32(r->in->i_generation);
		sfs_block_stamp(fs, data);
		sfs_block_seal(data);
		r->err = r->err ? r->err : sfs_dev_put(fs->f_priv, leaf->l_blk, data);
	}
	if (!node->n_count)
		return false;
	last = le16_to_cpu(node->n_count) - 1;
	leaf->l_first = sfs_slot_at(node, 0);
	leaf->l_last = sfs_slot_at(node, last);
	leaf->l_end = sfs_record_end(leaf->l_last, sfs_record_at(node, last));
	return true;
}

/* The last record of @leaf goes on behind the first of the next one. */
static void sfs_renewal_shorten(struct sfs_renewal *r, struct sfs_claim *leaf, u64 next)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_node_disk *node = sfs_data_node(data);
	struct sfs_fs *fs = r->s->fs;

	r->err = sfs_dev_read(fs->f_priv, leaf->l_blk, data);
	if (r->err)
		return;
	sfs_extent_shorten(r->s, r->in, leaf->l_last,
			   sfs_record_at(node, le16_to_cpu(node->n_count) - 1), next);
	leaf->l_end = next - 1;
	sfs_block_stamp(fs, data);
	sfs_block_seal(data);
	r->err = sfs_dev_put(fs->f_priv, leaf->l_blk, data);
}

/* Mended, in order, and none over another. */
static void sfs_renewal_order(struct sfs_renewal *r)
{
	size_t n, kept = 0;

	for (n = 0; n < r->nleaves && !r->err; n++)
		if (sfs_renewal_mend(r, &r->leaf[n]))
			r->leaf[kept++] = r->leaf[n];
	r->nleaves = kept;
	if (kept)
		qsort(r->leaf, kept, sizeof(*r->leaf), sfs_claim_compare);
	for (n = 0, kept = 0; n < r->nleaves; n++) {
		if (!kept || r->leaf[n].l_first > r->leaf[kept - 1].l_last) {
			if (kept && !r->err && r->leaf[n].l_first <= r->leaf[kept - 1].l_end)
				sfs_renewal_shorten(r, &r->leaf[kept - 1], r->leaf[n].l_first);
			r->leaf[kept++] = r->leaf[n];
			continue;
		}
		r->lost++;
		if (r->leaf[n].l_seq > r->leaf[kept - 1].l_seq)
			r->leaf[kept - 1] = r->leaf[n];
	}
	r->nleaves = kept;
}

/* ---- inner nodes ---- */

/* A block for a new one: what was an inner node, or what is free. */
static int sfs_renewal_blk(struct sfs_renewal *r, u64 *ret_blk)
{
	if (r->nspare) {
		*ret_blk = r->spare[--r->nspare];
		return 0;
	}
	return sfs_spare_find(r->s->fs, r->s->found, &r->next_free, 1, ret_blk) ? 0 : -ENOSPC;
}

static void sfs_inner_fill(struct sfs_node_disk *node, unsigned int level,
			   const struct sfs_claim *child, size_t n)
{
	struct sfs_entry_disk *entry = (struct sfs_entry_disk *)(node + 1);
	size_t i;

	node->n_level = level;
	node->n_count = cpu_to_le16(n);
	for (i = 0; i < n; i++) {
		entry[i].e_key = cpu_to_le64(child[i].l_first);
		entry[i].e_blk = cpu_to_le64(child[i].l_blk);
	}
}

/* One level above r->leaf, which becomes it. */
static int sfs_renewal_level(struct sfs_renewal *r, unsigned int level)
{
	struct sfs_fs *fs = r->s->fs;
	size_t n, nodes = 0, each;
	struct sfs_buf *buf;
	u64 blk;
	int err;

	for (n = 0; n < r->nleaves; n += each) {
		each = min_t(size_t, r->nleaves - n, SFS_ENTRIES(SFS_NODE_BYTES));
		err = sfs_renewal_blk(r, &blk);
		if (!err)
			err = sfs_buf_new(NULL, fs, blk, &sfs_node_ops, r->in->i_ino, &buf);
		if (err)
			return err;
		r->s->found->f_taken[blk / 8] |= 1 << (blk % 8);
		((struct sfs_head *)sfs_buf_data(buf))->h_generation =
			cpu_to_le32(r->in->i_generation);
		sfs_inner_fill(sfs_buf_node(buf), level, r->leaf + n, each);
		(void)sfs_buf_dirty(NULL, fs, buf);
		sfs_buf_put(buf);
		r->leaf[nodes] = r->leaf[n];
		r->leaf[nodes++].l_blk = blk;
	}
	r->nleaves = nodes;
	return 0;
}

int sfs_tree_renew(struct sfs_salvage *s, struct sfs_inode *in)
{
	struct sfs_node_disk *root = (struct sfs_node_disk *)in->i_root;
	struct sfs_renewal r = { .s = s, .in = in };
	unsigned int level = 1;
	size_t nleaves;
	int err;

	if (!root->n_level && root->n_count) {
		sfs_leaf_mend(s, in, root, SFS_ROOT_BYTES, false, 0);
		return 0;
	}
	if (root->n_level)
		sfs_renewal_entries(&r, root);
	sfs_renewal_claims(&r);
	sfs_renewal_order(&r);
	nleaves = r.nleaves;
	err = r.err;
	while (!err && r.nleaves > SFS_ENTRIES(SFS_ROOT_BYTES))
		err = sfs_renewal_level(&r, level++);
	if (!err) {
		sfs_tree_init(in->i_root);
		if (nleaves) {
			memset(in->i_root, 0, SFS_ROOT_BYTES);
			sfs_inner_fill(root, level, r.leaf, r.nleaves);
		}
		sfs_salvage_tell(s, SFS_PROBLEM_TREE, in->i_ino, nleaves, NULL);
		if (r.lost)
			sfs_salvage_tell(s, SFS_PROBLEM_LEAVES_GONE, in->i_ino, r.lost, NULL);
	}
	free(r.leaf);
	free(r.spare);
	return err;
}
