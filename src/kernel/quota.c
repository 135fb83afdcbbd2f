// SPDX-License-Identifier: GPL-2.0-only
/*
 * quota.c - what an inode holds, in the accounts of its user, group and project.
 *
 * Nothing here is done on a volume that has no tables.  On others an inode's bytes as the VFS has
 * them are what has been charged for it: fs/quota changes the two together, and so the difference
 * to ii_core.i_blocks is what is still to be charged, or to be given back.
 */
#include "simplefs.h"

#include <linux/statfs.h>

#include "quota.h"

int sfs_quota_init(struct inode *inode)
{
	return sfs_has_quota(inode->i_sb) ? dquot_initialize(inode) : 0;
}

/* ---- blocks ---- */

int sfs_quota_reserve(struct inode *inode, u64 nblks)
{
	if (!sfs_has_quota(inode->i_sb))
		return 0;
	return __dquot_alloc_space(inode, nblks << SFS_BLOCK_BITS,
				   DQUOT_SPACE_WARN | DQUOT_SPACE_RESERVE);
}

bool sfs_quota_is_out(struct inode *inode)
{
	int err;

	if (!sfs_has_quota(inode->i_sb))
		return false;
	err = __dquot_alloc_space(inode, SFS_BLOCK_SIZE, DQUOT_SPACE_RESERVE);
	if (!err)
		sfs_quota_unreserve(inode, 1);
	return err == -EDQUOT;
}

void sfs_quota_unreserve(struct inode *inode, u64 nblks)
{
	if (sfs_has_quota(inode->i_sb) && nblks)
		__dquot_free_space(inode, nblks << SFS_BLOCK_BITS, DQUOT_SPACE_RESERVE);
}

void sfs_quota_claim(struct inode *inode, u64 nblks)
{
	if (sfs_has_quota(inode->i_sb) && nblks)
		dquot_claim_space_nodirty(inode, nblks << SFS_BLOCK_BITS);
}

int sfs_node_charge(struct sfs_inode *in)
{
	struct inode *inode = &container_of(in, struct sfs_inode_info, ii_core)->ii_vfs;

	if (!sfs_has_quota(inode->i_sb))
		return 0;
	return __dquot_alloc_space(inode, SFS_BLOCK_SIZE, DQUOT_SPACE_WARN);
}

void sfs_quota_follow(struct inode *inode)
{
	u64 nblks = SFS_I(inode)->ii_core.i_blocks;
	loff_t more;

	if (!sfs_has_quota(inode->i_sb) || IS_NOQUOTA(inode)) {
		inode->i_blocks = nblks << (SFS_BLOCK_BITS - 9);
		return;
	}
	more = (nblks << SFS_BLOCK_BITS) - inode_get_bytes(inode);
	if (more > 0)
		__dquot_alloc_space(inode, more, DQUOT_SPACE_WARN | DQUOT_SPACE_NOFAIL);
	else if (more < 0)
		__dquot_free_space(inode, -more, 0);
}

/* ---- owners ---- */

#ifdef CONFIG_QUOTA

static int sfs_owner_get(struct super_block *sb, struct kqid id, struct dquot **ret_dquot)
{
	struct dquot *dquot = dqget(sb, id);

	/* Usage of that type is not counted. */
	if (dquot == ERR_PTR(-ESRCH))
		return 0;
	if (IS_ERR(dquot))
		return PTR_ERR(dquot);
	*ret_dquot = dquot;
	return 0;
}

int sfs_owners_get(SFS_IDMAP_T *idmap, struct inode *inode, const struct iattr *attr,
		   struct sfs_owners *ret_owners)
{
	struct user_namespace *ns = i_user_ns(inode);
	struct super_block *sb = inode->i_sb;
	kuid_t uid;
	kgid_t gid;
	int err;

