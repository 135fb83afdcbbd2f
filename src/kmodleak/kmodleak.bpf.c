// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmodleak.bpf.c - the kernel half: remembers what is allocated below a frame of the module.
 *
 * An allocation is the module's when a frame of its text is on the stack and no interrupt or
 * exception lies between that frame and the allocator.  Such objects go into `objects`, by address;
 * whoever frees an address takes it out.  Allocators announce a new object after it exists and a
 * free one before it goes, so that an address in use again is never mistaken for its forerunner.
 *
 * The kernel skips a program that interrupts itself on one CPU, and a free lost in that way would
 * be a leak reported.  So each program hangs on its event several times.  Three contexts can
 * allocate on one CPU: a task, a softirq above it, a hard interrupt above that; the two below are
 * each in one clone at most, so that the event at the top finds the third idle.  What one clone has
 * done the others only notice; doing it twice is harmless.
 *
 * Three are enough where programs are not preempted.  Where they are (environment.c), each
 * preempted task keeps a clone busy on its CPU: there are eight then, and what all of them were
 * skipped for is told.  Programs on functions are preempted wherever the kernel is: for these it is
 * counted how many calls came, and how many of them some clone took.  A free that was missed after
 * all cannot hide a leak, only make one up: it does not spoil a clean verdict (tracer__account()).
 */
#include "halves.h"
#include "kernel.bpf.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#include "state.bpf.h"

/* ---- events of the allocators ---- */

static __always_inline int on_kmalloc(__u64 *args, __u32 prog, __u32 clone)
{
	struct kml_object o = { .class = KML_KMALLOC, .size = args[2] };

	if (!watching() || !args[1] || !mine(prog, clone, args[1]))
		return 0;
	return remember(args, prog, clone, &o, args[1]);
}

static __always_inline int on_slab_alloc(__u64 *args, __u32 prog, __u32 clone)
{
	struct kml_object o = { .class = KML_SLAB, .cache = args[2] };

	if (!watching() || !args[1] || !mine(prog, clone, args[1]))
		return 0;
	return remember(args, prog, clone, &o, args[1]);
}

static __always_inline int on_free(__u64 *args, __u32 prog, __u32 clone)
{
	if (!live() || !mine(prog, clone, args[1]))
		return 0;
	forget_memory(args[1]);
	return 0;
}

static __always_inline int on_page_alloc(__u64 *args, __u32 prog, __u32 clone)
{
	struct kml_object o = { .class = KML_PAGES, .order = args[1] };

	if (!watching() || !args[0] || !mine(prog, clone, args[0]))
		return 0;
	return remember(args, prog, clone, &o, args[0]);
}

static __always_inline int on_page_free(__u64 *args, __u32 prog, __u32 clone)
{
	if (!live() || !mine(prog, clone, args[0]))
		return 0;
	return forget_pages(args[0], args[1]);
}

static __always_inline int on_percpu_alloc(__u64 *args, __u32 prog, __u32 clone)
{
	struct kml_object o = { .class = KML_PERCPU, .size = args[3] };

	if (!watching() || !args[7] || !mine(prog, clone, args[7]))
		return 0;
	return remember(args, prog, clone, &o, args[7]);
}

static __always_inline int on_percpu_free(__u64 *args, __u32 prog, __u32 clone)
{
	if (!live() || !mine(prog, clone, args[2]))
		return 0;
	forget(KML_KEY(KML_PERCPU, args[2]));
	return 0;
}

EVENT("raw_tp/kmalloc", kmalloc, on_kmalloc, PROG_KMALLOC)
EVENT("raw_tp/kmem_cache_alloc", slab_alloc, on_slab_alloc, PROG_SLAB_ALLOC)
EVENT("raw_tp/kfree", kfree, on_free, PROG_KFREE)
EVENT("raw_tp/kmem_cache_free", slab_free, on_free, PROG_SLAB_FREE)
EVENT("raw_tp/mm_page_alloc", page_alloc, on_page_alloc, PROG_PAGE_ALLOC)
EVENT("raw_tp/mm_page_free", page_free, on_page_free, PROG_PAGE_FREE)
EVENT("raw_tp/percpu_alloc_percpu", percpu_alloc, on_percpu_alloc, PROG_PERCPU_ALLOC)
EVENT("raw_tp/percpu_free_percpu", percpu_free, on_percpu_free, PROG_PERCPU_FREE)

