// SPDX-License-Identifier: GPL-2.0-only
/*
 * quota_table.c - tables of usage: loaded, suspended, and kept as the kernel's code asks.
 *
 * Every change of an account is written to its table at once, in the transaction that makes it.
 * So a crash leaves both as they were together, and nothing is ever counted anew; but without a
 * journal, when a check does that.  It is a patch of one record.  Only an account that is new makes
 * a table longer, and for that there are spare chunks, which sfs_acquire_dquot() sees to
 * beforehand, outside of the accounts' locks.
 *
 * A kernel may be without all of that (CONFIG_QUOTA), or without its format (the module quota_v2):
 * then a volume with tables can only be read.
 */
#include "simplefs.h"

#include <linux/sched/mm.h>
#include <linux/seq_file.h>

#include "quota.h"

static const char *const sfs_quota_options_shown[SFS_QUOTAS] = { "usrquota", "grpquota", "prjquota" };

static const char *sfs_quota_refuse(struct super_block *sb, int err)
{
	switch (err) {
	case -ESRCH:
		return "this kernel has no format for it (module quota_v2)";
	case -EOPNOTSUPP:
		return "this kernel has no quotas (CONFIG_QUOTA)";
	case -EROFS:
		return "the table lacks an account in use (fsck.simplefs)";
	default:
		return "the table cannot be used";
	}
}

static const unsigned int sfs_quota_enforced[SFS_QUOTAS] = {
	FS_QUOTA_UDQ_ENFD, FS_QUOTA_GDQ_ENFD, FS_QUOTA_PDQ_ENFD
};

/* Limits of a type begin to count, or end to, while its usage is counted. */
static int sfs_quota_enforce(struct super_block *sb, int type, bool on)
{
	if (!sb_has_quota_active(sb, type) || sb_has_quota_limits_enabled(sb, type) == on)
		return 0;
	return on ? sb->s_qcop->quota_enable(sb, sfs_quota_enforced[type]) :
		    sb->s_qcop->quota_disable(sb, sfs_quota_enforced[type]);
}

#ifdef CONFIG_QUOTA

/* Locked below those of any file. */
#define SFS_TABLE_SUBCLASS	(SFS_CHANGE_MAX + 1)

/* Chunks that one new account may take: three of the tree, one of entries. */
#define SFS_TABLE_NEW		4
#define SFS_TABLE_SPARE		8

/* Chunks that a new account, or one that goes, may change, each in a leaf of its own. */
#define SFS_CREDITS_ACCOUNT	12

/* ---- bytes ---- */

ssize_t sfs_quota_table_read(struct super_block *sb, int type, char *buf, size_t nbytes,
			     loff_t pos)
{
	struct inode *inode = sb_dqopt(sb)->files[type];
	struct sfs_inode_info *ii = SFS_I(inode);
	int err = 0;

	down_read_nested(&ii->ii_tree_lock, SFS_TABLE_SUBCLASS);
	if (pos >= ii->ii_core.i_size)
		nbytes = 0;
	else
		nbytes = min_t(u64, nbytes, ii->ii_core.i_size - pos);
	if (nbytes)
		err = sfs_quota_read(&ii->ii_core, pos, buf, nbytes);
	up_read(&ii->ii_tree_lock);
	return err ? err : nbytes;
}

ssize_t sfs_quota_table_write(struct super_block *sb, int type, const char *buf, size_t nbytes,
			      loff_t pos)
{
	struct inode *inode = sb_dqopt(sb)->files[type];
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_trans t;
	int err, err2;

	/* Without a journal nobody else says so. */
	if (test_bit(SFS_SI_READONLY, &SFS_SB(sb)->si_flags) && !SFS_SB(sb)->si_journal)
		return -EROFS;
	/* Joins the handle of who changes the account. */
	err = sfs_trans_begin(sb, SFS_CREDITS_ACCOUNT, 0, &t);
	if (err)
		return err;
	down_write_nested(&ii->ii_tree_lock, SFS_TABLE_SUBCLASS);
	err = sfs_quota_write(&t, &ii->ii_core, pos, buf, nbytes);
	up_write(&ii->ii_tree_lock);
	err2 = sfs_trans_end(&t);
	err = err ? err : err2;
	return err ? err : nbytes;
}

