/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * refs.bpf.h - references: buffers, block devices and merged caches, got and put back.
 *
 * Getting one of these need not allocate anything, and forgetting it leaks all the same.  Devices
 * and caches are counted as objects.  A buffer's count is the kernel's own (b_count), read when the
 * judgement is made; here is only kept who got it.  A put is set against a get of the same task if
 * there is one: that which shares most callers with it, is as deep in them, and is the latest.
 */
#ifndef KMODLEAK_REFS_BPF_H
#define KMODLEAK_REFS_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u64);
	__type(value, struct kml_buffer);
	__uint(max_entries, 16384);
} buffers SEC(".maps");

static __noinline int ref_get(struct kml_object *o, __u64 addr)
{
	__u64 key = KML_KEY(o->class, addr);
	struct kml_object *old = bpf_map_lookup_elem(&objects, &key);

	if (!old)
		return put_object(o, addr, BPF_ANY);
	__sync_fetch_and_add(&old->refs, 1);
	return 0;
}

static __noinline int ref_put(__u64 key)
{
	struct kml_object *o = bpf_map_lookup_elem(&objects, &key);

	if (o && __sync_fetch_and_add(&o->refs, -1) == 1)
		forget(key);
	return 0;
}

static __always_inline bool is_err(__u64 ptr)
{
	return !ptr || ptr >= (__u64)-4095;
}

/* What __kmem_cache_alias() or __kmem_cache_create_args() returns: counted when it is shared. */
static __always_inline int on_cache_get(__u64 *args)
{
	struct kml_object o = { .class = KML_CACHE };
	__u64 cache = 0;

	if (!watching() || bpf_get_func_ret(args, &cache) || is_err(cache) ||
	    BPF_CORE_READ((struct kmem_cache *)cache, refcount) < 2)
		return 0;
	o.stack = stack_of(args, PROG_CACHE_GET, 0);
	if (!o.stack)
		return 0;
	note_cache(cache);
	o.cache = cache;
	return ref_get(&o, cache);
}

/*
 * void kmem_cache_destroy(cache): refs of 0 say that a cache of the module's own had its end.  If
 * others of the module's were merged with it, those references go first.
 */
static __always_inline int on_cache_put(__u64 *args)
{
	__u64 own = KML_KEY(KML_KMALLOC, arg(args, 0)), shared = KML_KEY(KML_CACHE, arg(args, 0));
	struct kml_object *o;

	if (bpf_map_lookup_elem(&objects, &shared))
		return ref_put(shared);
	o = bpf_map_lookup_elem(&objects, &own);
	if (o)
		o->refs = 0;
	return 0;
}

PROGRAM("fexit", cache_get, on_cache_get(args))
PROGRAM("fentry", cache_put, on_cache_put(args))

/*
 * Others open and close the same device: an opening is known by what it is closed with as well, its
 * mode, or its holder where there is one.  Devices are farther apart than the 10 bits this takes.
 */
static __always_inline __u64 opening(__u64 bdev, __u64 closed_with)
{
	return bdev + ((__u32)closed_with * 0x9e3779b1U >> 22);
}

static __always_inline int on_bdev_get(__u64 *args)
{
	struct kml_object o = { .class = KML_BDEV };
	__u64 bdev = 0;

	if (!watching() || bpf_get_func_ret(args, &bdev) || is_err(bdev))
		return 0;
	o.stack = stack_of(args, PROG_BDEV_GET, 0);
	if (!o.stack)
		return 0;
	return ref_get(&o, opening(bdev, arg(args, bpf_get_func_arg_cnt(args) == 3 ? 1 : 2)));
}

/* struct block_device *blkdev_get_by_dev(dev, mode, holder[, hops]) */
PROGRAM("fexit", bdev_get, on_bdev_get(args))
/* The same by path, where it does not call the above but a part that the compiler cut from it. */
PROGRAM("fexit", bdev_path, on_bdev_get(args))

/* void blkdev_put(bdev, mode or, with hops, holder) */
PROGRAM("fentry", bdev_put, ref_put(KML_KEY(KML_BDEV, opening(arg(args, 0), arg(args, 1)))))

__u32 nearest[PROGS];		/* where the module's frame was when it was nearest; 0: unknown */

/*
 * The stack, if the module itself called the function traced; else NULL.  With no frame of the
 * function (7.x) a caller in another module looks like a trampoline: it makes the way longer.
 */
static __always_inline struct kml_stack *caller_stack(void *ctx, __u32 prog, __u32 clone,
						       int *ret_first)
{
	struct scratch *s = scratch_of(prog, clone);
	int at;

	if (!s)
		return NULL;
	at = walk(ctx, &s->stack, ret_first);
	if (at < 0 || at - *ret_first > 1)
		return NULL;
	if (!nearest[prog] || at < (int)nearest[prog])
		nearest[prog] = at;
	return at == (int)nearest[prog] ? &s->stack : NULL;
}

static __noinline int buffer_got(struct kml_buffer *b, __u64 stack, __u32 depth)
{
	__u32 tid = bpf_get_current_pid_tgid(), nth = __sync_fetch_and_add(&b->gets, 1);
	int i, like = -1;

	if (!nth)
		b->time = bpf_ktime_get_ns();
	for (i = 0; i < KML_BH_GETS; i++) {
		if (b->by[i].open && b->by[i].stack == stack && (like < 0 || b->by[i].tid == tid))
			like = i;
	}
	for (i = 0; i < KML_BH_GETS; i++) {
		if (like >= 0 && b->by[like & (KML_BH_GETS - 1)].tid == tid)
			break;
		if (b->by[i].open || __sync_val_compare_and_swap(&b->by[i].open, 0, 1))
			continue;
		b->by[i].stack = stack;
		b->by[i].tid = tid;
		b->by[i].depth = depth;
		b->by[i].last = nth;
		return 0;
	}
	if (like < 0) {
		__sync_fetch_and_add(&b->unseen, 1);
		return 0;
	}
	__sync_fetch_and_add(&b->by[like & (KML_BH_GETS - 1)].open, 1);
	b->by[like & (KML_BH_GETS - 1)].last = nth;
	return 0;
}

