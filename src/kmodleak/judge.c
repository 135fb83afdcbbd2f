// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge.c - what is a leak of the module and what is not, and why.
 *
 * Everything outstanding below a frame of the module is a leak, unless something speaks against it:
 * the memory stands behind an object that is tracked itself; it belongs to somebody who was called
 * on the way (rules.c); or the kernel, asked what the object is by now, says that a cache of its
 * own keeps it.  A buffer is a leak when its count is above zero, whatever memory it is in.
 */
#include <search.h>

#include "judge.h"
#include "rules.h"

static const char destroyed_in_vain[] = "this slab cache was destroyed while objects were in it";

void judge__plain_name(const char *name, char *ret_name, size_t room)
{
	char *end;

	snprintf(ret_name, room, "%s", name ? name : "");
	ret_name[strcspn(ret_name, ".")] = '\0';
	end = strstr(ret_name, "_noprof");
	if (end && !end[7])
		*end = '\0';
}

/* Frames of the tracing itself: not in any text we know, or the plumbing of tracepoints. */
static bool is_plumbing(const struct ksym *sym)
{
	static const char *const names[] = {
		"bpf_trace_run", "__bpf_trace_", "__traceiter_", "bpf_prog_", "bpf_trampoline_",
		"bpf_get_stack", "__bpf_get_stack", "ftrace_trampoline",
	};
	size_t i;

	if (!sym->name)
		return true;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strncmp(sym->name, names[i], strlen(names[i])))
			return true;
	}
	return false;
}

static void name_frames(struct tracer *t, const struct kml_stack *stack, struct trace *trace)
{
	bool found = false;
	char name[128];
	u32 i;

	for (i = 0; i < stack->nframes && i < KML_STACK_DEPTH; i++) {
		struct frame *to = &trace->frames[trace->nframes];

		/* A return address may be the first of the next function. */
		to->ip = stack->ip[i];
		to->sym = ksyms__find(t->ksyms, to->ip - 1, stack->generation);
		to->sym.offset++;
		if (is_plumbing(&to->sym))
			continue;
		/* Of an init that ended in a tail call only its caller is to be seen. */
		if (!found && (to->sym.target || (to->sym.name && !to->sym.module &&
						  !strcmp(to->sym.name, "do_one_initcall")))) {
			trace->near = trace->nframes;
			found = true;
		}
		trace->nframes++;
	}
	trace->frameless = !found;
	for (i = 0; !found && i < trace->nframes; i++) {
		judge__plain_name(trace->frames[i].sym.name, name, sizeof(name));
		found = !rules__is_allocator(name);
		trace->near = i;
	}
}

static int trace_order(const void *a, const void *b)
{
	const struct trace *x = a, *y = b;

	return x->stack < y->stack ? -1 : x->stack > y->stack;
}

/* NULL when the stack is lost, or shows no frame of the module and is not @frameless. */
static const struct trace *find_trace(struct tracer *t, struct findings *all, u64 key,
				      bool frameless)
{
	struct trace *trace, **node;
	struct kml_stack stack;

	trace = calloc(1, sizeof(*trace));
	if (!trace)
		return NULL;
	trace->stack = key;
	node = tsearch(trace, &all->traces, trace_order);
	if (!node || *node != trace) {
		free(trace);
		trace = node ? *node : NULL;
	} else if (tracer__stack(t, key, &stack)) {
		name_frames(t, &stack, trace);
	}
	return trace && trace->nframes && (frameless || !trace->frameless) ? trace : NULL;
}

/* The reason of the first frame below the module that the rules know. */
static const char *reason_below(const struct finding *f, unsigned int class)
{
	const char *why = NULL;
	char name[128];
	unsigned int i;

	for (i = 0; i < f->trace->near && !why; i++) {
		judge__plain_name(f->trace->frames[i].sym.name, name, sizeof(name));
		if (!f->trace->frames[i].sym.module)
			why = rules__find(name, class);
	}
	return why;
}

