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

struct sfs_log {
	struct sfs_fs *l_fs;
	struct sfs_dev *l_dev;
	u64 l_super;			/* block of the log's superblock */
	u32 l_first;			/* the log is the ring [l_first, l_end) */
	u32 l_end;
	u32 l_seed;
	u32 l_at;			/* the walk: next block ... */
	u32 l_left;			/* ... and how many until it has gone round */
	u32 l_tid;			/* transaction in hand */
	u64 l_sec;			/* time of the last commit */
	bool l_doubt;			/* a checksum of the transaction in hand was wrong */
	struct sfs_copy *l_copies;
	size_t l_ncopies;
	size_t l_copies_kept;		/* of whole transactions */
	struct sfs_revoke *l_revokes;
	size_t l_nrevokes;
	size_t l_revokes_kept;
	u8 l_data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
};

static int sfs_log_corrupt(const struct sfs_log *log, u64 at, const char *why)
{
	return sfs_corrupt(log->l_fs, at, 0, "journal", why);
}

/* ---- opening ---- */

const char *sfs_log_dev_verify(const struct sfs_fs *fs, const void *data, u64 dev_nblks)
{
	const struct sfs_journal_dev_disk *jd = data;
	const char *why;

	if (le32_to_cpu(jd->j_head.h_magic) != SFS_MAGIC_JOURNAL_DEV)
		return "no journal of a simplefs there";
	why = sfs_block_verify(fs, &sfs_journal_dev_ops, data, 0);
	if (why)
		return why;
	if (memcmp(jd->j_uuid, fs->f_journal_uuid, sizeof(jd->j_uuid)))
		return "the journal of another volume";
	if (le64_to_cpu(jd->j_blocks) > dev_nblks)
		return "the journal is larger than its device";
	return NULL;
}

/* Where the log lies; @ret_end bounds it. */
static int sfs_log_locate(struct sfs_log *log, struct sfs_dev *log_dev, u64 *ret_end)
{
	const struct sfs_journal_dev_disk *jd = (const void *)log->l_data;
	const struct sfs_fs *fs = log->l_fs;
	const char *why;
	int err;

	if (!(fs->f_incompat & SFS_INCOMPAT_JOURNAL_DEV)) {
		log->l_dev = fs->f_priv;
		log->l_super = fs->f_journal_start;
		*ret_end = fs->f_journal_start + fs->f_journal_blocks;
		return 0;
	}
	if (!log_dev)
		return -ENODEV;
	err = sfs_dev_read(log_dev, 0, log->l_data);
	if (err)
		return err;
	why = sfs_log_dev_verify(fs, log->l_data, sfs_dev_nblks(log_dev));
	if (why)
		return sfs_log_corrupt(log, 0, why);
	log->l_dev = log_dev;
	log->l_super = SFS_JOURNAL_DEV_LOG;
	*ret_end = min_t(u64, le64_to_cpu(jd->j_blocks), INT32_MAX);
	return 0;
}

static const char *sfs_log_super_verify(const struct sfs_log *log, u64 end)
{
	const u8 *d = log->l_data;
	u32 first = sfs_log_get(d, SFS_LOG_OFF_FIRST);
	u32 maxlen = sfs_log_get(d, SFS_LOG_OFF_MAXLEN);
	u32 start = sfs_log_get(d, SFS_LOG_OFF_START);

	if (sfs_log_get(d, SFS_LOG_OFF_MAGIC) != SFS_LOG_MAGIC ||
	    sfs_log_get(d, SFS_LOG_OFF_TYPE) != SFS_LOG_SUPER_V2)
		return "not a log's superblock";
	if (sfs_log_get(d, SFS_LOG_OFF_BLOCKSIZE) != SFS_BLOCK_SIZE)
		return "a log of another block size";
	if (sfs_log_get(d, SFS_LOG_OFF_COMPAT) || sfs_log_get(d, SFS_LOG_OFF_RO_COMPAT) ||
	    sfs_log_get(d, SFS_LOG_OFF_INCOMPAT) != SFS_LOG_INCOMPAT ||
	    d[SFS_LOG_OFF_CRC_TYPE] != SFS_LOG_CRC32C)
		return "a log with other features than ours";
	if (sfs_log_get(d, SFS_LOG_OFF_CRC) !=
	    sfs_log_crc(~0u, d, SFS_LOG_OFF_CRC, SFS_LOG_SUPER_BYTES))
		return "wrong checksum of the log's superblock";
	if (memcmp(d + SFS_LOG_OFF_UUID, log->l_fs->f_journal_uuid, SFS_LOG_UUID_BYTES))
		return "the log of another volume";
	if (first <= log->l_super || maxlen <= first || maxlen > end)
		return "impossible place of the log";
	if (start && (start < first || start >= maxlen))
		return "the log starts outside itself";
	return NULL;
}