/* One chunk more, if there are fewer than @want spare ones.  1: there are as many. */
static int sfs_table_extend(struct inode *inode, u64 want)
{
	struct sfs_inode_info *ii = SFS_I(inode);
	struct sfs_trans t;
	u64 have;
	int err;

	down_read_nested(&ii->ii_tree_lock, SFS_TABLE_SUBCLASS);
	err = sfs_quota_spare(&ii->ii_core, &have);
	up_read(&ii->ii_tree_lock);
	if (err || have >= want)
		return err ? err : 1;
	err = sfs_inode_change_begin(inode, SFS_CREDITS_TREE + SFS_CREDITS_INODE, SFS_REVOKES_TREE,
				     &t);
	if (err)
		return err;
	/* Who is only asked about gets an account, too: on a full volume that is to go well. */
	err = sfs_quota_extend(&t, &ii->ii_core, SFS_ALLOC_PROMISE);
	if (!err)
		i_size_write(inode, ii->ii_core.i_size);
	return sfs_inode_change_end(&t, inode, err);
}

/* Room for one more account.  Nobody else takes of it: si_quota_lock held. */
static int sfs_table_room(struct super_block *sb, int type)
{
	struct inode *inode = sb_dqopt(sb)->files[type];
	u64 want = SFS_TABLE_NEW;
	unsigned int tries = 0;
	int done = 0;
	int err = 0;

	while (!err && !done) {
		done = sfs_table_extend(inode, want);
		err = min(done, 0);
		if (sfs_retry_pending(sb, &err, &tries))
			done = 0;
		/* If there are not enough, then some more at once. */
		want = SFS_TABLE_SPARE;
	}
	return err;
}

/* ---- accounts ---- */

/*
 * A transaction of an account's own; under that of who changes it, it joins.  Only without one is
 * there somebody to keep from beginning it on a frozen volume.  Without a journal that cannot be
 * seen: but who is here then has been let in by the VFS, or has s_umount.
 */
static int sfs_account_begin(struct super_block *sb, struct sfs_trans *t, bool *ret_alone)
{
	int err;

	*ret_alone = !current->journal_info && SFS_SB(sb)->si_journal;
	if (*ret_alone)
		sb_start_intwrite(sb);
	err = sfs_trans_begin(sb, SFS_CREDITS_ACCOUNT, 0, t);
	if (err && *ret_alone)
		sb_end_intwrite(sb);
	return err;
}

static int sfs_account_end(struct super_block *sb, struct sfs_trans *t, bool alone, int err)
{
	int err2 = sfs_trans_end(t);

	if (alone)
		sb_end_intwrite(sb);
	return err ? err : err2;
}

/* What has changed with it must not commit without it. */
static int sfs_write_dquot(struct dquot *dquot)
{
	struct super_block *sb = dquot->dq_sb;
	struct sfs_trans t;
	bool alone;
	int err;

	err = sfs_account_begin(sb, &t, &alone);
	if (err)
		return err;
	err = dquot_commit(dquot);
	if (err < 0)
		sfs_shutdown(&SFS_SB(sb)->si_fs, err, "usage could not be written down");
	return sfs_account_end(sb, &t, alone, err);
}

static int sfs_mark_dquot_dirty(struct dquot *dquot)
{
	dquot_mark_dquot_dirty(dquot);
	return sfs_write_dquot(dquot);
}

