// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay.c - what a crash left in the log, brought home.
 *
 * The log is walked once: each transaction whose commit record is there adds its copies to a plan,
 * one without it ends the walk.  Then the plan keeps the newest copy of each block, revocations
 * strike out what was freed since, every copy left is verified as a block of this volume, and
 * only then does the first one reach the cache.  Revocations are looked up in the plan, never
 * stored, so memory is bounded by the length of the log, as are the blocks walked.
 *
 * Nothing in a log is believed: it may have been made by an enemy.  Damage inside what was
 * committed is an error, since the kernel waits for all copies before it writes a commit record; a
 * record that is older than the one before it is left over from the log's last round, and its end.
 */
#include "lib.h"
#include "log.h"

struct sfs_copy {
	u64 c_blk;			/* where it belongs */
	u32 c_at;			/* where it lies in the log */
	u32 c_tid;
	u32 c_crc;
	u32 c_order;			/* of the walk */
	bool c_escaped;
	bool c_void;			/* a newer one exists, or it was revoked */
};

struct sfs_revoke {
	u32 v_at;
	u32 v_tid;
};

struct sfs_walk {
	struct sfs_log w_log;
	u32 w_at;			/* next block ... */
	u32 w_left;			/* ... and how many until it has gone round */
	u32 w_tid;			/* transaction in hand */
	u64 w_sec;			/* time of the last commit */
	bool w_doubt;			/* a checksum of the transaction in hand was wrong */
	struct sfs_copy *w_copies;
	size_t w_ncopies;
	size_t w_copies_kept;		/* of whole transactions */
	struct sfs_revoke *w_revokes;
	size_t w_nrevokes;
	size_t w_revokes_kept;
};

/* ---- the walk ---- */

/* Moves over @n blocks; false: the log would have gone round. */
static bool sfs_log_advance(struct sfs_walk *w, u32 n)
{
	if (n > w->w_left)
		return false;
	w->w_left -= n;
	w->w_at += n;
	if (w->w_at >= w->w_log.l_end)
		w->w_at -= w->w_log.l_end - w->w_log.l_first;
	return true;
}

static bool sfs_log_tail_is_true(const struct sfs_walk *w)
{
	return sfs_log_get(w->w_log.l_data, SFS_LOG_TAIL) ==
	       sfs_log_crc(w->w_log.l_seed, w->w_log.l_data, SFS_LOG_TAIL, SFS_BLOCK_SIZE);
}

static int sfs_log_add_copy(struct sfs_walk *w, const u8 *tag, u32 flags)
{
	int err;

	if (w->w_doubt)
		return 0;
	err = sfs_array_grow((void **)&w->w_copies, w->w_ncopies, sizeof(*w->w_copies));
	if (err)
		return err;
	w->w_copies[w->w_ncopies] = (struct sfs_copy) {
		.c_blk = (u64)sfs_log_get(tag, SFS_LOG_TAG_BLK_HIGH) << 32 |
			 sfs_log_get(tag, SFS_LOG_TAG_BLK),
		.c_at = w->w_at,
		.c_tid = w->w_tid,
		.c_crc = sfs_log_get(tag, SFS_LOG_TAG_CRC),
		.c_order = w->w_ncopies,
		.c_escaped = flags & SFS_LOG_FLAG_ESCAPED,
	};
	w->w_ncopies++;
	return 0;
}

