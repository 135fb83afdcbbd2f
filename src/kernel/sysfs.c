// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysfs.c - /sys/fs/simplefs: what the module knows (features), and a directory for each volume.
 *
 * Names and units are those of ext4 where it has the same.  All are read-only, and cost no more
 * than a look at memory.  A volume's directory is there from the end of its mount to the begin of
 * its unmount, which waits for who is reading.
 */
#include "simplefs.h"

#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "../core/label.h"

static struct kobject *sfs_sysfs_root;
static struct kobject *sfs_sysfs_features;

/* ---- what the module knows ---- */

static ssize_t sfs_supported_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "supported\n");
}

#define SFS_SUPPORTED(name)							\
	static struct kobj_attribute sfs_feature_##name =			\
		__ATTR(name, 0444, sfs_supported_show, NULL)

SFS_SUPPORTED(journal);
SFS_SUPPORTED(journal_dev);
SFS_SUPPORTED(xattr);
SFS_SUPPORTED(batched_discard);

static struct attribute *sfs_feature_attrs[] = {
	&sfs_feature_journal.attr,
	&sfs_feature_journal_dev.attr,
	&sfs_feature_xattr.attr,
	&sfs_feature_batched_discard.attr,
	NULL
};

static const struct attribute_group sfs_feature_group = {
	.attrs = sfs_feature_attrs,
};

/* ---- a volume ---- */

struct sfs_attr {
	struct attribute a_attr;
	int (*a_show)(struct sfs_sb_info *si, char *buf);
};

/* @word behind the @n bytes in @buf, if @on; returns how many there are then. */
static int sfs_word(char *buf, int n, bool on, const char *word)
{
	return on ? n + sysfs_emit_at(buf, n, "%s%s", n ? " " : "", word) : n;
}

static int sfs_words_end(char *buf, int n)
{
	return n + sysfs_emit_at(buf, n, "\n");
}

static int sfs_state_show(struct sfs_sb_info *si, char *buf)
{
	int n;

	n = sfs_word(buf, 0, READ_ONCE(si->si_fs.f_state) & SFS_STATE_ERROR, "error");
	n = sfs_word(buf, n, test_bit(SFS_SI_DAMAGED, &si->si_flags), "stopped");
	n = sfs_word(buf, n, sfs_is_shutdown(si->si_sb), "shutdown");
	n = sfs_word(buf, n, !n, "ok");
	return sfs_words_end(buf, n);
}

static int sfs_errors_count_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(si->si_fs.f_error_count));
}

static int sfs_last_error_time_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%lld\n", div_s64(READ_ONCE(si->si_fs.f_error_time), NSEC_PER_SEC));
}

static int sfs_last_error_block_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(si->si_fs.f_error_blk));
}

static int sfs_last_error_ino_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(si->si_fs.f_error_ino));
}

/* From the disk, perhaps: what cannot be shown is escaped. */
static int sfs_last_error_reason_show(struct sfs_sb_info *si, char *buf)
{
	char why[SFS_WHY_MAX];
	unsigned long flags;

	flags = sfs_error_lock(&si->si_fs);
	memcpy(why, si->si_fs.f_error_why, sizeof(why));
	sfs_error_unlock(&si->si_fs, flags);
	return sysfs_emit(buf, "%*pE\n", (int)strnlen(why, sizeof(why)), why);
}

static int sfs_free_blocks_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%lld\n", sfs_counter_read(&si->si_fs.f_free));
}

static int sfs_available_blocks_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%llu\n", sfs_space_available(&si->si_fs));
}

static int sfs_reserved_blocks_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%llu\n", si->si_fs.f_pool);
}

/* The numbers change between the looks at them: an estimate while somebody works. */
static int sfs_delayed_allocation_blocks_show(struct sfs_sb_info *si, char *buf)
{
	struct sfs_fs *fs = &si->si_fs;
	s64 nblks = sfs_counter_read(&fs->f_free) - sfs_counter_read(&fs->f_avail) -
		    sfs_counter_read(&fs->f_nodes) - sfs_counter_read(&fs->f_lost);

	return sysfs_emit(buf, "%lld\n", max_t(s64, nblks, 0));
}

static int sfs_delayed_node_blocks_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%lld\n", sfs_counter_read(&si->si_fs.f_nodes));
}

static int sfs_sequence_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(si->si_fs.f_sequence));
}

static int sfs_uuid_show(struct sfs_sb_info *si, char *buf)
{
	return sysfs_emit(buf, "%pU\n", si->si_fs.f_uuid);
}

static int sfs_label_show(struct sfs_sb_info *si, char *buf)
{
	u8 label[SFS_LABEL_MAX + 1];

	sfs_label_get(&si->si_fs, label);
	return sysfs_emit(buf, "%s\n", label);
}

