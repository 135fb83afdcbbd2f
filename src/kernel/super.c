// SPDX-License-Identifier: GPL-2.0-only
/*
 * super.c - a mounted volume: its life from mount to unmount.
 *
 * Mounting reads block 0 and the root; only after an unclean stop it also replays the journal,
 * counts the initialised zones and finishes what the orphan maps name.  Before the first change the
 * volume is marked unclean, after the last one, when the journal is empty, clean again with its
 * counters.
 */
#include "simplefs.h"

#include <linux/slab.h>

#include "buf.h"
#include "quota.h"
#include "xattrs.h"

#define SFS_LINK_MAX	S32_MAX		/* as much as stat(2) can be relied on to show */

static struct kmem_cache *sfs_inode_cache;

/* ---- inodes ---- */

static void sfs_inode_init_once(void *p)
{
	struct sfs_inode_info *ii = p;

	inode_init_once(&ii->ii_vfs);
	init_rwsem(&ii->ii_tree_lock);
	spin_lock_init(&ii->ii_ioend_lock);
	INIT_LIST_HEAD(&ii->ii_ioends);
}

int sfs_inode_cache_init(void)
{
	sfs_inode_cache = kmem_cache_create("simplefs_inode", sizeof(struct sfs_inode_info), 0,
					    SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					    sfs_inode_init_once);
	return sfs_inode_cache ? 0 : -ENOMEM;
}

void sfs_inode_cache_exit(void)
{
	/* Inodes are freed after a grace period: wait for the last of them. */
	rcu_barrier();
	kmem_cache_destroy(sfs_inode_cache);
	/* So are the cache's entries in debugfs and sysfs: nothing of ours outlives the module. */
	rcu_barrier();
}

static struct inode *sfs_alloc_inode(struct super_block *sb)
{
	struct sfs_inode_info *ii = alloc_inode_sb(sb, sfs_inode_cache, GFP_KERNEL);

	if (!ii)
		return NULL;
	memset(&ii->ii_core, 0, sizeof(ii->ii_core));
	/* Each life anew: the slab's free ends what watches over work items (DEBUG_OBJECTS). */
	INIT_WORK(&ii->ii_ioend_work, sfs_ioend_work);
	ii->ii_delalloc = RB_ROOT;
	ii->ii_delalloc_nblks = ii->ii_unwritten = ii->ii_direct = 0;
	ii->ii_delalloc_nruns = 0;
	ii->ii_sync_tid = ii->ii_datasync_tid = 0;
	ii->ii_flags = 0;
	atomic64_set(&ii->ii_seq, 0);
	ii->ii_reserved = 0;
	memset(ii->ii_dquot, 0, sizeof(ii->ii_dquot));
	return &ii->ii_vfs;
}

static void sfs_free_inode(struct inode *inode)
{
	kmem_cache_free(sfs_inode_cache, SFS_I(inode));
}

/* ---- orphans ---- */

/* One inode of the orphan maps: without a name it goes, half-truncated it is cut. */
static int sfs_recover_orphan(struct super_block *sb, u64 ino)
{
	struct inode *inode = sfs_iget(sb, ino, SFS_BY_ORPHAN_MAP);
	int err = 0;

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	if (inode->i_nlink && S_ISREG(inode->i_mode))
		err = sfs_truncate_orphan(inode);
	else if (inode->i_nlink)
		err = sfs_corrupt(&SFS_SB(sb)->si_fs, 0, ino, "orphan map",
				  "neither unlinked nor a file");
	iput(inode);		/* without a link: evict deletes it */
	return err;
}

/* Counts anew.  What cannot be read keeps nobody from the rest, nor the volume from a mount. */
static int sfs_recount(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	u64 nbad = 0;
	int err;

	err = sfs_fs_recount(&si->si_fs, &nbad);
	if (nbad) {
		/* The counters are no true ones to leave behind. */
		set_bit(SFS_SI_UNFINISHED, &si->si_flags);
		pr_warn("simplefs (%s): groups with maps that cannot be read, which count as full: %llu\n",
			sb->s_id, nbad);
	}
	return err;
}