/* A descriptor: the walk goes on behind the copies that it speaks of. */
static int sfs_log_descriptor(struct sfs_walk *w, u32 at)
{
	unsigned int off = SFS_LOG_HEAD_BYTES;
	u32 flags = 0;
	int err;

	if (!sfs_log_tail_is_true(w))
		w->w_doubt = true;
	while (!(flags & SFS_LOG_FLAG_LAST) && off + SFS_LOG_TAG_BYTES <= SFS_LOG_TAIL) {
		const u8 *tag = w->w_log.l_data + off;

		flags = sfs_log_get(tag, SFS_LOG_TAG_FLAGS);
		err = sfs_log_add_copy(w, tag, flags);
		if (err)
			return err;
		if (!sfs_log_advance(w, 1))
			return w->w_doubt ? 0 : sfs_log_corrupt(&w->w_log, at, "the log has no end");
		off += SFS_LOG_TAG_BYTES;
		if (!(flags & SFS_LOG_FLAG_SAME_UUID))
			off += SFS_LOG_UUID_BYTES;
	}
	return 0;
}

static int sfs_log_revoke(struct sfs_walk *w, u32 at)
{
	u32 end = sfs_log_get(w->w_log.l_data, SFS_LOG_REVOKE_END);
	int err;

	if (!sfs_log_tail_is_true(w)) {
		w->w_doubt = true;
		return 0;
	}
	if (end < SFS_LOG_REVOKE_FIRST || end > SFS_LOG_TAIL)
		return sfs_log_corrupt(&w->w_log, at, "impossible length of a revocation");
	err = sfs_array_grow((void **)&w->w_revokes, w->w_nrevokes, sizeof(*w->w_revokes));
	if (err)
		return err;
	w->w_revokes[w->w_nrevokes++] = (struct sfs_revoke) { at, w->w_tid };
	return 0;
}

/* A commit record torn behind its fields counts: only they mean anything. */
static bool sfs_log_commit_is_true(struct sfs_walk *w)
{
	u8 *d = w->w_log.l_data;
	u32 crc = sfs_log_get(d, SFS_LOG_COMMIT_CRC);

	if (crc == sfs_log_crc(w->w_log.l_seed, d, SFS_LOG_COMMIT_CRC, SFS_BLOCK_SIZE))
		return true;
	memset(d + SFS_LOG_COMMIT_BYTES, 0, SFS_BLOCK_SIZE - SFS_LOG_COMMIT_BYTES);
	return crc == sfs_log_crc(w->w_log.l_seed, d, SFS_LOG_COMMIT_CRC, SFS_BLOCK_SIZE);
}

/* Ends the transaction in hand.  *@ret_more: there may be another. */
static int sfs_log_commit(struct sfs_walk *w, u32 at, bool *ret_more)
{
	u64 sec = sfs_log_get64(w->w_log.l_data, SFS_LOG_COMMIT_SEC);
	bool is_true = sfs_log_commit_is_true(w);

	*ret_more = false;
	if (w->w_doubt || !is_true) {
		if (sec < w->w_sec)
			return 0;
		sfs_log_corrupt(&w->w_log, at, w->w_doubt ?
				"wrong checksum within a committed transaction" :
				"wrong checksum of a commit record");
		return -EFSBADCRC;
	}
	w->w_sec = sec;
	w->w_copies_kept = w->w_ncopies;
	w->w_revokes_kept = w->w_nrevokes;
	w->w_tid++;
	*ret_more = true;
	return 0;
}

static int sfs_log_walk(struct sfs_walk *w)
{
	bool more = true;
	int err = 0;

	while (more && !err) {
		u32 at = w->w_at;

		/* A log that is full to its last block ends where it began. */
		if (!w->w_left)
			break;
		err = sfs_dev_read(w->w_log.l_dev, at, w->w_log.l_data);
		if (err)
			break;
		if (sfs_log_get(w->w_log.l_data, SFS_LOG_OFF_MAGIC) != SFS_LOG_MAGIC ||
		    sfs_log_get(w->w_log.l_data, SFS_LOG_OFF_TID) != w->w_tid)
			break;
		sfs_log_advance(w, 1);
		switch (sfs_log_get(w->w_log.l_data, SFS_LOG_OFF_TYPE)) {
		case SFS_LOG_DESCRIPTOR:
			err = sfs_log_descriptor(w, at);
			break;
		case SFS_LOG_REVOKE:
			err = sfs_log_revoke(w, at);
			break;
		case SFS_LOG_COMMIT:
			err = sfs_log_commit(w, at, &more);
			break;
		default:
			more = false;
		}
	}
	w->w_ncopies = w->w_copies_kept;
	w->w_nrevokes = w->w_revokes_kept;
	return err;
}

