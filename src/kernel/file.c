// SPDX-License-Identifier: GPL-2.0-only
/*
 * file.c - a regular file's system calls: read, write, fsync, fallocate, mmap, seek.
 *
 * Buffered I/O is iomap's, over promises (delalloc.c).  Direct I/O holds the inode lock shared
 * where it overwrites whole blocks inside the file as it is on disk, exclusively otherwise, and
 * completes through sfs_convert_written().  Every writer holds the inode lock while it looks at
 * i_size.
 */
#include "simplefs.h"

#include <linux/falloc.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

#include "quota.h"
#include "xattrs.h"

static int sfs_dio_done(struct kiocb *iocb, ssize_t nbytes, int error, unsigned int flags)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 end = iocb->ki_pos + nbytes;

	if (!error && nbytes > 0 && ((flags & IOMAP_DIO_UNWRITTEN) ||
				     end > READ_ONCE(SFS_I(inode)->ii_core.i_size)))
		error = sfs_convert_written(inode, iocb->ki_pos, nbytes, true);
	/* It counts as on its way until this returns.  Only such a write may sleep here. */
	if (flags & IOMAP_DIO_UNWRITTEN)
		sfs_direct_settle(inode, 1);
	return error;
}

static const struct iomap_dio_ops sfs_dio_write_ops = {
	.end_io = sfs_dio_done,
};

/*
 * Whole blocks inside the file do not disturb each other; all else is alone, and so is the write
 * that may have to take the set-user-ID bit away.  Only who is alone waits for his I/O and may
 * raise the size on disk.  True under the lock, else a guess.
 */
static bool sfs_dio_is_shared(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 end = (u64)iocb->ki_pos + iov_iter_count(from);

	return !((iocb->ki_pos | end) & (SFS_BLOCK_SIZE - 1)) &&
	       !(iocb->ki_flags & IOCB_APPEND) && IS_NOSEC(inode) &&
	       end <= min_t(u64, i_size_read(inode), READ_ONCE(SFS_I(inode)->ii_core.i_size));
}

static int sfs_lock_inode(struct inode *inode, struct kiocb *iocb, bool shared)
{
	if (iocb->ki_flags & IOCB_NOWAIT) {
		if (shared ? !inode_trylock_shared(inode) : !inode_trylock(inode))
			return -EAGAIN;
	} else if (shared) {
		inode_lock_shared(inode);
	} else {
		inode_lock(inode);
	}
	return 0;
}

static void sfs_unlock_inode(struct inode *inode, bool shared)
{
	if (shared)
		inode_unlock_shared(inode);
	else
		inode_unlock(inode);
}

static ssize_t sfs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (!iov_iter_count(to))
		return 0;
	if (!(iocb->ki_flags & IOCB_DIRECT))
		return generic_file_read_iter(iocb, to);

	ret = sfs_lock_inode(inode, iocb, true);
	if (ret)
		return ret;
	ret = iomap_dio_rw(iocb, to, &sfs_read_iomap_ops, NULL, 0, NULL, 0);
	sfs_unlock_inode(inode, true);
	file_accessed(iocb->ki_filp);
	return ret;
}

/* The checks of every write, after which the range is final.  Inode lock held. */
static ssize_t sfs_write_checks(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t size;
	ssize_t count;
	int err = 0;

	/* Who had opened the file before does not get past it. */
	if (IS_IMMUTABLE(inode))
		return -EPERM;
	count = generic_write_checks(iocb, from);
	if (count <= 0)
		return count;
	size = i_size_read(inode);
	if (iocb->ki_pos > size || (iocb->ki_pos + count > size && sfs_is_half_cut(inode))) {
		if (iocb->ki_flags & IOCB_NOWAIT)
			return -EAGAIN;
		filemap_invalidate_lock(inode->i_mapping);
		err = sfs_zero_gap(inode, max_t(loff_t, iocb->ki_pos, size), iocb->ki_pos + count);
		filemap_invalidate_unlock(inode->i_mapping);
	}
	if (err)
		return err;
	err = kiocb_modified(iocb);
	return err ? err : count;
}

/* When there is no space, what hides some is settled, and it is tried again. */
static ssize_t sfs_write_buffered_locked(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	unsigned int tries = 0;
	ssize_t ret;
	int err;

	lockdep_assert_held_write(&inode->i_rwsem);
again:
	ret = sfs_buffered_write(iocb, from, &sfs_buffered_iomap_ops);
	err = ret;
	if (ret != -ENOSPC || (iocb->ki_flags & IOCB_NOWAIT) ||
	    !sfs_retry(inode, &err, &tries))
		return ret;
	sfs_promises_recount(inode);
	goto again;
}

static ssize_t sfs_write_buffered(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	ret = sfs_lock_inode(inode, iocb, false);
	if (ret)
		return ret;
	ret = sfs_write_checks(iocb, from);
	if (ret > 0)
		ret = sfs_write_buffered_locked(iocb, from);
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
	return ret;
}

