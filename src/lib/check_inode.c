// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_inode.c - what one inode holds: its tree, record by record, and each block of it.
 *
 * The first pass of a check (check.c) goes through here with every live inode.  Nothing of a tree
 * is believed before it was looked at, its shape least: a block is gone into once, whoever names
 * it.
 */
#include "found.h"

/* Marks the nodes below an inner node; returns how many. */
static u64 sfs_check_nodes(struct sfs_checker *c, struct sfs_inode *in,
			   const struct sfs_node_disk *node)
{
	const struct sfs_entry_disk *entries = (const struct sfs_entry_disk *)(node + 1);
	unsigned int i, shared = 0;
	u64 count = 0;

	/* One child that is another's is a fault; with more of them the node is nonsense. */
	for (i = 0; node->n_level && i < le16_to_cpu(node->n_count) && shared < 2; i++) {
		u64 blk = le64_to_cpu(entries[i].e_blk);
		const struct sfs_node_disk *child;
		struct sfs_buf *buf;
		int err;

		err = sfs_node_get(in, blk, &buf);
		if (err) {
			sfs_check_err(c, err);
			continue;
		}
		child = sfs_buf_node(buf);
		count++;
		/*
		 * Wrong levels are reported by the walk; here they must not lead in circles, nor
		 * children named by many parents to more visits than there are blocks.
		 */
		if (!sfs_found_take_meta(c, in->i_ino, blk))
			shared++;
		else if (child->n_level < node->n_level)
			count += sfs_check_nodes(c, in, child);
		sfs_buf_put(buf);
	}
	return count;
}

/* *@ret_end: behind the last block that was written. */
static u64 sfs_check_extents(struct sfs_checker *c, struct sfs_inode *in, u64 *ret_end)
{
	struct sfs_extent ext = { 0 };
	u64 lblk = 0;
	u64 count = 0;
	int err;

	while (!(err = sfs_extent_next(in, lblk, &ext))) {
		sfs_check_err(c, sfs_found_take_data(c, ext.e_blk, ext.e_nblks));
		count += ext.e_nblks;
		lblk = ext.e_lblk + ext.e_nblks;
		if (!ext.e_unwritten)
			*ret_end = lblk;
	}
	if (err != -ENOENT)
		sfs_check_err(c, err);
	return count;
}

/*
 * A record of a kind that the inode's type has no use for: those who read the others never meet it,
 * but whoever frees the inode does.
 */
static void sfs_check_kinds(struct sfs_checker *c, struct sfs_inode *in)
{
	const unsigned int last = ~0ULL >> SFS_KEY_KIND_SHIFT;
	struct sfs_path path;
	unsigned int kind;
	bool fits = true;
	int err;

	err = sfs_tree_find_ge(in, 0, &path);
	if (err == -ENOENT && !sfs_tree_is_empty(in))
		SFS_PROBLEM(c, SFS_PROBLEM_HOLLOW, in->i_ino);
	/* One look at each kind: the next one begins where no key of it can be. */
	while (!err) {
		kind = sfs_key_kind(sfs_path_key(&path));
		sfs_path_release(&path);
		fits &= sfs_kind_fits(c->fs, kind, in->i_mode >> SFS_TYPE_SHIFT);
		err = kind == last ? -ENOENT : sfs_tree_find_ge(in, sfs_key(kind + 1, 0), &path);
	}
	sfs_check_err(c, err == -ENOENT ? 0 : err);
	if (!fits)
		SFS_PROBLEM(c, SFS_PROBLEM_KIND, in->i_ino);
}

static void sfs_check_target(struct sfs_checker *c, struct sfs_inode *in)
{
	char target[SFS_SYMLINK_MAX + 1];

	/* An orphan's target may be half taken away. */
	if (!(in->i_flags & SFS_INODE_ORPHAN))
		sfs_check_err(c, sfs_symlink_read(in, target, sizeof(target)));
}