struct pairing {
	struct kml_buffer *b;
	const struct kml_stack *put, *get;
	__u32 tid, depth;
	bool any;		/* gets of other tasks, too */
	int best;
	__u32 common, off, last;	/* of the best; common counts for the one looked at */
	__u32 n;
};

/* The callers are the end of both stacks. */
static long pair_frame(__u32 i, struct pairing *p)
{
	if (i >= p->put->nframes || i >= p->get->nframes ||
	    p->put->ip[(p->put->nframes - 1 - i) & (KML_STACK_DEPTH - 1)] !=
	    p->get->ip[(p->get->nframes - 1 - i) & (KML_STACK_DEPTH - 1)])
		return 1;
	p->n++;
	return 0;
}

static long pair_get(__u32 i, struct pairing *p)
{
	struct kml_get *get = &p->b->by[i & (KML_BH_GETS - 1)];
	__u64 key = get->stack;
	__u32 off;

	if (!get->open || (!p->any && get->tid != p->tid))
		return 0;
	p->get = bpf_map_lookup_elem(&stacks, &key);
	if (!p->get)
		return 0;
	p->n = 0;
	bpf_loop(KML_STACK_DEPTH, pair_frame, p, 0);
	off = get->depth > p->depth ? get->depth - p->depth : p->depth - get->depth;
	if (p->best >= 0 && (p->n < p->common || (p->n == p->common && (off > p->off ||
	    (off == p->off && get->last < p->last)))))
		return 0;
	p->best = i;
	p->common = p->n;
	p->off = off;
	p->last = get->last;
	return 0;
}

/* Sets the put whose stack is @put against a get. */
static __noinline int buffer_put(struct kml_buffer *b, const struct kml_stack *put, int first)
{
	struct pairing p = { .b = b, .put = put, .best = -1 };
	bool held = false;
	int i;

	p.tid = bpf_get_current_pid_tgid();
	p.depth = put->nframes - first;
	bpf_loop(KML_BH_GETS, pair_get, &p, 0);
	if (p.best < 0) {
		p.any = true;
		bpf_loop(KML_BH_GETS, pair_get, &p, 0);
	}
	__sync_fetch_and_add(&b->puts, 1);
	if (p.best >= 0)
		__sync_fetch_and_add(&b->by[p.best & (KML_BH_GETS - 1)].open, -1);
	else if (b->unseen)
		__sync_fetch_and_add(&b->unseen, -1);
	for (i = 0; i < KML_BH_GETS; i++)
		held |= b->by[i].open;
	if (!held && !b->unseen)
		b->gets = b->puts = 0;
	return 0;
}

static __always_inline int on_buffer_get(__u64 *args, __u32 prog, __u32 clone)
{
	struct kml_buffer new = {}, *b;
	struct kml_stack *s;
	__u64 bh = 0, stack;
	int first = 0, err;
	__u32 depth;

	if (!my_turn(args, prog, clone) || !watching() || bpf_get_func_ret(args, &bh) || is_err(bh))
		return 0;
	s = caller_stack(args, prog, clone, &first);
	stack = s ? file_stack(s, first) : 0;
	if (!stack)
		return 0;
	depth = s->nframes - first;
	b = bpf_map_lookup_elem(&buffers, &bh);
	if (b)
		return buffer_got(b, stack, depth);
	new.block = BPF_CORE_READ((struct buffer_head___seen *)bh, b_blocknr);
	new.size = BPF_CORE_READ((struct buffer_head___seen *)bh, b_size);
	err = bpf_map_update_elem(&buffers, &bh, &new, BPF_NOEXIST);
	if (err && err != -EEXIST)	/* another task may have got the same one */
		lose(KML_LOST_BUFFER);
	b = bpf_map_lookup_elem(&buffers, &bh);
	return b ? buffer_got(b, stack, depth) : 0;
}

static __always_inline int on_buffer_put(__u64 *args, __u32 prog, __u32 clone)
{
	struct kml_buffer *b;
	struct kml_stack *s;
	__u64 bh = arg(args, 0);
	int first = 0;

	if (!my_turn(args, prog, clone))
		return 0;
	b = bpf_map_lookup_elem(&buffers, &bh);
	s = b ? caller_stack(args, prog, clone, &first) : NULL;
	return s ? buffer_put(b, s, first) : 0;
}

static __always_inline int on_buffer_free(__u64 *args, __u32 prog, __u32 clone)
{
	__u64 bh = arg(args, 0);

	if (my_turn(args, prog, clone) && bpf_map_lookup_elem(&buffers, &bh))
		bpf_map_delete_elem(&buffers, &bh);
	return 0;
}

EVENT("fexit", read_bh, on_buffer_get, PROG_BREAD)
EVENT("fexit", get_bh, on_buffer_get, PROG_GETBLK)
EVENT("fexit", find_bh, on_buffer_get, PROG_FINDBLK)
EVENT("fexit", find_na_bh, on_buffer_get, PROG_FINDBLK_NONATOMIC)
EVENT("fentry", put_bh, on_buffer_put, PROG_BRELSE)
EVENT("fentry", forget_bh, on_buffer_put, PROG_BFORGET)
EVENT("fentry", free_bh, on_buffer_free, PROG_BFREE)

#endif
