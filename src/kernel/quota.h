/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quota.h - usage by user, group and project: quota.c has the accounts, quota_table.c the tables
 * that they are kept in.
 *
 * The kernel's own code counts (fs/quota), and asks here for bytes of a table, which are records of
 * a hidden inode (core/quota.h).  An inode's part in the accounts is what its record says: itself,
 * and i_blocks.  So sfs_inode_changed(), which ends every change of an inode, brings the accounts
 * to i_blocks in the same transaction; what may fail has been charged before: a promise
 * (delalloc.c) and a direct write by a reservation, nodes as they are made (sfs_node_charge()).
 *
 * Locks: an account is read, and may be made, before a handle is begun (sfs_quota_init()), under
 * si_quota_lock; accounts change under a handle and tree locks, and take their own locks and then
 * the table's tree lock.  So nobody who has a handle waits for who wants one.
 */
#ifndef SFS_KERNEL_QUOTA_H
#define SFS_KERNEL_QUOTA_H

#include <linux/quotaops.h>

/* What a change of one inode's usage takes: a leaf of each table. */
#define SFS_CREDITS_USAGE	SFS_QUOTAS

static inline bool sfs_has_quota(struct super_block *sb)
{
	return SFS_SB(sb)->si_fs.f_ro_compat & SFS_RO_COMPAT_QUOTA;
}

/* Credits for usage of @ninodes inodes. */
static inline unsigned int sfs_quota_credits(struct super_block *sb, unsigned int ninodes)
{
	return sfs_has_quota(sb) ? ninodes * SFS_CREDITS_USAGE : 0;
}

/* ---- quota_table.c ---- */

/* What was asked for at mount time: limits that count, a bit for each of USRQUOTA and so on. */
#define SFS_QUOTA_BIT(type)	(1u << (type))

void sfs_quota_setup(struct super_block *sb);
/*
 * Usage is counted from here on, or again; limits count as si_quota_limits says.  s_umount held
 * exclusively, no transaction.  The kernel may be unable to: says why.
 */
int sfs_quota_on(struct super_block *sb);
/* Before the last transaction of a mount, or of one that becomes read-only. */
void sfs_quota_suspend(struct super_block *sb);
void sfs_quota_off(struct super_block *sb);
/* Accounts that nobody uses any more are gone, as far as they may.  s_umount held. */
int sfs_quota_sync(struct super_block *sb);
/* The options of a mount, and of a remount.  -EINVAL, and why: there is no such table. */
int sfs_quota_options(struct super_block *sb, unsigned int given, unsigned int limits);
void sfs_quota_show_options(struct seq_file *seq, struct super_block *sb);
#ifdef CONFIG_QUOTA
ssize_t sfs_quota_table_read(struct super_block *sb, int type, char *buf, size_t nbytes,
			     loff_t pos);
ssize_t sfs_quota_table_write(struct super_block *sb, int type, const char *buf, size_t nbytes,
			      loff_t pos);
SFS_DQUOT_T **sfs_get_dquots(struct inode *inode);
#define SFS_QUOTA_SOPS		.quota_read = sfs_quota_table_read,	\
				.quota_write = sfs_quota_table_write,	\
				.get_dquots = sfs_get_dquots,
#else
#define SFS_QUOTA_SOPS
#endif

/* ---- quota.c ---- */

/*
 * The accounts that @inode has a part in are at hand from here on; before a handle is begun that is
 * to change its usage, of one that is to be made, too, which has owners by then.  May begin one,
 * and wait.
 */
int sfs_quota_init(struct inode *inode);
/* @nblks that may be written are charged, -EDQUOT; ... given back; ... became the file's, in @t. */
int sfs_quota_reserve(struct inode *inode, u64 nblks);
void sfs_quota_unreserve(struct inode *inode, u64 nblks);
void sfs_quota_claim(struct inode *inode, u64 nblks);
/* Is it for a limit that @inode gets no block?  For who only knows that it got none. */
bool sfs_quota_is_out(struct inode *inode);
/* The accounts, and the VFS's i_blocks, become what ii_core.i_blocks says.  In a handle. */
void sfs_quota_follow(struct inode *inode);

/* A change of owners: accounts of those to come, held from _get() to _put(). */
struct sfs_owners {
	struct dquot *o_dquot[MAXQUOTAS];
};
int sfs_owners_get(SFS_IDMAP_T *idmap, struct inode *inode, const struct iattr *attr,
		   struct sfs_owners *ret_owners);
int sfs_owners_get_project(struct inode *inode, u32 projid, struct sfs_owners *ret_owners);
/* In a handle with twice the credits, between sfs_inode_change() and _changed().  -EDQUOT. */
int sfs_owners_move(struct inode *inode, struct sfs_owners *owners);
/* What is held then is those that were; no handle is. */
void sfs_owners_put(struct sfs_owners *owners);
/* df in a directory of a project shows its limits. */
void sfs_quota_statfs(struct inode *dir, struct kstatfs *st);

#endif
