// SPDX-License-Identifier: GPL-2.0-only
/*
 * label.c - the name of a mounted volume: asked for, and changed.
 *
 * Block 0 and the copies of the first zones change in one transaction, the other copies in as many
 * as it takes, each of which a journal of the least size can hold.  A crash in between leaves
 * copies with the former name, which fsck brings up to date and does not call damage.  Zones that
 * are begun meanwhile take the name from block 0, and of two who give one each, the later writes
 * all copies after the other's block 0: so there is no lock here but the core's.
 */
#include "simplefs.h"

#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

/* Zones whose copies change in one transaction: of nearly all volumes it is all of them. */
#define SFS_LABEL_ZONES		64

int sfs_ioc_get_label(struct super_block *sb, char __user *arg)
{
	u8 label[SFS_LABEL_MAX + 1];

	static_assert(sizeof(label) <= FSLABEL_MAX);
	sfs_label_get(&SFS_SB(sb)->si_fs, label);
	return copy_to_user(arg, label, sizeof(label)) ? -EFAULT : 0;
}

/*
 * The copies of the zones from *@zone on, as many as are done at once, and before them block 0 if
 * there is a @label.  *@bad: some of the copies are what they were.
 */
static int sfs_label_step(struct super_block *sb, const u8 *label, u64 *zone, u32 *tid, bool *bad)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	unsigned int n = min_t(u64, smp_load_acquire(&fs->f_zones) - *zone, SFS_LABEL_ZONES);
	struct sfs_trans t;
	int err = 0;
	int err2;

	/* Read here, not in the transaction. */
	sfs_copies_read(fs, *zone, n);
	err2 = sfs_trans_begin(sb, n + 1, 0, &t);
	if (err2)
		return err2;
	if (label)
		err = sfs_super_write_label(&t, fs, label);
	if (!err && sfs_copies_update(&t, fs, *zone, n))
		*bad = true;
	*zone += n;
	*tid = sfs_trans_tid(&t);
	err2 = sfs_trans_end(&t);
	return err ? err : err2;
}

static int sfs_set_label(struct super_block *sb, const u8 *label)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	bool bad = false;
	u64 zone = 0;
	u32 tid = 0;
	int err;

	err = sfs_label_step(sb, label, &zone, &tid, &bad);
	if (err)
		return err;
	while (!err && zone < smp_load_acquire(&fs->f_zones)) {
		cond_resched();
		err = fatal_signal_pending(current) ? -EINTR :
		      sfs_label_step(sb, NULL, &zone, &tid, &bad);
	}
	if (err || bad)
		pr_warn_ratelimited("simplefs (%s): not all copies of the superblock have the new label; fsck.simplefs -f gives it to them\n",
				    sb->s_id);
	return sfs_journal_wait(sb, tid);
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
