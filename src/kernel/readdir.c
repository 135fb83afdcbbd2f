// SPDX-License-Identifier: GPL-2.0-only
/*
 * readdir.c - listing a directory.
 *
 * A position is that of the record's key, plus 2 for "." and "..": stable while names come and go.
 * Names are copied out a page at a time under the tree lock and given to the caller after it is
 * dropped, since writing to user memory may fault.
 */
#include "simplefs.h"

#include <linux/slab.h>

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

/* False when the caller has had enough. */
static bool sfs_readdir_emit(const struct sfs_readdir_batch *batch, struct dir_context *ctx)
{
	unsigned int off = 0;

	while (off < batch->used) {
		const struct sfs_readdir_entry *entry = (void *)(batch->page + off);

		ctx->pos = entry->pos + 2;
		if (!dir_emit(ctx, entry->name, entry->len, entry->ino, entry->type))
			return false;
		ctx->pos = entry->pos + 3;
		off += ALIGN(sizeof(*entry) + entry->len, sizeof(u64));
	}
	return true;
}

static int sfs_readdir(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct sfs_inode_info *di = SFS_I(dir);
	struct sfs_readdir_batch batch;
	int err;

	if (sfs_is_shutdown(dir->i_sb))
		return -EIO;
	if (!dir_emit_dots(file, ctx))
		return 0;
	batch.page = (char *)__get_free_page(GFP_KERNEL);
	if (!batch.page)
		return -ENOMEM;
	do {
		batch.used = 0;
		down_read(&di->ii_tree_lock);
		err = sfs_dirent_iterate(&di->ii_core, ctx->pos - 2, sfs_readdir_collect, &batch);
		up_read(&di->ii_tree_lock);
	} while (!err && batch.used && sfs_readdir_emit(&batch, ctx));
	free_page((unsigned long)batch.page);
	return err;
}

const struct file_operations sfs_dir_fops = {
	.llseek = generic_file_llseek,
	.read = generic_read_dir,
	.iterate_shared = sfs_readdir,
	.fsync = sfs_fsync,
	.setlease = generic_setlease,
};
