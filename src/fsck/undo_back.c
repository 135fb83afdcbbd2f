// SPDX-License-Identifier: GPL-2.0-only
/*
 * undo_back.c - fsck --undo: the blocks of an undo file go back to where they were.
 *
 * Only to the volume as the repair has left it, or as it was cut off in it: block 0 has one of the
 * contents that were noted before they were written, and after a repair that came to its end, each
 * block its last one.  A mount changes block 0 at once, and so does every tool.  While blocks go
 * back the volume says that it is damaged, and block 0 is the last of them; so this can be cut off,
 * too, and done again.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "undo.h"

struct sfs_undo_blk {
	u64 b_blk;
	u64 b_pos;			/* of its old content in the file; 0: it was not read */
	u32 b_old;
	u32 b_final;
	bool b_has_final;
};

struct sfs_undo_back {
	struct sfs_undo u;
	const char *volume;
	bool force;
	bool complete;
	struct sfs_undo_head head;
	struct sfs_undo_blk *blk;	/* rising, once it is sorted */
	bool sorted;
	size_t nblk;
	u32 *super;			/* what block 0 was made */
	size_t nsuper;
};

__attribute__((noreturn))
static void sfs_undo_refuse(const struct sfs_undo_back *b, const char *why)
{
	sfs_die(SFS_EXIT_FAILED, "%s: not taken back by %s: %s", b->volume, b->u.u_path, why);
}

static bool sfs_undo_get(const struct sfs_undo_back *b, u64 pos, void *data, size_t nbytes)
{
	return pread(b->u.u_fd, data, nbytes, pos) == (ssize_t)nbytes;
}

/* ---- the file ---- */

static bool sfs_undo_is_record(const struct sfs_undo_back *b, const struct sfs_undo_record *r)
{
	return le32_to_cpu(r->r_magic) == SFS_UNDO_MAGIC &&
	       le32_to_cpu(r->r_crc) == sfs_crc32c(b->u.u_seed, r,
						   offsetof(struct sfs_undo_record, r_crc));
}

/* What comes behind the last sound record was not written to its end, unless another follows. */
static void sfs_undo_check_rest(const struct sfs_undo_back *b, u64 pos)
{
	u8 data[2 * SFS_BLOCK_SIZE];
	struct sfs_undo_record r;
	ssize_t n, i;

	while ((n = pread(b->u.u_fd, data, sizeof(data), pos)) >= (ssize_t)sizeof(r)) {
		for (i = 0; i + (ssize_t)sizeof(r) <= n; i++) {
			memcpy(&r, data + i, sizeof(r));
			if (sfs_undo_is_record(b, &r) &&
			    le32_to_cpu(r.r_number) > b->u.u_number)
				sfs_undo_refuse(b, "the file is damaged");
		}
		pos += i;
	}
}

static int sfs_undo_compare(const void *x, const void *y)
{
	const struct sfs_undo_blk *a = x, *b = y;

	return (a->b_blk > b->b_blk) - (a->b_blk < b->b_blk);
}

/* No more are to come. */
static void sfs_undo_sort(struct sfs_undo_back *b)
{
	if (!b->sorted && b->nblk)
		qsort(b->blk, b->nblk, sizeof(*b->blk), sfs_undo_compare);
	b->sorted = true;
}

static struct sfs_undo_blk *sfs_undo_find(const struct sfs_undo_back *b, u64 blk)
{
	const struct sfs_undo_blk key = { .b_blk = blk };

	return b->nblk ? bsearch(&key, b->blk, b->nblk, sizeof(key), sfs_undo_compare) : NULL;
}

static void sfs_undo_add(struct sfs_undo_back *b, u64 blk, u64 pos, u32 sum)
{
	if (sfs_array_grow((void **)&b->blk, b->nblk, sizeof(*b->blk)))
		sfs_undo_refuse(b, "no memory");
	b->blk[b->nblk++] = (struct sfs_undo_blk) { .b_blk = blk, .b_pos = pos, .b_old = sum };
}

static void sfs_undo_add_super(struct sfs_undo_back *b, u32 sum)
{
	if (sfs_array_grow((void **)&b->super, b->nsuper, sizeof(*b->super)))
		sfs_undo_refuse(b, "no memory for it");
	b->super[b->nsuper++] = sum;
}