/* Finishes what a crash interrupted.  One that cannot be finished does not keep the others back. */
static int sfs_recover_orphans(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	unsigned int done = 0;
	unsigned int left = 0;
	u64 nbad = 0;
	u64 ino = 0;
	int err;

	while (!sfs_is_shutdown(sb) && !(err = sfs_orphan_next(&si->si_fs, ino, &ino, &nbad))) {
		if (sfs_recover_orphan(sb, ino++))
			left++;
		else
			done++;
	}
	if (sfs_is_shutdown(sb))
		return -EIO;
	if (left || nbad)
		set_bit(SFS_SI_UNFINISHED, &si->si_flags);
	if (nbad)
		pr_warn("simplefs (%s): blocks that may hold such inodes, and cannot be read: %llu\n",
			sb->s_id, nbad);
	if (done || left)
		pr_info("simplefs (%s): %u unlinked or half-truncated inodes finished, %u not\n",
			sb->s_id, done, left);
	return err == -ENOENT ? 0 : err;
}

/* The journal has been replayed: what was read of the superblock may be old. */
static int sfs_reread_super(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	const void *data = sfs_buf_data(si->si_super);
	const char *why;

	why = sfs_super_verify(data, bdev_nr_bytes(sb->s_bdev) >> SFS_BLOCK_BITS);
	if (why) {
		pr_err("simplefs (%s): superblock after recovery: blk=0, %s\n", sb->s_id, why);
		return -EFSCORRUPTED;
	}
	sfs_super_decode(&si->si_fs, data);
	return sb_rdonly(sb) ? 0 : sfs_refuse_writing(sb);
}

/* ---- mount ---- */

/* Block 0 is somebody else's, or nobody's: was it a superblock? */
static bool sfs_has_copy(struct super_block *sb)
{
	u64 nblks = bdev_nr_bytes(sb->s_bdev) >> SFS_BLOCK_BITS;
	struct sfs_buf *buf;
	const char *why;

	if (sfs_copy_blk(0) >= nblks || sfs_buf_read_raw(sb, sfs_copy_blk(0), &buf))
		return false;
	why = sfs_copy_verify(sfs_buf_data(buf), sfs_copy_blk(0), nblks);
	sfs_buf_put(buf);
	return !why;
}

static int sfs_read_super(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	const void *data;
	const char *why;
	int err;

	err = sfs_buf_read_raw(sb, 0, &si->si_super);
	if (err) {
		pr_err("simplefs (%s): cannot read block 0; fsck.simplefs may mend that\n", sb->s_id);
		return err;
	}
	data = sfs_buf_data(si->si_super);
	if (!sfs_super_probe(data)) {
		if (!(sb->s_flags & SB_SILENT))
			pr_err("simplefs (%s): no simplefs here%s\n", sb->s_id,
			       sfs_has_copy(sb) ? ", but a copy of its superblock: "
						  "fsck.simplefs mends that" : "");
		return -EINVAL;
	}
	err = sfs_refuse_newer(sb, data);
	if (err)
		return err;
	why = sfs_super_verify(data, bdev_nr_bytes(sb->s_bdev) >> SFS_BLOCK_BITS);
	if (why) {
		pr_err("simplefs (%s): superblock: blk=0, %s; fsck.simplefs may mend that\n",
		       sb->s_id, why);
		return -EFSCORRUPTED;
	}
	sfs_buf_trust(si->si_super);
	sfs_super_decode(&si->si_fs, data);
	return sb_rdonly(sb) ? 0 : sfs_refuse_writing(sb);
}

/* The journal remembers that it was aborted: said once, and from then on the superblock knows. */
static int sfs_take_abort(struct super_block *sb)
{
	int why = sfs_journal_errno(sb);
	int err;

	if (!why)
		return 0;
	pr_warn("simplefs (%s): the journal was aborted earlier: error %d; check the volume\n",
		sb->s_id, why);
	err = sfs_change_state(sb, SFS_STATE_ERROR, SFS_STATE_CLEAN);
	if (!err)
		sfs_journal_clear_errno(sb);
	return err;
}

/*
 * The journal: opened for a writer; for a reader only to replay what a crash left, if the device
 * lets us; not at all with norecovery.  A log that is not empty is replayed whatever the mark says.
 */
