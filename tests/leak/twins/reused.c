// SPDX-License-Identifier: GPL-2.0-only
/*
 * reused.c - twins whose things come twice: an address given out again, a cache that two share; and
 * a cache that is used where the module is not to be seen.
 */
#include <linux/delay.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "twin.h"

/* ---- an area given to RCU, and later its address once more ---- */

#define AREA	(5 * PAGE_SIZE)
#define TRIES	1000

static void *area, *others[TRIES];

/* What lies elsewhere is held meanwhile, so that no other hole is left. */
TAKE take_given(void)
{
	void *first = vmalloc(AREA);
	int tries;

	if (!first)
		return -ENOMEM;
	kvfree_rcu_twin(first);
	for (tries = 0; tries < TRIES && !area; tries++) {
		msleep(20);
		vm_unmap_aliases();
		others[tries] = vmalloc(AREA);
		if (others[tries] == first)
			swap(area, others[tries]);
	}
	while (tries--)
		vfree(others[tries]);
	return area ? 0 : -EBUSY;
}

GIVE give_given(void) { if (!leak) vfree(area); }

/* ---- two caches alike, which the kernel makes one ---- */

#define ODD	1160		/* of a size that no cache of the kernel has */

static struct kmem_cache *one, *other;

TAKE take_merging(void)
{
	one = kmem_cache_create("kmodleak_one", ODD, 0, 0, NULL);
	other = kmem_cache_create("kmodleak_other", ODD, 0, 0, NULL);
	return one && other ? 0 : -ENOMEM;
}

GIVE give_merging(void)
{
	kmem_cache_destroy(one);
	if (!leak)
		kmem_cache_destroy(other);
}

/* ---- of two caches one goes, and its successor has the place of the other ---- */

static void *in_other;

static void construct(void *object) { memset(object, 0, 333); }

TAKE take_succeeded(void)
{
	other = kmem_cache_create("kmodleak_other", 333, 0, 0, construct);
	one = kmem_cache_create("kmodleak_one", 333, 0, 0, construct);
	if (!one || !other)
		return -ENOMEM;
	in_other = kmem_cache_alloc(other, GFP_KERNEL);
	return in_other ? 0 : -ENOMEM;
}

GIVE give_succeeded(void)
{
	if (!leak)
		kmem_cache_free(other, in_other);
	kmem_cache_destroy(other);
	kmem_cache_destroy(one);
}

/* ---- objects of a cache of the module's own, taken where no function of it has a frame ---- */

static mempool_t *pool;

/* Ends in a call, which the compiler makes a jump. */
static void enlarge(struct work_struct *work) { mempool_resize(pool, 4); }

static DECLARE_WORK(enlarging, enlarge);

TAKE take_own(void)
{
	one = kmem_cache_create("kmodleak_own", 555, 0, 0, construct);
	pool = one ? mempool_create_slab_pool(1, one) : NULL;
	if (!pool)
		return -ENOMEM;
	schedule_work(&enlarging);
	flush_work(&enlarging);
	return 0;
}

GIVE give_own(void)
{
	if (leak)
		return;
	mempool_destroy(pool);
	kmem_cache_destroy(one);
}

const struct twin reused[] = { TWIN(given), TWIN(merging), TWIN(succeeded), TWIN(own) };
const size_t nreused = ARRAY_SIZE(reused);