/* ---- functions that have no event ---- */

struct bulk {
	__u64 array;
	struct kml_object object;
};

static long bulk_remember(__u32 i, struct bulk *b)
{
	__u64 addr = 0;

	if (bpf_probe_read_kernel(&addr, sizeof(addr), (void *)(b->array + i * 8)))
		lose(KML_LOST_ARRAY);
	else if (addr)
		put_object(&b->object, addr, BPF_NOEXIST);
	return 0;
}

static long bulk_forget(__u32 i, struct bulk *b)
{
	__u64 addr = 0;

	if (bpf_probe_read_kernel(&addr, sizeof(addr), (void *)(b->array + i * 8)))
		lose(KML_LOST_ARRAY);
	else
		forget_memory(addr);
	return 0;
}

/* int kmem_cache_alloc_bulk(cache, gfp, n, array): n or 0 */
static __always_inline int on_bulk_alloc(__u64 *args, __u32 prog, __u32 clone)
{
	struct bulk b = { .object.class = KML_SLAB };
	__u64 ret = 0, n;

	if (!my_turn(args, prog, clone) || !watching() || bpf_get_func_ret(args, &ret) ||
	    !(__u32)ret)
		return 0;
	b.object.cache = arg(args, 0);
	b.object.stack = stack_of_slab(args, prog, clone, b.object.cache, &b.object.frameless);
	if (!b.object.stack)
		return 0;
	b.array = arg(args, 3);
	note_cache(b.object.cache);
	/* Newer kernels say only that it succeeded. */
	n = arg(args, 2);
	bpf_loop(n < BULK_MAX ? n : BULK_MAX, bulk_remember, &b, 0);
	if (n > BULK_MAX)
		lose(KML_LOST_ARRAY);
	return 0;
}

/* void kmem_cache_free_bulk(cache, n, array); also what kfree_rcu() ends in */
static __always_inline int on_bulk_free(__u64 *args, __u32 prog, __u32 clone)
{
	struct bulk b = { .array = arg(args, 2) };
	__u64 n = arg(args, 1);

	if (!my_turn(args, prog, clone) || !live())
		return 0;
	bpf_loop(n < BULK_MAX ? n : BULK_MAX, bulk_forget, &b, 0);
	if (n > BULK_MAX)
		lose(KML_LOST_FREE);
	return 0;
}

/* unsigned long alloc_pages_bulk(gfp, node, nodemask, n, [list,] array): pages in the array */
static __always_inline int on_page_bulk(__u64 *args, __u32 prog, __u32 clone)
{
	struct bulk b = { .object.class = KML_PAGES };
	__u64 ret = 0, last = bpf_get_func_arg_cnt(args) - 1;

	if (!my_turn(args, prog, clone) || !watching() || bpf_get_func_ret(args, &ret) || !ret ||
	    bpf_get_func_arg(args, last, &b.array) || !b.array)
		return 0;
	b.object.stack = stack_of(args, prog, clone);
	if (!b.object.stack)
		return 0;
	bpf_loop(ret < BULK_MAX ? ret : BULK_MAX, bulk_remember, &b, 0);
	if (ret > BULK_MAX)
		lose(KML_LOST_ARRAY);
	return 0;
}

/* void kvfree_call_rcu(head, pointer or, before 6.3, offset): given back, whenever it goes */
static __always_inline int on_free_rcu(__u64 *args, __u32 prog, __u32 clone)
{
	__u64 head = arg(args, 0), addr = arg(args, 1);

	if (addr < 4096)
		addr = head - addr;
	if (!my_turn(args, prog, clone) || !live())
		return 0;
	if (forget_memory(addr) && !(addr & 4095))
		note_given(addr);
	return 0;
}

