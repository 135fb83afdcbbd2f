/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - what kernels from 6.1 on call differently; the only place with version tests.
 *
 * The code is written to the newest kernel's names; this header defines them for older ones, one
 * block an interface.  Kbuild includes it before everything else and gives the answers of probe.sh
 * (SFS_HAVE_*), because distributions backport.  Dropping a kernel is deleting blocks here.
 */
#ifndef SFS_COMPAT_H
#define SFS_COMPAT_H

#include <linux/version.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/iomap.h>
#include <linux/iversion.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sizes.h>

/* 6.3: leases have a header of their own. */
#ifdef SFS_HAVE_LINUX_FILELOCK_H
#include <linux/filelock.h>
#endif

#define SFS_SINCE(a, b)		(LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0))

/* 6.3: operations take a mount's idmap where they took its user namespace. */
#if SFS_SINCE(6, 3)
#define SFS_IDMAP_T		struct mnt_idmap
#define SFS_IDMAP_NOP		(&nop_mnt_idmap)
#else
#define SFS_IDMAP_T		struct user_namespace
#define SFS_IDMAP_NOP		(&init_user_ns)
#endif

/* 6.17: what ->fileattr_get and _set pass has the name of something else since. */
#ifdef SFS_HAVE_FILE_KATTR
#define SFS_FILEATTR_T		struct file_kattr
#else
#define SFS_FILEATTR_T		struct fileattr
#endif

/* 6.2: access control lists are of a name, and read by another operation; 6.1 wants handlers. */
#if SFS_SINCE(6, 2)
#define SFS_ACL_TARGET_T	struct dentry
#define SFS_GET_INODE_ACL	.get_inode_acl = sfs_get_acl,
#define SFS_ACL_HANDLERS
#define sfs_acl_target_inode(target)	d_inode(target)
#define sfs_acl_chmod(idmap, dentry, mode)	posix_acl_chmod(idmap, dentry, mode)
#else
#define SFS_ACL_TARGET_T	struct inode
#define SFS_GET_INODE_ACL	.get_acl = sfs_get_acl,
#define SFS_ACL_HANDLERS	&posix_acl_access_xattr_handler, &posix_acl_default_xattr_handler,
#define sfs_acl_target_inode(target)	(target)
#define sfs_acl_chmod(idmap, dentry, mode)	posix_acl_chmod(idmap, d_inode(dentry), mode)
#endif

/* 6.7: a table of handlers may lie where nobody can write. */
#if SFS_SINCE(6, 7)
#define SFS_CONST_HANDLERS	const
#else
#define SFS_CONST_HANDLERS
#endif

/* 6.6: generic_fillattr() is told which fields are wanted. */
#if SFS_SINCE(6, 6)
#define sfs_fillattr(idmap, mask, inode, stat)	generic_fillattr(idmap, mask, inode, stat)
#else
#define sfs_fillattr(idmap, mask, inode, stat)	generic_fillattr(idmap, inode, stat)
#endif

/* 6.14: statx(2) may tell of direct reads by themselves. */
#ifdef SFS_HAVE_STATX_DIO_READ_ALIGN
#define sfs_fill_dio_read_align(stat)							\
	((stat)->dio_read_offset_align = (stat)->dio_offset_align,			\
	 (stat)->result_mask |= STATX_DIO_READ_ALIGN)
#else
#define STATX_DIO_READ_ALIGN	0
#define sfs_fill_dio_read_align(stat)	((void)(stat))
#endif

/* 6.15: ->mkdir returns a dentry.  7.3: ->create is not told "exclusive". */
#if SFS_SINCE(6, 15)
#define SFS_MKDIR_T		struct dentry *
#define SFS_MKDIR_RESULT(err)	ERR_PTR(err)
#else
#define SFS_MKDIR_T		int
#define SFS_MKDIR_RESULT(err)	(err)
#endif
#if SFS_SINCE(7, 3)
#define SFS_CREATE_EXCL
#else
#define SFS_CREATE_EXCL		, bool excl
#endif

/* 6.7: times of an inode by accessors only; 6.1 has them for the change time alone, if at all. */
#ifndef SFS_HAVE_INODE_GET_ATIME
static inline struct timespec64 inode_get_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 inode_get_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline void inode_set_atime_to_ts(struct inode *inode, struct timespec64 ts)
{
	inode->i_atime = ts;
}

static inline void inode_set_mtime_to_ts(struct inode *inode, struct timespec64 ts)
{
	inode->i_mtime = ts;
}
#endif
#ifndef SFS_HAVE_INODE_GET_CTIME
static inline struct timespec64 inode_get_ctime(const struct inode *inode)
{
	return inode->i_ctime;
}