static u64 sfs_severe(const struct sfs_found *found)
{
	return found->f_problems[SFS_REMEDY_NONE] + found->f_problems[SFS_REMEDY_READ];
}

/* Is a node below @node damaged, though the device gives it? */
static bool sfs_check_is_rotten(struct sfs_inode *in, const struct sfs_node_disk *node)
{
	const struct sfs_entry_disk *entries = (const struct sfs_entry_disk *)(node + 1);
	bool rotten = false;
	struct sfs_buf *buf;
	unsigned int i;
	int err;

	for (i = 0; node->n_level && i < le16_to_cpu(node->n_count) && !rotten; i++) {
		err = sfs_node_get(in, le64_to_cpu(entries[i].e_blk), &buf);
		if (err) {
			rotten = sfs_is_damage(err);
			continue;
		}
		rotten = sfs_buf_node(buf)->n_level >= node->n_level ||
			 sfs_check_is_rotten(in, sfs_buf_node(buf));
		sfs_buf_put(buf);
	}
	return rotten;
}

/*
 * What a table of usage says the other inodes say as well: one whose tree is damaged holds nothing
 * from here on, and is made anew.
 */
static bool sfs_check_lost_table(struct sfs_checker *c, struct sfs_inode *in)
{
	void (*report)(const char *text) = sfs_report;
	unsigned int q;
	bool rotten;

	for (q = 0; q < SFS_QUOTAS && c->fs->f_hidden[q] != in->i_ino; q++)
		;
	if (q == SFS_QUOTAS || in->i_mode >> SFS_TYPE_SHIFT != SFS_TYPE_REG)
		return false;
	sfs_report = sfs_report_nothing;
	rotten = sfs_check_is_rotten(in, (const struct sfs_node_disk *)in->i_root);
	sfs_report = report;
	if (!rotten)
		return false;
	sfs_usage_tell(c, SFS_PROBLEM_USAGE_LOST, "its tree is damaged", in->i_ino, 0, 0);
	c->found->f_tables_lost |= 1u << q;
	sfs_check_err(c, sfs_found_remember(c, in, 0));
	return true;
}

void sfs_check_inode(struct sfs_checker *c, u64 ino)
{
	u64 severe = sfs_severe(c->found);
	struct sfs_inode in;
	unsigned int type;
	u64 nblks, end = 0;
	int err;

	memset(&in, 0, sizeof(in));
	err = sfs_inode_read(c->fs, ino, &in);
	if (err) {
		sfs_unread_add(c, sfs_ino_blk(ino), 1, err);
		sfs_check_err(c, err);
		return;
	}
	if (sfs_check_lost_table(c, &in))
		return;
	type = in.i_mode >> SFS_TYPE_SHIFT;
	nblks = sfs_check_nodes(c, &in, (const struct sfs_node_disk *)in.i_root);
	/* Nodes that have been reported are not read again for the same report. */
	if (severe == sfs_severe(c->found))
		sfs_check_kinds(c, &in);
	/* Those of an inode that goes may be half taken away. */
	if (severe == sfs_severe(c->found) && (c->fs->f_compat & SFS_COMPAT_XATTR) &&
	    (in.i_nlink || !(in.i_flags & SFS_INODE_ORPHAN)))
		sfs_check_err(c, sfs_xattr_check(&in));
	if (severe == sfs_severe(c->found) && type == SFS_TYPE_LNK)
		sfs_check_target(c, &in);
	if (type == SFS_TYPE_REG)
		nblks += sfs_check_extents(c, &in, &end);
	err = sfs_found_remember(c, &in, nblks);
	sfs_check_err(c, err);
	if (!err && type == SFS_TYPE_REG)
		sfs_found_size(&c->found->f_inodes[c->found->f_ninodes - 1], end);
	if (nblks != in.i_blocks && severe == sfs_severe(c->found))
		SFS_PROBLEM(c, SFS_PROBLEM_BLOCKS, ino, nblks, in.i_blocks);
}
