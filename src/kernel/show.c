// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - what is to be seen of a mounted volume: its numbers, by statfs(2), and its options.
 */
#include "simplefs.h"

#include <linux/seq_file.h>
#include <linux/statfs.h>

#include "quota.h"

int sfs_statfs(struct dentry *dentry, struct kstatfs *st)
{
	struct super_block *sb = dentry->d_sb;
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	/* Of what is promised for nodes next to all comes back. */
	s64 free = sfs_counter_read(&fs->f_avail) + sfs_counter_read(&fs->f_nodes);

	st->f_type = sb->s_magic;
	st->f_bsize = SFS_BLOCK_SIZE;
	st->f_blocks = READ_ONCE(fs->f_blocks) - fs->f_journal_blocks;
	st->f_bfree = clamp_t(s64, free, 0, st->f_blocks);
	st->f_bavail = min_t(u64, sfs_space_available(fs), st->f_bfree);
	/* Inodes are made of free blocks: as many as fit. */
	st->f_ffree = st->f_bavail * SFS_INODE_SLOTS;
	/* Below 0: some of groups that could not be counted are gone. */
	st->f_files = st->f_ffree + max_t(s64, sfs_counter_read(&fs->f_inodes), 0);
	st->f_namelen = SFS_NAME_MAX;
	st->f_fsid = uuid_to_fsid(fs->f_uuid);
	sfs_quota_statfs(d_inode(dentry), st);
	return 0;
}

int sfs_show_options(struct seq_file *seq, struct dentry *root)
{
	struct sfs_sb_info *si = SFS_SB(root->d_sb);
	unsigned long flags;

	seq_printf(seq, ",errors=%s", si->si_errors == SFS_ERRORS_PANIC ? "panic" :
		   si->si_errors == SFS_ERRORS_RO ? "remount-ro" : "continue");
	if (test_bit(SFS_SI_NORECOVERY, &si->si_flags))
		seq_puts(seq, ",norecovery");
	if (test_bit(SFS_SI_DISCARD, &si->si_flags))
		seq_puts(seq, ",discard");
	sfs_quota_show_options(seq, root->d_sb);
	spin_lock_irqsave(&si->si_error_lock, flags);
	if (si->si_journal_path)
		seq_show_option(seq, "journal_path", si->si_journal_path);
	spin_unlock_irqrestore(&si->si_error_lock, flags);
	if (si->si_journal_dev)
		seq_printf(seq, ",journal_dev=%u", new_encode_dev(si->si_journal_dev));
	return 0;
}