static int sfs_log_open(struct sfs_log *log, struct sfs_dev *log_dev)
{
	const char *why;
	u64 end = 0;
	int err;

	err = sfs_log_locate(log, log_dev, &end);
	if (!err)
		err = sfs_dev_read(log->l_dev, log->l_super, log->l_data);
	if (err)
		return err;
	why = sfs_log_super_verify(log, end);
	if (why)
		return sfs_log_corrupt(log, log->l_super, why);
	log->l_first = sfs_log_get(log->l_data, SFS_LOG_OFF_FIRST);
	log->l_end = sfs_log_get(log->l_data, SFS_LOG_OFF_MAXLEN);
	log->l_seed = sfs_crc32c(~0u, log->l_data + SFS_LOG_OFF_UUID, SFS_LOG_UUID_BYTES);
	log->l_at = sfs_log_get(log->l_data, SFS_LOG_OFF_START);
	log->l_tid = sfs_log_get(log->l_data, SFS_LOG_OFF_SEQUENCE);
	log->l_left = log->l_end - log->l_first;
	return 0;
}

/* ---- the walk ---- */

/* Moves over @n blocks; false: the log would have gone round. */
static bool sfs_log_advance(struct sfs_log *log, u32 n)
{
	if (n > log->l_left)
		return false;
	log->l_left -= n;
	log->l_at += n;
	if (log->l_at >= log->l_end)
		log->l_at -= log->l_end - log->l_first;
	return true;
}

static int sfs_log_grow(void **array, size_t count, size_t nbytes)
{
	void *p;

	if (count & (count - 1))
		return 0;
	p = realloc(*array, (count ? 2 * count : 1) * nbytes);
	if (!p)
		return -ENOMEM;
	*array = p;
	return 0;
}

static bool sfs_log_tail_is_true(const struct sfs_log *log)
{
	return sfs_log_get(log->l_data, SFS_LOG_TAIL) ==
	       sfs_log_crc(log->l_seed, log->l_data, SFS_LOG_TAIL, SFS_BLOCK_SIZE);
}

static int sfs_log_add_copy(struct sfs_log *log, const u8 *tag, u32 flags)
{
	int err;

	if (log->l_doubt)
		return 0;
	err = sfs_log_grow((void **)&log->l_copies, log->l_ncopies, sizeof(*log->l_copies));
	if (err)
		return err;
	log->l_copies[log->l_ncopies] = (struct sfs_copy) {
		.c_blk = (u64)sfs_log_get(tag, SFS_LOG_TAG_BLK_HIGH) << 32 |
			 sfs_log_get(tag, SFS_LOG_TAG_BLK),
		.c_at = log->l_at,
		.c_tid = log->l_tid,
		.c_crc = sfs_log_get(tag, SFS_LOG_TAG_CRC),
		.c_order = log->l_ncopies,
		.c_escaped = flags & SFS_LOG_FLAG_ESCAPED,
	};
	log->l_ncopies++;
	return 0;
}

