// SPDX-License-Identifier: GPL-2.0-only
/*
 * fileattr.c - the flags of an inode that chattr(1) knows, and its project: shown, set, inherited.
 *
 * On disk they are bits of their own (format.h), which become the FS_*_FL of ioctls here, and the
 * S_* of the VFS in inode.c.  i_flags and i_projid of an inode that can be found change under its
 * lock and the tree lock, so either is enough to read them.  SFS_INODE_ORPHAN, and what a later
 * version keeps beside it, stay as they are.
 */
#include "simplefs.h"

#include <linux/fileattr.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "namei.h"
#include "quota.h"

/* Of the fields besides flags only the project is there. */
#define SFS_XFLAGS_KNOWN	(FS_XFLAG_APPEND | FS_XFLAG_IMMUTABLE | FS_XFLAG_NODUMP | \
				 FS_XFLAG_NOATIME | FS_XFLAG_SYNC | FS_XFLAG_PROJINHERIT)
/* Said by others about an inode, and not to be set: who copies what he was told means nothing. */
#define SFS_XFLAGS_TOLD		(FS_XFLAG_PREALLOC | FS_XFLAG_HASATTR)

static const struct sfs_flag {
	u32 f_disk;
	u32 f_user;
} sfs_flags[] = {
	{ SFS_INODE_APPEND, FS_APPEND_FL },
	{ SFS_INODE_IMMUTABLE, FS_IMMUTABLE_FL },
	{ SFS_INODE_NODUMP, FS_NODUMP_FL },
	{ SFS_INODE_NOATIME, FS_NOATIME_FL },
	{ SFS_INODE_SYNC, FS_SYNC_FL },
	{ SFS_INODE_DIRSYNC, FS_DIRSYNC_FL },
	{ SFS_INODE_PROJINHERIT, FS_PROJINHERIT_FL },
};

#define SFS_FLAGS_SET	(SFS_INODE_FLAGS_KNOWN & ~SFS_INODE_ORPHAN)

static u32 sfs_flags_to_user(u32 disk)
{
	u32 user = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sfs_flags); i++)
		if (disk & sfs_flags[i].f_disk)
			user |= sfs_flags[i].f_user;
	return user;
}

/* -EOPNOTSUPP for a flag that there is not, or not on an inode of that type. */
static int sfs_flags_from_user(const struct inode *inode, u32 user, u32 *ret_disk)
{
	u32 disk = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sfs_flags); i++) {
		if (user & sfs_flags[i].f_user)
			disk |= sfs_flags[i].f_disk;
		user &= ~sfs_flags[i].f_user;
	}
	if (user || (!S_ISDIR(inode->i_mode) && (disk & SFS_INODE_FLAGS_DIR)))
		return -EOPNOTSUPP;
	*ret_disk = disk;
	return 0;
}

/* ---- inheritance and projects ---- */

void sfs_flags_inherit(struct inode *dir, struct inode *inode)
{
	const struct sfs_inode *from = &SFS_I(dir)->ii_core;
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	u32 mask = SFS_INODE_NODUMP | SFS_INODE_NOATIME;

	if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode))
		mask |= SFS_INODE_SYNC;
	if (S_ISDIR(inode->i_mode))
		mask |= SFS_INODE_FLAGS_DIR;
	WRITE_ONCE(in->i_flags, from->i_flags & mask);
	sfs_flags_to_vfs(inode);
}

int sfs_check_project(struct inode *dir, struct inode *inode)
{
	const struct sfs_inode *d = &SFS_I(dir)->ii_core;

	return (d->i_flags & SFS_INODE_PROJINHERIT) &&
	       d->i_projid != SFS_I(inode)->ii_core.i_projid ? -EXDEV : 0;
}

/* ---- shown ---- */

