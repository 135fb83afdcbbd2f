// SPDX-License-Identifier: GPL-2.0-only
/*
 * label.c - the name of a mounted volume: asked for, and changed.
 *
 * Block 0 and the copies of the first zones change in one transaction, the others behind it
 * (copies.c).  Of two who give a name each, the later writes all copies after the other's block 0:
 * so there is no lock here but the core's.
 */
#include "simplefs.h"

#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/uaccess.h>

int sfs_ioc_get_label(struct super_block *sb, char __user *arg)
{
	u8 label[SFS_LABEL_MAX + 1];

	static_assert(sizeof(label) <= FSLABEL_MAX);
	sfs_label_get(&SFS_SB(sb)->si_fs, label);
	return copy_to_user(arg, label, sizeof(label)) ? -EFAULT : 0;
}

static int sfs_set_label(struct super_block *sb, const u8 *label)
{
	struct sfs_copying c = { };
	unsigned int n = sfs_copies_ahead(sb, &c);
	struct sfs_trans t;
	int err;
	int err2;

	err = sfs_trans_begin(sb, n + 1, 0, &t);
	if (err)
		return err;
	err = sfs_super_write_label(&t, &SFS_SB(sb)->si_fs, label);
	if (!err)
		sfs_copies_step(&t, sb, &c, n);
	err2 = sfs_trans_end(&t);
	if (!err)
		err = err2;
	return err ? err : sfs_copies_finish(sb, &c, "label");
}

int sfs_ioc_set_label(struct file *file, const char __user *arg)
{
	char text[SFS_LABEL_MAX + 1];
	u8 label[SFS_LABEL_MAX] = { 0 };
	unsigned int nbytes;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(text, arg, sizeof(text)))
		return -EFAULT;
	nbytes = strnlen(text, sizeof(text));
	if (sfs_label_verify(text, nbytes))
		return -EINVAL;
	memcpy(label, text, nbytes);
	err = mnt_want_write_file(file);
	if (err)
		return err;
	err = sfs_set_label(file_inode(file)->i_sb, label);
	mnt_drop_write_file(file);
	return err;
}
