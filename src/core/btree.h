/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * btree.h - the ordered map of an inode, for those who keep records in it: btree_path.c (find),
 * btree_balance.c (room), btree.c (changes), btree_rekey.c, btree_verify.c, and kinds.c, which
 * knows the records.  A part of core.h.
 */
#ifndef SFS_BTREE_H
#define SFS_BTREE_H

struct sfs_text;

static inline u64 sfs_key(unsigned int kind, u64 pos)
{
	return (u64)kind << SFS_KEY_KIND_SHIFT | (pos & SFS_KEY_POS_MASK);
}

static inline unsigned int sfs_key_kind(u64 key)
{
	return key >> SFS_KEY_KIND_SHIFT;
}

static inline u64 sfs_key_pos(u64 key)
{
	return key & SFS_KEY_POS_MASK;
}

struct sfs_path_level {
	struct sfs_buf *l_buf;		/* NULL: the root, inside the inode */
	struct sfs_node_disk *l_node;
	unsigned int l_slot;
};

/*
 * A place in a tree.  Valid while the tree lock is held and nothing was changed since.
 */
struct sfs_path {
	struct sfs_inode *p_inode;
	unsigned int p_top;		/* level of the root; p_level[0] is the leaf */
	struct sfs_path_level p_level[SFS_TREE_LEVELS];
};

void sfs_tree_init(u8 *root);			/* empty, in SFS_ROOT_BYTES */
bool sfs_tree_is_empty(const struct sfs_inode *in);

/* Goes to @key (_find: -ENOENT if absent), to the first key >= it, or to the last key <= it. */
int sfs_tree_find(struct sfs_inode *in, u64 key, struct sfs_path *path);
int sfs_tree_find_ge(struct sfs_inode *in, u64 key, struct sfs_path *path);
int sfs_tree_find_le(struct sfs_inode *in, u64 key, struct sfs_path *path);
/* The next (previous) record; -ENOENT at the end.  On any error the path is released. */
int sfs_tree_next(struct sfs_path *path);
int sfs_tree_prev(struct sfs_path *path);
/* The finders release the path themselves when they fail.  Releasing twice is fine. */
void sfs_path_release(struct sfs_path *path);
u64 sfs_path_key(const struct sfs_path *path);
const void *sfs_path_record(const struct sfs_path *path, unsigned int *ret_nbytes);

/* The node at @blk of the tree of @in, no former inode's.  Errors: sfs_buf_get()'s. */
int sfs_node_get(const struct sfs_inode *in, u64 blk, struct sfs_buf **ret_buf);

static inline struct sfs_node_disk *sfs_buf_node(struct sfs_buf *buf)
{
	return (struct sfs_node_disk *)((struct sfs_head *)sfs_buf_data(buf) + 1);
}

/*
 * NULL or why @node cannot be the child of a node of @level, between the keys @lo and, without it,
 * @hi.  Only an @only child, right below the root, may be empty: a first record too long for the
 * root goes there.
 */
const char *sfs_node_fits(const struct sfs_node_disk *node, unsigned int level, bool only, u64 lo,
			  u64 hi);

/*
 * Changes, between sfs_inode_begin() and _end().  Insert: -EEXIST, -ENOSPC.  Delete: -ENOENT.
 * Replace: the record may change its length.  Credits: SFS_CREDITS_TREE and SFS_REVOKES_TREE each.
 *
 * An operation that moves a record inserts the new key before it deletes the old: a delete may
 * merge nodes and use up room that was made.
 *
 * sfs_tree_room() changes no record, only splits nodes until the leaf for @key has room for @nbytes
 * of records in @nrecs pieces and is accessible to @t.  After it, inserts and replaces up to that
 * much cannot fail: so an operation of several steps calls it for each of its keys (with the sum of
 * all) before its first step.  @flags as for sfs_alloc_blks().
 */
int sfs_tree_room(struct sfs_trans *t, struct sfs_inode *in, u64 key, unsigned int nrecs,
		  unsigned int nbytes, unsigned int flags);
/*
 * The same for the record of @key, to be replaced by one as long or deleted.  Before it is deleted
 * there may be insertions that have room, and nothing else.
 */