static int sfs_open_journal(struct super_block *sb, const struct sfs_mount_options *m)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	bool clean = si->si_fs.f_state & SFS_STATE_CLEAN;
	bool lies;
	int err;

	if (m->m_norecovery) {
		set_bit(SFS_SI_NORECOVERY, &si->si_flags);
		if (sb_rdonly(sb))
			return 0;
		pr_err("simplefs (%s): norecovery needs a read-only mount\n", sb->s_id);
		return -EINVAL;
	}
	lies = clean && sfs_journal_has_log(sb, m->m_journal_path, m->m_journal_dev);
	if (lies)
		pr_warn("simplefs (%s): marked clean, but the journal is not empty\n", sb->s_id);
	clean &= !lies;
	if (sb_rdonly(sb) && clean)
		return 0;
	if (!clean && !(si->si_fs.f_compat & SFS_COMPAT_JOURNAL)) {
		/* And until then it is not in order, however it is unmounted. */
		set_bit(SFS_SI_UNFINISHED, &si->si_flags);
		pr_warn("simplefs (%s): not unmounted cleanly, and it has no journal: check it\n",
			sb->s_id);
	}
	if (bdev_read_only(sb->s_bdev) && (si->si_fs.f_compat & SFS_COMPAT_JOURNAL)) {
		pr_err("simplefs (%s): device is read-only, recovery is needed (or norecovery)\n",
		       sb->s_id);
		return -EROFS;
	}
	/* First: once the log is empty, nobody else would see that the mark is not true. */
	err = lies ? sfs_change_state(sb, 0, SFS_STATE_CLEAN) : 0;
	if (!err)
		err = sfs_journal_open(sb, m->m_journal_path, m->m_journal_dev);
	if (err || !si->si_journal)
		return err;
	if (!clean) {
		pr_info("simplefs (%s): recovered from an unclean stop\n", sb->s_id);
		err = sfs_reread_super(sb);
		si->si_fs.f_state &= ~SFS_STATE_CLEAN;
	}
	return err ? err : sfs_take_abort(sb);
}

/* The journal's device, as @m names it, is what a remount opens and /proc/mounts shows. */
static void sfs_keep_journal_name(struct sfs_sb_info *si, struct sfs_mount_options *m)
{
	unsigned long flags;

	if (!m->m_journal_path && !m->m_journal_dev)
		return;
	spin_lock_irqsave(&si->si_error_lock, flags);
	swap(si->si_journal_path, m->m_journal_path);
	si->si_journal_dev = m->m_journal_dev;
	spin_unlock_irqrestore(&si->si_error_lock, flags);
}

static int sfs_read_root(struct super_block *sb)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	struct inode *root;

	root = sfs_iget(sb, fs->f_root, SFS_BY_NAME);
	if (IS_ERR(root)) {
		pr_err("simplefs (%s): cannot read the root: blk=%llu\n", sb->s_id,
		       sfs_ino_blk(fs->f_root));
		return PTR_ERR(root);
	}
	if (!S_ISDIR(root->i_mode)) {
		iput(root);
		return sfs_corrupt(fs, sfs_ino_blk(fs->f_root), fs->f_root, "root inode",
				   "not a directory");
	}
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static void sfs_setup_super(struct super_block *sb)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;

	sb->s_magic = SFS_MAGIC_SUPER;
	sb->s_op = &sfs_sops;
	sb->s_export_op = &sfs_export_ops;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran = 1;
	sb->s_time_min = S64_MIN / NSEC_PER_SEC;
	sb->s_time_max = S64_MAX / NSEC_PER_SEC - 1;
	sb->s_flags |= SB_I_VERSION;
	sb->s_iflags |= SB_I_CGROUPWB;
	sb->s_max_links = SFS_LINK_MAX;
	super_set_uuid(sb, fs->f_uuid, sizeof(fs->f_uuid));
	super_set_sysfs_name_bdev(sb);
	sfs_xattr_init_super(sb);
}

/* The rest of a read-write start, also of a remount: counts, orphans, the mark. */
static int sfs_start_writing(struct super_block *sb, bool clean)
{
	struct sfs_fs *fs = &SFS_SB(sb)->si_fs;
	int err;

	/* First, as it may refuse: nothing is changed by then. */
	err = sfs_quota_on(sb);
	if (!err)
		err = sfs_sequence_begin(sb);
	if (err)
		return err;
	fs->f_mounts++;
	fs->f_mount_time = sfs_time_now();
	err = sfs_mark_unclean(sb);
	if (err)
		return err;
	clear_bit(SFS_SI_READONLY, &SFS_SB(sb)->si_flags);
	return clean ? 0 : sfs_recover_orphans(sb);
}

