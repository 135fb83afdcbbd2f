// SPDX-License-Identifier: GPL-2.0-only
/*
 * readdir.c - listing a directory.
 *
 * A position is that of the record's key, plus 2 for "." and "..": stable while names come and go.
 * Names are copied out a page at a time under the tree lock and given to the caller after it is
 * dropped, since writing to user memory may fault.
 *
 * A program whose positions have 32 bits gets the upper half of a key's, which names may share.
 * Who just goes on does so at the exact key, remembered with the open file; who comes back to a
 * position starts at the first key that it may mean: names may come twice, but none is left out.
 */
#include "simplefs.h"

#include <linux/compat.h>
#include <linux/slab.h>

#define SFS_DIR_DOTS		2			/* positions of "." and ".." */
#define SFS_DIR_END		(SFS_KEY_POS_MASK + 1)	/* behind the last key */
#define SFS_DIR_SHORT_SHIFT	30			/* 30 of its 60 bits are left */

/* private_data of a directory that was listed with short positions. */
struct sfs_readdir_short {
	loff_t pos;			/* as given to the caller ... */
	u64 key;			/* ... and what it stands for */
};

struct sfs_readdir_entry {
	u64 pos;
	u64 ino;
	u8 type;
	u8 len;
	char name[];
};

struct sfs_readdir_batch {
	char *page;
	unsigned int used;
};

/* False when the page is full: the entry is read again for the next one. */
static bool sfs_readdir_collect(void *arg, const char *name, unsigned int len, u64 ino, u8 type,
				u64 pos)
{
	struct sfs_readdir_batch *batch = arg;
	struct sfs_readdir_entry *entry = (void *)(batch->page + batch->used);
	unsigned int nbytes = ALIGN(sizeof(*entry) + len, sizeof(u64));

	if (batch->used + nbytes > PAGE_SIZE)
		return false;
	entry->pos = pos;
	entry->ino = ino;
	entry->type = type;
	entry->len = len;
	memcpy(entry->name, name, len);
	batch->used += nbytes;
	return true;
}

static bool sfs_readdir_is_short(const struct file *file)
{
	if (file->f_mode & (FMODE_32BITHASH | FMODE_64BITHASH))
		return file->f_mode & FMODE_32BITHASH;
	return BITS_PER_LONG == 32 || in_compat_syscall();
}

/* The position of @key as the caller can take it. */
static loff_t sfs_readdir_pos(u64 key, bool is_short)
{
	return (is_short ? key >> SFS_DIR_SHORT_SHIFT : key) + SFS_DIR_DOTS;
}

static u64 sfs_readdir_key(const struct file *file, loff_t pos, bool is_short)
{
	const struct sfs_readdir_short *s = file->private_data;

	if (!is_short)
		return pos - SFS_DIR_DOTS;
	if (s->pos == pos)
		return s->key;
	return min_t(u64, pos - SFS_DIR_DOTS, SFS_DIR_END >> SFS_DIR_SHORT_SHIFT) <<
	       SFS_DIR_SHORT_SHIFT;
}

/* Moves *@key on.  False when the caller has had enough. */
static bool sfs_readdir_emit(const struct sfs_readdir_batch *batch, struct dir_context *ctx,
			     bool is_short, u64 *key)
{
	unsigned int off = 0;

	while (off < batch->used) {
		const struct sfs_readdir_entry *entry = (void *)(batch->page + off);

		*key = entry->pos;
		ctx->pos = sfs_readdir_pos(*key, is_short);
		if (!dir_emit(ctx, entry->name, entry->len, entry->ino, entry->type))
			return false;
		*key = entry->pos + 1;
		off += ALIGN(sizeof(*entry) + entry->len, sizeof(u64));
	}
	return true;
}

/* Names from *@key on; that moves to the first which the caller has not taken. */
static int sfs_readdir_from(struct inode *dir, struct dir_context *ctx, bool is_short, u64 *key)
{
	struct sfs_inode_info *di = SFS_I(dir);
	struct sfs_readdir_batch batch;
	int err;

	batch.page = (char *)__get_free_page(GFP_KERNEL);
	if (!batch.page)
		return -ENOMEM;
	do {
		batch.used = 0;
		down_read(&di->ii_tree_lock);
		err = sfs_dirent_iterate(&di->ii_core, *key, sfs_readdir_collect, &batch);
		up_read(&di->ii_tree_lock);
		/* Only there is the position not that of a name, which others might share. */
		if (!err && !batch.used)
			*key = SFS_DIR_END;
	} while (!err && batch.used && sfs_readdir_emit(&batch, ctx, is_short, key));
	free_page((unsigned long)batch.page);
	return err;
}

static int sfs_readdir(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	bool is_short = sfs_readdir_is_short(file);
	struct sfs_readdir_short *s;
	u64 key;
	int err;

	if (sfs_is_shutdown(dir->i_sb))
		return -EIO;
	if (!dir_emit_dots(file, ctx))
		return 0;
	if (is_short && !file->private_data) {
		file->private_data = kzalloc(sizeof(*s), GFP_KERNEL);
		if (!file->private_data)
			return -ENOMEM;
	}
	key = sfs_readdir_key(file, ctx->pos, is_short);
	err = sfs_readdir_from(dir, ctx, is_short, &key);
	ctx->pos = sfs_readdir_pos(min_t(u64, key, SFS_DIR_END), is_short);
	s = file->private_data;
	if (s) {
		s->pos = ctx->pos;
		s->key = key;
	}
	return err;
}

static loff_t sfs_dir_llseek(struct file *file, loff_t pos, int whence)
{
	bool is_short = sfs_readdir_is_short(file);
	struct sfs_readdir_short *s = file->private_data;
	loff_t end = sfs_readdir_pos(SFS_DIR_END, is_short);
	loff_t max = is_short ? S32_MAX : file_inode(file)->i_sb->s_maxbytes;

	/* Who asks where he is has not gone anywhere. */
	if (s && (whence != SEEK_CUR || pos))
		s->pos = -1;
	return generic_file_llseek_size(file, pos, whence, max, end);
}

static int sfs_dir_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

const struct file_operations sfs_dir_fops = {
	.llseek = sfs_dir_llseek,
	.release = sfs_dir_release,
	.read = generic_read_dir,
	.iterate_shared = sfs_readdir,
	.fsync = sfs_fsync,
	.unlocked_ioctl = sfs_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.setlease = generic_setlease,
};
