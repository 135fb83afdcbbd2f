/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.bpf.h - the maps of the kernel half, and how objects get into them and out.
 *
 * Included once, by kmodleak.bpf.c.  Nothing here allocates: maps are filled beforehand, and the
 * stack is walked into a buffer of the program's own, since programs interrupt each other.
 */
#ifndef KMODLEAK_STATE_BPF_H
#define KMODLEAK_STATE_BPF_H

#define ENOENT 2
#define E2BIG 7
#define EEXIST 17

#define BULK_MAX 4096
#define SPLIT_TRIES 1000	/* while another CPU is at the same block */

/* Set before loading. */
const volatile struct kml_range core_text, entry_text, softirq_text, softirq_handler;
const volatile __u64 page_size = 4096;
const volatile char module_name[KML_NAME_LEN];
const volatile __u32 trace_calls;
const volatile __u32 max_frames = KML_STACK_DEPTH;	/* that the kernel gives of a stack */
const volatile __u32 nclones = KML_CLONES;	/* of each program that are loaded */
const volatile bool can_hold_cpu;	/* the kernel has bpf_preempt_disable() */

extern void bpf_preempt_disable(void) __weak __ksym;
extern void bpf_preempt_enable(void) __weak __ksym;

/* The module's, while it is loaded; init's only until it has run. */
struct kml_range text, init_text;
__u64 module_addr;
__u32 init_tid;			/* who runs its init; 0: nobody */
__u32 generation;

__u64 traced, freed;
__u64 lost[KML_LOST_KINDS];
struct {
	__u64 key, time;
} deferred[KML_DEFERRED];
__u32 ndeferred;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u64);
	__type(value, struct kml_object);
	__uint(max_entries, 65536);
} objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u64);
	__type(value, struct kml_stack);
	__uint(max_entries, 16384);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u64);
	__type(value, struct kml_cache);
	__uint(max_entries, 1024);
} caches SEC(".maps");

/* Page-aligned addresses given to kvfree_rcu(): vmalloc's among them go later. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u64);
	__type(value, __u64);
	__uint(max_entries, 1024);
} given SEC(".maps");

__u64 orders;			/* a bit for each order of pages that the module has had */

struct scratch {
	__u64 done;		/* the object the first clone has seen to */
	__u32 busy;		/* the first clone's: how many clones are in the midst of it here */
	struct kml_stack stack;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct scratch);
	__uint(max_entries, PROGS * KML_CLONES);
} scratches SEC(".maps");

/* A call of a function traced, and a program on it.  No two calls under way share a frame. */
struct call {
	__u64 frame;		/* where its arguments lie */
	__u64 prog;
};

/* Which clones have seen it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct call);
	__type(value, __u32);
	__uint(max_entries, 16384);
} turns SEC(".maps");

__u64 calls[PROGS];		/* that the first clone was not skipped for */
__u64 taken[PROGS];		/* that some clone saw */
__u64 full;			/* how often all clones of a tracepoint's were busy on a CPU */

/* What the user half must know; and, apart from it, the lines of --trace, of which some may go. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20);
} calls_told SEC(".maps");

__u64 calls_untold;		/* lines that found no room */

static __always_inline bool in(const volatile struct kml_range *r, __u64 addr)
{
	return addr - r->start < r->end - r->start;
}

static __always_inline bool in_module(__u64 ip)
{
	return in(&text, ip) || in(&init_text, ip);
}

/*
 * Map helpers are called directly, and return int: what is compared with an errno must be one, the
 * upper half of the register is anything.
 */

/* Is there text an allocation could come from? */
static __always_inline bool watching(void)
{
	return text.end || init_text.end;
}

/* Is there anything that could be freed?  Programs that count may run at once: >=, not ==. */
static __always_inline bool live(void)
{
	return traced > freed;
}

static __always_inline void lose(enum kml_lost kind)
{
	__sync_fetch_and_add(&lost[kind], 1);
}

/* An argument of the function traced; args[n] would not do for pointers to pointers. */
static __always_inline __u64 arg(__u64 *args, __u32 n)
{
	__u64 value = 0;

	bpf_get_func_arg(args, n, &value);
	return value;
}

/* One line of --trace. */
static __noinline int tell_call(bool alloc, __u64 key, __u64 size)
{
	struct kml_call call = { .key = key, .size = size, .alloc = alloc };

	call.time = bpf_ktime_get_ns();
	call.tid = bpf_get_current_pid_tgid();
	if (bpf_ringbuf_output(&calls_told, &call, sizeof(call), 0))
		__sync_fetch_and_add(&calls_untold, 1);
	return 0;
}