/* Those that are known; others would not be used, and dump.simplefs shows them. */
static int sfs_features_show(struct sfs_sb_info *si, char *buf)
{
	const struct sfs_fs *fs = &si->si_fs;
	int n;

	n = sfs_word(buf, 0, fs->f_compat & SFS_COMPAT_JOURNAL, "journal");
	n = sfs_word(buf, n, fs->f_incompat & SFS_INCOMPAT_JOURNAL_DEV, "journal_dev");
	n = sfs_word(buf, n, fs->f_compat & SFS_COMPAT_XATTR, "xattr");
	return sfs_words_end(buf, n);
}

static int sfs_journal_device_show(struct sfs_sb_info *si, char *buf)
{
	dev_t dev = sfs_journal_dev(si->si_sb);

	if (dev)
		return sysfs_emit(buf, "%u:%u\n", MAJOR(dev), MINOR(dev));
	return sysfs_emit(buf, "none\n");
}

#define SFS_ATTR(word)								\
	static struct sfs_attr sfs_attr_##word = {				\
		.a_attr = { .name = #word, .mode = 0444 },			\
		.a_show = sfs_##word##_show,					\
	}

SFS_ATTR(state);
SFS_ATTR(errors_count);
SFS_ATTR(last_error_time);
SFS_ATTR(last_error_block);
SFS_ATTR(last_error_ino);
SFS_ATTR(last_error_reason);
SFS_ATTR(free_blocks);
SFS_ATTR(available_blocks);
SFS_ATTR(reserved_blocks);
SFS_ATTR(delayed_allocation_blocks);
SFS_ATTR(delayed_node_blocks);
SFS_ATTR(sequence);
SFS_ATTR(uuid);
SFS_ATTR(label);
SFS_ATTR(features);
SFS_ATTR(journal_device);

static struct attribute *sfs_volume_attrs[] = {
	&sfs_attr_state.a_attr,
	&sfs_attr_errors_count.a_attr,
	&sfs_attr_last_error_time.a_attr,
	&sfs_attr_last_error_block.a_attr,
	&sfs_attr_last_error_ino.a_attr,
	&sfs_attr_last_error_reason.a_attr,
	&sfs_attr_free_blocks.a_attr,
	&sfs_attr_available_blocks.a_attr,
	&sfs_attr_reserved_blocks.a_attr,
	&sfs_attr_delayed_allocation_blocks.a_attr,
	&sfs_attr_delayed_node_blocks.a_attr,
	&sfs_attr_sequence.a_attr,
	&sfs_attr_uuid.a_attr,
	&sfs_attr_label.a_attr,
	&sfs_attr_features.a_attr,
	&sfs_attr_journal_device.a_attr,
	NULL
};
ATTRIBUTE_GROUPS(sfs_volume);

static ssize_t sfs_volume_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	return container_of(attr, struct sfs_attr, a_attr)->a_show(
		container_of(kobj, struct sfs_sb_info, si_kobj), buf);
}

static void sfs_volume_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct sfs_sb_info, si_kobj)->si_kobj_gone);
}

static const struct sysfs_ops sfs_volume_ops = {
	.show = sfs_volume_show,
};

static const struct kobj_type sfs_volume_type = {
	.sysfs_ops = &sfs_volume_ops,
	.default_groups = sfs_volume_groups,
	.release = sfs_volume_release,
};

static void sfs_sysfs_drop(struct sfs_sb_info *si)
{
	kobject_put(&si->si_kobj);
	wait_for_completion(&si->si_kobj_gone);
}

void sfs_sysfs_add(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	int err;

	init_completion(&si->si_kobj_gone);
	err = kobject_init_and_add(&si->si_kobj, &sfs_volume_type, sfs_sysfs_root, "%s", sb->s_id);
	if (!err)
		return;
	pr_warn("simplefs (%s): not in /sys/fs/simplefs: error %d\n", sb->s_id, err);
	sfs_sysfs_drop(si);
}

void sfs_sysfs_remove(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);

	if (!si->si_kobj.state_in_sysfs)
		return;
	kobject_del(&si->si_kobj);
	sfs_sysfs_drop(si);
}

/* ---- the module's two ends ---- */

int sfs_sysfs_init(void)
{
	int err = -ENOMEM;

	sfs_sysfs_root = kobject_create_and_add("simplefs", fs_kobj);
	if (!sfs_sysfs_root)
		return -ENOMEM;
	sfs_sysfs_features = kobject_create_and_add("features", sfs_sysfs_root);
	if (sfs_sysfs_features)
		err = sysfs_create_group(sfs_sysfs_features, &sfs_feature_group);
	if (err)
		sfs_sysfs_exit();
	return err;
}

/* Deleted first: what is put may live on, where the kernel is debugged, and the module does not. */
void sfs_sysfs_exit(void)
{
	kobject_del(sfs_sysfs_features);
	kobject_put(sfs_sysfs_features);
	kobject_del(sfs_sysfs_root);
	kobject_put(sfs_sysfs_root);
}
