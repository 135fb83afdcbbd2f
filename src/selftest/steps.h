/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * steps.h - the worker's steps: what a filesystem does, and how one says that it was not done.
 *
 * A step checks with WANT() and FAILS(), which remember the first thing that was not so; it goes on
 * or returns as it likes.  The steps between mount and unmount work in the volume's root directory,
 * on names of their own.
 */
#ifndef SFS_STEPS_H
#define SFS_STEPS_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum sfs_journal_kind {
	SFS_JOURNAL_INSIDE,
	SFS_JOURNAL_OUTSIDE,
	SFS_JOURNAL_NONE,
};

/* An image, the loop device over it, and where it is mounted. */
struct sfs_volume {
	char v_image[PATH_MAX];
	char v_log[PATH_MAX];		/* the external journal's image, or empty */
	char v_mnt[PATH_MAX];
	char v_dev[32];
	char v_log_dev[32];
	int v_loop;			/* -1: not attached */
	int v_log_loop;
	bool v_mounted;
};

struct sfs_worker {
	const char *w_module;		/* a .ko, or NULL */
	const char *w_dir;		/* the images and mount points, not on simplefs */
	FILE *w_report;
	struct sfs_volume w_volume;
	bool w_loaded;
};

/* ---- want.c ---- */
void sfs_want_not(const char *what, const char *file, int line);
static inline bool sfs_want(bool good, const char *what, const char *file, int line)
{
	if (!good)
		sfs_want_not(what, file, line);
	return good;
}
void sfs_refuse(const char *text);	/* the same, in words: for what no expression says */
/* What is in the way is the machine, not the module: nothing is said against that, but @reason. */
void sfs_excuse(const char *reason);
const char *sfs_failure(void);		/* the first of them; NULL: none */
bool sfs_is_excused(void);		/* that one is an excuse */
#define WANT(good)		sfs_want(good, #good, __FILE__, __LINE__)
/* The call says -1 and this error. */
#define FAILS(call, error) \
	sfs_want((errno = 0, (call) == -1 && errno == (error)), #call " fails with " #error, \
		 __FILE__, __LINE__)

/* ---- volume.c ---- */
void sfs_volume_name(struct sfs_worker *w, const char *name, struct sfs_volume *ret_volume);
/* An empty image; then mkfs.simplefs on it. */
bool sfs_volume_make(struct sfs_volume *v, enum sfs_journal_kind journal);
bool sfs_volume_attach(struct sfs_volume *v);
/* Attaches it first when it is not; @data: mount options or NULL. */
bool sfs_volume_mount(struct sfs_volume *v, unsigned long flags, const char *data);
bool sfs_volume_unmount(struct sfs_volume *v);
void sfs_volume_detach(struct sfs_volume *v);
/* dump.simplefs --check, and fsck.simplefs -n where it is installed. */
bool sfs_volume_check(const struct sfs_volume *v);
/* Mounts it, has every inode of "names" in memory, and unmounts it. */
void sfs_volume_visit(struct sfs_volume *v);
/* This volume alone: others of the machine may be slow, or stuck. */
bool sfs_sync_here(void);
bool sfs_volume_copy(const struct sfs_volume *from, const char *to);

void sfs_step_mkfs(struct sfs_worker *w);
void sfs_step_mount(struct sfs_worker *w);
void sfs_step_statfs(struct sfs_worker *w);
void sfs_step_freeze(struct sfs_worker *w);
void sfs_step_remount(struct sfs_worker *w);
void sfs_step_full(struct sfs_worker *w);
void sfs_step_unmount(struct sfs_worker *w);
void sfs_step_check(struct sfs_worker *w);

/* ---- more-volumes.c: other ways to begin and end a mount ---- */
void sfs_step_recovery(struct sfs_worker *w);
void sfs_step_journal_outside(struct sfs_worker *w);
void sfs_step_journal_none(struct sfs_worker *w);
void sfs_step_refused(struct sfs_worker *w);

/* ---- names.c ---- */
void sfs_step_create(struct sfs_worker *w);
void sfs_step_readdir(struct sfs_worker *w);
void sfs_step_mkdir(struct sfs_worker *w);
void sfs_step_link(struct sfs_worker *w);
void sfs_step_symlink(struct sfs_worker *w);
void sfs_step_mknod(struct sfs_worker *w);
void sfs_step_tmpfile(struct sfs_worker *w);
void sfs_step_rename(struct sfs_worker *w);
void sfs_step_unlink(struct sfs_worker *w);
void sfs_step_attributes(struct sfs_worker *w);

/* ---- data.c ---- */
/* @nbytes of the pattern that belongs to @seed, written and compared. */
bool sfs_pattern_write(int fd, unsigned int seed, long long nbytes);
bool sfs_pattern_is(const char *path, unsigned int seed, long long nbytes);
/* A file made of it; true if all went well. */
bool sfs_pattern_file(const char *path, unsigned int seed, long long nbytes, bool sync);
void sfs_step_write(struct sfs_worker *w);
void sfs_step_sparse(struct sfs_worker *w);
void sfs_step_extents(struct sfs_worker *w);
void sfs_step_fallocate(struct sfs_worker *w);
void sfs_step_splice(struct sfs_worker *w);
void sfs_step_ioctl(struct sfs_worker *w);

/* ---- io.c ---- */
void sfs_step_mmap(struct sfs_worker *w);
void sfs_step_direct(struct sfs_worker *w);
void sfs_step_async(struct sfs_worker *w);

#endif
