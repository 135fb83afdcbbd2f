// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_runs.c - blocks of data that are not their file's alone, and sizes that leave data outside:
 * the pass of a check (check.c) after all that holds blocks is known.
 *
 * What is metadata, sound and in its place, is nothing else; where zones have not been begun there
 * is nothing.  Of several files the first keeps a block: those with data inside their size, in the
 * order of their numbers, then those with data behind it, then those without data.  What the others
 * lose is a run to be copied if it is data inside their size, and else to be a hole.
 *
 * Data behind the size of a file that is not half cut is not left there by anybody: a write and the
 * size are one transaction.  Blocks without data are (fallocate).
 */
#include "found.h"

enum sfs_claim_rank { SFS_CLAIM_DATA, SFS_CLAIM_PAST, SFS_CLAIM_EMPTY };

/* An extent, or what of it is of one rank, some of whose blocks are not its own. */
struct sfs_run_claim {
	u64 r_lblk;
	u64 r_blk;
	u64 r_nblks;
	size_t r_inode;			/* in f_inodes */
	enum sfs_claim_rank r_rank;
};

/* Who keeps a run of them. */
struct sfs_run_owner {
	u64 r_blk;
	u64 r_nblks;
	u64 r_ino;
};

struct sfs_run_check {
	struct sfs_checker *c;
	struct sfs_run_claim *claim;
	size_t nclaims;
	struct sfs_run_owner *owner;
	size_t nowners;
	u8 *owned;			/* a bit for each block of f_twice that has one */
};

void sfs_found_size(struct sfs_found_inode *i, u64 end)
{
	if (i->i_is_orphan || end <= i->i_said_size >> SFS_BLOCK_BITS ||
	    (end << SFS_BLOCK_BITS) - i->i_said_size < SFS_BLOCK_SIZE)
		return;
	i->i_nbytes = max(i->i_nbytes, min(end << SFS_BLOCK_BITS, SFS_FILE_SIZE_MAX));
}

/* ---- who claims what ---- */

static bool sfs_run_is_shared(const struct sfs_run_check *r, u64 blk, u64 nblks)
{
	const u8 *twice = r->c->found->f_twice;
	u64 end = blk + nblks;

	while (twice && blk < end) {
		u64 start = blk - blk % SFS_GROUP_BLOCKS;
		u32 to = min_t(u64, SFS_GROUP_BLOCKS, end - start);

		if (sfs_bits_next_set(twice + start / 8, blk - start, to) < to)
			return true;
		blk = start + to;
	}
	return false;
}

static void sfs_run_add(struct sfs_run_check *r, const struct sfs_found_run *run)
{
	struct sfs_found *found = r->c->found;
	int err = sfs_array_grow((void **)&found->f_runs, found->f_nruns, sizeof(*run));

	sfs_check_err(r->c, err);
	if (!err)
		found->f_runs[found->f_nruns++] = *run;
}

static void sfs_run_claim(struct sfs_run_check *r, size_t inode, const struct sfs_extent *ext,
			  enum sfs_claim_rank rank)
{
	int err;

	if (!ext->e_nblks)
		return;
	err = sfs_array_grow((void **)&r->claim, r->nclaims, sizeof(*r->claim));
	sfs_check_err(r->c, err);
	if (!err)
		r->claim[r->nclaims++] = (struct sfs_run_claim) {
			.r_lblk = ext->e_lblk, .r_blk = ext->e_blk, .r_nblks = ext->e_nblks,
			.r_inode = inode, .r_rank = rank };
}

/* Cuts off what lies beyond all zones that were begun. */
static void sfs_run_beyond(struct sfs_run_check *r, u64 ino, struct sfs_extent *ext)
{
	u64 ready = sfs_groups_ready(r->c->fs) * SFS_GROUP_BLOCKS;
	u64 first = max(ext->e_blk, ready), end = ext->e_blk + ext->e_nblks;

	if (end <= ready)
		return;
	SFS_PROBLEM(r->c, SFS_PROBLEM_WILD_LATE, first, end - 1, ino);
	sfs_run_add(r, &(const struct sfs_found_run) {
		.r_ino = ino, .r_lblk = ext->e_lblk + (first - ext->e_blk), .r_blk = first,
		.r_nblks = end - first });
	ext->e_nblks = first - ext->e_blk;
}

static void sfs_run_look(struct sfs_run_check *r, size_t n, const struct sfs_extent *ext)
{
	struct sfs_found_inode *i = &r->c->found->f_inodes[n];
	u64 eof = (i->i_said_size + SFS_BLOCK_SIZE - 1) >> SFS_BLOCK_BITS;
	struct sfs_extent in = *ext, past = *ext;

	if (!sfs_run_is_shared(r, ext->e_blk, ext->e_nblks)) {
		if (!ext->e_unwritten && ext->e_nblks)
			sfs_found_size(i, ext->e_lblk + ext->e_nblks);
		return;
	}
	if (ext->e_unwritten) {
		sfs_run_claim(r, n, ext, SFS_CLAIM_EMPTY);
		return;
	}
	in.e_nblks = eof > ext->e_lblk ? min(eof - ext->e_lblk, ext->e_nblks) : 0;
	past.e_lblk += in.e_nblks;
	past.e_blk += in.e_nblks;
	past.e_nblks -= in.e_nblks;
	sfs_run_claim(r, n, &in, SFS_CLAIM_DATA);
	sfs_run_claim(r, n, &past, SFS_CLAIM_PAST);
}