/* ---- the plan ---- */

static int sfs_copy_compare(const void *a, const void *b)
{
	const struct sfs_copy *x = a;
	const struct sfs_copy *y = b;

	if (x->c_blk != y->c_blk)
		return x->c_blk < y->c_blk ? -1 : 1;
	return x->c_order < y->c_order ? -1 : x->c_order > y->c_order;
}

/* The newest copy of @blk. */
static struct sfs_copy *sfs_copy_find(struct sfs_walk *w, u64 blk)
{
	size_t lo = 0;
	size_t hi = w->w_ncopies;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->w_copies[mid].c_blk <= blk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && w->w_copies[lo - 1].c_blk == blk ? &w->w_copies[lo - 1] : NULL;
}

/* A copy counts if it was made after the block was last revoked.  Numbers of transactions wrap. */
static int sfs_log_strike(struct sfs_walk *w, struct sfs_replay *r)
{
	size_t n;
	u32 off;
	u32 end;
	int err;

	for (n = 0; n < w->w_nrevokes; n++) {
		err = sfs_dev_read(w->w_log.l_dev, w->w_revokes[n].v_at, w->w_log.l_data);
		if (err)
			return err;
		end = sfs_log_get(w->w_log.l_data, SFS_LOG_REVOKE_END);
		for (off = SFS_LOG_REVOKE_FIRST; off + 8 <= end; off += 8) {
			struct sfs_copy *c;

			c = sfs_copy_find(w, sfs_log_get64(w->w_log.l_data, off));
			if (!c || c->c_void || (s32)(w->w_revokes[n].v_tid - c->c_tid) < 0)
				continue;
			c->c_void = true;
			r->r_revoked++;
		}
	}
	return 0;
}

/* Reads a copy into l_data, as it is to be written. */
static int sfs_copy_read(struct sfs_walk *w, const struct sfs_copy *c)
{
	u8 tid[4];
	u32 crc;
	int err;

	err = sfs_dev_read(w->w_log.l_dev, c->c_at, w->w_log.l_data);
	if (err)
		return err;
	sfs_log_put(tid, 0, c->c_tid);
	crc = sfs_crc32c(w->w_log.l_seed, tid, sizeof(tid));
	if (sfs_crc32c(crc, w->w_log.l_data, SFS_BLOCK_SIZE) != c->c_crc) {
		sfs_log_corrupt(&w->w_log, c->c_at, "wrong checksum of a block in the log");
		return -EFSBADCRC;
	}
	if (c->c_escaped)
		sfs_log_put(w->w_log.l_data, 0, SFS_LOG_MAGIC);
	return 0;
}

/* What may change of a superblock while the volume is in use, and what may not. */
static const char *sfs_log_super_differs(const struct sfs_fs *fs, const void *data)
{
	struct sfs_fs new = { 0 };
	const char *why;

	why = sfs_super_verify(data, sfs_dev_nblks(fs->f_priv));
	if (why)
		return why;
	sfs_super_decode(&new, data);
	if (new.f_fsid != fs->f_fsid || memcmp(new.f_hash_key, fs->f_hash_key,
					       sizeof(new.f_hash_key)))
		return "the log holds another volume's superblock";
	if (new.f_journal_start != fs->f_journal_start ||
	    new.f_journal_blocks != fs->f_journal_blocks ||
	    (new.f_incompat ^ fs->f_incompat) & SFS_INCOMPAT_JOURNAL_DEV)
		return "the log moves itself";
	return NULL;
}

