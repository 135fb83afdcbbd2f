/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quota.h - the tables of usage by user, group and project, quota.c.  A part of core.h.
 *
 * A table is what Linux calls a quota file of the format vfsv1, whose blocks of 1024 bytes are
 * records of its hidden inode here.  So its blocks are nodes of a tree: they have checksums, and go
 * through the journal as others do.  The inode's size is a whole number of chunks, of which the
 * last are spare: whoever makes the table longer finds chunks there.
 */
#ifndef SFS_QUOTA_H
#define SFS_QUOTA_H

/* How many types there are; their hidden inodes are SFS_HIDDEN_USER to SFS_HIDDEN_PROJECT. */
#define SFS_QUOTAS		3

/* The head of the format, at byte 0, and what the core knows of it. */
struct sfs_quota_head_disk {
	__le32 q_magic;			/* of the type */
	__le32 q_version;		/* SFS_QUOTA_VERSION */
	__le32 q_bgrace;		/* seconds over a soft limit: blocks, inodes */
	__le32 q_igrace;
	__le32 q_flags;
	__le32 q_blocks;		/* chunks in use */
	__le32 q_free_blk;		/* first of a list of free chunks, or 0 */
	__le32 q_free_entry;		/* first of a list of those with free entries, or 0 */
} __attribute__((packed, aligned(4)));
#define SFS_QUOTA_VERSION	1

/* Its tree: the chunk of the root, and levels, one for each byte of an id. */
#define SFS_QUOTA_ROOT		1
#define SFS_QUOTA_LEVELS	4

extern const u32 sfs_quota_magic[SFS_QUOTAS];
extern const char *const sfs_quota_word[SFS_QUOTAS];	/* "user", "group", "project" */

const char *sfs_quota_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
			     unsigned int nbytes);
void sfs_quota_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes);

/*
 * @nbytes of the table from @pos on; what is not there is damage, and reported.  Tree lock held,
 * shared to read.  To write none but the leaves changes, one credit each: no sfs_inode_begin().
 */
int sfs_quota_read(struct sfs_inode *in, u64 pos, void *buf, unsigned int nbytes);
int sfs_quota_write(struct sfs_trans *t, struct sfs_inode *in, u64 pos, const void *buf,
		    unsigned int nbytes);
/*
 * One more chunk, of zeros; i_size grows.  Between sfs_inode_begin() and _end().  -ENOSPC, -EAGAIN.
 * @flags as for sfs_alloc_blks().  Credits: SFS_CREDITS_TREE.
 */
int sfs_quota_extend(struct sfs_trans *t, struct sfs_inode *in, unsigned int flags);
/* How many chunks there are behind those in use. */
int sfs_quota_spare(struct sfs_inode *in, u64 *ret_nchunks);

#endif