static inline void inode_set_ctime_to_ts(struct inode *inode, struct timespec64 ts)
{
	inode->i_ctime = ts;
}
#endif

/* 6.19: i_state is a structure. */
static inline bool sfs_inode_is_new(struct inode *inode)
{
#if SFS_SINCE(6, 19)
	return inode_state_read_once(inode) & I_NEW;
#else
	return inode->i_state & I_NEW;
#endif
}

/* 6.9: the UUID of a superblock is set by a function. */
#if !SFS_SINCE(6, 9) && !defined(SFS_HAVE_SUPER_SET_UUID)
static inline void super_set_uuid(struct super_block *sb, const u8 *uuid, unsigned int nbytes)
{
	memcpy(sb->s_uuid.b, uuid, nbytes);
}
#endif

/* 6.9: a superblock says by which name it is known in sysfs. */
#ifndef SFS_HAVE_SUPER_SET_SYSFS_NAME_BDEV
static inline void super_set_sysfs_name_bdev(struct super_block *sb)
{
}
#endif

/* 6.8: types of file handles with 64-bit inode numbers. */
#ifndef SFS_HAVE_FILEID_INO64_GEN
#define FILEID_INO64_GEN	0x81
#define FILEID_INO64_GEN_PARENT	0x82
#endif

/* 6.9: an inode's accounts are read under RCU, for those who check it. */
#if SFS_SINCE(6, 9)
#define SFS_DQUOT_T		struct dquot __rcu
#else
#define SFS_DQUOT_T		struct dquot
#endif

/* 6.5: splicing from the page cache has a new name; 6.10: open flags became fop_flags. */
#if SFS_SINCE(6, 5)
#define SFS_SPLICE_READ		filemap_splice_read
#else
#define SFS_SPLICE_READ		generic_file_splice_read
#endif
#if SFS_SINCE(6, 10)
#define SFS_FMODE_OPEN		(FMODE_CAN_ODIRECT | FMODE_NOWAIT)
#define SFS_FOP_FLAGS		.fop_flags = FOP_BUFFER_RASYNC,
#else
#define SFS_FMODE_OPEN		(FMODE_CAN_ODIRECT | FMODE_NOWAIT | FMODE_BUF_RASYNC)
#define SFS_FOP_FLAGS
#endif

/* 6.8: ->error_remove_page became ->error_remove_folio. */
#if SFS_SINCE(6, 8)
#define SFS_ERROR_REMOVE_FOLIO	.error_remove_folio = generic_error_remove_folio,
#else
#define SFS_ERROR_REMOVE_FOLIO	.error_remove_page = generic_error_remove_page,
#endif

/* 6.5: the block layer says when a device goes away. */
#if SFS_SINCE(6, 5)
#define SFS_SUPER_SHUTDOWN(fn)	.shutdown = fn,
#else
#define SFS_SUPER_SHUTDOWN(fn)
#endif

/* 6.6: iomap tracks dirty blocks inside a folio; before, it writes a dirty folio whole. */
#if SFS_SINCE(6, 6)
#define SFS_DIRTY_FOLIO		iomap_dirty_folio
#define SFS_FOLIO_GOES_WHOLE	false
#else
#define SFS_DIRTY_FOLIO		filemap_dirty_folio
#define SFS_FOLIO_GOES_WHOLE	true
#endif

/*
 * 6.12: iomap gives promises back by blocks, wherever they lie in a folio; before 6.6 it writes
 * even a folio of one page whole.  So before a page must be a block.
 */
#if SFS_SINCE(6, 12)
#define SFS_PAGE_MAX		SZ_64K
#else
#define SFS_PAGE_MAX		SFS_BLOCK_SIZE
#endif

/* 6.19: iomap reads through a context. */
static inline int sfs_iomap_read_folio(struct folio *folio, const struct iomap_ops *ops)
{
#if SFS_SINCE(6, 19)
	iomap_bio_read_folio(folio, ops);
	return 0;
#else
	return iomap_read_folio(folio, ops);
#endif
}

static inline void sfs_iomap_readahead(struct readahead_control *rac, const struct iomap_ops *ops)
{
#if SFS_SINCE(6, 19)
	iomap_bio_readahead(rac, ops);
#else
	iomap_readahead(rac, ops);
#endif
}

/*
 * How iomap asks, in the middle of a write, whether its mapping is still true: 6.1 page_ops, then
 * folio_ops, since 6.17 an argument.
 */