/* Verifies every copy that counts, against the superblock as it will be. */
static int sfs_log_verify(struct sfs_walk *w)
{
	struct sfs_fs fs = *w->w_log.l_fs;
	const char *why = NULL;
	size_t n;
	int err;

	fs.f_kinds = sfs_kinds;
	for (n = 0; n < w->w_ncopies; n++) {
		const struct sfs_copy *c = &w->w_copies[n];

		if (c->c_void)
			continue;
		err = sfs_copy_read(w, c);
		if (err)
			return err;
		/* Sorted by block: the superblock is first. */
		if (!c->c_blk) {
			why = sfs_log_super_differs(&fs, w->w_log.l_data);
			if (!why)
				sfs_super_decode(&fs, w->w_log.l_data);
		} else if (c->c_blk >= fs.f_blocks) {
			why = "the log speaks of a block past the end of the volume";
		} else {
			why = sfs_block_verify_any(&fs, w->w_log.l_data, c->c_blk);
		}
		if (why)
			return sfs_corrupt(w->w_log.l_fs, c->c_blk, 0, "block in the log", why);
	}
	return 0;
}

static int sfs_log_apply(struct sfs_walk *w, struct sfs_replay *r)
{
	size_t n;
	int err;

	for (n = 0; n < w->w_ncopies; n++) {
		const struct sfs_copy *c = &w->w_copies[n];

		if (c->c_void)
			continue;
		err = sfs_copy_read(w, c);
		if (!err)
			err = sfs_dev_put(w->w_log.l_fs->f_priv, c->c_blk, w->w_log.l_data);
		if (err)
			return err;
		if (!c->c_blk)
			sfs_super_decode(w->w_log.l_fs, w->w_log.l_data);
		r->r_blks++;
	}
	return 0;
}

int sfs_log_replay(struct sfs_fs *fs, struct sfs_dev *log_dev, struct sfs_replay *ret_replay)
{
	struct sfs_replay r = { .r_found = true };
	struct sfs_walk w = { 0 };
	size_t n;
	int err;

	err = sfs_log_open(fs, log_dev, &w.w_log);
	ret_replay->r_found = !err;
	if (err)
		return err;
	w.w_at = w.w_log.l_start;
	w.w_left = w.w_log.l_end - w.w_log.l_first;
	w.w_tid = w.w_log.l_sequence;
	r.r_errno = w.w_log.l_errno;
	r.r_needed = w.w_log.l_start;
	r.r_tid = w.w_tid;
	if (r.r_needed)
		err = sfs_log_walk(&w);
	r.r_next = w.w_tid;
	if (!err && w.w_ncopies) {
		qsort(w.w_copies, w.w_ncopies, sizeof(*w.w_copies), sfs_copy_compare);
		for (n = 0; n + 1 < w.w_ncopies; n++)
			w.w_copies[n].c_void = w.w_copies[n].c_blk == w.w_copies[n + 1].c_blk;
		err = sfs_log_strike(&w, &r);
	}
	if (!err)
		err = sfs_log_verify(&w);
	if (!err)
		err = sfs_log_apply(&w, &r);
	free(w.w_copies);
	free(w.w_revokes);
	if (!err)
		*ret_replay = r;
	return err;
}

int sfs_log_finish(struct sfs_fs *fs, struct sfs_dev *log_dev, const struct sfs_replay *replay)
{
	struct sfs_log log;
	int err;

	if (!replay->r_needed && !replay->r_errno)
		return 0;
	err = sfs_dev_flush(fs->f_priv);
	/* Block 0 as replayed, but for the state: with the log empty, that alone would tell. */
	if (!err)
		err = sfs_volume_mark(fs->f_priv, replay->r_errno ? SFS_STATE_ERROR : 0,
				      SFS_STATE_CLEAN);
	if (!err)
		err = sfs_log_open(fs, log_dev, &log);
	/* The number of a transaction that was cut short is not used again. */
	return err ? err : sfs_log_point(&log, 0, replay->r_next + 1);
}