/* A descriptor: the walk goes on behind the copies that it speaks of. */
static int sfs_log_descriptor(struct sfs_log *log, u32 at)
{
	unsigned int off = SFS_LOG_HEAD_BYTES;
	u32 flags = 0;
	int err;

	if (!sfs_log_tail_is_true(log))
		log->l_doubt = true;
	while (!(flags & SFS_LOG_FLAG_LAST) && off + SFS_LOG_TAG_BYTES <= SFS_LOG_TAIL) {
		const u8 *tag = log->l_data + off;

		flags = sfs_log_get(tag, SFS_LOG_TAG_FLAGS);
		err = sfs_log_add_copy(log, tag, flags);
		if (err)
			return err;
		if (!sfs_log_advance(log, 1))
			return log->l_doubt ? 0 : sfs_log_corrupt(log, at, "the log has no end");
		off += SFS_LOG_TAG_BYTES;
		if (!(flags & SFS_LOG_FLAG_SAME_UUID))
			off += SFS_LOG_UUID_BYTES;
	}
	return 0;
}

static int sfs_log_revoke(struct sfs_log *log, u32 at)
{
	u32 end = sfs_log_get(log->l_data, SFS_LOG_REVOKE_END);
	int err;

	if (!sfs_log_tail_is_true(log)) {
		log->l_doubt = true;
		return 0;
	}
	if (end < SFS_LOG_REVOKE_FIRST || end > SFS_LOG_TAIL)
		return sfs_log_corrupt(log, at, "impossible length of a revocation");
	err = sfs_log_grow((void **)&log->l_revokes, log->l_nrevokes, sizeof(*log->l_revokes));
	if (err)
		return err;
	log->l_revokes[log->l_nrevokes++] = (struct sfs_revoke) { at, log->l_tid };
	return 0;
}

/* A commit record torn behind its fields counts: only they mean anything. */
static bool sfs_log_commit_is_true(struct sfs_log *log)
{
	u32 crc = sfs_log_get(log->l_data, SFS_LOG_COMMIT_CRC);

	if (crc == sfs_log_crc(log->l_seed, log->l_data, SFS_LOG_COMMIT_CRC, SFS_BLOCK_SIZE))
		return true;
	memset(log->l_data + SFS_LOG_COMMIT_BYTES, 0, SFS_BLOCK_SIZE - SFS_LOG_COMMIT_BYTES);
	return crc == sfs_log_crc(log->l_seed, log->l_data, SFS_LOG_COMMIT_CRC, SFS_BLOCK_SIZE);
}

/* Ends the transaction in hand.  *@ret_more: there may be another. */
static int sfs_log_commit(struct sfs_log *log, u32 at, bool *ret_more)
{
	u64 sec = sfs_log_get64(log->l_data, SFS_LOG_COMMIT_SEC);
	bool is_true = sfs_log_commit_is_true(log);

	*ret_more = false;
	if (log->l_doubt || !is_true) {
		if (sec < log->l_sec)
			return 0;
		sfs_log_corrupt(log, at, log->l_doubt ?
				"wrong checksum within a committed transaction" :
				"wrong checksum of a commit record");
		return -EFSBADCRC;
	}
	log->l_sec = sec;
	log->l_copies_kept = log->l_ncopies;
	log->l_revokes_kept = log->l_nrevokes;
	log->l_tid++;
	*ret_more = true;
	return 0;
}