#if SFS_SINCE(6, 17)
extern const struct iomap_write_ops sfs_iomap_write_ops;
#define SFS_DEFINE_IOMAP_VALID(fn) \
	const struct iomap_write_ops sfs_iomap_write_ops = { .iomap_valid = fn }
#define sfs_iomap_set_valid(iomap, cookie)	((iomap)->validity_cookie = (cookie))
#elif SFS_SINCE(6, 6)
extern const struct iomap_folio_ops sfs_iomap_folio_ops;
#define SFS_DEFINE_IOMAP_VALID(fn) \
	const struct iomap_folio_ops sfs_iomap_folio_ops = { .iomap_valid = fn }
#define sfs_iomap_set_valid(iomap, cookie) \
	((iomap)->folio_ops = &sfs_iomap_folio_ops, (iomap)->validity_cookie = (cookie))
#else
extern const struct iomap_page_ops sfs_iomap_page_ops;
#define SFS_DEFINE_IOMAP_VALID(fn) \
	const struct iomap_page_ops sfs_iomap_page_ops = { .iomap_valid = fn }
#define sfs_iomap_set_valid(iomap, cookie) \
	((iomap)->page_ops = &sfs_iomap_page_ops, (iomap)->validity_cookie = (cookie))
#endif

/* 6.12, 6.15, 6.17: iomap's entry points for writers grew arguments. */
#if SFS_SINCE(6, 17)
#define sfs_buffered_write(iocb, from, ops) \
	iomap_file_buffered_write(iocb, from, ops, &sfs_iomap_write_ops, NULL)
#define sfs_zero_range(inode, pos, nbytes, ops) \
	iomap_zero_range(inode, pos, nbytes, NULL, ops, &sfs_iomap_write_ops, NULL)
#else
#if SFS_SINCE(6, 12)
#define sfs_buffered_write(iocb, from, ops)	iomap_file_buffered_write(iocb, from, ops, NULL)
#elif SFS_SINCE(6, 5)
#define sfs_buffered_write(iocb, from, ops)	iomap_file_buffered_write(iocb, from, ops)
#else
/* The position is the caller's to move. */
static inline ssize_t sfs_buffered_write(struct kiocb *iocb, struct iov_iter *from,
					 const struct iomap_ops *ops)
{
	ssize_t ret = iomap_file_buffered_write(iocb, from, ops);

	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;
}
#endif
#if SFS_SINCE(6, 15)
#define sfs_zero_range(inode, pos, nbytes, ops) \
	iomap_zero_range(inode, pos, nbytes, NULL, ops, NULL)
#else
#define sfs_zero_range(inode, pos, nbytes, ops)	iomap_zero_range(inode, pos, nbytes, NULL, ops)
#endif
#endif
#if SFS_SINCE(6, 15)
#define sfs_page_mkwrite(vmf, ops)		iomap_page_mkwrite(vmf, ops, NULL)
#else
#define sfs_page_mkwrite(vmf, ops)		iomap_page_mkwrite(vmf, ops)
#endif

/* 6.8: a block device is frozen under another name. */
#if !SFS_SINCE(6, 8)
#define bdev_freeze	freeze_bdev
#define bdev_thaw	thaw_bdev
#endif

/* After 6.12: before, each filesystem had a name of its own for the same ioctl. */
#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN			_IOR('X', 125, __u32)
#define FS_SHUTDOWN_FLAGS_DEFAULT	0x0
#define FS_SHUTDOWN_FLAGS_LOGFLUSH	0x1
#define FS_SHUTDOWN_FLAGS_NOLOGFLUSH	0x2
#endif

/*
 * 6.12: giving back what a short write did not use; before, the callback had another type and the
 * kernel found the start itself.  SFS_DEFINE_PUNCH(name, fn) makes the callback from fn(inode, pos,
 * nbytes).
 */
#if SFS_SINCE(6, 12)
#define SFS_DEFINE_PUNCH(name, fn)							\
static void name(struct inode *inode, loff_t pos, loff_t nbytes, struct iomap *iomap)	\
{											\
	fn(inode, pos, nbytes);								\
}
#define sfs_write_delalloc_release(inode, pos, nbytes, written, flags, iomap, punch)	\
({											\
	loff_t start_ = iomap_last_written_block(inode, pos, written);			\
	loff_t end_ = round_up(pos + nbytes, i_blocksize(inode));			\
	if (start_ < end_) {								\
		filemap_invalidate_lock((inode)->i_mapping);				\
		iomap_write_delalloc_release(inode, start_, end_, flags, iomap, punch);	\
		filemap_invalidate_unlock((inode)->i_mapping);				\
	}										\
	0;										\
})
#else
#define SFS_DEFINE_PUNCH(name, fn)							\
static int name(struct inode *inode, loff_t pos, loff_t nbytes)				\
{											\
	fn(inode, pos, nbytes);								\
	return 0;									\
}
#define sfs_write_delalloc_release(inode, pos, nbytes, written, flags, iomap, punch)	\
	iomap_file_buffered_write_punch_delalloc(inode, iomap, pos, nbytes, written, punch)