/* All extents of all files once more; what is damaged has been told. */
static void sfs_runs_look(struct sfs_run_check *r)
{
	void (*report)(const char *text) = sfs_report;
	struct sfs_found *found = r->c->found;
	struct sfs_extent ext = { 0 };
	struct sfs_inode in;
	u64 lblk;
	size_t n;
	int err;

	for (n = 0; n < found->f_ninodes && !r->c->err; n++) {
		if (found->f_inodes[n].i_type != SFS_TYPE_REG || !found->f_inodes[n].i_blocks)
			continue;
		/* Without what it will not keep. */
		found->f_inodes[n].i_nbytes = 0;
		memset(&in, 0, sizeof(in));
		sfs_report = sfs_report_nothing;
		err = sfs_inode_read(r->c->fs, found->f_inodes[n].i_ino, &in);
		for (lblk = 0; !err && !r->c->err; lblk = ext.e_lblk + ext.e_nblks) {
			u64 nblks;

			sfs_report = sfs_report_nothing;
			err = sfs_extent_next(&in, lblk, &ext);
			sfs_report = report;
			nblks = ext.e_nblks;
			if (!err)
				sfs_run_beyond(r, in.i_ino, &ext);
			if (!err)
				sfs_run_look(r, n, &ext);
			ext.e_nblks = nblks;
		}
		sfs_report = report;
	}
}

static int sfs_run_claim_compare(const void *a, const void *b)
{
	const struct sfs_run_claim *left = a, *right = b;

	if (left->r_rank != right->r_rank)
		return left->r_rank < right->r_rank ? -1 : 1;
	if (left->r_inode != right->r_inode)
		return left->r_inode < right->r_inode ? -1 : 1;
	return left->r_lblk < right->r_lblk ? -1 : left->r_lblk > right->r_lblk;
}

/* ---- who gets it ---- */

static void sfs_run_keep(struct sfs_run_check *r, const struct sfs_run_claim *claim, u64 blk,
			 u32 nblks)
{
	struct sfs_found_inode *i = &r->c->found->f_inodes[claim->r_inode];
	int err;

	err = sfs_array_grow((void **)&r->owner, r->nowners, sizeof(*r->owner));
	sfs_check_err(r->c, err);
	if (!err)
		r->owner[r->nowners++] = (struct sfs_run_owner) {
			.r_blk = blk, .r_nblks = nblks, .r_ino = i->i_ino };
	if (claim->r_rank == SFS_CLAIM_PAST)
		sfs_found_size(i, claim->r_lblk + (blk - claim->r_blk) + nblks);
}

static void sfs_run_lose(struct sfs_run_check *r, const struct sfs_run_claim *claim, u64 blk,
			 u32 nblks, bool meta)
{
	struct sfs_found *found = r->c->found;
	struct sfs_found_run run = {
		.r_ino = found->f_inodes[claim->r_inode].i_ino,
		.r_lblk = claim->r_lblk + (blk - claim->r_blk), .r_blk = blk, .r_nblks = nblks,
		.r_copy = !meta && claim->r_rank == SFS_CLAIM_DATA,
	};

	if (run.r_copy)
		found->f_copies += nblks;
	sfs_run_add(r, &run);
}

/* Of [@bit, @to) of a group. */
static void sfs_run_settle_bits(struct sfs_run_check *r, const struct sfs_run_claim *claim,
				u64 start, u32 bit, u32 to)
{
	const u8 *twice = r->c->found->f_twice + start / 8;
	const u8 *meta = r->c->found->f_meta + start / 8;
	u8 *owned = r->owned + start / 8;
	u32 end, next;

	while (bit < to && !r->c->err) {
		end = sfs_bits_next_set(twice, bit, to);
		/* Nobody else's. */
		if (end > bit && claim->r_rank == SFS_CLAIM_PAST)
			sfs_found_size(&r->c->found->f_inodes[claim->r_inode],
				       claim->r_lblk + (start + end - claim->r_blk));
		bit = end;
		if (bit == to)
			return;
		end = sfs_bits_next_clear(twice, bit, to);
		if (sfs_bits_test(meta, bit)) {
			next = sfs_bits_next_clear(meta, bit, end);
			sfs_run_lose(r, claim, start + bit, next - bit, true);
		} else if (sfs_bits_test(owned, bit)) {
			next = min(sfs_bits_next_clear(owned, bit, end),
				   sfs_bits_next_set(meta, bit, end));
			sfs_run_lose(r, claim, start + bit, next - bit, false);
		} else {
			next = min(sfs_bits_next_set(owned, bit, end),
				   sfs_bits_next_set(meta, bit, end));
			sfs_bits_set(owned, bit, next - bit);
			sfs_run_keep(r, claim, start + bit, next - bit);
		}
		bit = next;
	}
}