static int sfs_log_walk(struct sfs_log *log)
{
	bool more = true;
	int err = 0;

	while (more && !err) {
		u32 at = log->l_at;

		/* A log that is full to its last block ends where it began. */
		if (!log->l_left)
			break;
		err = sfs_dev_read(log->l_dev, at, log->l_data);
		if (err)
			break;
		if (sfs_log_get(log->l_data, SFS_LOG_OFF_MAGIC) != SFS_LOG_MAGIC ||
		    sfs_log_get(log->l_data, SFS_LOG_OFF_TID) != log->l_tid)
			break;
		sfs_log_advance(log, 1);
		switch (sfs_log_get(log->l_data, SFS_LOG_OFF_TYPE)) {
		case SFS_LOG_DESCRIPTOR:
			err = sfs_log_descriptor(log, at);
			break;
		case SFS_LOG_REVOKE:
			err = sfs_log_revoke(log, at);
			break;
		case SFS_LOG_COMMIT:
			err = sfs_log_commit(log, at, &more);
			break;
		default:
			more = false;
		}
	}
	log->l_ncopies = log->l_copies_kept;
	log->l_nrevokes = log->l_revokes_kept;
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
static struct sfs_copy *sfs_copy_find(struct sfs_log *log, u64 blk)
{
	size_t lo = 0;
	size_t hi = log->l_ncopies;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (log->l_copies[mid].c_blk <= blk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && log->l_copies[lo - 1].c_blk == blk ? &log->l_copies[lo - 1] : NULL;
}

/* A copy counts if it was made after the block was last revoked.  Numbers of transactions wrap. */
static int sfs_log_strike(struct sfs_log *log, struct sfs_replay *r)
{
	size_t n;
	u32 off;
	u32 end;
	int err;

	for (n = 0; n < log->l_nrevokes; n++) {
		err = sfs_dev_read(log->l_dev, log->l_revokes[n].v_at, log->l_data);
		if (err)
			return err;
		end = sfs_log_get(log->l_data, SFS_LOG_REVOKE_END);
		for (off = SFS_LOG_REVOKE_FIRST; off + 8 <= end; off += 8) {
			struct sfs_copy *c;

			c = sfs_copy_find(log, sfs_log_get64(log->l_data, off));
			if (!c || c->c_void || (s32)(log->l_revokes[n].v_tid - c->c_tid) < 0)
				continue;
			c->c_void = true;
			r->r_revoked++;
		}
	}
	return 0;
}

/* Reads a copy into l_data, as it is to be written. */
static int sfs_copy_read(struct sfs_log *log, const struct sfs_copy *c)
{
	u8 tid[4];
	u32 crc;
	int err;

	err = sfs_dev_read(log->l_dev, c->c_at, log->l_data);
	if (err)
		return err;
	sfs_log_put(tid, 0, c->c_tid);
	crc = sfs_crc32c(log->l_seed, tid, sizeof(tid));
	if (sfs_crc32c(crc, log->l_data, SFS_BLOCK_SIZE) != c->c_crc) {
		sfs_log_corrupt(log, c->c_at, "wrong checksum of a block in the log");
		return -EFSBADCRC;
	}
	if (c->c_escaped)
		sfs_log_put(log->l_data, 0, SFS_LOG_MAGIC);
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
static int sfs_log_verify(struct sfs_log *log)
{
	struct sfs_fs fs = *log->l_fs;
	const char *why = NULL;
	size_t n;
	int err;

	fs.f_kinds = sfs_kinds;
	for (n = 0; n < log->l_ncopies; n++) {
		const struct sfs_copy *c = &log->l_copies[n];

		if (c->c_void)
			continue;
		err = sfs_copy_read(log, c);
		if (err)
			return err;
		/* Sorted by block: the superblock is first. */
		if (!c->c_blk) {
			why = sfs_log_super_differs(&fs, log->l_data);
			if (!why)
				sfs_super_decode(&fs, log->l_data);
		} else if (c->c_blk >= fs.f_blocks) {
			why = "the log speaks of a block past the end of the volume";
		} else {
			why = sfs_block_verify_any(&fs, log->l_data, c->c_blk);
		}
		if (why)
			return sfs_corrupt(log->l_fs, c->c_blk, 0, "block in the log", why);
	}
	return 0;
}

static int sfs_log_apply(struct sfs_log *log, struct sfs_replay *r)
{
	size_t n;
	int err;

	for (n = 0; n < log->l_ncopies; n++) {
		const struct sfs_copy *c = &log->l_copies[n];

		if (c->c_void)
			continue;
		err = sfs_copy_read(log, c);
		if (!err)
			err = sfs_dev_put(log->l_fs->f_priv, c->c_blk, log->l_data);
		if (err)
			return err;
		if (!c->c_blk)
			sfs_super_decode(log->l_fs, log->l_data);
		r->r_blks++;
	}
	return 0;
}

int sfs_log_replay(struct sfs_fs *fs, struct sfs_dev *log_dev, struct sfs_replay *ret_replay)
{
	struct sfs_log log = { .l_fs = fs };
	struct sfs_replay r = { 0 };
	size_t n;
	int err;

	err = sfs_log_open(&log, log_dev);
	if (err)
		return err;
	r.r_errno = -(s32)sfs_log_get(log.l_data, SFS_LOG_OFF_ERRNO);
	r.r_needed = log.l_at;
	r.r_tid = log.l_tid;
	if (r.r_needed)
		err = sfs_log_walk(&log);
	r.r_next = log.l_tid;
	if (!err && log.l_ncopies) {
		qsort(log.l_copies, log.l_ncopies, sizeof(*log.l_copies), sfs_copy_compare);
		for (n = 0; n + 1 < log.l_ncopies; n++)
			log.l_copies[n].c_void = log.l_copies[n].c_blk == log.l_copies[n + 1].c_blk;
		err = sfs_log_strike(&log, &r);
	}
	if (!err)
		err = sfs_log_verify(&log);
	if (!err)
		err = sfs_log_apply(&log, &r);
	free(log.l_copies);
	free(log.l_revokes);
	if (!err)
		*ret_replay = r;
	return err;
}

int sfs_log_needs_replay(struct sfs_fs *fs, bool *ret_needs)
{
	struct sfs_log log = { .l_fs = fs };
	int err;

	*ret_needs = false;
	if (!(fs->f_compat & SFS_COMPAT_JOURNAL))
		return 0;
	err = sfs_log_open(&log, NULL);
	if (err == -ENODEV)
		return 0;
	*ret_needs = !err && log.l_at;
	return err;
}

/* Block 0 as the replay leaves it, but for the state: with the log empty, that alone would tell. */
static int sfs_log_finish_super(struct sfs_fs *fs, int log_errno)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_super_disk *sup = (struct sfs_super_disk *)super;
	int err;

	err = sfs_dev_read(fs->f_priv, 0, super);
	if (err)
		return err;
	sup->s_state &= ~cpu_to_le32(SFS_STATE_CLEAN);
	if (log_errno)
		sup->s_state |= cpu_to_le32(SFS_STATE_ERROR);
	sfs_block_seal(super);
	err = sfs_dev_write(fs->f_priv, 0, super);
	return err ? err : sfs_dev_sync(fs->f_priv);
}

int sfs_log_finish(struct sfs_fs *fs, struct sfs_dev *log_dev, const struct sfs_replay *replay)
{
	struct sfs_log log = { .l_fs = fs };
	int err;

	if (!replay->r_needed && !replay->r_errno)
		return 0;
	err = sfs_dev_flush(fs->f_priv);
	if (!err)
		err = sfs_log_finish_super(fs, replay->r_errno);
	if (!err)
		err = sfs_log_open(&log, log_dev);
	if (err)
		return err;
	/* The number of a transaction that was cut short is not used again. */
	sfs_log_put(log.l_data, SFS_LOG_OFF_SEQUENCE, replay->r_next + 1);
	sfs_log_put(log.l_data, SFS_LOG_OFF_START, 0);
	sfs_log_put(log.l_data, SFS_LOG_OFF_ERRNO, 0);
	sfs_log_put(log.l_data, SFS_LOG_OFF_CRC,
		    sfs_log_crc(~0u, log.l_data, SFS_LOG_OFF_CRC, SFS_LOG_SUPER_BYTES));
	err = sfs_dev_write(log.l_dev, log.l_super, log.l_data);
	return err ? err : sfs_dev_sync(log.l_dev);
}