/* One record at u_pos.  False: it is none, or not all of it. */
static bool sfs_undo_take(struct sfs_undo_back *b)
{
	u64 pos = b->u.u_pos + sizeof(struct sfs_undo_record);
	u8 data[SFS_BLOCK_SIZE];
	struct sfs_undo_blk *blk;
	struct sfs_undo_record r;

	if (!sfs_undo_get(b, b->u.u_pos, &r, sizeof(r)) || !sfs_undo_is_record(b, &r) ||
	    le32_to_cpu(r.r_number) != b->u.u_number ||
	    le64_to_cpu(r.r_blk) >= le64_to_cpu(b->head.u_blocks))
		return false;
	switch (le32_to_cpu(r.r_type)) {
	case SFS_UNDO_OLD:
		if (b->sorted || !sfs_undo_get(b, pos, data, sizeof(data)) ||
		    sfs_undo_sum(&b->u, data) != le32_to_cpu(r.r_sum))
			return false;
		sfs_undo_add(b, le64_to_cpu(r.r_blk), pos, le32_to_cpu(r.r_sum));
		pos += sizeof(data);
		break;
	case SFS_UNDO_UNREAD:
		if (b->sorted)
			return false;
		sfs_undo_add(b, le64_to_cpu(r.r_blk), 0, 0);
		break;
	case SFS_UNDO_SUPER:
		sfs_undo_add_super(b, le32_to_cpu(r.r_sum));
		break;
	case SFS_UNDO_FINAL:
		sfs_undo_sort(b);
		blk = sfs_undo_find(b, le64_to_cpu(r.r_blk));
		if (!blk)
			return false;
		blk->b_final = le32_to_cpu(r.r_sum);
		blk->b_has_final = true;
		break;
	case SFS_UNDO_END:
		b->complete = true;
		break;
	default:
		return false;
	}
	b->u.u_pos = pos;
	b->u.u_number++;
	return true;
}