/* 1: the tree of the table leads to @id. */
static int sfs_table_has(struct super_block *sb, int type, u32 id)
{
	__le32 next = cpu_to_le32(SFS_QUOTA_ROOT);
	ssize_t n = sizeof(next);
	int level;

	for (level = SFS_QUOTA_LEVELS - 1; level >= 0 && n == sizeof(next) && next; level--)
		n = sfs_quota_table_read(sb, type, (char *)&next, sizeof(next),
					 (u64)le32_to_cpu(next) * SFS_CHUNK +
					 (id >> 8 * level & 0xff) * sizeof(next));
	if (n < 0)
		return n;
	return n == sizeof(next) && next;
}

/* Reads an account, which may be a new one, and needs room only then.  si_quota_lock held. */
static int sfs_account_make(struct dquot *dquot)
{
	struct super_block *sb = dquot->dq_sb;
	int type = dquot->dq_id.type;
	struct sfs_trans t;
	int err, err2;

	err = sfs_table_has(sb, type, from_kqid(&init_user_ns, dquot->dq_id));
	if (!err)
		err = sfs_table_room(sb, type);
	if (err >= 0)
		err = sfs_trans_begin(sb, SFS_CREDITS_ACCOUNT, 0, &t);
	if (err)
		return err;
	err = dquot_acquire(dquot);
	err2 = sfs_trans_end(&t);
	return err ? err : err2;
}

static int sfs_acquire_dquot(struct dquot *dquot)
{
	struct super_block *sb = dquot->dq_sb;
	unsigned int nofs = memalloc_nofs_save();
	int err;

	/* Who frees memory may come for an account himself, to evict an inode: not under this. */
	sb_start_intwrite(sb);
	mutex_lock(&SFS_SB(sb)->si_quota_lock);
	/* A remount that begins to write finds programs that run: their accounts are there. */
	if (test_bit(SFS_SI_READONLY, &SFS_SB(sb)->si_flags) && !sb_rdonly(sb))
		err = dquot_acquire(dquot);
	else
		err = sfs_account_make(dquot);
	mutex_unlock(&SFS_SB(sb)->si_quota_lock);
	sb_end_intwrite(sb);
	memalloc_nofs_restore(nofs);
	return err;
}

/*
 * Of an account that is empty, and has no limits, the record goes as well.  Not while the volume is
 * frozen: this runs for all volumes in turn, and none may wait for the thaw of another.  Nor where
 * nothing can be written.  Then it stays, as that of one who has limits, and says what is true.
 */
static int sfs_release_dquot(struct dquot *dquot)
{
	struct super_block *sb = dquot->dq_sb;
	bool entered = sb_start_intwrite_trylock(sb);
	struct sfs_trans t;
	int err, err2;

	err = entered ? sfs_trans_begin(sb, SFS_CREDITS_ACCOUNT, 0, &t) : -EBUSY;
	if (err) {
		spin_lock(&dquot->dq_dqb_lock);
		clear_bit(DQ_FAKE_B, &dquot->dq_flags);
		spin_unlock(&dquot->dq_dqb_lock);
	}
	err2 = dquot_release(dquot);
	if (!err)
		err = sfs_trans_end(&t);
	if (entered)
		sb_end_intwrite(sb);
	return err && entered ? err : err2;
}

static int sfs_write_info(struct super_block *sb, int type)
{
	struct sfs_trans t;
	bool alone;
	int err = sfs_account_begin(sb, &t, &alone);

	return err ? err : sfs_account_end(sb, &t, alone, dquot_commit_info(sb, type));
}

static qsize_t *sfs_get_reserved_space(struct inode *inode)
{
	return &SFS_I(inode)->ii_reserved;
}

static int sfs_get_projid(struct inode *inode, kprojid_t *ret_projid)
{
	*ret_projid = KPROJIDT_INIT(READ_ONCE(SFS_I(inode)->ii_core.i_projid));
	return 0;
}

SFS_DQUOT_T **sfs_get_dquots(struct inode *inode)
{
	return SFS_I(inode)->ii_dquot;
}

