// SPDX-License-Identifier: GPL-2.0-only
/*
 * quota.c - a table of usage as bytes: the records that it is made of.
 *
 * What the bytes mean is known to the kernel's own code for the format, and to the tools
 * (src/lib/usage_table.c).  A change of usage is a change of bytes of one record, in place, so that
 * it takes one block of a transaction and cannot fail for want of space.
 */
#include "core.h"

const u32 sfs_quota_magic[SFS_QUOTAS] = { 0xd9c01f11, 0xd9c01927, 0xd9c03f14 };
const char *const sfs_quota_word[SFS_QUOTAS] = { "user", "group", "project" };

const char *sfs_quota_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			     unsigned int nbytes)
{
	(void)fs;
	(void)rec;
	if (pos >= SFS_QUOTA_CHUNKS)
		return "quota chunk out of range";
	if (nbytes != SFS_CHUNK)
		return "quota chunk is not full";
	return NULL;
}

void sfs_quota_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes)
{
	out->num(out, "chunk", pos);
	out->bytes(out, "data", rec, nbytes);
}

static int sfs_quota_corrupt(struct sfs_inode *in, const char *why)
{
	return sfs_corrupt(in->i_fs, 0, in->i_ino, "quota", why);
}

static unsigned int sfs_quota_piece(u64 pos, unsigned int nbytes)
{
	return min(nbytes, (unsigned int)(SFS_CHUNK - pos % SFS_CHUNK));
}

int sfs_quota_read(struct sfs_inode *in, u64 pos, void *buf, unsigned int nbytes)
{
	struct sfs_path path;
	unsigned int have, n;
	const void *rec;
	int err;

	for (; nbytes; nbytes -= n, pos += n, buf = (u8 *)buf + n) {
		n = sfs_quota_piece(pos, nbytes);
		err = sfs_tree_find(in, sfs_key(SFS_KIND_QUOTA, pos / SFS_CHUNK), &path);
		if (err == -ENOENT)
			return sfs_quota_corrupt(in, "a chunk is missing");
		if (err)
			return err;
		/* Verified with its leaf: it is full. */
		rec = sfs_path_record(&path, &have);
		memcpy(buf, (const u8 *)rec + pos % SFS_CHUNK, n);
		sfs_path_release(&path);
	}
	return 0;
}

int sfs_quota_write(struct sfs_trans *t, struct sfs_inode *in, u64 pos, const void *buf,
		    unsigned int nbytes)
{
	unsigned int n;
	int err;

	for (; nbytes; nbytes -= n, pos += n, buf = (const u8 *)buf + n) {
		n = sfs_quota_piece(pos, nbytes);
		err = sfs_tree_patch(t, in, sfs_key(SFS_KIND_QUOTA, pos / SFS_CHUNK),
				     pos % SFS_CHUNK, buf, n);
		if (err == -ENOENT)
			return sfs_quota_corrupt(in, "a chunk is missing");
		if (err == -EFSCORRUPTED)
			return sfs_quota_corrupt(in, "a chunk is not where one is");
		if (err)
			return err;
	}
	return 0;
}

int sfs_quota_extend(struct sfs_trans *t, struct sfs_inode *in, unsigned int flags)
{
	static const u8 zeros[SFS_CHUNK];
	u64 n = in->i_size / SFS_CHUNK;
	int err;

	if (n >= SFS_QUOTA_CHUNKS)
		return -ENOSPC;
	err = sfs_tree_insert(t, in, sfs_key(SFS_KIND_QUOTA, n), zeros, SFS_CHUNK, flags);
	if (err == -EEXIST)
		return sfs_quota_corrupt(in, "a chunk lies past the end");
	if (!err)
		in->i_size = (n + 1) * SFS_CHUNK;
	return err;
}

int sfs_quota_spare(struct sfs_inode *in, u64 *ret_nchunks)
{
	struct sfs_quota_head_disk head;
	u64 nchunks = in->i_size / SFS_CHUNK;
	int err;

	err = sfs_quota_read(in, 0, &head, sizeof(head));
	if (err)
		return err;
	if (in->i_size % SFS_CHUNK || le32_to_cpu(head.q_blocks) > nchunks)
		return sfs_quota_corrupt(in, "more chunks in use than there are");
	*ret_nchunks = nchunks - le32_to_cpu(head.q_blocks);
	return 0;
}
