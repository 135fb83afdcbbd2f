/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mutant.h - which mutations the module has; included by every file of the mutants' copy of it.
 *
 * One build serves all mutants: the names, with commas between, lie in the module's data, and
 * build-mutants writes others over them.
 */
#ifndef SFS_MUTANT_H
#define SFS_MUTANT_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

struct super_block;
struct workqueue_struct;

bool sfs_mutant(const char *name);
/* True for each @n-th call, in that mutant. */
#define sfs_mutant_nth(name, n)							\
({										\
	static atomic_t calls_;							\
										\
	sfs_mutant(name) && atomic_inc_return(&calls_) % (n) == 0;		\
})
/* The longer mutations, each called from where its leak is. */
void sfs_mutant_init(void);
void sfs_mutant_exit(void);
void sfs_mutant_late(struct kmem_cache *cache);
void sfs_mutant_mount(struct super_block *sb);
void sfs_mutant_open(void);		/* in journal.c: it has to do with jbd2 */
void sfs_mutant_setattr(void);
void sfs_mutant_sync(struct workqueue_struct *wq);

#endif
