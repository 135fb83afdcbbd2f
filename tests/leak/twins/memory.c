// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.c - two modules from one source for each way of taking memory: one gives it back.
 *
 * Part of twin.ko; the parameter `kind` chooses the way, `leak` the twin.  Each kind is a pair of
 * functions, so that the one to be blamed is known: take_KIND().  Nothing else differs.
 */
#include <linux/bio.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "twin.h"

#define BULK 20
#define MANY 10000

static char *kind = "kmalloc";
module_param(kind, charp, 0444);
bool leak;
module_param(leak, bool, 0444);

struct late {
	struct rcu_head rcu;
	struct delayed_work work;
	struct timer_list timer;
	char room[300];
};

static void *held;
static void *array[MANY];
static struct kmem_cache *cache;

/* A name that changed. */
#ifdef alloc_pages_bulk
#define alloc_pages_bulk_twin(gfp, n, pages)	alloc_pages_bulk(gfp, n, pages)
#else
#define alloc_pages_bulk_twin(gfp, n, pages)	alloc_pages_bulk_array(gfp, n, pages)
#endif

/* ---- kmalloc ---- */

TAKE take_kmalloc(void) { held = kmalloc(700, GFP_KERNEL); return held ? 0 : -ENOMEM; }
GIVE give_kmalloc(void) { if (!leak) kfree(held); }

/* Beyond the slabs: pages under a kmalloc object. */
TAKE take_large(void) { held = kzalloc(40000, GFP_KERNEL); return held ? 0 : -ENOMEM; }
GIVE give_large(void) { if (!leak) kfree(held); }

TAKE take_kvmalloc(void) { held = kvmalloc(3 << 20, GFP_KERNEL); return held ? 0 : -ENOMEM; }
GIVE give_kvmalloc(void) { if (!leak) kvfree(held); }

TAKE take_string(void) { held = kasprintf(GFP_KERNEL, "%s-%d", kind, 7); return held ? 0 : -ENOMEM; }
GIVE give_string(void) { if (!leak) kfree(held); }

/* One of ten thousand. */
TAKE take_many(void)
{
	int i;

	for (i = 0; i < MANY; i++) {
		array[i] = kmalloc(64, GFP_KERNEL);
		if (!array[i])
			return -ENOMEM;
	}
	return 0;
}

GIVE give_many(void)
{
	int i;

	for (i = 0; i < MANY; i++) {
		if (!leak || i != 4321)
			kfree(array[i]);
	}
}

/* Where it is not, there is nothing that takes no lock. */
#ifdef kmalloc_nolock
TAKE take_nolock(void) { held = kmalloc_nolock(250, 0, NUMA_NO_NODE); return held ? 0 : -ENOMEM; }
GIVE give_nolock(void) { if (!leak) kfree_nolock(held); }
#else
TAKE take_nolock(void) { held = kmalloc(250, GFP_KERNEL); return held ? 0 : -ENOMEM; }
GIVE give_nolock(void) { if (!leak) kfree(held); }
#endif

/* ---- slab caches ---- */

/* What has a constructor is merged with nothing. */
static void construct(void *object) { memset(object, 0, 333); }

static int make_cache(void)
{
	cache = kmem_cache_create("kmodleak_twin", 333, 0, 0, construct);
	return cache ? 0 : -ENOMEM;
}

TAKE take_shared(void)		/* of a cache that is not the module's */
{
	held = bio_alloc(NULL, 2, 0, GFP_KERNEL);
	return held ? 0 : -ENOMEM;
}

GIVE give_shared(void) { if (!leak) bio_put(held); }

/* The cache itself is what leaks. */
TAKE take_cache(void) { return make_cache(); }
GIVE give_cache(void) { if (!leak) kmem_cache_destroy(cache); }

/* A cache that the kernel merges with another: only a reference is taken. */
TAKE take_merged(void)
{
	cache = kmem_cache_create("kmodleak_merged", 256, 0, 0, NULL);
	return cache ? 0 : -ENOMEM;
}

GIVE give_merged(void) { if (!leak) kmem_cache_destroy(cache); }

/* The cache goes with an object in it; the kernel complains as well. */
TAKE take_destroyed(void)
{
	if (make_cache())
		return -ENOMEM;
	held = kmem_cache_alloc(cache, GFP_KERNEL);
	return held ? 0 : -ENOMEM;
}

GIVE give_destroyed(void)
{
	if (!leak)
		kmem_cache_free(cache, held);
	kmem_cache_destroy(cache);
}