/* No metadata is used any more: forgotten are the superblock, and all that was verified. */
static void sfs_drop_blocks(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);

	sfs_buf_put(si->si_super);
	si->si_super = NULL;
	sfs_bdev_forget(sb->s_bdev);
}

/* What sfs_kill_sb() gives back, whatever comes of the mount. */
static struct sfs_sb_info *sfs_info_new(struct super_block *sb)
{
	struct sfs_sb_info *si = kzalloc(sizeof(*si), GFP_KERNEL);

	if (!si)
		return NULL;
	sb->s_fs_info = si;
	si->si_sb = sb;
	si->si_types = sfs_types;
	si->si_fs.f_priv = sb;
	sfs_error_init(si);
	sfs_discard_init(si);
	mutex_init(&si->si_trim_lock);
	mutex_init(&si->si_grow_lock);
	mutex_init(&si->si_quota_lock);
	return si;
}

/* Sector, block and page. */
static int sfs_check_sizes(struct super_block *sb)
{
	if (!sb_set_blocksize(sb, SFS_BLOCK_SIZE)) {
		pr_err("simplefs (%s): the device cannot do 4096-byte blocks\n", sb->s_id);
		return -EINVAL;
	}
	if (PAGE_SIZE > SFS_PAGE_MAX) {
		pr_err("simplefs (%s): pages of %lu bytes need Linux 6.12 or newer\n", sb->s_id,
		       PAGE_SIZE);
		return -EINVAL;
	}
	return 0;
}

int sfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct sfs_mount_options *m = fc->fs_private;
	struct sfs_sb_info *si;
	bool clean;
	int err;

	si = sfs_info_new(sb);
	if (!si)
		return -ENOMEM;
	err = sfs_check_sizes(sb);
	if (err)
		return err;
	err = sfs_read_super(sb);
	if (err)
		goto put_super;
	si->si_errors = m->m_errors ? m->m_errors : si->si_fs.f_errors;
	if (sb_rdonly(sb))
		set_bit(SFS_SI_READONLY, &si->si_flags);
	sfs_setup_super(sb);
	err = -ENOMEM;
	si->si_ioend_wq = alloc_workqueue("simplefs/%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 0, sb->s_id);
	if (!si->si_ioend_wq)
		goto put_super;
	err = sfs_open_journal(sb, m);
	clean = si->si_fs.f_state & SFS_STATE_CLEAN;
	/* What is counted may have come with what was replayed. */
	sfs_quota_setup(sb);
	if (!err)
		err = sfs_fs_init(&si->si_fs);
	/* What has not been replayed cannot be counted either. */
	if (!err && !clean && !m->m_norecovery)
		err = sfs_recount(sb);
	if (!err)
		err = sfs_read_root(sb);
	if (!err)
		err = sfs_quota_options(sb, m->m_quota_given, m->m_quota_limits);
	if (!err && !sb_rdonly(sb))
		err = sfs_start_writing(sb, clean);
	if (!err) {
		sfs_keep_journal_name(si, m);
		sfs_discard_set(sb, m->m_discard);
		sfs_sysfs_add(sb);
		return 0;
	}

	sfs_quota_off(sb);
	if (sb->s_root) {
		dput(sb->s_root);
		sb->s_root = NULL;
	}
	evict_inodes(sb);
	sfs_journal_close(sb);
	sfs_fs_exit(&si->si_fs);
	destroy_workqueue(si->si_ioend_wq);
	si->si_ioend_wq = NULL;
put_super:
	sfs_drop_blocks(sb);
	return err;
}

/* ---- while mounted ---- */

static int sfs_sync_fs(struct super_block *sb, int wait)
{
	int err, err2;

	if (sb_rdonly(sb))
		return 0;
	if (sfs_is_shutdown(sb))
		return -EIO;
	/* All data has arrived: what is still promised for it need not be. */
	if (wait && sfs_counter_read(&SFS_SB(sb)->si_fs.f_nodes))
		sfs_settle_all(sb);
	err = sfs_quota_sync(sb);
	err2 = sfs_journal_sync(sb, wait);
	return err ? err : err2;
}

static int sfs_freeze_fs(struct super_block *sb)
{
	if (sb_rdonly(sb))
		return 0;
	return sfs_journal_freeze(sb, sfs_mark_clean);
}