int sfs_fileattr_get(struct dentry *dentry, SFS_FILEATTR_T *fa)
{
	const struct sfs_inode *in = &SFS_I(d_inode(dentry))->ii_core;

	fileattr_fill_flags(fa, sfs_flags_to_user(READ_ONCE(in->i_flags)));
	fa->fsx_projid = READ_ONCE(in->i_projid);
	return 0;
}

/* ---- set ---- */

/* What is asked for, if it is to be had.  Inode lock held. */
static int sfs_flags_wanted(struct inode *inode, const SFS_FILEATTR_T *fa, u32 *ret_flags)
{
	const struct sfs_inode *in = &SFS_I(inode)->ii_core;
	u32 old = in->i_flags & SFS_FLAGS_SET;
	u32 user = fa->flags;
	int err;

	if (fa->fsx_valid && ((fa->fsx_xflags & ~(SFS_XFLAGS_KNOWN | SFS_XFLAGS_TOLD)) ||
			      fa->fsx_extsize || fa->fsx_cowextsize))
		return -EOPNOTSUPP;
	/* Who sets up a project asks it of all that is there: XFS passes it over, and so do we. */
	if (fa->fsx_valid && !S_ISDIR(inode->i_mode))
		user &= ~FS_PROJINHERIT_FL;
	err = sfs_flags_from_user(inode, user, ret_flags);
	if (err)
		return err;
	/* It changes in no other way than to be immutable no more. */
	if ((old & *ret_flags & SFS_INODE_IMMUTABLE) &&
	    (*ret_flags != old || fa->fsx_projid != in->i_projid))
		return -EPERM;
	return 0;
}

static int sfs_flags_change(struct inode *inode, u32 flags, u32 projid)
{
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	bool sync = IS_SYNC(inode);
	struct sfs_owners owners;
	struct sfs_trans t;
	int err;

	err = sfs_owners_get_project(inode, projid, &owners);
	if (err)
		return err;
	err = sfs_inode_change_begin(inode, SFS_CREDITS_INODE +
				     sfs_quota_credits(inode->i_sb, 2), 0, &t);
	if (err)
		goto put_owners;
	err = sfs_owners_move(inode, &owners);
	if (err)
		goto end;
	/* In one store: who asks for SFS_INODE_ORPHAN without a lock finds it as it is. */
	WRITE_ONCE(in->i_flags, (in->i_flags & ~SFS_FLAGS_SET) | flags);
	WRITE_ONCE(in->i_projid, projid);
	sfs_flags_to_vfs(inode);
	sfs_ctime_touch(inode);
	if (sync || IS_SYNC(inode))
		sfs_trans_sync(&t);
end:
	err = sfs_inode_change_end(&t, inode, err);
put_owners:
	sfs_owners_put(&owners);
	return err;
}

/*
 * What is on its way into a file arrives before the file is immutable.  With that its pages lose
 * their leave to be stored to, and the next who asks for it, in sfs_vm_mkwrite(), waits for the
 * lock here.
 */
static int sfs_flags_freeze(struct inode *inode, u32 flags, u32 projid)
{
	int err;

	inode_dio_wait(inode);
	filemap_invalidate_lock(inode->i_mapping);
	err = filemap_write_and_wait(inode->i_mapping);
	if (!err)
		err = sfs_flags_change(inode, flags, projid);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

int sfs_fileattr_set(SFS_IDMAP_T *idmap, struct dentry *dentry, SFS_FILEATTR_T *fa)
{
	struct inode *inode = d_inode(dentry);
	struct sfs_inode *in = &SFS_I(inode)->ii_core;
	u32 flags;
	int err;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	err = sfs_flags_wanted(inode, fa, &flags);
	if (err)
		return err;
	if (flags == (in->i_flags & SFS_FLAGS_SET) && fa->fsx_projid == in->i_projid)
		return 0;
	if (S_ISREG(inode->i_mode) && (flags & ~in->i_flags & SFS_INODE_IMMUTABLE))
		return sfs_flags_freeze(inode, flags, fa->fsx_projid);
	return sfs_flags_change(inode, flags, fa->fsx_projid);
}