#endif

/* 6.9: the bio is embedded in the ioend.  6.15: its kind is a flag. */
static inline struct bio *sfs_ioend_bio(struct iomap_ioend *ioend)
{
#if SFS_SINCE(6, 9)
	return &ioend->io_bio;
#else
	return ioend->io_bio;
#endif
}

static inline struct iomap_ioend *sfs_ioend_from_bio(struct bio *bio)
{
#if SFS_SINCE(6, 9)
	return iomap_ioend_from_bio(bio);
#else
	return bio->bi_private;
#endif
}

/* 7.3: such bios may be completed by a task; a handler that hands over need not wait for one. */
static inline void sfs_ioend_set_end_io(struct iomap_ioend *ioend, bio_end_io_t *end_io)
{
	sfs_ioend_bio(ioend)->bi_end_io = end_io;
#ifdef SFS_HAVE_BIO_COMPLETE_IN_TASK
	bio_clear_flag(sfs_ioend_bio(ioend), BIO_COMPLETE_IN_TASK);
#endif
}

static inline bool sfs_ioend_is_unwritten(struct iomap_ioend *ioend)
{
#if SFS_SINCE(6, 15)
	return ioend->io_flags & IOMAP_IOEND_UNWRITTEN;
#else
	return ioend->io_type == IOMAP_UNWRITTEN;
#endif
}

/*
 * 6.17: writeback asks for a range to be written; before, for a mapping (6.9: with its length), and
 * wrote itself.  SFS_DEFINE_WRITEPAGES(name, map, prepare, discard) makes ->writepages from
 *   int map(struct inode *, loff_t pos, struct iomap *)     keeps or renews the mapping of @pos
 *   void prepare(struct iomap_ioend *)                      before it is submitted
 *   void discard(struct inode *, loff_t pos, loff_t nbytes) this will not be written
 */
