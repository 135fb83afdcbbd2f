// SPDX-License-Identifier: GPL-2.0-only
/*
 * mount.c - the filesystem type, its mount options, and the module's two ends.
 *
 * Options are parsed into struct sfs_mount_options and applied when there is a superblock; a
 * remount may change errors= and discard, and switch between read-only and read-write.
 */
#include "simplefs.h"

#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "quota.h"

enum {
	SFS_OPT_ERRORS,
	SFS_OPT_JOURNAL_PATH,
	SFS_OPT_JOURNAL_DEV,
	SFS_OPT_NORECOVERY,
	SFS_OPT_DISCARD,
	SFS_OPT_USRQUOTA,
	SFS_OPT_GRPQUOTA,
	SFS_OPT_PRJQUOTA,
	SFS_OPT_NOQUOTA,
};

static const struct constant_table sfs_errors_values[] = {
	{ "continue", SFS_ERRORS_CONTINUE },
	{ "remount-ro", SFS_ERRORS_RO },
	{ "panic", SFS_ERRORS_PANIC },
	{ }
};

static const struct fs_parameter_spec sfs_parameters[] = {
	fsparam_enum("errors", SFS_OPT_ERRORS, sfs_errors_values),
	fsparam_string("journal_path", SFS_OPT_JOURNAL_PATH),
	fsparam_u32("journal_dev", SFS_OPT_JOURNAL_DEV),
	fsparam_flag("norecovery", SFS_OPT_NORECOVERY),
	fsparam_flag("noload", SFS_OPT_NORECOVERY),
	fsparam_flag_no("discard", SFS_OPT_DISCARD),
	fsparam_flag("quota", SFS_OPT_USRQUOTA),
	fsparam_flag("usrquota", SFS_OPT_USRQUOTA),
	fsparam_flag("grpquota", SFS_OPT_GRPQUOTA),
	fsparam_flag("prjquota", SFS_OPT_PRJQUOTA),
	fsparam_flag("noquota", SFS_OPT_NOQUOTA),
	{ }
};

static int sfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct sfs_mount_options *m = fc->fs_private;
	struct fs_parse_result result;
	int opt;

	opt = fs_parse(fc, sfs_parameters, param, &result);
	if (opt < 0)
		return opt;
	switch (opt) {
	case SFS_OPT_ERRORS:
		m->m_errors = result.uint_32;
		break;
	case SFS_OPT_JOURNAL_PATH:
		kfree(m->m_journal_path);
		m->m_journal_path = param->string;
		param->string = NULL;
		break;
	case SFS_OPT_JOURNAL_DEV:
		m->m_journal_dev = new_decode_dev(result.uint_32);
		break;
	case SFS_OPT_NORECOVERY:
		m->m_norecovery = true;
		break;
	case SFS_OPT_DISCARD:
		m->m_discard_given = true;
		m->m_discard = !result.negated;
		break;
	case SFS_OPT_USRQUOTA:
	case SFS_OPT_GRPQUOTA:
	case SFS_OPT_PRJQUOTA:
		m->m_quota_given |= SFS_QUOTA_BIT(opt - SFS_OPT_USRQUOTA);
		m->m_quota_limits |= SFS_QUOTA_BIT(opt - SFS_OPT_USRQUOTA);
		break;
	case SFS_OPT_NOQUOTA:
		m->m_quota_given = SFS_QUOTA_BIT(SFS_QUOTAS) - 1;
		m->m_quota_limits = 0;
		break;
	}
	return 0;
}

static int sfs_get_tree(struct fs_context *fc)
{
	return get_tree_bdev(fc, sfs_fill_super);
}

static int sfs_reconfigure(struct fs_context *fc)
{
	struct super_block *sb = fc->root->d_sb;
	struct sfs_sb_info *si = SFS_SB(sb);
	struct sfs_mount_options *m = fc->fs_private;
	bool want_ro = fc->sb_flags & SB_RDONLY;
	bool forced = fc->sb_flags & SB_FORCE;
	int err;

	/* mount(2) would take it away. */
	fc->sb_flags |= SB_I_VERSION;
	sync_filesystem(sb);
	if (m->m_norecovery && !(want_ro && test_bit(SFS_SI_NORECOVERY, &si->si_flags))) {
		errorf(fc, "simplefs: norecovery cannot be turned on by a remount");
		return -EINVAL;
	}
	err = sfs_quota_options(sb, m->m_quota_given, m->m_quota_limits);
	if (err)
		return err;
	/* journal_path= may come again from fstab: it counts if no journal is open yet. */
	if (want_ro != sb_rdonly(sb)) {
		err = want_ro ? sfs_make_readonly(sb, forced) : sfs_make_writable(sb, m);
		/* An emergency remount goes on in any case: the volume then stays unclean. */
		if (err && !(want_ro && forced))
			return err;
	}
	if (m->m_errors)
		si->si_errors = m->m_errors;
	if (m->m_discard_given)
		sfs_discard_set(sb, m->m_discard);
	return 0;
}

static void sfs_free_fc(struct fs_context *fc)
{
	struct sfs_mount_options *m = fc->fs_private;

	if (!m)
		return;
	kfree(m->m_journal_path);
	kfree(m);
}

static const struct fs_context_operations sfs_context_ops = {
	.parse_param = sfs_parse_param,
	.get_tree = sfs_get_tree,
	.reconfigure = sfs_reconfigure,
	.free = sfs_free_fc,
};

static int sfs_init_fs_context(struct fs_context *fc)
{
	fc->fs_private = kzalloc(sizeof(struct sfs_mount_options), GFP_KERNEL);
	if (!fc->fs_private)
		return -ENOMEM;
	fc->ops = &sfs_context_ops;
	return 0;
}

static void sfs_kill_sb(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);

	kill_block_super(sb);
	if (!si)
		return;
	sfs_journal_release(sb, si);
	sfs_discard_exit(si);
	kfree(si->si_journal_path);
	kfree(si);
}

static struct file_system_type sfs_type = {
	.owner = THIS_MODULE,
	.name = "simplefs",
	.init_fs_context = sfs_init_fs_context,
	.parameters = sfs_parameters,
	.kill_sb = sfs_kill_sb,
	.fs_flags = FS_REQUIRES_DEV | FS_ALLOW_IDMAP,
};

static int __init sfs_init(void)
{
	int err;

	err = sfs_inode_cache_init();
	if (err)
		return err;
	err = sfs_sysfs_init();
	if (err)
		goto exit_cache;
	err = register_filesystem(&sfs_type);
	if (!err)
		return 0;
	sfs_sysfs_exit();
exit_cache:
	sfs_inode_cache_exit();
	return err;
}

static void __exit sfs_exit(void)
{
	unregister_filesystem(&sfs_type);
	sfs_sysfs_exit();
	sfs_inode_cache_exit();
}

module_init(sfs_init);
module_exit(sfs_exit);

MODULE_ALIAS_FS("simplefs");
MODULE_DESCRIPTION("simplefs: one tree per inode, space is bitmaps, journalled");
MODULE_AUTHOR("The simplefs maintainers");
MODULE_VERSION(SIMPLEFS_VERSION);
MODULE_LICENSE("GPL");
