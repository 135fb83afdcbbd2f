/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * simplefs.h - the module in memory: mount, inode, and the map of src/kernel (prototypes by file).
 *
 * Locks, outermost first (the VFS's own in brackets):
 *
 *   [inode lock] -> [mapping invalidate lock] -> [folio lock] -> si_trim_lock, si_grow_lock or
 *     si_quota_lock -> transaction handle -> ii_tree_lock -> accounts (quota.h) -> ii_tree_lock of
 *     their tables -> the core's f_zone_lock, g_lock
 *
 * A handle may be begun with folios locked (writeback does), so nobody who holds a handle takes a
 * folio lock, faults in user memory or waits for data I/O.  A handle is begun before ii_tree_lock
 * is taken, never under it.  Several tree locks are taken together only by sfs_change_inodes().
 */
#ifndef SIMPLEFS_H
#define SIMPLEFS_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/iomap.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>

#include "../core/core.h"
#include "../core/ioctl.h"

struct sfs_journal;			/* journal.c */

/* What the VFS can do with inodes of one type. */
struct sfs_type {
	const struct inode_operations *t_iops;
	const struct file_operations *t_fops;	/* NULL: the VFS's own */
	const struct address_space_operations *t_aops;	/* NULL: no data */
};

/* What has been freed and is to be told to the device (freed.c), in batches of notes. */
struct sfs_discard {
	spinlock_t q_lock;		/* guards the lists; innermost */
	struct list_head q_pending[2];	/* not committed, by the transaction's parity */
	struct list_head q_ready;	/* for q_work */
	atomic_t q_batches;		/* how many there are in all */
	struct delayed_work q_work;
	unsigned long q_until;		/* 0, or when (jiffies) the worker gives up; an end waits */
};

struct sfs_sb_info {
	struct sfs_fs si_fs;		/* the core's; f_priv is the super_block */
	struct super_block *si_sb;
	struct sfs_buf *si_super;	/* block 0, held while mounted */
	const struct sfs_type *si_types;	/* by SFS_TYPE_* */
	struct sfs_journal *si_journal;	/* NULL: mounted without one */
	unsigned long si_flags;		/* SFS_SI_* bits */
	unsigned int si_errors;		/* SFS_ERRORS_* in force */
	struct workqueue_struct *si_ioend_wq;	/* conversions after data I/O */
	struct work_struct si_error_work;	/* writes the error record to the superblock */
	struct ratelimit_state si_error_rate;	/* of reports of damage */
	spinlock_t si_error_lock;	/* guards f_error_* and f_state of si_fs, and the path */
	char *si_journal_path;		/* as mounted with, or NULL */
	dev_t si_journal_dev;		/* as mounted with, or 0 */
	struct mutex si_trim_lock;	/* held while a run is busy (busy.h): who waits takes it */
	atomic_t si_moves;		/* rises when blocks are freed or become busy (retry.c) */
	struct mutex si_grow_lock;	/* one growth at a time (grow.c) */
	unsigned int si_label_nodes;	/* most that labels of a new inode may take; racy */
	struct sfs_discard si_discard;
	struct kobject si_kobj;		/* its directory in sysfs */
	struct completion si_kobj_gone;	/* nobody has that any more */
	struct mutex si_quota_lock;	/* one new account at a time (quota_table.c) */
	unsigned int si_quota_limits;	/* types whose limits the mount options ask for */
};

/* A transaction handle, on the stack of whoever begins it. */
struct sfs_trans {
	void *t_handle;			/* a handle_t of jbd2's; NULL: mounted without a journal */
	unsigned int t_nofs;		/* without: the allocation scope to go back to */
	bool t_sync;			/* without: its end waits for all metadata of t_sb */
	struct super_block *t_sb;
};

/* si_flags, bit numbers */
#define SFS_SI_SHUTDOWN		0	/* no more changes, EIO */
#define SFS_SI_NORECOVERY	1	/* mounted read-only without looking at the journal */
#define SFS_SI_DAMAGED		2	/* errors=remount-ro: reading goes on, changing does not */
#define SFS_SI_UNFINISHED	3	/* orphans stay, counts are not true, or unchecked */
#define SFS_SI_READONLY		4	/* no transaction begins: set before the clean mark */
#define SFS_SI_DISCARD		5	/* the mount option */

/* A run of blocks promised to a file but not yet chosen (delayed allocation). */
struct sfs_delalloc {
	struct rb_node d_node;		/* in ii_delalloc, by d_lblk; runs never overlap or touch */
	u64 d_lblk;
	u64 d_nblks;
};

struct sfs_inode_info {
	/*
	 * Guards ii_core's tree (i_root, i_blocks, i_buf), ii_core.i_size (the size on disk) and
	 * ii_delalloc: shared to look up, exclusive to change.
	 */
	struct rw_semaphore ii_tree_lock;
	struct sfs_inode ii_core;
	struct rb_root ii_delalloc;	/* struct sfs_delalloc */
	u64 ii_delalloc_nblks;		/* sum of them, as claimed from si_fs */
	u32 ii_delalloc_nruns;		/* how many there are */
	u64 ii_unwritten;		/* unwritten blocks that are dirty, an upper bound */
	u64 ii_direct;			/* and those that direct writes are on their way to */
	spinlock_t ii_ioend_lock;	/* guards ii_ioends */
	struct list_head ii_ioends;	/* completed, waiting for ii_ioend_work */
	struct work_struct ii_ioend_work;
	u32 ii_sync_tid;		/* last transaction that changed the inode */
	u32 ii_datasync_tid;		/* last one that fdatasync must wait for */
	unsigned long ii_flags;		/* SFS_II_* bits */
	qsize_t ii_reserved;		/* of ii_delalloc_nblks, in accounts; fs/quota's own */
	SFS_DQUOT_T *ii_dquot[MAXQUOTAS];	/* the same: the accounts themselves */
	atomic64_t ii_seq;		/* rises with every change: is an iomap still true? */
	struct inode ii_vfs;
};

/* ii_flags, bit numbers */
#define SFS_II_REPLACED		0	/* cut to 0 and not closed since: see sfs_release() */
#define SFS_II_HALF_CUT		1	/* a cut has failed on the way, none was finished since */

static inline struct sfs_sb_info *SFS_SB(struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct sfs_inode_info *SFS_I(struct inode *inode)
{
	return container_of(inode, struct sfs_inode_info, ii_vfs);
}

static inline struct sfs_fs *sfs_inode_fs(struct inode *inode)
{
	return &SFS_SB(inode->i_sb)->si_fs;
}

static inline bool sfs_is_shutdown(struct super_block *sb)
{
	return test_bit(SFS_SI_SHUTDOWN, &SFS_SB(sb)->si_flags);
}

/* No new transaction begins: damage was found, or the VFS has made it read-only under writers. */
static inline bool sfs_takes_no_change(struct super_block *sb)
{
	return sb_rdonly(sb) || test_bit(SFS_SI_DAMAGED, &SFS_SB(sb)->si_flags);
}

/* One past the last block of [@pos, +@nbytes), in u64: a file may end where loff_t does. */
static inline u64 sfs_end_lblk(loff_t pos, loff_t nbytes)
{
	return ((u64)pos + nbytes + SFS_BLOCK_SIZE - 1) >> SFS_BLOCK_BITS;
}

static inline u64 sfs_pos_lblk(loff_t pos)
{
	return pos >> SFS_BLOCK_BITS;
}

/* Blocks that a range of bytes touches. */
static inline u64 sfs_range_nblks(loff_t pos, loff_t nbytes)
{
	return sfs_end_lblk(pos, nbytes) - sfs_pos_lblk(pos);
}

/* ---- state.c ---- */
/* Before the first change: what is written from here on is above all that the volume has. */
int sfs_sequence_begin(struct super_block *sb);
/*
 * The superblock as it is in memory, on stable storage on return; before the first change, or when
 * no transaction can run.
 */
int sfs_mark_unclean(struct super_block *sb);
int sfs_mark_clean(struct super_block *sb);
/* The state alone, before the counters are known that a whole superblock needs. */
int sfs_change_state(struct super_block *sb, u32 set, u32 clear);

/* ---- super.c ---- */
/* What was asked for at mount time, before there is a superblock to ask it of. */
struct sfs_mount_options {
	unsigned int m_errors;		/* SFS_ERRORS_*, 0: the superblock's default */
	bool m_norecovery;
	bool m_discard_given;		/* and so m_discard counts */
	bool m_discard;
	unsigned int m_quota_given;	/* types that were named, and of these */
	unsigned int m_quota_limits;	/* those whose limits are to count */
	char *m_journal_path;
	dev_t m_journal_dev;
};

extern const struct super_operations sfs_sops;
int sfs_fill_super(struct super_block *sb, struct fs_context *fc);
/* Between read-only and read-write, both ways; the state on disk follows. */
int sfs_make_writable(struct super_block *sb, struct sfs_mount_options *m);
/* @forced: by an emergency remount, with writers that go on. */
int sfs_make_readonly(struct super_block *sb, bool forced);
int sfs_inode_cache_init(void);
void sfs_inode_cache_exit(void);

/* ---- show.c ---- */
int sfs_statfs(struct dentry *dentry, struct kstatfs *st);
int sfs_show_options(struct seq_file *seq, struct dentry *root);

/* ---- features.c: what a version of later has left; each says why in the log ---- */
/* @super, which was probed: -EINVAL if only a newer version may touch the volume. */
int sfs_refuse_newer(struct super_block *sb, const void *super);
/* After decoding: -EROFS if only a newer version may write to it. */
int sfs_refuse_writing(struct super_block *sb);

/* ---- error.c: sfs_corrupt(); record.c ---- */
void sfs_error_init(struct sfs_sb_info *si);
void sfs_error_panic(struct super_block *sb);	/* if errors= says so */

/* ---- journal.c, trans.c: the log, handles and waiting, sfs_shutdown() ---- */
/* Is there something to replay?  Also no, when an external journal's device is not named. */
bool sfs_journal_has_log(struct super_block *sb, const char *path, dev_t dev);
/* Opens, checks and replays; @path or @dev name an external journal's device. */
int sfs_journal_open(struct super_block *sb, const char *path, dev_t dev);
/* The same for a volume in use, whose clean mark was believed: -EROFS if that was not true. */
int sfs_journal_open_late(struct super_block *sb, const char *path, dev_t dev);
/* Why the open one was aborted in an earlier life, or 0; on disk until it is cleared. */
int sfs_journal_errno(struct super_block *sb);
void sfs_journal_clear_errno(struct super_block *sb);
int sfs_journal_close(struct super_block *sb);	/* 0: everything reached the disk */
void sfs_journal_release(struct super_block *sb, struct sfs_sb_info *si);
/* The device that has the open journal, or 0.  Between mount and unmount. */
dev_t sfs_journal_dev(struct super_block *sb);
/*
 * Begins a transaction that may change @nblks blocks and free @nrevokes metadata blocks.  -EROFS,
 * -EIO after a shutdown.  Nests: an inner begin joins the outer.
 */
int sfs_trans_begin(struct super_block *sb, unsigned int nblks, unsigned int nrevokes,
		    struct sfs_trans *ret_trans);
/* The same, also where damage forbids changes: to write down what was seen. */
int sfs_trans_begin_error(struct super_block *sb, struct sfs_trans *ret_trans);
int sfs_trans_end(struct sfs_trans *t);
void sfs_trans_sync(struct sfs_trans *t);	/* its end waits until it is on disk */
/* The newest transaction that may hold changes made so far; 0 without a journal. */
u32 sfs_journal_tid(struct super_block *sb);
/* Waits until transaction @tid is on disk, and flushes the data device.  @tid 0: flush only. */
int sfs_journal_wait(struct super_block *sb, u32 tid);
/* Has @tid committed?  False when unknown, as without a journal. */
bool sfs_journal_has(struct super_block *sb, u32 tid);
int sfs_journal_sync(struct super_block *sb, int wait);
/* Everything into place, the log empty, then @mark, before another transaction can begin. */
int sfs_journal_freeze(struct super_block *sb, int (*mark)(struct super_block *sb));
int sfs_journal_commit(struct super_block *sb);	/* all that has been changed so far */
/* Can a transaction change @nblks blocks, if it is alone? */
bool sfs_journal_can_hold(struct super_block *sb, unsigned int nblks);

/* ---- retry.c ---- */
/*
 * The rule of trying again.  True when *@err came of blocks in groups that nobody had looked at, or
 * whose freeing had not committed, or that were busy (-EAGAIN), and that is over now.  False: *@err
 * is what to say, -ENOSPC where nothing of that is left to wait for.  *@tries is 0 at first.  No
 * handle may be held, folios may be locked.
 */
bool sfs_retry_pending(struct super_block *sb, int *err, unsigned int *tries);
/*
 * The same for a caller without locked folios, who is the first to say ENOSPC: before that, once,
 * what writers have been promised for the worst case is claimed back by writing their data; that of
 * @inode alone where s_umount cannot be had, since who has it may wait for the caller.  -EINTR for
 * a fatal signal, instead of waiting.
 */
bool sfs_retry(struct inode *inode, int *err, unsigned int *tries);
/*
 * The same under the inode and invalidate locks, held exclusively: nobody else can settle what is
 * promised to @inode then, so that is done first, and alone.  No signal ends it.
 */
bool sfs_retry_alone(struct inode *inode, int *err, unsigned int *tries);
/* Settles counts of dirty blocks that are too high, of all files to be had.  s_umount held. */
void sfs_settle_all(struct super_block *sb);

/* ---- inode.c ---- */
/* Who names an inode.  Only of an orphan, and of one in memory, may the links be gone. */
enum sfs_namer {
	SFS_BY_NAME,			/* a directory, or the superblock: else damage */
	SFS_BY_ORPHAN_MAP,		/* the same */
	SFS_BY_HANDLE,			/* nobody on the volume: else -ESTALE */
};
struct inode *sfs_iget(struct super_block *sb, u64 ino, enum sfs_namer by);
void sfs_set_inode_ops(struct inode *inode);	/* by its mode; i_rdev is known */
/* What i_flags asks of the VFS.  Nobody else can change the inode. */
void sfs_flags_to_vfs(struct inode *inode);
/*
 * One inode's change in @t: takes the tree lock exclusively, sfs_inode_begin(), ... and back.  _end
 * copies owner, mode, links and times from the VFS inode into the record (the size not: that is
 * ii_core.i_size, set by whoever knows what is on disk) and remembers the transaction for fsync.
 */
int sfs_inode_change(struct sfs_trans *t, struct inode *inode);
void sfs_inode_changed(struct sfs_trans *t, struct inode *inode);
/*
 * The same as a transaction of its own.  _begin: as sfs_trans_begin(), and nothing is held when it
 * fails.  _end returns @err, or else the transaction's own error.
 */
int sfs_inode_change_begin(struct inode *inode, unsigned int nblks, unsigned int nrevokes,
			   struct sfs_trans *ret_trans);
int sfs_inode_change_end(struct sfs_trans *t, struct inode *inode, int err);
/* Parts of the above, when the caller already holds the tree lock. */
void sfs_inode_to_core(struct inode *inode);
void sfs_inode_note_tid(struct sfs_trans *t, struct inode *inode, bool datasync);
/* Up to four inodes, NULL and repeats allowed: their tree locks in one order, each begun in @t. */
#define SFS_CHANGE_MAX	4
int sfs_change_inodes(struct sfs_trans *t, struct inode *const inodes[SFS_CHANGE_MAX]);
void sfs_changed_inodes(struct sfs_trans *t, struct inode *const inodes[SFS_CHANGE_MAX]);
void sfs_dirty_inode(struct inode *inode, int flags);
int sfs_write_inode(struct inode *inode, struct writeback_control *wbc);
int sfs_fsync(struct file *file, loff_t start, loff_t end, int datasync);

/* ---- truncate.c ---- */
/*
 * Frees all blocks from @size on, in as many transactions as it takes, as orphan meanwhile.  The
 * page cache has been cut by the caller; on return i_size and the size on disk are @size.
 */
int sfs_truncate(struct inode *inode, u64 size);
/* Zeroes [@pos, +@nbytes) in the page cache; the file ends where it did.  Inode lock held. */
int sfs_zero(struct inode *inode, loff_t pos, loff_t nbytes);
/*
 * Makes the whole blocks of [@lblk, @end), whose folios are gone, read as zeros and keeps them: on
 * a full volume freed ones would not come back.  Inode and invalidate locks held.
 */
int sfs_unwrite_range(struct inode *inode, u64 lblk, u64 end);
/* May there be blocks past the end that a failed cut has left?  Inode lock held. */
static inline bool sfs_is_half_cut(struct inode *inode)
{
	return test_bit(SFS_II_HALF_CUT, &SFS_I(inode)->ii_flags);
}
/*
 * Before the file grows to @end, by a write at @pos, at or past its end now, or by none, @pos being
 * @end: what lies before @pos reads as zeros, in memory and, should only the new size reach the
 * disk, there too, and so does what the write does not get there.  Inode and invalidate locks held.
 */
int sfs_zero_gap(struct inode *inode, loff_t pos, loff_t end);
/* setattr's ATTR_SIZE, page cache and zeroing included.  Inode lock held. */
int sfs_setsize(struct inode *inode, loff_t size);
/* The same with the invalidate lock held, too, after direct I/O has drained. */
int sfs_setsize_locked(struct inode *inode, loff_t size);
/* 1 if there are blocks past the end of the file, which a cut to its size frees. */
int sfs_has_past_eof(struct inode *inode);
/* evict's: frees all of a file's blocks, in several transactions. */
int sfs_free_extents(struct inode *inode);
/* Finishes what a mount or remount found cut in half; in a remount the file may be in use. */
int sfs_truncate_orphan(struct inode *inode);

/* ---- delalloc.c: ii_tree_lock held exclusively (find: shared) ---- */
int sfs_delalloc_reserve(struct inode *inode, u64 lblk, u64 nblks);
/* The run that covers or follows @lblk; false if none. */
bool sfs_delalloc_find(struct inode *inode, u64 lblk, u64 *ret_lblk, u64 *ret_nblks);
/*
 * Forgets [lblk, +nblks); gives the claim back when @unclaim, else the allocator has used it for
 * unwritten blocks, which are dirty.
 */
void sfs_delalloc_remove(struct inode *inode, u64 lblk, u64 nblks, bool unclaim);
/*
 * @nblks of an unwritten extent are about to be written, by way of the page cache or @direct:
 * claims nodes for what becomes of it.
 */
int sfs_unwritten_reserve(struct inode *inode, u64 nblks, bool direct);
/*
 * As many have arrived, or were never made dirty.  Who fails on the way takes nothing back: a folio
 * may be dirty again before that is known, and too much is settled below.
 */
void sfs_unwritten_arrived(struct inode *inode, u64 nblks, bool direct);
/*
 * A direct write allocates at once: claims *@nblks, or as many as there are, and the nodes of the
 * worst case; _taken() says how many of them are unwritten blocks of the file now.
 */
int sfs_direct_claim(struct inode *inode, u64 *nblks);
void sfs_direct_taken(struct inode *inode, u64 claimed, u64 taken);
/*
 * A direct write has ended: if none but @own (the caller's) are on their way, none is counted.
 * Takes ii_tree_lock.
 */
void sfs_direct_settle(struct inode *inode, int own);
/* No more than @nblks are dirty, and no direct write is on its way: so many are counted. */
void sfs_unwritten_at_most(struct inode *inode, u64 nblks);
/*
 * Around any change that puts other records into the tree of a file, or parts those that there are:
 * as many nodes more as what was promised may want then; what of them is not wanted goes back.
 * -ENOSPC: not so many; none are wanted once the file's data has been written, sfs_retry_alone().
 */
int sfs_promise_widen(struct inode *inode);
void sfs_promise_fit(struct inode *inode);
/* The page cache is gone, and with it all that was promised for it. */
void sfs_promises_forget(struct inode *inode);

/* ---- unwritten.c ---- */
/* What was counted too much is given back, where it need not wait.  Takes ii_tree_lock. */
void sfs_unwritten_settle(struct inode *inode);
/*
 * The same, told under the inode and invalidate locks, held exclusively: then nobody is between a
 * claim and the folio that it is for, and what is dirty can be counted.
 */
void sfs_unwritten_recount(struct inode *inode);
/* The same under the inode lock alone: promises for the worst case hide space. */
void sfs_promises_recount(struct inode *inode);

/* ---- iomap.c, writeback.c, fallocate.c, shift.c ---- */
/* @ext as iomap's answer, true until the tree changes next.  ii_tree_lock held. */
void sfs_iomap_from_extent(struct inode *inode, struct iomap *iomap, const struct sfs_extent *ext);
/* Has the file changed since the answer was given?  Folio lock held, so that it stays true. */
bool sfs_iomap_is_valid(struct inode *inode, const struct iomap *iomap);
long sfs_fallocate(struct file *file, int mode, loff_t pos, loff_t nbytes);
/* Frees the whole blocks of [@lblk, @end), whose folios are gone.  Inode, invalidate locks held. */
int sfs_free_range(struct inode *inode, u64 lblk, u64 end);
/*
 * Collapse, or, if @right, insert: may [@pos, +@nbytes) go, or come?  -EINVAL, -EFBIG.  Then what
 * is behind moves.  Inode lock held, the latter: invalidate lock, too, and direct I/O has drained.
 */
int sfs_shift_allowed(struct inode *inode, loff_t pos, loff_t nbytes, bool right);
int sfs_shift_range(struct inode *inode, loff_t pos, loff_t nbytes, bool right);
extern const struct iomap_ops sfs_read_iomap_ops;
extern const struct iomap_ops sfs_buffered_iomap_ops;
extern const struct iomap_ops sfs_dio_iomap_ops;
extern const struct address_space_operations sfs_aops;
void sfs_ioend_work(struct work_struct *work);
/*
 * Data I/O to [@pos, +@nbytes) has succeeded: blocks become written, and have arrived; the size on
 * disk follows.  May sleep; no folio lock is held.
 */
int sfs_convert_written(struct inode *inode, loff_t pos, loff_t nbytes, bool direct);

/* ---- trim.c ---- */
/* Runs shorter than this many blocks mean nothing to the device. */
u64 sfs_trim_min(struct super_block *sb);
/*
 * The device is told of the first run of @min blocks or more among the bits [*@bit, @end) of @group
 * that nobody has; *@bit is where to go on, and *@ret_nblks grows by what went.  Takes
 * si_trim_lock; no transaction may be held.
 */
int sfs_trim_run(struct super_block *sb, u64 group, u32 *bit, u32 end, u32 min, u64 *ret_nblks);
/* FITRIM: @arg says where, and is told how many bytes went. */
int sfs_ioc_trim(struct file *file, struct fstrim_range __user *arg);

/* ---- freed.c: sfs_freed() (port-kernel.h), discard.c: the mount option ---- */
void sfs_discard_init(struct sfs_sb_info *si);
void sfs_discard_set(struct super_block *sb, bool on);
/* What transaction @tid has freed can be told to the device.  Does not sleep. */
void sfs_freed_committed(struct super_block *sb, u32 tid);
/*
 * Returns when the device knows what has been freed so far, or after half a minute.  Nobody changes
 * anything, and no transaction may be held.
 */
void sfs_discard_finish(struct super_block *sb);
void sfs_discard_exit(struct sfs_sb_info *si);

/* ---- fileattr.c: flags and projects ---- */
/* A new inode's flags, from the directory it is made in.  Both tree locks held. */
void sfs_flags_inherit(struct inode *dir, struct inode *inode);
/* -EXDEV if @dir, which gives its project to what is made in it, must not get @inode.  The same. */
int sfs_check_project(struct inode *dir, struct inode *inode);
int sfs_fileattr_get(struct dentry *dentry, SFS_FILEATTR_T *fa);
int sfs_fileattr_set(SFS_IDMAP_T *idmap, struct dentry *dentry, SFS_FILEATTR_T *fa);
#define SFS_FILEATTR_IOPS	.fileattr_get = sfs_fileattr_get, .fileattr_set = sfs_fileattr_set,

/* ---- sysfs.c ---- */
int sfs_sysfs_init(void);
void sfs_sysfs_exit(void);
/* A volume that is mounted gets its directory, without which it works as well; and loses it. */
void sfs_sysfs_add(struct super_block *sb);
void sfs_sysfs_remove(struct super_block *sb);

/* ---- export.c ---- */
extern const struct export_operations sfs_export_ops;

/* ---- label.c: FS_IOC_GETFSLABEL, FS_IOC_SETFSLABEL ---- */
int sfs_ioc_get_label(struct super_block *sb, char __user *arg);
int sfs_ioc_set_label(struct file *file, const char __user *arg);

/* ---- copies.c: the copies of the superblock after a change of block 0 ---- */
struct sfs_copying {
	u64 c_zone;			/* the first whose copy is not written yet */
	u32 c_tid;			/* the last transaction that has some of them, or block 0 */
	bool c_bad;			/* some stay as they were */
};
/* How many are written next, and are credits; they are read here.  No transaction may be held. */
unsigned int sfs_copies_ahead(struct super_block *sb, const struct sfs_copying *c);
/* Writes these @n, in @t, behind the change. */
void sfs_copies_step(struct sfs_trans *t, struct super_block *sb, struct sfs_copying *c,
		     unsigned int n);
/*
 * All others, in as many transactions as it takes, and waits until the last is on disk.  What
 * cannot be done is told as not having the new @what, and no error.
 */
int sfs_copies_finish(struct super_block *sb, struct sfs_copying *c, const char *what);

/* ---- grow.c: SFS_IOC_GROW ---- */
int sfs_ioc_grow(struct file *file, struct sfs_grow_args __user *arg);

/* ---- ioctl.c ---- */
long sfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* ---- file.c, namei.c, readdir.c, symlink.c, types.c ---- */
extern const struct inode_operations sfs_file_iops;
extern const struct file_operations sfs_file_fops;
extern const struct inode_operations sfs_dir_iops;
extern const struct inode_operations sfs_special_iops;
extern const struct file_operations sfs_dir_fops;
extern const struct inode_operations sfs_symlink_iops;
extern const struct sfs_type sfs_types[16];

/* ---- attr.c, evict.c ---- */
int sfs_setattr(SFS_IDMAP_T *idmap, struct dentry *dentry, struct iattr *attr);
int sfs_getattr(SFS_IDMAP_T *idmap, const struct path *path, struct kstat *stat, u32 request_mask,
		unsigned int query_flags);
void sfs_evict_inode(struct inode *inode);

#endif