static __always_inline struct scratch *scratch_of(__u32 prog, __u32 clone)
{
	__u32 key = prog * KML_CLONES + clone;

	return bpf_map_lookup_elem(&scratches, &key);
}

/* Counts the clones that are at work on tracepoints, where tasks may be preempted in them. */
static __always_inline struct scratch *busy_with(__u32 prog)
{
	if (prog > PROG_PERCPU_FREE || nclones <= KML_CLONES_UNPREEMPTED)
		return NULL;
	return scratch_of(prog, 0);
}

static __always_inline void enter(__u32 prog)
{
	struct scratch *s = busy_with(prog);

	if (s && __sync_fetch_and_add(&s->busy, 1) + 1 >= nclones)
		__sync_fetch_and_add(&full, 1);
}

static __always_inline void leave(__u32 prog)
{
	struct scratch *s = busy_with(prog);

	if (s)
		__sync_fetch_and_add(&s->busy, -1);
}

/* Whether this clone has to see to @ident, or another one did just now. */
static __always_inline bool mine(__u32 prog, __u32 clone, __u64 ident)
{
	struct scratch *s = scratch_of(prog, 0);

	if (!s)
		return true;
	if (clone && s->done == ident) {
		if (clone == nclones - 1)
			s->done = 0;
		return false;
	}
	s->done = ident;
	return true;
}

/*
 * The same where doing it twice does harm, or where a task may be preempted in a program: then the
 * others that come by on its CPU find that clone busy.  A clone that saw this frame before sees
 * another call.
 */
static __always_inline bool my_turn(void *frame, __u32 prog, __u32 clone)
{
	struct call key = { .frame = (__u64)frame, .prog = prog };
	__u32 this = 1U << clone, *seen = bpf_map_lookup_elem(&turns, &key);

	if (!clone)
		__sync_fetch_and_add(&calls[prog], 1);
	if (seen && !(*seen & this)) {
		*seen |= this;
		return false;
	}
	if (seen)
		*seen = this;
	else
		bpf_map_update_elem(&turns, &key, &this, BPF_ANY);
	__sync_fetch_and_add(&taken[prog], 1);
	return true;
}

struct walk {
	struct kml_stack *stack;
	int first;		/* the first frame outside BPF, -1: none yet */
	int found;		/* the first frame of the module */
	bool barred;		/* an interrupt or a fault came first */
	__u64 hash;
};

static long walk_step(__u32 i, struct walk *w)
{
	__u64 ip = w->stack->ip[i & (KML_STACK_DEPTH - 1)];

	if (w->first < 0 && in(&core_text, ip))
		w->first = i;
	if (in_module(ip)) {
		w->found = i;
		return 1;
	}
	/* System calls come in by the same text, but last of all. */
	if ((in(&entry_text, ip) || in(&softirq_text, ip) || in(&softirq_handler, ip)) &&
	    i + 1 < w->stack->nframes)
		w->barred = true;
	return w->barred;
}

/*
 * Walks the stack.  Returns the index of the first frame of the module, or -1 when there is none
 * or an interrupt or fault came in between, -E2BIG when it may be beyond what the kernel gives;
 * *@ret_first is the first frame outside BPF.
 */
static __noinline int walk(void *ctx, struct kml_stack *s, int *ret_first)
{
	struct walk w = { .stack = s, .first = -1, .found = -1 };
	long nbytes;

	/* A CPU has one buffer for stacks: who is preempted in it leaves the others none. */
	if (can_hold_cpu)
		bpf_preempt_disable();
	nbytes = bpf_get_stack(ctx, s->ip, sizeof(s->ip), 0);
	if (can_hold_cpu)
		bpf_preempt_enable();
	if (nbytes < 0) {
		lose(KML_LOST_WALK);
		s->nframes = 0;
		return -1;
	}
	s->nframes = nbytes / 8;
	w.barred = false;
	bpf_loop(s->nframes, walk_step, &w, 0);
	/* Where functions jump to BPF (7.x) the function itself has left no frame. */
	*ret_first = w.first >= 0 ? w.first : w.found >= 0 ? w.found : 0;
	/* A tail call leaves no frame behind, but whoever runs init does nothing else. */
	if (w.found < 0 && !w.barred && init_tid && init_tid == (__u32)bpf_get_current_pid_tgid())
		w.found = s->nframes - 1;
	return w.found < 0 && !w.barred && s->nframes >= max_frames ? -E2BIG : w.found;
}

static long hash_step(__u32 i, struct walk *w)
{
	if ((int)i < w->first)
		return 0;
	w->hash ^= w->stack->ip[i & (KML_STACK_DEPTH - 1)];
	w->hash *= 0xff51afd7ed558ccdULL;
	w->hash ^= w->hash >> 32;
	return 0;
}