/* Taken in bulk, all but one given back singly. */
TAKE take_bulk(void)
{
	if (make_cache())
		return -ENOMEM;
	return kmem_cache_alloc_bulk(cache, GFP_KERNEL, BULK, array) ? 0 : -ENOMEM;
}

GIVE give_bulk(void)
{
	int i;

	for (i = leak; i < BULK; i++)
		kmem_cache_free(cache, array[i]);
	if (!leak)
		kmem_cache_destroy(cache);
}

/* The other way round. */
TAKE take_bulk_free(void)
{
	int i;

	for (i = 0; i < BULK; i++) {
		array[i] = kmalloc(96, GFP_KERNEL);
		if (!array[i])
			return -ENOMEM;
	}
	return 0;
}

GIVE give_bulk_free(void) { kfree_bulk(BULK - leak, array + leak); }

/* ---- pages ---- */

TAKE take_pages(void) { held = alloc_pages(GFP_KERNEL, 2); return held ? 0 : -ENOMEM; }
GIVE give_pages(void) { if (!leak) __free_pages(held, 2); }

TAKE take_folio(void) { held = folio_alloc(GFP_KERNEL, 1); return held ? 0 : -ENOMEM; }
GIVE give_folio(void) { if (!leak) folio_put(held); }

/* Three pages of four: the allocation is split, and the end given back at once. */
TAKE take_exact(void)
{
	held = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL);
	return held ? 0 : -ENOMEM;
}

GIVE give_exact(void) { if (!leak) free_pages_exact(held, 3 * PAGE_SIZE); }

/* Split by the module itself, and all pages but one given back. */
TAKE take_split(void)
{
	held = alloc_pages(GFP_KERNEL, 2);
	if (held)
		split_page(held, 2);
	return held ? 0 : -ENOMEM;
}

GIVE give_split(void)
{
	struct page *page = held;
	int i;

	for (i = 0; i < 4; i++) {
		if (!leak || i != 2)
			__free_page(page + i);
	}
}

/* More than is given back: the rest of the block is lost for good. */
TAKE take_order(void) { held = alloc_pages(GFP_KERNEL, 5); return held ? 0 : -ENOMEM; }
GIVE give_order(void) { __free_pages(held, leak ? 3 : 5); }

TAKE take_exact_less(void)
{
	held = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL);
	return held ? 0 : -ENOMEM;
}

GIVE give_exact_less(void) { free_pages_exact(held, (leak ? 3 : 5) * PAGE_SIZE); }

/* While somebody else holds the first page, only the others go. */
TAKE take_held_block(void)
{
	held = alloc_pages(GFP_KERNEL, 8);
	if (!held)
		return -ENOMEM;
	get_page(held);
	return 0;
}

GIVE give_held_block(void)
{
	__free_pages(held, 8);
	if (!leak)
		put_page(held);
}

TAKE take_page_bulk(void)
{
	struct page **pages = (struct page **)array;

	memset(array, 0, sizeof(array));
	return alloc_pages_bulk_twin(GFP_KERNEL, BULK, pages) == BULK ? 0 : -ENOMEM;
}

GIVE give_page_bulk(void)
{
	int i;

	for (i = leak; i < BULK; i++)
		__free_page(array[i]);
}

/* A reference too many keeps a page that is freed. */
TAKE take_page_ref(void)
{
	held = alloc_page(GFP_KERNEL);
	if (held && leak)
		get_page(held);
	return held ? 0 : -ENOMEM;
}

GIVE give_page_ref(void) { put_page(held); }

/* ---- percpu and vmalloc ---- */

static void __percpu *percpu;
static struct percpu_counter *counter;	/* not ours to hold: the kernel lists it */

TAKE take_percpu(void) { percpu = alloc_percpu(u64); return percpu ? 0 : -ENOMEM; }
GIVE give_percpu(void) { if (!leak) free_percpu(percpu); }

TAKE take_counter(void)
{
	counter = kzalloc(sizeof(*counter), GFP_KERNEL);
	return counter && !percpu_counter_init(counter, 1, GFP_KERNEL) ? 0 : -ENOMEM;
}

GIVE give_counter(void)
{
	if (leak)
		return;
	percpu_counter_destroy(counter);
	kfree(counter);
}