/* What remains of a direct write that met promised blocks goes through the page cache. */
static ssize_t sfs_write_dio_rest(struct kiocb *iocb, struct iov_iter *from, ssize_t done)
{
	struct address_space *mapping = iocb->ki_filp->f_mapping;
	loff_t pos = iocb->ki_pos;
	ssize_t ret;
	int err;

	iocb->ki_flags &= ~IOCB_DIRECT;
	ret = sfs_write_buffered_locked(iocb, from);
	if (ret <= 0)
		return done ? done : ret;
	err = filemap_write_and_wait_range(mapping, pos, pos + ret - 1);
	if (err)
		return err;
	invalidate_mapping_pages(mapping, pos >> PAGE_SHIFT, (pos + ret - 1) >> PAGE_SHIFT);
	return done + ret;
}

/* What a direct write that ended early has taken past the end of the file.  Alone. */
static void sfs_dio_give_back(struct inode *inode, loff_t end)
{
	loff_t size = i_size_read(inode);

	if (size >= end)
		return;
	/* The write has an error to tell already; a cut to the file's size frees them as well. */
	filemap_invalidate_lock(inode->i_mapping);
	(void)sfs_free_range(inode, sfs_end_lblk(size, 0), sfs_end_lblk(end, 0));
	filemap_invalidate_unlock(inode->i_mapping);
}

/*
 * One attempt.  @ret_full: there was no space, and it can be made again as if there had been none,
 * though a part may have been written, inside the file.  A synced write may also say -ENOSPC of an
 * earlier one, by way of fsync: then iomap has gone past what it has written.
 */
static ssize_t sfs_dio_write(struct kiocb *iocb, struct iov_iter *from, unsigned int dio_flags,
			     bool *ret_full)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	size_t count = iov_iter_count(from);
	loff_t size = i_size_read(inode);
	loff_t pos = iocb->ki_pos;
	ssize_t ret;

	ret = iomap_dio_rw(iocb, from, &sfs_dio_iomap_ops, &sfs_dio_write_ops, dio_flags, NULL, 0);
	*ret_full = ret == -ENOSPC && !nowait && iocb->ki_pos == pos && i_size_read(inode) == size;
	if (*ret_full)
		iov_iter_revert(from, count - iov_iter_count(from));
	/* What was refused before it became I/O has been counted, too. */
	if (ret != -EIOCBQUEUED && !nowait)
		sfs_direct_settle(inode, 0);
	return ret;
}

/*
 * Under the inode lock, @shared or not.  Sets @ret_rest if something remains that has to go through
 * the page cache; a writer who is alone has done that as well.  *@full: there was no space, which
 * is final if there was none before.
 */
static ssize_t sfs_write_dio_locked(struct kiocb *iocb, struct iov_iter *from, bool shared,
				    bool *ret_rest, bool *full)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	unsigned int dio_flags = 0;
	loff_t end = 0;
	ssize_t ret;

	ret = sfs_write_checks(iocb, from);
	if (ret <= 0)
		return ret;
	if (!shared) {
		inode_dio_wait(inode);
		if (*full)
			sfs_promises_recount(inode);
		dio_flags = IOMAP_DIO_FORCE_WAIT;
		/* What was preallocated there stays, whatever comes of the write. */
		if (iocb->ki_pos + ret > i_size_read(inode) && !sfs_has_past_eof(inode))
			end = iocb->ki_pos + ret;
	}
	ret = sfs_dio_write(iocb, from, dio_flags, full);
	/* Promised blocks stop it: the first ones by this error, later ones by a short write. */
	*ret_rest = ret == -ENOTBLK || (ret >= 0 && iov_iter_count(from));
	if (*ret_rest && shared)
		return max_t(ssize_t, ret, 0);
	if (*ret_rest)
		ret = sfs_write_dio_rest(iocb, from, max_t(ssize_t, ret, 0));
	sfs_dio_give_back(inode, end);
	return ret;
}

static ssize_t sfs_write_dio(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	bool rest = false;
	bool full = false;
	bool was_full;
	ssize_t done = 0;
	ssize_t ret;
	bool shared;

	shared = sfs_dio_is_shared(iocb, from);
again:
	was_full = full;
	/* Alone means waiting for others. */
	if (!shared && (iocb->ki_flags & IOCB_NOWAIT))
		return done ? done : -EAGAIN;
	ret = sfs_lock_inode(inode, iocb, shared);
	if (ret)
		return ret;
	if (shared && !sfs_dio_is_shared(iocb, from)) {
		sfs_unlock_inode(inode, true);
		shared = false;
		goto again;
	}
	ret = sfs_write_dio_locked(iocb, from, shared, &rest, &full);
	sfs_unlock_inode(inode, shared);
	if ((rest && shared) || (full && !was_full)) {
		/* The page cache has some of it, or counts hide space: both want a writer alone. */
		done += max_t(ssize_t, ret, 0);
		shared = false;
		goto again;
	}
	if (done && ret != -EIOCBQUEUED)
		ret = done + max_t(ssize_t, ret, 0);
	/* iomap syncs what it wrote itself, or needs not to (IOMAP_F_DIRTY). */
	if (ret > 0 && rest)
		ret = generic_write_sync(iocb, ret);
	return ret;
}