static void sfs_undo_load(struct sfs_undo_back *b, bool never)
{
	struct stat st;

	b->u.u_fd = open(b->u.u_path, (never ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (b->u.u_fd < 0 || fstat(b->u.u_fd, &st))
		sfs_die(SFS_EXIT_FAILED, "%s: the undo file cannot be opened: %s", b->u.u_path,
			strerror(errno));
	if (!S_ISREG(st.st_mode) || !sfs_undo_get(b, 0, &b->head, sizeof(b->head)) ||
	    memcmp(b->head.u_ident, SFS_UNDO_IDENT, sizeof(b->head.u_ident)))
		sfs_undo_refuse(b, "that is no undo file");
	b->u.u_seed = sfs_crc32c(~0u, &b->head, offsetof(struct sfs_undo_head, u_crc));
	if (le32_to_cpu(b->head.u_crc) != b->u.u_seed)
		sfs_undo_refuse(b, "its head is damaged");
	b->u.u_pos = sizeof(b->head);
	while (sfs_undo_take(b))
		;
	sfs_undo_check_rest(b, b->u.u_pos);
	sfs_undo_sort(b);
	if (!b->nblk)
		sfs_undo_refuse(b, "there is nothing in it");
}

/* ---- the volume ---- */

static void sfs_undo_check_super(const struct sfs_undo_back *b)
{
	const struct sfs_undo_blk *old = sfs_undo_find(b, 0);
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const struct sfs_super_disk *sup = (const void *)data;
	u32 sum;
	size_t i;

	if (!sfs_undo_read(&b->u, 0, data)) {
		if (!b->force && (!old || old->b_pos))
			sfs_undo_refuse(b, "its superblock cannot be read");
		return;
	}
	if (sfs_super_probe(data) && memcmp(sup->s_uuid, b->head.u_uuid, sizeof(sup->s_uuid)))
		sfs_undo_refuse(b, "the file is of another volume");
	sum = sfs_undo_sum(&b->u, data);
	for (i = 0; i < b->nsuper && b->super[i] != sum; i++)
		;
	if (i == b->nsuper && !(old && old->b_pos && old->b_old == sum) && !b->force)
		sfs_undo_refuse(b, "it was changed since (-f takes it back all the same)");
}

/* Of a repair that came to its end everything is known. */
static void sfs_undo_check_blks(const struct sfs_undo_back *b)
{
	u8 data[SFS_BLOCK_SIZE];
	size_t i;

	for (i = 0; i < b->nblk && b->complete && !b->force; i++) {
		const struct sfs_undo_blk *blk = &b->blk[i];
		u32 sum;

		if (!blk->b_blk || !blk->b_has_final)
			continue;
		if (!sfs_undo_read(&b->u, blk->b_blk, data))
			sfs_undo_refuse(b, "a block that was repaired cannot be read");
		sum = sfs_undo_sum(&b->u, data);
		if (sum != blk->b_final && !(blk->b_pos && sum == blk->b_old))
			sfs_undo_refuse(b, "a block that was repaired was changed since (-f takes"
					" it back all the same)");
	}
}

/* Says in block 0 that it is damaged, if that is a superblock. */
static int sfs_undo_mark(struct sfs_undo_back *b)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	struct sfs_super_disk *sup = (struct sfs_super_disk *)data;
	int err;

	if (!sfs_undo_read(&b->u, 0, data) || sfs_super_verify(data, sfs_dev_nblks(b->u.u_dev)))
		return 0;
	sup->s_state = (sup->s_state | cpu_to_le32(SFS_STATE_ERROR)) &
		       ~cpu_to_le32(SFS_STATE_CLEAN);
	sfs_block_seal(data);
	err = sfs_undo_append(&b->u, SFS_UNDO_SUPER, 0, sfs_undo_sum(&b->u, data), NULL);
	if (!err && fsync(b->u.u_fd))
		err = -errno;
	if (!err)
		err = sfs_dev_write(b->u.u_dev, 0, data);
	return err ? err : sfs_dev_sync(b->u.u_dev);
}

static int sfs_undo_put(const struct sfs_undo_back *b, const struct sfs_undo_blk *blk)
{
	u8 data[SFS_BLOCK_SIZE], now[SFS_BLOCK_SIZE];

	if (!blk->b_pos)
		return 0;
	if (!sfs_undo_get(b, blk->b_pos, data, sizeof(data)))
		return -EIO;
	if (sfs_undo_read(&b->u, blk->b_blk, now) && !memcmp(data, now, sizeof(data)))
		return 0;
	return sfs_dev_write(b->u.u_dev, blk->b_blk, data);
}

static int sfs_undo_restore(struct sfs_undo_back *b)
{
	const struct sfs_undo_blk *super = sfs_undo_find(b, 0);
	size_t i;
	int err;

	err = sfs_undo_mark(b);
	for (i = 0; i < b->nblk && !err; i++)
		if (b->blk[i].b_blk)
			err = sfs_undo_put(b, &b->blk[i]);
	if (!err)
		err = sfs_dev_sync(b->u.u_dev);
	if (!err && super)
		err = sfs_undo_put(b, super);
	return err ? err : sfs_dev_sync(b->u.u_dev);
}

int sfs_undo_back(struct sfs_dev *dev, const char *volume, const char *path, bool never, bool force)
{
	struct sfs_undo_back b = {
		.u = { .u_path = path, .u_dev = dev }, .volume = volume, .force = force,
	};
	size_t i, unread = 0;
	int err = 0;

	sfs_undo_load(&b, never);
	if (le64_to_cpu(b.head.u_blocks) != sfs_dev_nblks(dev))
		sfs_undo_refuse(&b, "the file is of a device of another size");
	sfs_undo_check_super(&b);
	sfs_undo_check_blks(&b);
	if (!never)
		err = sfs_undo_restore(&b);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: taken back in a part: %s; do it again", volume,
			strerror(-err));
	for (i = 0; i < b.nblk; i++)
		unread += !b.blk[i].b_pos;
	printf("%s: %s: %zu blocks%s\n", volume, never ? "can be taken back" : "taken back",
	       b.nblk - unread, b.complete ? "" : ", of a repair that was cut off");
	if (unread)
		printf("%s: blocks that could not be read before they were written, and stay: %zu\n",
		       volume, unread);
	free(b.blk);
	free(b.super);
	close(b.u.u_fd);
	return SFS_EXIT_OK;
}