/* Ends in a call, which the compiler makes a jump: no frame of the module is left on the stack. */
TAKE take_tail(void)
{
	counter = kzalloc(sizeof(*counter), GFP_KERNEL);
	if (!counter)
		return -ENOMEM;
	return percpu_counter_init(counter, 1, GFP_KERNEL);
}

GIVE give_tail(void) { give_counter(); }

TAKE take_vmalloc(void) { held = vmalloc(50000); return held ? 0 : -ENOMEM; }
GIVE give_vmalloc(void) { if (!leak) vfree(held); }

/* The pages are given back, the mapping of them is not. */
static struct page *mapped[2];

TAKE take_vmap(void)
{
	mapped[0] = alloc_page(GFP_KERNEL);
	mapped[1] = alloc_page(GFP_KERNEL);
	if (!mapped[0] || !mapped[1])
		return -ENOMEM;
	held = vmap(mapped, 2, VM_MAP, PAGE_KERNEL);
	return held ? 0 : -ENOMEM;
}

GIVE give_vmap(void)
{
	if (!leak)
		vunmap(held);
	__free_page(mapped[0]);
	__free_page(mapped[1]);
}

TAKE take_vm_map_ram(void)
{
	mapped[0] = alloc_page(GFP_KERNEL);
	if (!mapped[0])
		return -ENOMEM;
	held = vm_map_ram(mapped, 1, NUMA_NO_NODE);
	return held ? 0 : -ENOMEM;
}

GIVE give_vm_map_ram(void)
{
	if (!leak)
		vm_unmap_ram(held, 1);
	__free_page(mapped[0]);
}

static struct page *four[4];

TAKE take_unmap_less(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		four[i] = alloc_page(GFP_KERNEL);
		if (!four[i])
			return -ENOMEM;
	}
	held = vm_map_ram(four, 4, NUMA_NO_NODE);
	return held ? 0 : -ENOMEM;
}

GIVE give_unmap_less(void)
{
	int i;

	vm_unmap_ram(held, leak ? 1 : 4);
	for (i = 0; i < 4; i++)
		__free_page(four[i]);
}

/* ---- freed later ---- */

static void free_late(struct rcu_head *rcu) { kfree(container_of(rcu, struct late, rcu)); }

static struct late *late;

TAKE take_rcu(void) { late = kzalloc(sizeof(*late), GFP_KERNEL); return late ? 0 : -ENOMEM; }

GIVE give_rcu(void)
{
	if (!leak)
		call_rcu(&late->rcu, free_late);
	rcu_barrier();
}

TAKE take_kfree_rcu(void) { late = kzalloc(sizeof(*late), GFP_KERNEL); return late ? 0 : -ENOMEM; }
GIVE give_kfree_rcu(void) { if (!leak) kfree_rcu(late, rcu); }

/* Too large for a slab, and so freed by a worker of RCU, after the module. */
TAKE take_kvfree_rcu(void) { late = vzalloc(5 * PAGE_SIZE); return late ? 0 : -ENOMEM; }
GIVE give_kvfree_rcu(void) { if (!leak) kvfree_rcu_twin(late); }

static void free_in_work(struct work_struct *work)
{
	kfree(container_of(to_delayed_work(work), struct late, work));
}

TAKE take_work(void) { late = kzalloc(sizeof(*late), GFP_KERNEL); return late ? 0 : -ENOMEM; }

GIVE give_work(void)
{
	INIT_DELAYED_WORK(&late->work, free_in_work);
	if (!leak)
		schedule_delayed_work(&late->work, HZ / 10);
	flush_delayed_work(&late->work);
}

static DECLARE_COMPLETION(timer_done);

static void free_in_timer(struct timer_list *timer)
{
	kfree(container_of(timer, struct late, timer));
	complete(&timer_done);
}

TAKE take_timer(void) { late = kzalloc(sizeof(*late), GFP_KERNEL); return late ? 0 : -ENOMEM; }

GIVE give_timer(void)
{
	if (leak)
		return;
	timer_setup(&late->timer, free_in_timer, 0);
	mod_timer(&late->timer, jiffies + HZ / 10);
	wait_for_completion(&timer_done);
}

/* ---- freed elsewhere ---- */

static DECLARE_COMPLETION(thread_done);

static int free_in_thread(void *object)
{
	kfree(object);
	complete(&thread_done);
	return 0;
}

TAKE take_thread(void) { held = kmalloc(150, GFP_KERNEL); return held ? 0 : -ENOMEM; }