static void sfs_runs_settle(struct sfs_run_check *r)
{
	struct sfs_checker *c = r->c;
	size_t n;

	/* More than there are blocks cannot be copied, however many there are. */
	for (n = 0; n < r->nclaims && !c->err && c->found->f_copies <= c->fs->f_blocks; n++) {
		u64 blk = r->claim[n].r_blk, end = blk + r->claim[n].r_nblks;

		while (blk < end && !c->err) {
			u64 start = blk - blk % SFS_GROUP_BLOCKS;
			u32 to = min_t(u64, SFS_GROUP_BLOCKS, end - start);

			sfs_run_settle_bits(r, &r->claim[n], start, blk - start, to);
			blk = start + to;
		}
	}
}

/* ---- what is told ---- */

static int sfs_run_owner_compare(const void *a, const void *b)
{
	const struct sfs_run_owner *left = a, *right = b;

	return left->r_blk < right->r_blk ? -1 : left->r_blk > right->r_blk;
}

static int sfs_run_compare(const void *a, const void *b)
{
	const struct sfs_found_run *left = a, *right = b;

	if (left->r_ino != right->r_ino)
		return left->r_ino < right->r_ino ? -1 : 1;
	return left->r_lblk < right->r_lblk ? -1 : left->r_lblk > right->r_lblk;
}

/* Whose @blk is, and how many behind it are; NULL: metadata. */
static const struct sfs_run_owner *sfs_run_owner_of(const struct sfs_run_check *r, u64 blk)
{
	size_t lo = 0, hi = r->nowners;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (r->owner[mid].r_blk + r->owner[mid].r_nblks <= blk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->nowners && r->owner[lo].r_blk <= blk ? &r->owner[lo] : NULL;
}

/* The inode whose node it is; of a block of inodes, the first that it may have. */
static u64 sfs_run_meta_ino(const struct sfs_run_check *r, u64 blk)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_head *head = (const struct sfs_head *)data;

	if (sfs_dev_read(r->c->fs->f_priv, blk, data))
		return 0;
	return le32_to_cpu(head->h_magic) == SFS_MAGIC_NODE ? le64_to_cpu(head->h_owner) :
							      blk << SFS_INODE_SLOT_BITS;
}

static void sfs_run_tell(const struct sfs_run_check *r, const struct sfs_found_run *run)
{
	u64 blk = run->r_blk, end = blk + run->r_nblks, next;
	const struct sfs_run_owner *owner;
	enum sfs_problem_code code;

	code = run->r_copy ? SFS_PROBLEM_SHARED : SFS_PROBLEM_SHARED_PAST;
	for (; blk < end; blk = next) {
		owner = sfs_run_owner_of(r, blk);
		next = owner ? min(end, owner->r_blk + owner->r_nblks) : end;
		if (owner)
			SFS_PROBLEM(r->c, code, blk, next - 1, run->r_ino, owner->r_ino);
		else
			SFS_PROBLEM(r->c, SFS_PROBLEM_WILD, blk, next - 1, run->r_ino,
				    sfs_run_meta_ino(r, blk));
	}
}

static void sfs_check_shared(struct sfs_checker *c)
{
	struct sfs_run_check r = { .c = c };
	struct sfs_found *found = c->found;
	size_t late, n;

	r.owned = calloc(1, sfs_groups_ready(c->fs) * SFS_GROUP_BLOCKS / 8);
	if (!r.owned) {
		sfs_check_err(c, -ENOMEM);
		return;
	}
	sfs_runs_look(&r);
	late = found->f_nruns;
	if (r.nclaims)
		qsort(r.claim, r.nclaims, sizeof(*r.claim), sfs_run_claim_compare);
	sfs_runs_settle(&r);
	if (r.nowners)
		qsort(r.owner, r.nowners, sizeof(*r.owner), sfs_run_owner_compare);
	for (n = late; n < found->f_nruns && !c->err; n++)
		sfs_run_tell(&r, &found->f_runs[n]);
	if (found->f_nruns)
		qsort(found->f_runs, found->f_nruns, sizeof(*found->f_runs), sfs_run_compare);
	free(r.owned);
	free(r.owner);
	free(r.claim);
}

void sfs_check_runs(struct sfs_checker *c)
{
	const struct sfs_found_inode *i = c->found->f_inodes;
	size_t n;

	if (c->found->f_twice || c->beyond)
		sfs_check_shared(c);
	for (n = 0; n < c->found->f_ninodes; n++, i++)
		if (i->i_type == SFS_TYPE_REG && i->i_nbytes)
			SFS_PROBLEM(c, SFS_PROBLEM_SIZE, i->i_ino, i->i_nbytes, i->i_said_size);
}