static ssize_t sfs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (iocb->ki_flags & IOCB_DIRECT)
		return sfs_write_dio(iocb, from);
	return sfs_write_buffered(iocb, from);
}

/* One try.  *@ret_final: it is no use to try again. */
static vm_fault_t sfs_vm_mkwrite_try(struct vm_fault *vmf, bool *ret_final)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	filemap_invalidate_lock_shared(inode->i_mapping);
	*ret_final = IS_IMMUTABLE(inode);
	if (!*ret_final)
		ret = sfs_page_mkwrite(vmf, &sfs_buffered_iomap_ops);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return ret;
}

/* As a buffered write does: that there is no space is told when promises have been settled. */
static vm_fault_t sfs_vm_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned int tries = 0;
	bool final;
	vm_fault_t ret;
	int err;

	/* Its times do not change either. */
	if (IS_IMMUTABLE(inode))
		return VM_FAULT_SIGBUS;
	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	do {
		ret = sfs_vm_mkwrite_try(vmf, &final);
		err = -ENOSPC;	/* for all that is known of a SIGBUS */
	} while (ret == VM_FAULT_SIGBUS && !final && !sfs_quota_is_out(inode) &&
		 sfs_retry(inode, &err, &tries));
	sb_end_pagefault(inode->i_sb);
	return ret;
}

static const struct vm_operations_struct sfs_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
	.page_mkwrite = sfs_vm_mkwrite,
};

static int sfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (sfs_is_shutdown(file_inode(file)->i_sb))
		return -EIO;
	file_accessed(file);
	vma->vm_ops = &sfs_vm_ops;
	return 0;
}

static loff_t sfs_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	switch (whence) {
	case SEEK_HOLE:
	case SEEK_DATA:
		inode_lock_shared(inode);
		if (whence == SEEK_HOLE)
			offset = iomap_seek_hole(inode, offset, &sfs_read_iomap_ops);
		else
			offset = iomap_seek_data(inode, offset, &sfs_read_iomap_ops);
		inode_unlock_shared(inode);
		if (offset < 0)
			return offset;
		return vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
	default:
		return generic_file_llseek(file, offset, whence);
	}
}

static int sfs_fiemap(struct inode *inode, struct fiemap_extent_info *fieinfo, u64 start, u64 len)
{
	int err;

	inode_lock_shared(inode);
	err = iomap_fiemap(inode, fieinfo, start, len, &sfs_read_iomap_ops);
	inode_unlock_shared(inode);
	return err;
}

static int sfs_open(struct inode *inode, struct file *file)
{
	int err;

	if (sfs_is_shutdown(inode->i_sb))
		return -EIO;
	file->f_mode |= SFS_FMODE_OPEN;
	err = generic_file_open(inode, file);
	/* Also for a store through a mapping, which needs such a file. */
	return err || !(file->f_mode & FMODE_WRITE) ? err : sfs_quota_init(inode);
}

/*
 * A file that was cut to 0 and written anew is an old one replaced: its writing starts with the
 * close, so that a crash much later does not find it empty.  Nobody waits for it.
 */
static int sfs_release(struct inode *inode, struct file *file)
{
	struct sfs_inode_info *ii = SFS_I(inode);

	if ((file->f_mode & FMODE_WRITE) && READ_ONCE(ii->ii_delalloc_nblks) &&
	    test_and_clear_bit(SFS_II_REPLACED, &ii->ii_flags))
		filemap_flush(inode->i_mapping);
	return 0;
}

const struct file_operations sfs_file_fops = {
	.open = sfs_open,
	.release = sfs_release,
	.llseek = sfs_llseek,
	.read_iter = sfs_read_iter,
	.write_iter = sfs_write_iter,
	.mmap = sfs_mmap,
	.fsync = sfs_fsync,
	.unlocked_ioctl = sfs_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.fallocate = sfs_fallocate,
	.splice_read = SFS_SPLICE_READ,
	.splice_write = iter_file_splice_write,
	.setlease = generic_setlease,
	SFS_FOP_FLAGS
};

const struct inode_operations sfs_file_iops = {
	.setattr = sfs_setattr,
	.getattr = sfs_getattr,
	SFS_FILEATTR_IOPS
	SFS_ACL_IOPS
	.fiemap = sfs_fiemap,
};