GIVE give_thread(void)
{
	struct task_struct *task;

	if (leak)
		return;
	task = kthread_create(free_in_thread, held, "twin");
	if (IS_ERR(task))
		return;
	kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	wait_for_completion(&thread_done);
}

/* ---- other owners ---- */

static DEFINE_XARRAY(tree);

/* Nodes of a tree of the module's own. */
TAKE take_xarray(void) { return xa_err(xa_store(&tree, 70000, &tree, GFP_KERNEL)); }
GIVE give_xarray(void) { if (!leak) xa_destroy(&tree); }

static struct kobject *kobj;

TAKE take_kobject(void)
{
	kobj = kobject_create_and_add("kmodleak_twin", kernel_kobj);
	return kobj ? 0 : -ENOMEM;
}

GIVE give_kobject(void) { if (!leak) kobject_put(kobj); else kobject_del(kobj); }

static struct workqueue_struct *queue;

TAKE take_workqueue(void)
{
	queue = alloc_workqueue("kmodleak_twin", WQ_UNBOUND, 0);
	return queue ? 0 : -ENOMEM;
}

GIVE give_workqueue(void) { if (!leak) destroy_workqueue(queue); }

/*
 * Names looked up, which the dcache keeps with inode and all: one that is there, and one that is
 * not and is too long for a dentry.  What may leak is the reference to the first.
 */
static struct path path;

TAKE take_path(void)
{
	static const char none[] = "/sys/kernel/a-name-that-is-much-longer-than-what-fits-in-a-dentry";

	if (kern_path(none, 0, &path) != -ENOENT)
		return -EEXIST;
	return kern_path("/sys/kernel/fscaps", 0, &path) ? -EINVAL : 0;
}

GIVE give_path(void) { if (!leak) path_put(&path); }

/* Does not go: its exit waits for what never comes, until it is killed. */
static DECLARE_COMPLETION(never);

TAKE take_stuck(void) { return 0; }
GIVE give_stuck(void) { if (wait_for_completion_killable(&never)) pr_info("twin: killed\n"); }

/* From the text that the kernel throws away after init. */
static int __init noinline take_init(void)
{
	held = kmalloc(90, GFP_KERNEL);
	return held ? 0 : -ENOMEM;
}

GIVE give_init(void) { if (!leak) kfree(held); }

/* init fails, and so exit never runs. */
static int __init noinline take_failing(void)
{
	held = kmalloc(120, GFP_KERNEL);
	if (!leak)
		kfree(held);
	return -ENODEV;
}

static const struct twin twins[] = {
	TWIN(kmalloc), TWIN(large), TWIN(kvmalloc), TWIN(string), TWIN(nolock), TWIN(many),
	TWIN(shared),
	TWIN(cache), TWIN(merged), TWIN(destroyed), TWIN(bulk), TWIN(bulk_free), TWIN(pages),
	TWIN(folio), TWIN(exact), TWIN(split), TWIN(order), TWIN(exact_less), TWIN(held_block),
	TWIN(unmap_less), TWIN(page_bulk), TWIN(page_ref), TWIN(percpu),
	TWIN(counter), TWIN(tail), TWIN(vmalloc), TWIN(vmap), TWIN(vm_map_ram), TWIN(rcu),
	TWIN(kfree_rcu), TWIN(kvfree_rcu), TWIN(work), TWIN(timer), TWIN(thread), TWIN(xarray),
	TWIN(kobject), TWIN(workqueue), TWIN(path), TWIN(stuck),
};

static const struct twin *twin;

static void choose(const struct twin *from, size_t n)
{
	for (; n--; from++) {
		if (!strcmp(kind, from->kind))
			twin = from;
	}
}

static int __init twin_init(void)
{
	if (!strcmp(kind, "failing"))
		return take_failing();
	if (!strcmp(kind, "init"))
		return take_init();
	if (!strcmp(kind, "here")) {
		held = kmalloc(80, GFP_KERNEL);
		return held ? 0 : -ENOMEM;
	}
	choose(twins, ARRAY_SIZE(twins));
	choose(habits, nhabits);
	choose(blocks, nblocks);
	choose(packets, npackets);
	choose(reused, nreused);
	return twin ? twin->take() : -EINVAL;
}

static void __exit twin_exit(void)
{
	if (twin)
		twin->give();
	else
		give_init();
}

module_init(twin_init);
module_exit(twin_exit);
MODULE_DESCRIPTION("Gives back what it takes, or does not");
MODULE_LICENSE("GPL");