	*ret_owners = (struct sfs_owners) { };
	if (!sfs_has_quota(sb) || !(attr->ia_valid & (ATTR_UID | ATTR_GID)))
		return 0;
	err = dquot_initialize(inode);
	if (!err && i_uid_needs_update(idmap, attr, inode)) {
		uid = from_vfsuid(idmap, ns, attr->ia_vfsuid);
		err = sfs_owner_get(sb, make_kqid_uid(uid), &ret_owners->o_dquot[USRQUOTA]);
	}
	if (!err && i_gid_needs_update(idmap, attr, inode)) {
		gid = from_vfsgid(idmap, ns, attr->ia_vfsgid);
		err = sfs_owner_get(sb, make_kqid_gid(gid), &ret_owners->o_dquot[GRPQUOTA]);
	}
	if (err)
		sfs_owners_put(ret_owners);
	return err;
}

int sfs_owners_get_project(struct inode *inode, u32 projid, struct sfs_owners *ret_owners)
{
	int err;

	*ret_owners = (struct sfs_owners) { };
	if (!sfs_has_quota(inode->i_sb) || projid == SFS_I(inode)->ii_core.i_projid)
		return 0;
	err = dquot_initialize(inode);
	if (err)
		return err;
	return sfs_owner_get(inode->i_sb, make_kqid_projid(KPROJIDT_INIT(projid)),
			     &ret_owners->o_dquot[PRJQUOTA]);
}

int sfs_owners_move(struct inode *inode, struct sfs_owners *owners)
{
	unsigned int type;

	for (type = 0; type < MAXQUOTAS; type++)
		if (owners->o_dquot[type])
			return __dquot_transfer(inode, owners->o_dquot);
	return 0;
}

void sfs_owners_put(struct sfs_owners *owners)
{
	unsigned int type;

	for (type = 0; type < MAXQUOTAS; type++)
		dqput(owners->o_dquot[type]);
}

/* ---- df ---- */

/* At most @limit of @size, of which @used are, is to be had. */
static void sfs_quota_cap(u64 limit, u64 used, u64 *size, u64 *nfree, u64 *avail)
{
	u64 left = limit > used ? limit - used : 0;

	if (!limit || limit >= *size)
		return;
	*size = limit;
	*nfree = min(*nfree, left);
	if (avail)
		*avail = min(*avail, left);
}

void sfs_quota_statfs(struct inode *dir, struct kstatfs *st)
{
	const struct sfs_inode *in = &SFS_I(dir)->ii_core;
	struct super_block *sb = dir->i_sb;
	struct mem_dqblk *b;
	struct dquot *dquot;

	if (!(READ_ONCE(in->i_flags) & SFS_INODE_PROJINHERIT) || !sfs_has_quota(sb) ||
	    !sb_has_quota_limits_enabled(sb, PRJQUOTA))
		return;
	/* Its account may have to be made: nobody waits for a thaw to be told sizes. */
	if (READ_ONCE(sb->s_writers.frozen) >= SB_FREEZE_FS)
		return;
	dquot = dqget(sb, make_kqid_projid(KPROJIDT_INIT(READ_ONCE(in->i_projid))));
	if (IS_ERR(dquot))
		return;
	spin_lock(&dquot->dq_dqb_lock);
	b = &dquot->dq_dqb;
	sfs_quota_cap(min_not_zero(b->dqb_bsoftlimit, b->dqb_bhardlimit) >> SFS_BLOCK_BITS,
		      (b->dqb_curspace + b->dqb_rsvspace) >> SFS_BLOCK_BITS,
		      &st->f_blocks, &st->f_bfree, &st->f_bavail);
	sfs_quota_cap(min_not_zero(b->dqb_isoftlimit, b->dqb_ihardlimit), b->dqb_curinodes,
		      &st->f_files, &st->f_ffree, NULL);
	spin_unlock(&dquot->dq_dqb_lock);
	dqput(dquot);
}

#else

int sfs_owners_get(SFS_IDMAP_T *idmap, struct inode *inode, const struct iattr *attr,
		   struct sfs_owners *ret_owners)
{
	return 0;
}

int sfs_owners_get_project(struct inode *inode, u32 projid, struct sfs_owners *ret_owners)
{
	return 0;
}

int sfs_owners_move(struct inode *inode, struct sfs_owners *owners)
{
	return 0;
}

void sfs_owners_put(struct sfs_owners *owners)
{
}

void sfs_quota_statfs(struct inode *dir, struct kstatfs *st)
{
}

#endif