/* The innermost frame that is not the allocator's own. */
static const struct frame *asker(const struct finding *f)
{
	char name[128];
	unsigned int i;

	for (i = 0; i < f->trace->near; i++) {
		judge__plain_name(f->trace->frames[i].sym.name, name, sizeof(name));
		if (f->trace->frames[i].sym.module || !rules__is_allocator(name))
			break;
	}
	return &f->trace->frames[i];
}

/* The module itself asked for it: between it and the allocator is nobody who might keep it. */
static bool is_asked_for(const struct finding *f)
{
	char name[128];
	unsigned int i;

	for (i = 0; f->trace && i < f->trace->near; i++) {
		judge__plain_name(f->trace->frames[i].sym.name, name, sizeof(name));
		if (f->trace->frames[i].sym.module || !rules__is_giver(name))
			return false;
	}
	return f->trace;
}

/* A node of a tree is its owner's: the module's only if the module itself called the tree. */
static bool is_node_of_others(const struct finding *f)
{
	bool tree = false;
	char name[128];
	unsigned int i;

	for (i = 0; i < f->trace->near; i++) {
		judge__plain_name(f->trace->frames[i].sym.name, name, sizeof(name));
		if (f->trace->frames[i].sym.module || !rules__is_tree(name))
			break;
		tree |= !rules__is_allocator(name);
	}
	return tree && i < f->trace->near;
}

/*
 * Another module that the kernel called owns what it takes; one that the module traced called
 * itself is a library, and takes for its caller.
 */
static bool is_of_other_module(const struct finding *f)
{
	bool kernel_between = false;
	unsigned int i;

	for (i = f->trace->near; i-- > 0;) {
		if (!f->trace->frames[i].sym.module)
			kernel_between = true;
		else if (kernel_between)
			return true;
	}
	return false;
}

/* No other module stands between the module and what it asked for. */
static bool is_called_directly(const struct finding *f)
{
	unsigned int i;

	for (i = 0; i < f->trace->near; i++) {
		if (f->trace->frames[i].sym.module)
			return false;
	}
	return true;
}

/* What a file has open its end closes, by another mode than it was opened with. */
static bool is_opened_as_file(const struct finding *f)
{
	char name[128];
	unsigned int i;

	for (i = 0; i < f->trace->near; i++) {
		judge__plain_name(f->trace->frames[i].sym.name, name, sizeof(name));
		if (!strcmp(name, "blkdev_open"))
			return true;
	}
	return false;
}

static void share(struct finding *f, const char *why)
{
	f->judged = JUDGED_SHARED;
	f->reason = why;
}

static bool is_asker(const struct finding *f, const char *wanted)
{
	const struct frame *a = asker(f);
	char name[128];

	judge__plain_name(a->sym.name, name, sizeof(name));
	return !a->sym.module && !strcmp(name, wanted);
}

/* A vm_struct stands for the whole area that it describes. */
static void judge_vm_struct(struct tracer *t, struct finding *f)
{
	struct kml_inspect q = { .what = KML_IS_VM_STRUCT, .addr = f->addr };

	f->allocator = "vmalloc";
	if (tracer__inspect(t, &q) || !q.target)
		return;
	if (tracer__given(t, q.target, f->time))
		share(f, "given to kvfree_rcu()");
	f->size = q.size;
}

/* A kmem_cache stands for all that was allocated to create it. */
static void judge_kmem_cache(struct tracer *t, const struct kml_object *o, struct finding *f)
{
	struct kml_inspect q = { .what = KML_IS_CACHE, .addr = f->addr };

	if (!is_called_directly(f))
		return share(f, "a slab cache of another module");
	f->reason = o->refs ? "this slab cache was not destroyed" : destroyed_in_vain;
	f->allocator = "cache";
	f->cache = f->addr;
	if (tracer__inspect(t, &q))
		return;
	snprintf(f->what, sizeof(f->what), "%s", q.name);
	if (!o->refs && q.refs > 0)
		share(f, "a slab cache that others share");
}