static const struct dquot_operations sfs_dquot_ops = {
	.get_reserved_space = sfs_get_reserved_space,
	.write_dquot = sfs_write_dquot,
	.acquire_dquot = sfs_acquire_dquot,
	.release_dquot = sfs_release_dquot,
	.mark_dirty = sfs_mark_dquot_dirty,
	.write_info = sfs_write_info,
	.alloc_dquot = dquot_alloc,
	.destroy_dquot = dquot_destroy,
	.get_projid = sfs_get_projid,
	.get_next_id = dquot_get_next_id,
};

/* ---- quotactl ---- */

/*
 * An account that is asked about is made, if there is none, and that waits for a thaw.  Who asks
 * holds s_umount shared, which a thaw wants for itself, and a freeze, too: so it cannot be frozen
 * between here and there.
 */
static bool sfs_is_frozen(struct super_block *sb)
{
	return READ_ONCE(sb->s_writers.frozen) >= SB_FREEZE_FS;
}

static int sfs_get_dqblk(struct super_block *sb, struct kqid id, struct qc_dqblk *ret)
{
	return sfs_is_frozen(sb) ? -EBUSY : dquot_get_dqblk(sb, id, ret);
}

static int sfs_get_nextdqblk(struct super_block *sb, struct kqid *id, struct qc_dqblk *ret)
{
	return sfs_is_frozen(sb) ? -EBUSY : dquot_get_next_dqblk(sb, id, ret);
}

/* What is asked for here is what a later mount that writes again goes on with. */
static int sfs_quota_switch(struct super_block *sb, unsigned int flags, bool on)
{
	/* The kernel has these two by no name of their own. */
	int err = on ? dquot_quotactl_sysfile_ops.quota_enable(sb, flags) :
		       dquot_quotactl_sysfile_ops.quota_disable(sb, flags);
	unsigned int *limits = &SFS_SB(sb)->si_quota_limits;
	int type;

	for (type = 0; type < SFS_QUOTAS && !err; type++)
		if (flags & sfs_quota_enforced[type])
			*limits = on ? *limits | SFS_QUOTA_BIT(type) :
				       *limits & ~SFS_QUOTA_BIT(type);
	return err;
}

static int sfs_quota_enable(struct super_block *sb, unsigned int flags)
{
	return sfs_quota_switch(sb, flags, true);
}

static int sfs_quota_disable(struct super_block *sb, unsigned int flags)
{
	return sfs_quota_switch(sb, flags, false);
}

/* What changes something waits for the thaw before it has s_umount. */
static const struct quotactl_ops sfs_quotactl_ops = {
	.quota_enable = sfs_quota_enable,
	.quota_disable = sfs_quota_disable,
	.quota_sync = dquot_quota_sync,
	.get_state = dquot_get_state,
	.set_info = dquot_set_dqinfo,
	.get_dqblk = sfs_get_dqblk,
	.get_nextdqblk = sfs_get_nextdqblk,
	.set_dqblk = dquot_set_dqblk,
};

/* ---- tables ---- */

void sfs_quota_setup(struct super_block *sb)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	unsigned int type;

	if (!sfs_has_quota(sb))
		return;
	sb->dq_op = &sfs_dquot_ops;
	sb->s_qcop = &sfs_quotactl_ops;
	sb_dqopt(sb)->flags = DQUOT_QUOTA_SYS_FILE | DQUOT_NOLIST_DIRTY;
	for (type = 0; type < SFS_QUOTAS; type++)
		if (fs->f_hidden[type])
			sb->s_quota_types |= SFS_QUOTA_BIT(type);
}

static int sfs_table_load(struct super_block *sb, int type)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	unsigned int flags = DQUOT_USAGE_ENABLED;
	u64 ino = si->si_fs.f_hidden[type];
	struct inode *inode;
	int err;

	inode = sfs_iget(sb, ino, SFS_BY_NAME);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	if (!S_ISREG(inode->i_mode) || (SFS_I(inode)->ii_core.i_flags & SFS_INODE_ORPHAN)) {
		iput(inode);
		return sfs_corrupt(&si->si_fs, sfs_ino_blk(ino), ino, "quota",
				   "its inode is no table");
	}
	if (si->si_quota_limits & SFS_QUOTA_BIT(type))
		flags |= DQUOT_LIMITS_ENABLED;
	inode->i_flags |= S_NOQUOTA | S_NOATIME;
	err = dquot_load_quota_inode(inode, type, QFMT_VFS_V1, flags);
	iput(inode);
	return err;
}