/* void *kmalloc_nolock(size, [token,] gfp, node) */
static __always_inline int on_nolock_alloc(__u64 *args, __u32 prog, __u32 clone)
{
	struct kml_object o = { .class = KML_KMALLOC };
	__u64 addr = 0;

	if (!my_turn(args, prog, clone) || !watching() || bpf_get_func_ret(args, &addr) || !addr)
		return 0;
	o.size = arg(args, 0);
	return remember(args, prog, clone, &o, addr);
}

/* void kfree_nolock(pointer) */
static __always_inline int on_nolock_free(__u64 *args, __u32 prog, __u32 clone)
{
	if (my_turn(args, prog, clone) && live())
		forget_memory(arg(args, 0));
	return 0;
}

/* struct bio *bio_alloc_bioset(bdev, nvecs, opf, gfp, bioset) */
static __always_inline int on_bio_alloc(__u64 *args, __u32 prog, __u32 clone)
{
	struct kml_object o = { .class = KML_BIO };
	__u64 bio = 0;

	if (!my_turn(args, prog, clone) || (!watching() && !live()) ||
	    bpf_get_func_ret(args, &bio) || !bio)
		return 0;
	/* Given out anew it was given back, though by two at once, neither of whom saw that. */
	forget(KML_KEY(KML_BIO, bio));
	return watching() ? remember(args, prog, clone, &o, bio) : 0;
}

/* void bio_put(bio): the last reference gives it back, to a slab or to its CPU */
static __always_inline int on_bio_put(__u64 *args, __u32 prog, __u32 clone)
{
	__u64 addr = arg(args, 0), key = KML_KEY(KML_BIO, addr);
	struct bio *bio = (void *)addr;

	if (!my_turn(args, prog, clone) || !live() || !bpf_map_lookup_elem(&objects, &key))
		return 0;
	if (BPF_CORE_READ(bio, __bi_cnt.counter) <= 1)
		forget(key);
	return 0;
}

EVENT("fexit", bulk_alloc, on_bulk_alloc, PROG_BULK_ALLOC)
EVENT("fentry", bulk_free, on_bulk_free, PROG_BULK_FREE)
EVENT("fexit", page_bulk, on_page_bulk, PROG_PAGE_BULK)
EVENT("fentry", free_rcu, on_free_rcu, PROG_FREE_RCU)
EVENT("fexit", nolock_alloc, on_nolock_alloc, PROG_NOLOCK_ALLOC)
EVENT("fentry", nolock_free, on_nolock_free, PROG_NOLOCK_FREE)
EVENT("fentry", nolock_rcu, on_free_rcu, PROG_NOLOCK_RCU)
EVENT("fexit", bio_alloc, on_bio_alloc, PROG_BIO_ALLOC)
EVENT("fentry", bio_put, on_bio_put, PROG_BIO_PUT)

#define VM_RAM_IN_BLOCK 64	/* pages; what is larger has an area of its own */

/* void *vm_map_ram(pages, count, node) */
static __always_inline int on_vm_map_ram(__u64 *args)
{
	struct kml_object o = { .class = KML_VM_RAM };
	__u64 addr = 0;

	if (!watching() || bpf_get_func_ret(args, &addr) || !addr)
		return 0;
	o.size = (__u32)arg(args, 1) * page_size;
	return remember(args, PROG_VM_MAP_RAM, 0, &o, addr);
}

/* void vm_unmap_ram(addr, count): of what lies in a block of such areas only so much is unmapped */
static __always_inline int on_vm_unmap_ram(__u64 *args)
{
	__u64 key = KML_KEY(KML_VM_RAM, arg(args, 0)), size = (__u32)arg(args, 1) * page_size;
	struct kml_object *o = bpf_map_lookup_elem(&objects, &key);

	if (o && size < o->size && o->size <= VM_RAM_IN_BLOCK * page_size)
		o->size -= size;
	else if (o)
		forget(key);
	return 0;
}

PROGRAM("fexit", vm_map_ram, on_vm_map_ram(args))
PROGRAM("fentry", vm_unmap_ram, on_vm_unmap_ram(args))

#include "refs.bpf.h"
#include "module.bpf.h"