/* A sysfs entry that was removed lives until the dcache forgets who looked at it. */
static void judge_kernfs(struct tracer *t, struct finding *f)
{
	struct kml_inspect q = { .what = KML_IS_KERNFS, .addr = f->addr };

	if (!tracer__inspect(t, &q) && q.refs < 0)
		share(f, "a sysfs entry that was removed, and is kept by the dcache");
}

/*
 * A dentry that nobody holds stays in the dcache for whoever looks next, and with it its inode and
 * a name that is too long for it.  Of a volume that is gone none stays.
 */
static void judge_dentry(struct tracer *t, struct finding *f)
{
	struct kml_inspect q = { .what = KML_IS_DENTRY, .addr = f->addr };
	struct kml_inspect inode = { .what = KML_IS_INODE };

	if (tracer__inspect(t, &q))
		return;
	f->holders = q.refs;
	if (q.refs)
		return;
	share(f, "a name that the dcache keeps, and nobody holds");
	f->keeps[1] = q.text;
	inode.addr = q.target;
	if (q.target && !tracer__inspect(t, &inode) && inode.refs <= 1)
		f->keeps[0] = q.target;
}

/* The last put of two at once is not seen as such; its count tells. */
static void judge_bio(struct tracer *t, struct finding *f)
{
	struct kml_inspect q = { .what = KML_IS_BIO, .addr = f->addr };

	if (!tracer__inspect(t, &q) && q.refs <= 0)
		share(f, "a bio that nobody holds");
}

static void judge_page(struct tracer *t, struct finding *f, u32 order)
{
	struct kml_inspect q = { .what = KML_IS_PAGE, .addr = f->addr };
	s32 expected;

	if (tracer__inspect(t, &q)) {
		f->judged = JUDGED_UNSETTLED;
		f->reason = "the page cannot be looked at";
		return;
	}
	expected = (1 << order) + (q.nbuffers > 0);
	if (q.is_slab)
		share(f, "a slab's page or its records");
	else if (q.mapping & 1)
		share(f, "memory of a user process");
	else if (q.mapping && (q.refs <= expected || q.busy_buffers))
		share(f, "a page cache that lives on");
	else if (q.mapping)
		f->reason = "pinned in a page cache that lives on";
	else if (q.busy_buffers)
		f->reason = "pinned by its buffers";
	f->refs = f->judged == JUDGED_LEAK && q.mapping ? q.refs - expected : 0;
}

/* A free buffer head goes with its page; a held one is reported as a buffer. */
static void judge_buffer_head(struct tracer *t, struct finding *f)
{
	struct kml_inspect q = { .what = KML_IS_BUFFER, .addr = f->addr };

	if (!tracer__inspect(t, &q) && q.refs <= 0)
		share(f, "a buffer that nobody holds");
	else
		f->refs = q.refs;
}

static void judge_object(struct tracer *t, const struct kml_object *o, struct findings *all,
			 struct finding *f)
{
	static const char *const names[] = {
		[KML_KMALLOC] = "kmalloc", [KML_SLAB] = "slab", [KML_PAGES] = "pages",
		[KML_PERCPU] = "percpu", [KML_VM_RAM] = "vm_map_ram", [KML_CACHE] = "cache",
		[KML_BDEV] = "block device", [KML_BIO] = "bio",
	};
	const char *why;

