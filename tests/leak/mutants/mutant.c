// SPDX-License-Identifier: GPL-2.0-only
/*
 * mutant.c - the mutations that take more than a line.
 *
 * What is made here and not kept anywhere is meant to be lost.
 */
#include "mutant.h"

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>
#include <linux/rcupdate.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#define SFS_MUTATION	"mutation:"

/* Not constant for the compiler: the file is changed after it was built. */
static const volatile char sfs_mutation[160] = SFS_MUTATION "none";
static struct kmem_cache *sfs_bulk_cache;

bool sfs_mutant(const char *name)
{
	const char *at = (const char *)sfs_mutation + strlen(SFS_MUTATION);
	size_t nbytes = strlen(name);

	while ((at = strstr(at, name))) {
		if ((at[-1] == ':' || at[-1] == ',') && (at[nbytes] == ',' || !at[nbytes]))
			return true;
		at += nbytes;
	}
	return false;
}

void sfs_mutant_init(void)
{
	if (sfs_mutant("debugfs"))
		debugfs_create_dir("simplefs-mutant", NULL);
	if (sfs_mutant("bulk"))
		sfs_bulk_cache = kmem_cache_create("simplefs_bulk", 136, 0, SLAB_ACCOUNT, NULL);
}

void sfs_mutant_exit(void)
{
	kmem_cache_destroy(sfs_bulk_cache);
}

struct sfs_late {
	struct rcu_head rcu;
	struct kmem_cache *cache;
	void *object;
};

static void sfs_mutant_free_late(struct rcu_head *rcu)
{
	struct sfs_late *late = container_of(rcu, struct sfs_late, rcu);

	kmem_cache_free(late->cache, late->object);
	kfree(late);
}

/* Whether an inode still waits for RCU when its cache goes would be chance: this one does. */
void sfs_mutant_late(struct kmem_cache *cache)
{
	struct sfs_late *late;

	if (!sfs_mutant("cache-before-rcu"))
		return;
	late = kmalloc(sizeof(*late), GFP_KERNEL);
	if (!late)
		return;
	late->cache = cache;
	late->object = kmem_cache_alloc(cache, GFP_KERNEL);
	call_rcu(&late->rcu, sfs_mutant_free_late);
}

void sfs_mutant_mount(struct super_block *sb)
{
	static DEFINE_XARRAY(mounts);
	static atomic_t number;

	if (sfs_mutant("percpu-counter")) {
		struct percpu_counter *events = kzalloc(sizeof(*events), GFP_KERNEL);

		if (events)
			(void)percpu_counter_init(events, 0, GFP_KERNEL);
	}
	if (sfs_mutant("percpu"))
		(void)alloc_percpu(u64);
	if (sfs_mutant("vmalloc"))
		(void)vzalloc(5 * PAGE_SIZE);
	if (sfs_mutant("folio"))
		(void)folio_alloc(GFP_KERNEL, 2);
	if (sfs_mutant("xarray"))	/* far apart, so that each has nodes of its own */
		(void)xa_store(&mounts, (unsigned long)sb, xa_mk_value(1), GFP_KERNEL);
	if (sfs_mutant("kobject")) {
		char name[32];

		snprintf(name, sizeof(name), "simplefs-%d", atomic_inc_return(&number));
		(void)kobject_create_and_add(name, fs_kobj);
	}
}

void sfs_mutant_setattr(void)
{
	void *objects[16];

	if (sfs_mutant("bulk") &&
	    kmem_cache_alloc_bulk(sfs_bulk_cache, GFP_KERNEL, 16, objects) == 16)
		kmem_cache_free_bulk(sfs_bulk_cache, 15, objects);
}

static void sfs_mutant_work(struct work_struct *work)
{
}

void sfs_mutant_sync(struct workqueue_struct *wq)
{
	struct work_struct *work;

	if (!sfs_mutant("work-item"))
		return;
	work = kmalloc(sizeof(*work), GFP_KERNEL);
	if (!work)
		return;
	INIT_WORK(work, sfs_mutant_work);
	queue_work(wq, work);
}
