/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * salvage.h - what of damaged inodes and trees can be kept: what its files share.
 */
#ifndef SFS_SALVAGE_H
#define SFS_SALVAGE_H

#include "fsck.h"

/* A leaf that may belong to a tree, by what its head says. */
struct sfs_claim {
	u64 l_ino;
	u64 l_first;			/* its lowest and highest key, after it was mended */
	u64 l_last;
	u64 l_end;			/* and what the last record covers, if it is an extent */
	u64 l_seq;
	u64 l_blk;
	u32 l_generation;
};

struct sfs_salvage {
	struct sfs_fs *fs;
	struct sfs_found *found;	/* f_taken: what is known to be held by somebody */
	u64 *tree;			/* inodes whose trees are damaged, rising */
	size_t ntrees;
	struct sfs_claim *claim;	/* by inode, then by key */
	size_t nclaims;
	u8 *seen;			/* a bit for each block that a tree was followed to */
	bool root_is_new;
	bool any;			/* something was changed, or has to be given up */
	void (*tell)(const char *text);
};

/* Ours, or was before some of it changed: but for one of these the head is what it should be. */
bool sfs_head_is_near(const struct sfs_fs *fs, const void *data, u64 blk, u32 magic, u64 owner);
void sfs_salvage_tell(struct sfs_salvage *s, enum sfs_problem_code code, u64 num0, u64 num1,
		      const char *why);
/* A sound used map says that all of these blocks are. */
bool sfs_salvage_is_used(struct sfs_salvage *s, u64 blk, u64 nblks);

/* ---- salvage_record.c ---- */

/*
 * Takes out of a leaf of @in what cannot be in it.  @suspect: its checksum is wrong, so that what
 * could be true is asked for more.  Positions outside the node, and what overlaps, count as well;
 * extents that overlap in the file are cut.  Returns how many records went or were cut; @tell_blk
 * is what is told.
 */
unsigned int sfs_leaf_mend(struct sfs_salvage *s, const struct sfs_inode *in,
			   struct sfs_node_disk *node, unsigned int capacity, bool suspect,
			   u64 tell_blk);
/* Cuts the extent @rec where the record of key @next begins.  False: it does not reach it. */
bool sfs_extent_shorten(struct sfs_salvage *s, const struct sfs_inode *in, u64 key, u8 *rec,
			u64 next);
u64 sfs_record_end(u64 key, const u8 *rec);	/* the last key that an extent covers, or @key */
/*
 * Makes a record of a live slot one that can be, as far as its tree's root; *@ret_tree: the tree
 * has to be made anew.  False: it has to be given up.
 */
bool sfs_record_mend(struct sfs_salvage *s, struct sfs_inode_disk *disk, u64 ino, bool suspect,
		     bool *ret_tree);

/* Bytes of the records that an inode of @type is made of, in a root that is a leaf. */
u64 sfs_root_nbytes(const struct sfs_node_disk *root, unsigned int type);

/* ---- salvage_tree.c ---- */

int sfs_ino_compare(const void *a, const void *b);	/* of two u64, for qsort() */

/* Is there anything in the tree of @in that salvage would have to do? */
bool sfs_tree_is_hurt(struct sfs_salvage *s, struct sfs_inode *in);
/* Looks for leaves of all s->tree in blocks that are used and that nothing holds. */
int sfs_claims_find(struct sfs_salvage *s);
/* The tree of @in from its leaves, in the cache: new inner nodes, and i_root. */
int sfs_tree_renew(struct sfs_salvage *s, struct sfs_inode *in);

#endif
