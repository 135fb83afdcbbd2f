// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl.c - what is asked of a volume by ioctl(2), through any of its files and directories.
 *
 * FS_IOC_SHUTDOWN stops a volume that somebody uses, for high availability and for tests: as if its
 * device had been taken away, with as much made durable before as is asked for.
 */
#include "simplefs.h"

#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/uaccess.h>

/* How much is saved before the volume stops. */
static int sfs_goingdown(struct super_block *sb, u32 how)
{
	int err = 0;

	switch (how) {
	case FS_SHUTDOWN_FLAGS_DEFAULT:
		/* Everything: the freeze waits for writers and leaves a clean volume behind. */
		err = bdev_freeze(sb->s_bdev);
		if (err)
			return err;
		sfs_shutdown(&SFS_SB(sb)->si_fs, -ESHUTDOWN, "asked for, everything saved");
		return bdev_thaw(sb->s_bdev);
	case FS_SHUTDOWN_FLAGS_LOGFLUSH:
		/* Changes that were made; data that was not written is lost. */
		err = sfs_journal_sync(sb, 1);
		sfs_shutdown(&SFS_SB(sb)->si_fs, -ESHUTDOWN, "asked for, the journal saved");
		return err;
	case FS_SHUTDOWN_FLAGS_NOLOGFLUSH:
		sfs_shutdown(&SFS_SB(sb)->si_fs, -ESHUTDOWN, "asked for, nothing saved");
		return 0;
	default:
		return -EINVAL;
	}
}

static int sfs_ioc_shutdown(struct super_block *sb, u32 __user *arg)
{
	u32 how;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(how, arg))
		return -EFAULT;
	return sfs_is_shutdown(sb) ? 0 : sfs_goingdown(sb, how);
}

long sfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct super_block *sb = file_inode(file)->i_sb;
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case FS_IOC_SHUTDOWN:
		return sfs_ioc_shutdown(sb, p);
	case FITRIM:
		return sfs_ioc_trim(file, p);
	case SFS_IOC_GROW:
		return sfs_ioc_grow(file, p);
	case FS_IOC_GETVERSION:
	case FS_IOC32_GETVERSION:
		return put_user(file_inode(file)->i_generation, (u32 __user *)p);
	case FS_IOC_GETFSLABEL:
		return sfs_ioc_get_label(sb, p);
	case FS_IOC_SETFSLABEL:
		return sfs_ioc_set_label(file, p);
	default:
		return -ENOTTY;
	}
}