#if SFS_SINCE(6, 17)
#define SFS_DEFINE_WRITEPAGES(name, map, prepare, discard)					\
static ssize_t name##_range(struct iomap_writepage_ctx *wpc, struct folio *folio, u64 pos,	\
			    unsigned int nbytes, u64 end_pos)					\
{												\
	ssize_t ret = map(wpc->inode, pos, &wpc->iomap);					\
												\
	if (!ret)										\
		ret = iomap_add_to_ioend(wpc, folio, pos, end_pos, nbytes);			\
	if (ret < 0)										\
		discard(wpc->inode, pos, folio_pos(folio) + folio_size(folio) - pos);		\
	return ret;										\
}												\
static int name##_submit(struct iomap_writepage_ctx *wpc, int error)				\
{												\
	prepare(wpc->wb_ctx);									\
	return iomap_ioend_writeback_submit(wpc, error);					\
}												\
static const struct iomap_writeback_ops name##_ops = {						\
	.writeback_range = name##_range,							\
	.writeback_submit = name##_submit,							\
};												\
static int name(struct address_space *mapping, struct writeback_control *wbc)			\
{												\
	struct iomap_writepage_ctx wpc = {							\
		.inode = mapping->host,								\
		.wbc = wbc,									\
		.ops = &name##_ops,								\
	};											\
	return iomap_writepages(&wpc);								\
}
#else
#if SFS_SINCE(6, 9)
#define SFS_MAP_BLOCKS_NBYTES	, unsigned int nbytes
#else
#define SFS_MAP_BLOCKS_NBYTES
#endif
#define SFS_DEFINE_WRITEPAGES(name, map, prepare, discard)					\
static int name##_map(struct iomap_writepage_ctx *wpc, struct inode *inode,			\
		      loff_t pos SFS_MAP_BLOCKS_NBYTES)						\
{												\
	return map(inode, pos, &wpc->iomap);							\
}												\
static int name##_prepare(struct iomap_ioend *ioend, int status)				\
{												\
	if (!status)										\
		prepare(ioend);									\
	return status;										\
}												\
static void name##_discard(struct folio *folio, loff_t pos)					\
{												\
	discard(folio->mapping->host, pos, folio_pos(folio) + folio_size(folio) - pos);		\
}												\
static const struct iomap_writeback_ops name##_ops = {						\
	.map_blocks = name##_map,								\
	.prepare_ioend = name##_prepare,							\
	.discard_folio = name##_discard,							\
};												\
static int name(struct address_space *mapping, struct writeback_control *wbc)			\
{												\
	struct iomap_writepage_ctx wpc = { };							\
												\
	return iomap_writepages(mapping, wbc, &wpc, &name##_ops);				\
}
#endif

/* 6.6: a clean log goes on where it ended; before, it starts at its front. */
#ifdef SFS_HAVE_JBD2_CYCLE_RECORD
#define SFS_JOURNAL_FLAGS	(JBD2_BARRIER | JBD2_CYCLE_RECORD)
#else
#define SFS_JOURNAL_FLAGS	JBD2_BARRIER
#endif

/*
 * Another device of the same volume.  Opened: 7.3 in the superblock's name, since 6.9 as a file,
 * since 6.7 as a handle (stable 6.6 too), since 6.5 with the mode and the operations of a holder,
 * before with the mode of a file.  The holder is the superblock in every case.
 */
struct sfs_bdev {
	struct block_device *bdev;
	void *handle;			/* what is closed in the end */
};

#ifdef SFS_HAVE_BLK_OPEN_RESTRICT_WRITES
#define SFS_BDEV_MODE	(BLK_OPEN_READ | BLK_OPEN_WRITE | BLK_OPEN_RESTRICT_WRITES)
#elif SFS_SINCE(6, 5)
#define SFS_BDEV_MODE	(BLK_OPEN_READ | BLK_OPEN_WRITE)
#else
#define SFS_BDEV_MODE	(FMODE_READ | FMODE_WRITE | FMODE_EXCL)
#endif

#if defined(SFS_HAVE_FS_BDEV_FILE_OPEN_BY_DEV)
#define SFS_BDEV_HANDLE_BDEV(h)		file_bdev(h)
#define SFS_BDEV_CLOSE(b, sb)		fs_bdev_file_release((b)->handle, sb)
#define SFS_BDEV_OPEN(how, what, sb)	fs_bdev_file_open_by_##how(what, SFS_BDEV_MODE, sb, sb)
#elif defined(SFS_HAVE_BDEV_FILE_OPEN_BY_DEV)
#define SFS_BDEV_HANDLE_BDEV(h)		file_bdev(h)
#define SFS_BDEV_CLOSE(b, sb)		bdev_fput((b)->handle)
#define SFS_BDEV_OPEN(how, what, sb) \
	bdev_file_open_by_##how(what, SFS_BDEV_MODE, sb, &fs_holder_ops)
#elif defined(SFS_HAVE_BDEV_OPEN_BY_DEV)
#define SFS_BDEV_HANDLE_BDEV(h)		(((struct bdev_handle *)(h))->bdev)
#define SFS_BDEV_CLOSE(b, sb)		bdev_release((b)->handle)
#define SFS_BDEV_OPEN(how, what, sb)	bdev_open_by_##how(what, SFS_BDEV_MODE, sb, &fs_holder_ops)
#elif SFS_SINCE(6, 5)
#define SFS_BDEV_HANDLE_BDEV(h)		((struct block_device *)(h))
#define SFS_BDEV_CLOSE(b, sb)		blkdev_put((b)->bdev, sb)
#define SFS_BDEV_OPEN(how, what, sb)	blkdev_get_by_##how(what, SFS_BDEV_MODE, sb, NULL)
#else
#define SFS_BDEV_HANDLE_BDEV(h)		((struct block_device *)(h))
#define SFS_BDEV_CLOSE(b, sb)		blkdev_put((b)->bdev, SFS_BDEV_MODE)
#define SFS_BDEV_OPEN(how, what, sb)	blkdev_get_by_##how(what, SFS_BDEV_MODE, sb)
#endif

static inline int sfs_bdev_open(struct sfs_bdev *b, struct super_block *sb, const char *path,
				dev_t dev)
{
	void *handle = path ? SFS_BDEV_OPEN(path, path, sb) : SFS_BDEV_OPEN(dev, dev, sb);

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	b->handle = handle;
	b->bdev = SFS_BDEV_HANDLE_BDEV(handle);
	return 0;
}

static inline void sfs_bdev_close(struct sfs_bdev *b, struct super_block *sb)
{
	SFS_BDEV_CLOSE(b, sb);
}

static inline int sfs_bdev_set_blocksize(struct sfs_bdev *b, int nbytes)
{
#if SFS_SINCE(6, 11)
	return set_blocksize(b->handle, nbytes);
#else
	return set_blocksize(b->bdev, nbytes);
#endif
}

#endif