/* What counted before comes back; options may have been others since. */
static int sfs_table_resume(struct super_block *sb, int type)
{
	int err = dquot_resume(sb, type);

	if (err)
		return err;
	return sfs_quota_enforce(sb, type, SFS_SB(sb)->si_quota_limits & SFS_QUOTA_BIT(type));
}

int sfs_quota_on(struct super_block *sb)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	int err = 0;
	int type;

	if (!sfs_has_quota(sb))
		return 0;
	for (type = 0; type < SFS_QUOTAS && !err; type++) {
		if (!fs->f_hidden[type])
			continue;
		if (sb_has_quota_suspended(sb, type))
			err = sfs_table_resume(sb, type);
		else if (!sb_has_quota_loaded(sb, type))
			err = sfs_table_load(sb, type);
		if (err)
			pr_err("simplefs (%s): usage by %s: %s: error %d; it can be mounted read-only (ro)\n",
			       sb->s_id, sfs_quota_word[type], sfs_quota_refuse(sb, err), err);
	}
	if (err)
		sfs_quota_suspend(sb);
	return err;
}

void sfs_quota_suspend(struct super_block *sb)
{
	if (sfs_has_quota(sb))
		dquot_suspend(sb, -1);
}

int sfs_quota_sync(struct super_block *sb)
{
	return sfs_has_quota(sb) ? dquot_writeback_dquots(sb, -1) : 0;
}

void sfs_quota_off(struct super_block *sb)
{
	if (sfs_has_quota(sb))
		dquot_disable(sb, -1, DQUOT_USAGE_ENABLED | DQUOT_LIMITS_ENABLED);
}

#else

void sfs_quota_setup(struct super_block *sb)
{
}

int sfs_quota_on(struct super_block *sb)
{
	if (!sfs_has_quota(sb))
		return 0;
	pr_err("simplefs (%s): usage is counted on it: %s; it can be mounted read-only (ro)\n",
	       sb->s_id, sfs_quota_refuse(sb, -EOPNOTSUPP));
	return -EROFS;
}

void sfs_quota_suspend(struct super_block *sb)
{
}

int sfs_quota_sync(struct super_block *sb)
{
	return 0;
}

void sfs_quota_off(struct super_block *sb)
{
}

#endif

/* ---- options ---- */

int sfs_quota_options(struct super_block *sb, unsigned int given, unsigned int limits)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	int err = 0;
	int type;

	for (type = 0; type < SFS_QUOTAS; type++) {
		if (!(given & limits & SFS_QUOTA_BIT(type)) ||
		    (sfs_has_quota(sb) && si->si_fs.f_hidden[type]))
			continue;
		pr_err("simplefs (%s): %s: usage by %s is not counted here; tune.simplefs -Q begins that\n",
		       sb->s_id, sfs_quota_options_shown[type], sfs_quota_word[type]);
		return -EINVAL;
	}
	si->si_quota_limits = (si->si_quota_limits & ~given) | limits;
	for (type = 0; type < SFS_QUOTAS && !err; type++)
		if (given & SFS_QUOTA_BIT(type))
			err = sfs_quota_enforce(sb, type, limits & SFS_QUOTA_BIT(type));
	return err;
}

void sfs_quota_show_options(struct seq_file *seq, struct super_block *sb)
{
	int type;

	for (type = 0; type < SFS_QUOTAS; type++)
		if (SFS_SB(sb)->si_quota_limits & SFS_QUOTA_BIT(type))
			seq_printf(seq, ",%s", sfs_quota_options_shown[type]);
}