/* Files the stack in @s from frame @first on; returns its key, or 0 when there was no room. */
static __noinline __u64 file_stack(struct kml_stack *s, int first)
{
	struct walk w = { .stack = s, .first = first };
	__u64 key;
	int err;

	s->generation = generation;
	w.hash = 0x9e3779b97f4a7c15ULL + generation;
	bpf_loop(s->nframes, hash_step, &w, 0);
	key = w.hash | !w.hash;
	if (bpf_map_lookup_elem(&stacks, &key))
		return key;
	err = bpf_map_update_elem(&stacks, &key, s, BPF_NOEXIST);
	if (!err || err == -EEXIST)
		return key;
	lose(KML_LOST_STACK);
	return 0;
}

/* The filed stack of what is happening, if it happens below the module; else 0. */
static __always_inline __u64 stack_of(void *ctx, __u32 prog, __u32 clone)
{
	struct scratch *s = scratch_of(prog, clone);
	int first = 0, at = s ? walk(ctx, &s->stack, &first) : -1;

	if (at == -E2BIG)
		lose(KML_LOST_CUT);
	if (!s || at < 0)
		return 0;
	return file_stack(&s->stack, first);
}

/*
 * The same for an object of @cache.  What comes from a cache of the module's own is the module's
 * even where its function has left no frame, having jumped to the allocator.
 */
static __always_inline __u64 stack_of_slab(void *ctx, __u32 prog, __u32 clone, __u64 cache,
					   __u32 *ret_frameless)
{
	__u64 own = KML_KEY(KML_KMALLOC, cache);
	struct scratch *s = scratch_of(prog, clone);
	int first = 0, at = s ? walk(ctx, &s->stack, &first) : -1;

	if (!s)
		return 0;
	*ret_frameless = at < 0;
	if (at >= 0 || bpf_map_lookup_elem(&objects, &own))
		return file_stack(&s->stack, first);
	if (at == -E2BIG)
		lose(KML_LOST_CUT);
	return 0;
}

/* Each time: where a cache was may be another by now. */
static __noinline void note_cache(__u64 cache)
{
	struct kml_cache c = {};
	const char *name;

	name = BPF_CORE_READ((struct kmem_cache *)cache, name);
	bpf_probe_read_kernel_str(c.name, sizeof(c.name), name);
	if ((int)bpf_map_update_elem(&caches, &cache, &c, BPF_ANY) == -E2BIG)
		lose(KML_LOST_CACHE);
}

static __noinline void note_given(__u64 addr)
{
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&given, &addr, &now, BPF_ANY);
}

/*
 * Enters @o, whose class, size, stack and cache (of pages: order) are set.  BPF_NOEXIST leaves an
 * object that is there already alone.
 */
static __noinline int put_object(struct kml_object *o, __u64 addr, __u64 flags)
{
	__u64 key = KML_KEY(o->class == KML_SLAB ? KML_KMALLOC : o->class, addr);
	int err;

	o->refs = 1;
	o->time = bpf_ktime_get_ns();
	o->tid = bpf_get_current_pid_tgid();
	bpf_get_current_comm(o->command, sizeof(o->command));
	if (o->class == KML_PAGES) {
		o->size = page_size << (o->order & 63);
		__sync_fetch_and_or(&orders, 1ULL << (o->order & 63));
	}
	if (o->class == KML_SLAB) {
		struct kmem_cache *cache = (void *)o->cache;

		o->size = BPF_CORE_READ(cache, size);
	}
	err = bpf_map_update_elem(&objects, &key, o, BPF_NOEXIST);
	if (!err) {
		__sync_fetch_and_add(&traced, 1);
		if (trace_calls)
			tell_call(true, key, o->size);
	} else if (err == -EEXIST) {
		/* The free was missed, or an interrupted clone begins again. */
		if (flags == BPF_NOEXIST)
			return 0;
		err = bpf_map_update_elem(&objects, &key, o, BPF_ANY);
	}
	if (err)
		lose(KML_LOST_OBJECT);
	return 0;
}

static __always_inline int remember(void *ctx, __u32 prog, __u32 clone, struct kml_object *o,
				    __u64 addr)
{
	o->stack = o->class == KML_SLAB ?
		   stack_of_slab(ctx, prog, clone, o->cache, &o->frameless) :
		   stack_of(ctx, prog, clone);
	if (!o->stack)
		return 0;
	if (o->class == KML_SLAB)
		note_cache(o->cache);
	return put_object(o, addr, BPF_ANY);
}

