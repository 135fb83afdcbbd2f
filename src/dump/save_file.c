// SPDX-License-Identifier: GPL-2.0-only
/*
 * save_file.c - dump --save: what is in a file, as far as it can be read.
 *
 * Holes stay holes, and so does what is lost; each range of that is told.
 */
#include <unistd.h>

#include "save.h"

struct sfs_save_file {
	struct sfs_save *s;
	const struct sfs_inode *in;
	int fd;
	u64 nblks;			/* that were read so far */
	u64 pos;			/* of what is in s->data */
	size_t nbytes;
	u64 lost;			/* [lost, lost_end) could not be read */
	u64 lost_end;
};

static void sfs_save_tell_lost(struct sfs_save_file *f)
{
	if (f->lost_end > f->lost)
		sfs_save_lose(f->s, "bytes %llu to %llu are lost: the device does not give them",
			      (unsigned long long)f->lost, (unsigned long long)f->lost_end - 1);
	f->lost = 0;
	f->lost_end = 0;
}

static void sfs_save_flush(struct sfs_save_file *f)
{
	size_t done = 0;

	while (done < f->nbytes && !f->s->err) {
		ssize_t n = pwrite(f->fd, f->s->data + done, f->nbytes - done, f->pos + done);

		if (n < 0 && errno != EINTR)
			f->s->err = -errno;
		done += max_t(ssize_t, n, 0);
	}
	f->nbytes = 0;
}

static void sfs_save_block(struct sfs_save_file *f, u64 blk, u64 pos)
{
	size_t nbytes = min_t(u64, SFS_BLOCK_SIZE, f->in->i_size - pos);
	int err;

	if (f->nbytes && (f->pos + f->nbytes != pos ||
			  f->nbytes + SFS_BLOCK_SIZE > SFS_SAVE_ROOM))
		sfs_save_flush(f);
	err = sfs_dev_read(f->in->i_fs->f_priv, blk, f->s->data + f->nbytes);
	if (!err) {
		f->pos = f->nbytes ? f->pos : pos;
		f->nbytes += nbytes;
		return;
	}
	if (f->lost_end != pos)
		sfs_save_tell_lost(f);
	f->lost = f->lost_end == pos && f->lost_end ? f->lost : pos;
	f->lost_end = pos + nbytes;
}

static void sfs_save_extent(struct sfs_save_file *f, u64 lblk, const struct sfs_extent_disk *ext)
{
	u64 start = le64_to_cpu(ext->e_start);
	u64 end = (f->in->i_size + SFS_BLOCK_SIZE - 1) >> SFS_BLOCK_BITS;
	u64 n = le32_to_cpu(ext->e_len);
	u64 i;

	/* A node may lie: of more than there is, nothing is true. */
	if (start & SFS_EXTENT_UNWRITTEN || f->nblks > f->in->i_fs->f_blocks)
		return;
	for (i = 0; i < n && lblk + i < end && !f->s->err; i++)
		sfs_save_block(f, start + i, (lblk + i) << SFS_BLOCK_BITS);
	f->nblks += i;
	if (f->nblks > f->in->i_fs->f_blocks)
		sfs_save_lose(f->s, "it has more blocks than the volume: the rest is left out");
}

static void sfs_save_node(void *arg, const struct sfs_node_disk *node, u64 blk)
{
	struct sfs_save_file *f = arg;
	struct sfs_leaf_record r;
	unsigned int i = 0;

	(void)blk;
	while (sfs_leaf_next(node, &i, &r))
		if (sfs_key_kind(r.l_key) == SFS_KIND_EXTENT)
			sfs_save_extent(f, sfs_key_pos(r.l_key), r.l_rec);
}

static void sfs_save_lost_node(void *arg, u64 blk, u64 lo, u64 hi, int err)
{
	struct sfs_save_file *f = arg;
	u64 size = f->in->i_size;
	u64 from, to = size;

	(void)err;
	from = sfs_key_kind(lo) < SFS_KIND_EXTENT ? 0 : sfs_key_pos(lo) << SFS_BLOCK_BITS;
	if (sfs_key_kind(lo) > SFS_KIND_EXTENT || sfs_key_kind(hi) < SFS_KIND_EXTENT ||
	    hi == sfs_key(SFS_KIND_EXTENT, 0))
		return;
	if (sfs_key_kind(hi) == SFS_KIND_EXTENT && sfs_key_pos(hi) <= SFS_LBLK_MAX)
		to = min(to, sfs_key_pos(hi) << SFS_BLOCK_BITS);
	if (from < to)
		sfs_save_lose(f->s, "bytes %llu to %llu are lost: block %llu of its tree is damaged",
			      (unsigned long long)from, (unsigned long long)to - 1,
			      (unsigned long long)blk);
}

void sfs_save_content(struct sfs_save *s, struct sfs_inode *in, int fd)
{
	struct sfs_save_file f = { .s = s, .in = in, .fd = fd };
	void (*report)(const char *text) = sfs_report;

	/* Each block that is lost is in a range that is told. */
	sfs_report = sfs_report_nothing;
	(void)sfs_tree_walk_lost(in, sfs_save_node, sfs_save_lost_node, &f);
	sfs_report = report;
	sfs_save_tell_lost(&f);
	sfs_save_flush(&f);
	if (s->err || !ftruncate(fd, in->i_size))
		return;
	if (errno == EFBIG || errno == EINVAL)
		sfs_save_lose(s, "its size, %llu, is not to be had here: %s",
			      (unsigned long long)in->i_size, strerror(errno));
	else
		s->err = -errno;
}
