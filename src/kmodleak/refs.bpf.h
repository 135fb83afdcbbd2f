/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * refs.bpf.h - references: buffers, block devices and merged caches, got and put back.
 *
 * Getting one of these need not allocate anything, and forgetting it leaks all the same.  Devices
 * and caches are counted as objects.  A buffer's count is the kernel's own (b_count), read when the
 * judgement is made; here only the history is kept that tells who got it and who put it back.
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
SEC("fexit")
int cache_get(__u64 *args)
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

SEC("fentry")
int cache_put(__u64 *args)
{
	return ref_put(KML_KEY(KML_CACHE, arg(args, 0)));
}

SEC("fexit")
int bdev_get(__u64 *args)
{
	struct kml_object o = { .class = KML_BDEV };
	__u64 bdev = 0;

	if (!watching() || bpf_get_func_ret(args, &bdev) || is_err(bdev))
		return 0;
	o.stack = stack_of(args, PROG_BDEV_GET, 0);
	return o.stack ? ref_get(&o, bdev) : 0;
}

SEC("fentry")
int bdev_put(__u64 *args)
{
	return ref_put(KML_KEY(KML_BDEV, arg(args, 0)));
}

/* The filed stack if the module itself called the function traced; else 0. */
static __always_inline __u64 caller_stack(void *ctx, __u32 prog)
{
	struct scratch *s = scratch_of(prog, 0);
	int first = 0, at;

	if (!s)
		return 0;
	at = walk(ctx, &s->stack, &first);
	return at >= 0 && at - first <= 1 ? file_stack(&s->stack, first) : 0;
}

/* Counts a get (or a put) by @stack; a buffer whose references are balanced starts afresh. */
static __noinline int buffer_count(struct kml_buffer *b, __u64 stack, bool put)
{
	__u32 gets = 0, puts = 0;
	bool counted = false;
	int i;

	for (i = 0; i < KML_BH_STACKS; i++) {
		if (!counted && (!b->by[i].stack || b->by[i].stack == stack)) {
			b->by[i].stack = stack;
			if (put)
				b->by[i].puts++;
			else
				b->by[i].gets++;
			counted = true;
		}
		gets += b->by[i].gets;
		puts += b->by[i].puts;
	}
	if (!counted && put)
		b->others++;
	if (gets && gets == puts) {
		for (i = 0; i < KML_BH_STACKS; i++) {
			b->by[i].stack = 0;
			b->by[i].gets = b->by[i].puts = 0;
		}
		b->others = 0;
	}
	return 0;
}

static __always_inline int on_buffer_get(__u64 *args, __u32 prog)
{
	struct kml_buffer new = {}, *b;
	__u64 bh = 0, stack;

	if (!watching() || bpf_get_func_ret(args, &bh) || is_err(bh))
		return 0;
	stack = caller_stack(args, prog);
	if (!stack)
		return 0;
	b = bpf_map_lookup_elem(&buffers, &bh);
	if (b)
		return buffer_count(b, stack, false);
	new.time = bpf_ktime_get_ns();
	new.block = BPF_CORE_READ((struct buffer_head___seen *)bh, b_blocknr);
	new.size = BPF_CORE_READ((struct buffer_head___seen *)bh, b_size);
	new.by[0].stack = stack;
	new.by[0].gets = 1;
	if (bpf_map_update_elem(&buffers, &bh, &new, BPF_ANY))
		lose(KML_LOST_BUFFER);
	return 0;
}

static __always_inline int on_buffer_put(__u64 *args, __u32 prog)
{
	__u64 bh = arg(args, 0), stack;
	struct kml_buffer *b = bpf_map_lookup_elem(&buffers, &bh);

	if (!b)
		return 0;
	stack = caller_stack(args, prog);
	if (stack)
		return buffer_count(b, stack, true);
	__sync_fetch_and_add(&b->others, 1);
	return 0;
}

SEC("fexit") int read_bh(__u64 *args) { return on_buffer_get(args, PROG_BREAD); }
SEC("fexit") int get_bh(__u64 *args) { return on_buffer_get(args, PROG_GETBLK); }
SEC("fexit") int find_bh(__u64 *args) { return on_buffer_get(args, PROG_FINDBLK); }
SEC("fentry") int put_bh(__u64 *args) { return on_buffer_put(args, PROG_BRELSE); }
SEC("fentry") int forget_bh(__u64 *args) { return on_buffer_put(args, PROG_BFORGET); }

SEC("fentry")
int free_bh(__u64 *args)
{
	__u64 bh = arg(args, 0);

	if (bpf_map_lookup_elem(&buffers, &bh))
		bpf_map_delete_elem(&buffers, &bh);
	return 0;
}

#endif