	f->allocator = names[o->class];
	f->size = o->size;
	f->time = o->time;
	f->tid = o->tid;
	memcpy(f->command, o->command, sizeof(f->command));
	f->trace = find_trace(t, all, o->stack, o->frameless);
	f->cache = o->class == KML_SLAB ? o->cache : 0;
	if (o->class == KML_SLAB || o->class == KML_CACHE)
		snprintf(f->what, sizeof(f->what), "%s", tracer__cache(t, o->cache));
	if (!f->trace) {
		f->judged = JUDGED_UNSETTLED;
		f->reason = "its stack is not known";
		return;
	}
	if (o->frameless) {
		f->reason = "from a cache of the module's own, by a tail call";
		return;
	}
	if (o->class == KML_KMALLOC && is_asker(f, "__get_vm_area_node"))
		return judge_vm_struct(t, f);
	if (o->class == KML_SLAB && !strcmp(f->what, "kmem_cache"))
		return judge_kmem_cache(t, o, f);
	if (o->class == KML_CACHE && !is_called_directly(f))
		return share(f, "a slab cache of another module");
	if (o->class == KML_BDEV && is_opened_as_file(f))
		return share(f, "an open block device, whose file is followed");
	if (o->class == KML_CACHE || o->class == KML_BDEV) {
		f->reason = o->class == KML_CACHE ? "a reference to a shared slab cache was not given back" :
						    "this block device was not closed";
		f->refs = o->refs;
		return;
	}
	why = reason_below(f, o->class);
	if (!why && is_node_of_others(f))
		why = "a node of a tree that lives on";
	if (!why && is_of_other_module(f))
		why = "taken by another module";
	if (why)
		share(f, why);
	else if (o->class == KML_PAGES)
		judge_page(t, f, o->order);
	else if (o->class == KML_BIO)
		judge_bio(t, f);
	else if (o->class == KML_SLAB && !strcmp(f->what, "buffer_head"))
		judge_buffer_head(t, f);
	else if (o->class == KML_SLAB && !strcmp(f->what, "kernfs_node_cache"))
		judge_kernfs(t, f);
	else if (o->class == KML_SLAB && !strcmp(f->what, "dentry"))
		judge_dentry(t, f);
}

/* ---- buffers ---- */

/* Of the gets that no put was set against, those by one stack that are most are to blame. */
static void blame(struct tracer *t, const struct kml_buffer *b, struct findings *all,
		  struct finding *f)
{
	int i, best = 0;

	for (i = 1; i < KML_BH_GETS; i++) {
		if (b->by[i].open > b->by[best].open)
			best = i;
	}
	f->tid = b->by[best].tid;
	f->gets = b->gets;
	f->puts = b->puts;
	f->trace = b->by[best].open ? find_trace(t, all, b->by[best].stack, false) : NULL;
}

/* False: nobody holds it. */
static bool judge_buffer(struct tracer *t, const struct tracer_buffer *b, struct findings *all,
			 struct finding *f)
{
	struct kml_inspect q = { .what = KML_IS_BUFFER, .addr = b->bh };

	if (tracer__inspect(t, &q) || q.refs <= 0)
		return false;
	f->allocator = "buffer";
	f->addr = b->bh;
	f->size = b->b.size;
	f->time = b->b.time;
	f->refs = q.refs;
	snprintf(f->what, sizeof(f->what), "block %llu", (unsigned long long)b->b.block);
	blame(t, &b->b, all, f);
	f->reason = b->b.unseen ? "this buffer is still held, by more than could be followed" :
				  "this buffer is still held";
	if (!f->trace) {
		f->judged = JUDGED_UNSETTLED;
		f->reason = "this buffer is held, but the module's gets and puts of it match";
	}
	return true;
}

/* ---- all of it ---- */

/* A cache that could not be destroyed because of objects that are reported. */
static bool is_kept_by_objects(const struct findings *all, const struct finding *f)
{
	size_t i;

	if (f->reason != destroyed_in_vain)
		return false;
	for (i = 0; i < all->n; i++) {
		if (all->all[i].judged == JUDGED_LEAK && all->all[i].cache == f->cache &&
		    &all->all[i] != f)
			return true;
	}
	return false;
}

/* Addresses, in order once they are all there. */
struct addrs {
	u64 *all;
	size_t n;
};