/* Whoever froze it must be able to thaw it, or it could never be unmounted. */
static int sfs_unfreeze_fs(struct super_block *sb)
{
	int err;

	if (sb_rdonly(sb) || sfs_is_shutdown(sb))
		return 0;
	err = sfs_mark_unclean(sb);
	if (err)
		sfs_shutdown(&SFS_SB(sb)->si_fs, err, "the clean mark could not be removed");
	return 0;
}

/* Without a journal nobody waits for changes under way: the state of such a moment is not clean. */
static int sfs_mark_nothing(struct super_block *sb)
{
	return 0;
}

int sfs_make_readonly(struct super_block *sb, bool forced)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	int err;

	flush_work(&si->si_error_work);
	if (!forced) {
		sfs_discard_finish(sb);
		sfs_quota_suspend(sb);
	}
	/* The VFS says SB_RDONLY only after this: nothing may begin behind the mark. */
	set_bit(SFS_SI_READONLY, &si->si_flags);
	/* Forced, something of several transactions may be in their midst: no end in order. */
	err = sfs_journal_freeze(sb, forced ? sfs_mark_nothing : sfs_mark_clean);
	if (err && !forced) {
		clear_bit(SFS_SI_READONLY, &si->si_flags);
		/* What is not counted from here on a check has to count. */
		if (sfs_quota_on(sb))
			sfs_corrupt(&si->si_fs, 0, 0, "quota", "usage is counted no more");
	}
	return err;
}

int sfs_make_writable(struct super_block *sb, struct sfs_mount_options *m)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	int err = 0;

	if (test_bit(SFS_SI_NORECOVERY, &si->si_flags) || sfs_is_shutdown(sb)) {
		pr_err("simplefs (%s): unmount and mount again to write\n", sb->s_id);
		return -EROFS;
	}
	if (bdev_read_only(sb->s_bdev))
		return -EROFS;
	err = sfs_refuse_writing(sb);
	if (err)
		return err;
	if (!si->si_journal && (m->m_journal_path || m->m_journal_dev)) {
		err = sfs_journal_open_late(sb, m->m_journal_path, m->m_journal_dev);
		if (!err)
			sfs_keep_journal_name(si, m);
	} else if (!si->si_journal) {
		err = sfs_journal_open_late(sb, si->si_journal_path, si->si_journal_dev);
	}
	if (!err && si->si_journal)
		err = sfs_take_abort(sb);
	if (err)
		return err;
	sb->s_flags &= ~SB_RDONLY;
	err = sfs_start_writing(sb, si->si_fs.f_state & SFS_STATE_CLEAN);
	if (err) {
		sfs_quota_suspend(sb);
		set_bit(SFS_SI_READONLY, &si->si_flags);
		sb->s_flags |= SB_RDONLY;
	}
	return err;
}

static void sfs_put_super(struct super_block *sb)
{
	struct sfs_sb_info *si = SFS_SB(sb);
	int err;

	sfs_sysfs_remove(sb);
	flush_work(&si->si_error_work);
	sfs_quota_off(sb);
	sfs_discard_finish(sb);
	sfs_discard_set(sb, false);
	destroy_workqueue(si->si_ioend_wq);
	err = sfs_journal_close(sb);
	if (err)
		pr_err("simplefs (%s): not everything reached the disk: error %d\n", sb->s_id, err);
	else if (!sb_rdonly(sb))
		sfs_mark_clean(sb);
	sfs_fs_exit(&si->si_fs);
	sfs_drop_blocks(sb);
}

/*
 * The block layer takes the device away.  If it still could, it has synced the volume before; what
 * follows has nowhere to go.  s_umount held shared.
 */
static void __maybe_unused sfs_device_gone(struct super_block *sb)
{
	sfs_shutdown(&SFS_SB(sb)->si_fs, -ENODEV, "the device is gone");
}

const struct super_operations sfs_sops = {
	.alloc_inode = sfs_alloc_inode,
	.free_inode = sfs_free_inode,
	.dirty_inode = sfs_dirty_inode,
	.write_inode = sfs_write_inode,
	.evict_inode = sfs_evict_inode,
	.put_super = sfs_put_super,
	.sync_fs = sfs_sync_fs,
	.freeze_fs = sfs_freeze_fs,
	.unfreeze_fs = sfs_unfreeze_fs,
	.statfs = sfs_statfs,
	.show_options = sfs_show_options,
	SFS_QUOTA_SOPS
	SFS_SUPER_SHUTDOWN(sfs_device_gone)
};
