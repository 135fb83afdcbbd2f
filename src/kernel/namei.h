/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * namei.h - what namei.c and rename.c share: the core's verbs for names, in the words of the VFS,
 * and recipe.c.
 *
 * All of it runs in a transaction, with the inodes taken by sfs_change_inodes().
 */
#ifndef SFS_NAMEI_H
#define SFS_NAMEI_H

static inline u8 sfs_mode_type(umode_t mode)
{
	return (mode >> 12) & 15;
}

static inline int sfs_name_add(struct sfs_trans *t, struct inode *dir, struct dentry *dentry,
			       u64 ino, umode_t mode)
{
	return sfs_dirent_add(t, &SFS_I(dir)->ii_core, dentry->d_name.name, dentry->d_name.len, ino,
			      sfs_mode_type(mode));
}

static inline int sfs_name_remove(struct sfs_trans *t, struct inode *dir, struct dentry *dentry)
{
	return sfs_dirent_remove(t, &SFS_I(dir)->ii_core, dentry->d_name.name, dentry->d_name.len);
}

static inline int sfs_name_set(struct sfs_trans *t, struct inode *dir, struct dentry *dentry,
			       u64 ino, umode_t mode)
{
	return sfs_dirent_set(t, &SFS_I(dir)->ii_core, dentry->d_name.name, dentry->d_name.len, ino,
			      sfs_mode_type(mode));
}

static inline int sfs_name_room(struct sfs_trans *t, struct inode *dir, struct dentry *dentry)
{
	return sfs_dirent_room(t, &SFS_I(dir)->ii_core, dentry->d_name.name, dentry->d_name.len);
}

static inline void sfs_dir_touch(struct inode *dir)
{
	struct timespec64 now = current_time(dir);

	inode_set_mtime_to_ts(dir, now);
	inode_set_ctime_to_ts(dir, now);
	inode_inc_iversion(dir);
}

static inline void sfs_ctime_touch(struct inode *inode)
{
	inode_set_ctime_to_ts(inode, current_time(inode));
	inode_inc_iversion(inode);
}

/* What a new inode is made from. */
struct sfs_make {
	umode_t mode;
	dev_t rdev;
	const char *target;		/* symlinks */
	bool tmpfile;
};

/*
 * A new inode with (or, a tmpfile, without) a name, in a transaction of its own.  On success
 * @ret_inode is still locked as new.  -EOVERFLOW: @idmap has no owner for it.
 */
int sfs_make(SFS_IDMAP_T *idmap, struct inode *dir, struct dentry *dentry,
	     const struct sfs_make *make, struct inode **ret_inode);

/* Begins a transaction for names of @inodes, as sfs_change_inodes() takes them next. */
int sfs_names_begin(struct inode *const inodes[SFS_CHANGE_MAX], unsigned int nblks,
		    unsigned int nrevokes, struct sfs_trans *t);
/* A failure after the first change: the operation must not commit in half.  Returns @err. */
int sfs_must(struct inode *inode, int err);
/* Ends @t, on disk if @dir, or @inode that was changed as well (or NULL), asks for that. */
int sfs_name_end(struct sfs_trans *t, struct inode *dir, struct inode *inode, int err);

/* The last link is about to go: an orphan from here on, until evict.  May fail. */
int sfs_orphan_if_last(struct sfs_trans *t, struct inode *inode);
/*
 * Before the first change: can a name of @inode in @dir go, its links be counted down?  Damage is
 * reported.  The second: only those of @dir, which a directory leaves.
 */
int sfs_check_links(struct inode *dir, struct inode *inode);
int sfs_check_parent_links(struct inode *dir, struct inode *inode);
/* One link less, after its name has gone from @dir. */
void sfs_drop_link(struct inode *dir, struct inode *inode);

/* rename.c */
int sfs_rename(SFS_IDMAP_T *idmap, struct inode *old_dir, struct dentry *old,
	       struct inode *new_dir, struct dentry *new, unsigned int flags);

#endif