static int addr_order(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_addr(struct addrs *set, u64 addr)
{
	if (addr)
		set->all[set->n++] = addr;
}

/* Is one of them among the @size bytes from @start on? */
static bool has_one_in(const struct addrs *set, u64 start, u64 size)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (set->all[mid] < start)
			low = mid + 1;
		else
			high = mid;
	}
	return low < set->n && set->all[low] - start < size;
}

/* The inodes and names of dentries that the dcache keeps. */
static void drop_kept_by_dentries(struct findings *all, struct addrs *kept)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		add_addr(kept, all->all[i].keeps[0]);
		add_addr(kept, all->all[i].keeps[1]);
	}
	qsort(kept->all, kept->n, sizeof(u64), addr_order);
	for (i = 0; i < all->n; i++) {
		struct finding *f = &all->all[i];

		if (f->judged == JUDGED_LEAK && has_one_in(kept, f->addr, f->size))
			share(f, "kept by a name in the dcache");
	}
}

/* The pages that buffers pin which are reported, and the records of those. */
static void drop_kept_by_buffers(struct findings *all, struct addrs *buffers)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (!strcmp(all->all[i].allocator, "buffer"))
			add_addr(buffers, all->all[i].addr);
	}
	qsort(buffers->all, buffers->n, sizeof(u64), addr_order);
	for (i = 0; i < all->n && buffers->n; i++) {
		struct finding *f = &all->all[i];

		if (f->judged != JUDGED_LEAK)
			continue;
		if ((f->reason && !strcmp(f->reason, "pinned by its buffers")) ||
		    (!strcmp(f->what, "buffer_head") && has_one_in(buffers, f->addr, 1)))
			share(f, "kept by a buffer that is reported");
	}
}

/* What is pinned by something that is reported, or kept with a name, needs no report of its own. */
static int drop_consequences(struct findings *all)
{
	struct addrs set = { .all = calloc(2 * all->n + 1, sizeof(u64)) };
	size_t i;

	if (!set.all)
		return -ENOMEM;
	drop_kept_by_dentries(all, &set);
	for (i = 0; i < all->n; i++) {
		if (is_kept_by_objects(all, &all->all[i]))
			share(&all->all[i], "kept by its objects, which are reported");
	}
	set.n = 0;
	drop_kept_by_buffers(all, &set);
	free(set.all);
	return 0;
}

int judge__all(struct tracer *t, struct findings *ret)
{
	struct tracer_object *objects = NULL;
	struct tracer_buffer *buffers = NULL;
	long i, nobjects, nbuffers;
	int err = 0;

	nobjects = tracer__objects(t, &objects);
	nbuffers = tracer__buffers(t, &buffers);
	memset(ret, 0, sizeof(*ret));
	if (nobjects >= 0 && nbuffers >= 0)
		ret->all = calloc(nobjects + nbuffers + 1, sizeof(*ret->all));
	if (!ret->all) {
		free(objects);
		free(buffers);
		return nobjects < 0 ? nobjects : nbuffers < 0 ? nbuffers : -ENOMEM;
	}
	for (i = 0; i < nobjects && !err; i++) {
		struct finding *f = &ret->all[ret->n++];
		u32 class = objects[i].o.class;

		f->addr = KML_KEY(class == KML_SLAB ? KML_KMALLOC : class, objects[i].key);
		judge_object(t, &objects[i].o, ret, f);
		f->asked = class == KML_CACHE || class == KML_BDEV ?
			   f->trace && is_called_directly(f) : is_asked_for(f);
		err = t->interrupted() ? -EINTR : 0;
	}
	for (i = 0; i < nbuffers && !err; i++) {
		struct finding *f = &ret->all[ret->n];

		ret->n += judge_buffer(t, &buffers[i], ret, f);
		f->asked = true;	/* other gets are not followed */
		err = t->interrupted() ? -EINTR : 0;
	}
	if (!err)
		err = drop_consequences(ret);
	free(objects);
	free(buffers);
	return err;
}

void judge__free(struct findings *findings)
{
	free(findings->all);
	tdestroy(findings->traces, free);
	memset(findings, 0, sizeof(*findings));
}