int sfs_tree_delete_room(struct sfs_trans *t, struct sfs_inode *in, u64 key);
int sfs_tree_insert(struct sfs_trans *t, struct sfs_inode *in, u64 key, const void *rec,
		    unsigned int nbytes, unsigned int flags);
int sfs_tree_replace(struct sfs_trans *t, struct sfs_inode *in, u64 key, const void *rec,
		     unsigned int nbytes, unsigned int flags);
/*
 * @nbytes from @off on of a record, which keeps its length, in place.  -EFSCORRUPTED, not
 * reported, where it is shorter, or in the inode.  No block but the leaf changes, and so
 * sfs_inode_begin() need not be called.  Credits: 1.
 */
int sfs_tree_patch(struct sfs_trans *t, struct sfs_inode *in, u64 key, unsigned int off,
		   const void *bytes, unsigned int nbytes);
int sfs_tree_delete(struct sfs_trans *t, struct sfs_inode *in, u64 key);
/*
 * The same for one of several records side by side, but the last: no other nodes are touched than
 * the leaf and those that get empty with it.
 */
int sfs_tree_delete_only(struct sfs_trans *t, struct sfs_inode *in, u64 key);
/* Bytes that records and their slots may still take in the inode; none once the tree has nodes. */
unsigned int sfs_tree_root_free(const struct sfs_inode *in);
/* Of the nodes that there are below the root, how many @nplaces insertions may split at most. */
u64 sfs_tree_splits(const struct sfs_inode *in, u64 nplaces);
/* The same after other records have been put into it. */
u64 sfs_tree_splits_most(const struct sfs_inode *in, u64 nplaces);

/* ---- btree_rekey.c: other keys for a row of records, in the same order ---- */

/*
 * What has yet to move: the records with keys from r_first to r_last.  Where they go there are no
 * others, and if they go up none behind them in the tree.  The range shrinks as they go, the
 * highest first if they go up, else the lowest.
 */
struct sfs_rekey {
	u64 r_first;
	u64 r_last;
	u64 r_by;
	bool r_up;
};

/* A leaf may be all that moves, with a node of each level above it, and above the one before it. */
#define SFS_REKEY_NODES_MIN	(2 * SFS_TREE_LEVELS)

/*
 * Takes access to all nodes, at most @nnodes (SFS_REKEY_NODES_MIN or more), that the next call
 * below changes with *@ret_nleaves leaves.  0: there is more than that; 1: that is all.  Credits:
 * @nnodes.
 */
int sfs_tree_rekey_ready(struct sfs_trans *t, struct sfs_inode *in, const struct sfs_rekey *r,
			 unsigned int nnodes, unsigned int *ret_nleaves);
/*
 * Moves what is in them.  No node is made or freed.  After an error, a block having gone from
 * memory meanwhile, @r tells what has moved.
 */
int sfs_tree_rekey(struct sfs_trans *t, struct sfs_inode *in, struct sfs_rekey *r,
		   unsigned int nleaves);

/* ---- btree_verify.c ---- */

extern const struct sfs_block_ops sfs_node_ops;

#define SFS_KINDS	(SFS_KIND_QUOTA + 1)

/* One kind of record, of which a tree knows no more than this; in f_kinds by SFS_KIND_*. */
struct sfs_record_kind {
	const char *k_name;		/* NULL: there is no such kind */
	/* NULL, or why not, as far as one record alone can tell.  No such function: reserved. */
	const char *(*k_verify)(const struct sfs_fs *fs, u64 pos, const void *rec,
				unsigned int nbytes);
	/* Adds position and content, which may be damaged, to the open object. */
	void (*k_print)(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes);
};

/* Of this version's kinds, and not one that is only reserved. */
static inline bool sfs_kind_is_known(const struct sfs_fs *fs, unsigned int kind)
{
	return kind < SFS_KINDS && fs->f_kinds[kind].k_verify;
}

/*
 * NULL or why not, its records included.  @capacity in bytes: SFS_ROOT_BYTES or SFS_NODE_BYTES.
 */
const char *sfs_node_verify(const struct sfs_fs *fs, const struct sfs_node_disk *node,
			    unsigned int capacity);

/* kinds.c: all kinds of records; sfs_fs_init() gives them to the volume. */
extern const struct sfs_record_kind sfs_kinds[SFS_KINDS];

#endif