/* Nonzero: no such object. */
static __noinline long forget(__u64 key)
{
	__u32 at;
	int err;

	if (!bpf_map_lookup_elem(&objects, &key))
		return -ENOENT;
	err = bpf_map_delete_elem(&objects, &key);
	if (!err) {
		__sync_fetch_and_add(&freed, 1);
		if (trace_calls)
			tell_call(false, key, 0);
	} else if (err != -ENOENT) {
		/* Interrupted inside the map on this CPU: the reader takes it out. */
		at = __sync_fetch_and_add(&ndeferred, 1);
		if (at < KML_DEFERRED) {
			deferred[at & (KML_DEFERRED - 1)].time = bpf_ktime_get_ns();
			deferred[at & (KML_DEFERRED - 1)].key = key;
		} else {
			lose(KML_LOST_FREE);
		}
	}
	return 0;
}

static __always_inline long forget_memory(__u64 addr)
{
	return forget(KML_KEY(KML_KMALLOC, addr));
}

/* A block of pages of which one, of @order, is given back. */
struct split {
	__u64 page, key, size;		/* size: of what describes a page */
	__u32 order, tries;
	bool kept;			/* the rest has the key of the whole */
	struct kml_object rest;
};

/* Of each half the one that does not have the page is left, a block in its own right. */
static long split_off(__u32 i, struct split *s)
{
	__u32 order = (s->order + i) & 15;
	__u64 half = s->size << order, key = KML_KEY(KML_PAGES, (s->page & ~(half - 1)) ^ half);

	s->rest.order = order;
	s->rest.size = page_size << order;
	s->kept |= key == s->key;
	__sync_fetch_and_or(&orders, 1ULL << order);
	if (bpf_map_update_elem(&objects, &key, &s->rest, BPF_ANY))
		lose(KML_LOST_OBJECT);
	else
		__sync_fetch_and_add(&traced, 1);
	return 0;
}

/* 0: another CPU is splitting the same block. */
static long split_block(struct split *s, struct kml_object *o)
{
	__u32 all = o->order;

	if (__sync_val_compare_and_swap(&o->refs, 1, 0) != 1)
		return 0;
	s->rest = *o;
	s->rest.refs = 1;
	bpf_loop(all - s->order, split_off, s, 0);
	if (s->kept)
		__sync_fetch_and_add(&freed, 1);
	else
		forget(s->key);
	return 1;
}

/* Looks for the block that has the page, the smallest first; 1: no more is to be done. */
static long forget_in_block(__u32 try, struct split *s)
{
	struct kml_object *o;
	__u32 i;

	s->tries = try + 1;
	for (i = 1; i < KML_ORDERS; i++) {
		if (i <= s->order || !(orders & (1ULL << i)))
			continue;
		s->key = KML_KEY(KML_PAGES, s->page & ~((s->size << i) - 1));
		o = bpf_map_lookup_elem(&objects, &s->key);
		if (o && o->order == i)
			return split_block(s, o);
	}
	return 1;
}

/*
 * Takes out the pages from @page on; if they are a part of a block, its rest stays.  Blocks lie at
 * multiples of their size, and so does what describes their pages, if the size of that allows it:
 * then the block that has a page is known by its order alone.
 */
static __noinline int forget_pages(__u64 page, __u64 order)
{
	struct split s = { .page = page, .size = bpf_core_type_size(struct page), .order = order };
	struct kml_object *o;

	s.key = KML_KEY(KML_PAGES, page);
	o = bpf_map_lookup_elem(&objects, &s.key);
	if (o && (o->order <= order || o->order >= KML_ORDERS || s.size & (s.size - 1))) {
		forget(s.key);
		return 0;
	}
	if (s.size & (s.size - 1) || !(orders >> 1))
		return 0;
	bpf_loop(SPLIT_TRIES, forget_in_block, &s, 0);
	if (s.tries == SPLIT_TRIES)
		lose(KML_LOST_FREE);
	return 0;
}

/* ---- programs: one that runs as it comes, one of which there are clones ---- */

#define PROGRAM(section, name, call)							\
	SEC(section) int name(__u64 *args)						\
	{										\
		return call;								\
	}

#define CLONE(section, name, handler, prog, clone)					\
	SEC(section) int name##_##clone(__u64 *args)					\
	{										\
		enter(prog);								\
		handler(args, prog, clone);						\
		leave(prog);								\
		return 0;								\
	}
#define EVENT(section, name, handler, prog)						\
	CLONE(section, name, handler, prog, 0)						\
	CLONE(section, name, handler, prog, 1)						\
	CLONE(section, name, handler, prog, 2)						\
	CLONE(section, name, handler, prog, 3)						\
	CLONE(section, name, handler, prog, 4)						\
	CLONE(section, name, handler, prog, 5)						\
	CLONE(section, name, handler, prog, 6)						\
	CLONE(section, name, handler, prog, 7)

#endif
