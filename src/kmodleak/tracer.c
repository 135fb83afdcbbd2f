// SPDX-License-Identifier: GPL-2.0-only
/*
 * tracer.c - loads and attaches the kernel half, takes what it tells, counts what it lost.
 *
 * Kernels differ in the names of functions: each program that hangs on one has a list of names, of
 * which the first that this kernel has is taken.  A program without which an allocation or a free
 * would be missed must attach, or the verdict is incomplete.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "tracer.h"
#include "kmodleak.skel.h"

/* Programs that hang on functions; all clones of one have the same row. */
static const struct target {
	const char *program;
	const char *names[3];		/* in the kernel, newest first */
	const char *split;		/* only needed where the compiler has made this one */
	enum kml_prog counted;		/* whose calls are counted; 0: not */
	bool optional;			/* a kernel without it does not need it */
} targets[] = {
	{ .program = "bulk_alloc", .names = { "kmem_cache_alloc_bulk_noprof", "kmem_cache_alloc_bulk" },
	  .counted = PROG_BULK_ALLOC },
	{ .program = "bulk_free", .names = { "kmem_cache_free_bulk" },
	  .counted = PROG_BULK_FREE },
	{ .program = "page_bulk", .names = { "alloc_pages_bulk_noprof", "__alloc_pages_bulk" },
	  .counted = PROG_PAGE_BULK },
	{ .program = "free_rcu", .names = { "kvfree_call_rcu" },
	  .counted = PROG_FREE_RCU },
	{ .program = "split_page", .names = { "split_page" },
	  .counted = PROG_SPLIT },
	{ .program = "vm_map_ram", .names = { "vm_map_ram" } },
	{ .program = "vm_unmap_ram", .names = { "vm_unmap_ram" } },
	{ .program = "bio_alloc", .names = { "bio_alloc_bioset" },
	  .counted = PROG_BIO_ALLOC },
	{ .program = "bio_put", .names = { "bio_put" },
	  .counted = PROG_BIO_PUT },
	{ .program = "cache_get", .names = { "__kmem_cache_create_args", "__kmem_cache_alias" },
	  .optional = true },
	{ .program = "cache_put", .names = { "kmem_cache_destroy" } },
	{ .program = "bdev_get", .names = { "blkdev_get_by_dev" }, .optional = true },
	{ .program = "bdev_path", .names = { "blkdev_get_by_path" }, .optional = true,
	  .split = "blkdev_get_by_dev.part.0" },
	{ .program = "bdev_put", .names = { "blkdev_put" }, .optional = true },
	{ .program = "read_bh", .names = { "__bread_gfp" }, .optional = true,
	  .counted = PROG_BREAD },
	{ .program = "get_bh", .names = { "bdev_getblk", "__getblk_gfp" }, .optional = true,
	  .counted = PROG_GETBLK },
	{ .program = "find_bh", .names = { "__find_get_block" }, .optional = true,
	  .counted = PROG_FINDBLK },
	{ .program = "put_bh", .names = { "__brelse" }, .optional = true,
	  .counted = PROG_BRELSE },
	{ .program = "forget_bh", .names = { "__bforget" }, .optional = true,
	  .counted = PROG_BFORGET },
	{ .program = "free_bh", .names = { "free_buffer_head" }, .optional = true,
	  .counted = PROG_BFREE },
};

/* Programs that take out what was given back. */
static const char *const give_back[] = {
	"kfree", "slab_free", "page_free", "percpu_free", "bulk_free", "free_rcu", "bio_put",
	"put_bh", "forget_bh", "free_bh",
};

u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* ---- opening ---- */

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level <= LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* "page_bulk_1" is a clone of "page_bulk", and "read_bh" its own only one. */
static size_t base_length(const char *name)
{
	size_t len = strlen(name);

	return len > 2 && name[len - 2] == '_' && name[len - 1] >= '0' && name[len - 1] <= '9' ?
	       len - 2 : len;
}

static unsigned int clone_number(const char *name)
{
	size_t len = base_length(name);

	return name[len] ? name[len + 1] - '0' : 0;
}

/* "page_bulk_1" belongs to the row "page_bulk". */
static const struct target *target_of(const char *program)
{
	size_t i, len = base_length(program);

	for (i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		if (strlen(targets[i].program) == len && !strncmp(program, targets[i].program, len))
			return &targets[i];
	}
	return NULL;
}

static bool has_function(struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

static void choose_target(struct tracer *t, struct bpf_program *prog, struct btf *btf)
{
	const struct target *target = target_of(bpf_program__name(prog));
	unsigned int i;

	if (!target)
		return;
	for (i = 0; i < 3 && target->names[i]; i++) {
		if (target->split && !ksyms__addr(t->ksyms, target->split))
			break;
		if (!has_function(btf, target->names[i]))
			continue;
		if (!bpf_program__set_attach_target(prog, 0, target->names[i]))
			return;
	}
	bpf_program__set_autoload(prog, false);
	if (!target->optional)
		doubts__add(t->doubts, "this kernel has no function %s to trace", target->names[0]);
}

static void set_constants(struct tracer *t, struct btf *btf, unsigned int nclones)
{
	struct kmodleak_bpf__rodata *ro = t->skel->rodata;
	struct ksyms *k = t->ksyms;

	ro->core_text.start = ksyms__addr(k, "_stext");
	ro->core_text.end = ksyms__addr(k, "_etext");
	ro->entry_text.start = ksyms__addr(k, "__entry_text_start");
	ro->entry_text.end = ksyms__addr(k, "__entry_text_end");
	ro->softirq_text.start = ksyms__addr(k, "__softirqentry_text_start");
	ro->softirq_text.end = ksyms__addr(k, "__softirqentry_text_end");
	ro->trace_calls = t->trace;
	ro->page_size = sysconf(_SC_PAGESIZE);
	ro->nclones = nclones;
	ro->can_hold_cpu = has_function(btf, "bpf_preempt_disable");
	snprintf((char *)ro->module_name, KML_NAME_LEN, "%s", t->module);
	if (!ro->core_text.end)
		sfs_die(KML_EXIT_FAILED, "the kernel's symbols do not say where its text ends");
}

static u64 default_objects(void)
{
	struct sysinfo info;
	u64 pages;

	if (sysinfo(&info))
		return 262144;
	pages = (u64)info.totalram * info.mem_unit / sysconf(_SC_PAGESIZE);
	return min_t(u64, max_t(u64, pages, 65536), 4 << 20);
}

static u64 missed_by(struct bpf_program *prog)
{
	struct bpf_prog_info info = { 0 };
	u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size))
		return 0;
	return info.recursion_misses;
}

/* Calls so far that all clones of @prog, the first of them, were skipped for. */
static u64 missed_calls(const struct tracer *t, enum kml_prog counted, struct bpf_program *prog)
{
	const volatile struct kmodleak_bpf__bss *bss = t->skel->bss;
	u64 came = bss->calls[counted] + missed_by(prog);
	u64 taken = bss->taken[counted];	/* read last: who is in between has been counted */

	return came > taken ? came - taken : 0;
}

static void attach(struct tracer *t)
{
	struct bpf_program *prog;
	struct bpf_link *link;

	bpf_object__for_each_program(prog, t->skel->obj) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL ||
		    !bpf_program__autoload(prog))
			continue;
		link = bpf_program__attach(prog);
		if (!link)
			doubts__add(t->doubts, "%s cannot be attached (%s)", bpf_program__name(prog),
					   strerror(errno));
	}
	bpf_object__for_each_program(prog, t->skel->obj) {
		const struct target *target = target_of(bpf_program__name(prog));

		if (target && target->counted && bpf_program__autoload(prog) &&
		    !clone_number(bpf_program__name(prog)))
			t->attaching[target->counted] = missed_calls(t, target->counted, prog);
	}
}

static int take_event(void *arg, void *data, size_t nbytes)
{
	const struct kml_event *e = data;
	struct tracer *t = arg;

	(void)nbytes;
	switch (e->type) {
	case KML_EV_LOAD:
		if (e->generation) {
			t->loads++;
			t->loaded = true;
		}
		/* fall through */
	case KML_EV_SYMBOLS:
	case KML_EV_STRINGS:
		if (ksyms__learn(t->ksyms, e, ((const struct kml_chunk *)e)->data))
			doubts__add(t->doubts, "symbols of a module were not understood");
		break;
	case KML_EV_UNLOAD:
		t->unloads++;
		t->loaded = false;
		t->unloaded = e->time;
		break;
	case KML_EV_ALLOC:
		fprintf(stderr, "%llu.%06llu %u alloc %#llx %llu bytes\n", e->time / 1000000000,
			e->time / 1000 % 1000000, e->tid, KML_KEY_ADDR(e->base), e->size);
		break;
	case KML_EV_FREE:
		fprintf(stderr, "%llu.%06llu %u free  %#llx\n", e->time / 1000000000,
			e->time / 1000 % 1000000, e->tid, KML_KEY_ADDR(e->base));
		break;
	case KML_EV_CHILD:
		t->child_freed |= e->tid == t->child;
		break;
	}
	return 0;
}

static bool bound_module(void *arg, u64 object, u64 *ret_base, u64 *ret_size)
{
	struct kml_inspect q = { .what = KML_IS_MODULE, .addr = object };

	if (tracer__inspect(arg, &q) || !q.size)
		return false;
	*ret_base = q.target;
	*ret_size = q.size;
	return true;
}

void tracer__open(struct tracer *t, u64 objects)
{
	struct bpf_program *prog;
	unsigned int nclones;
	struct btf *btf;
	int err;

	libbpf_set_print(t->verbose ? print_libbpf : print_nothing);
	environment__check(t->module);
	err = ksyms__load(&t->ksyms);
	if (err)
		sfs_die(KML_EXIT_FAILED, "the kernel hides the addresses of its symbols (%s)",
			strerror(-err));
	btf = btf__load_vmlinux_btf();
	t->skel = kmodleak_bpf__open();
	if (!btf || !t->skel)
		sfs_die(KML_EXIT_FAILED, "the kernel's type information cannot be read (%s)",
			strerror(errno));
	nclones = environment__preempts_tracepoints() ? KML_CLONES : KML_CLONES_UNPREEMPTED;
	bpf_object__for_each_program(prog, t->skel->obj) {
		if (clone_number(bpf_program__name(prog)) >= nclones)
			bpf_program__set_autoload(prog, false);
		else
			choose_target(t, prog, btf);
	}
	set_constants(t, btf, nclones);
	btf__free(btf);
	if (!objects)
		objects = default_objects();
	bpf_map__set_max_entries(t->skel->maps.objects, objects);
	bpf_map__set_max_entries(t->skel->maps.buffers, max_t(u64, objects / 8, 1024));
	err = kmodleak_bpf__load(t->skel);
	if (err)
		sfs_die(KML_EXIT_FAILED, "the kernel does not take the tracing programs (%s)%s",
			strerror(-err), t->verbose ? "" : "; -v says more");
	ksyms__bound_modules(t->ksyms, t, bound_module);
	t->ring = ring_buffer__new(bpf_map__fd(t->skel->maps.events), take_event, t, NULL);
	if (!t->ring)
		sfs_die(KML_EXIT_FAILED, "no ring buffer (%s)", strerror(errno));
	attach(t);
	t->started = now_ns();
}

int tracer__adopt(struct tracer *t)
{
	struct kml_inspect query = { .what = KML_ADOPT };

	query.addr = ksyms__module(t->ksyms, t->module);
	if (!query.addr)
		return -ESRCH;
	t->partial = true;
	if (tracer__inspect(t, &query))
		return -ESRCH;
	ksyms__adopt(t->ksyms, t->module, t->skel->bss->generation);
	return tracer__poll(t, 0);
}

void tracer__close(struct tracer *t)
{
	ring_buffer__free(t->ring);
	kmodleak_bpf__destroy(t->skel);
	ksyms__free(t->ksyms);
}

int tracer__poll(struct tracer *t, int timeout_ms)
{
	int n = ring_buffer__poll(t->ring, timeout_ms);

	return n < 0 && n != -EINTR ? n : 0;
}

/* ---- reading the maps ---- */

/* All of a hash map as an array of key and value, laid out as in struct tracer_object. */
static long read_map(const struct bpf_map *map, size_t value_size, void **ret_items)
{
	size_t item = sizeof(u64) + value_size, n = 0, room = 0;
	int fd = bpf_map__fd(map);
	u64 key, *previous = NULL;
	char *items = NULL, *more;

	while (!bpf_map_get_next_key(fd, previous, &key)) {
		if (n == room) {
			room = room ? 2 * room : 256;
			more = reallocarray(items, room, item);
			if (!more) {
				free(items);
				return -ENOMEM;
			}
			items = more;
		}
		/* What has gone meanwhile is not there to be looked up. */
		if (!bpf_map_lookup_elem(fd, &key, items + n * item + sizeof(u64))) {
			memcpy(items + n * item, &key, sizeof(key));
			n++;
		}
		previous = &key;
	}
	*ret_items = items;
	return n;
}

static void apply_deferred(struct tracer *t)
{
	struct kmodleak_bpf__bss *bss = t->skel->bss;
	int fd = bpf_map__fd(t->skel->maps.objects);
	struct kml_object o;
	u32 i;

	for (i = 0; i < min_t(u32, bss->ndeferred, KML_DEFERRED); i++) {
		u64 key = bss->deferred[i].key;

		if (key && !bpf_map_lookup_elem(fd, &key, &o) && o.time < bss->deferred[i].time)
			bpf_map_delete_elem(fd, &key);
	}
}

/* get_next_key starts again when its key has gone, so objects may come twice. */
static int object_order(const void *a, const void *b)
{
	const struct tracer_object *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

long tracer__objects(struct tracer *t, struct tracer_object **ret_objects)
{
	struct tracer_object *objects;
	void *items;
	long i, n, kept = 0;

	apply_deferred(t);
	n = read_map(t->skel->maps.objects, sizeof(struct kml_object), &items);
	if (n <= 0) {
		*ret_objects = NULL;
		return n;
	}
	objects = items;
	qsort(objects, n, sizeof(*objects), object_order);
	for (i = 0; i < n; i++) {
		if (!i || objects[i].key != objects[kept - 1].key)
			objects[kept++] = objects[i];
	}
	*ret_objects = objects;
	return kept;
}

long tracer__buffers(struct tracer *t, struct tracer_buffer **ret_buffers)
{
	void *items = NULL;
	long n = read_map(t->skel->maps.buffers, sizeof(struct kml_buffer), &items);

	*ret_buffers = items;
	return n;
}

bool tracer__stack(struct tracer *t, u64 key, struct kml_stack *ret_stack)
{
	return !bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.stacks), &key, ret_stack);
}

const char *tracer__cache(struct tracer *t, u64 cache)
{
	static struct kml_cache c;

	if (bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.caches), &cache, &c))
		return "?";
	return c.name;
}

bool tracer__given(struct tracer *t, u64 addr)
{
	u64 when;

	return !bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.given), &addr, &when);
}

int tracer__inspect(struct tracer *t, struct kml_inspect *query)
{
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts), .ctx_in = query, .ctx_size_in = sizeof(*query),
	};
	int err = bpf_prog_test_run_opts(bpf_program__fd(t->skel->progs.inspect), &opts);

	if (err)
		return err < 0 ? err : -err;
	return 0;
}

void tracer__await_child(struct tracer *t, u32 pid)
{
	t->child = pid;
	t->child_freed = false;
	t->skel->bss->awaited = pid;
}

u64 tracer__freed(const struct tracer *t)
{
	return t->skel->bss->freed;
}

u64 tracer__traced(const struct tracer *t)
{
	return t->skel->bss->traced;
}

/* ---- what was lost ---- */

/* What all clones of @prog, the first of them, were skipped for: exact where calls are counted. */
static u64 missed_by_all(struct tracer *t, struct bpf_program *prog, size_t len)
{
	const struct target *target = target_of(bpf_program__name(prog));
	struct bpf_program *other;
	u64 least = UINT64_MAX, lost;

	if (target && target->counted) {
		lost = missed_calls(t, target->counted, prog);
		return lost - min(lost, t->attaching[target->counted]);
	}
	bpf_object__for_each_program(other, t->skel->obj) {
		const char *its = bpf_program__name(other);

		if (bpf_program__autoload(other) && base_length(its) == len &&
		    !strncmp(its, bpf_program__name(prog), len))
			least = min(least, missed_by(other));
	}
	return least;
}

static bool gives_back(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(give_back) / sizeof(*give_back); i++) {
		if (strlen(give_back[i]) == len && !strncmp(give_back[i], name, len))
			return true;
	}
	return false;
}

/*
 * An event is lost when every clone of its program was skipped for it: at most as many as were
 * skipped by the clone that was skipped least.  On tracepoints that is only so when all clones were
 * busy at once: three always suffice where programs are not preempted (kmodleak.bpf.c).
 */
static void account_missed(struct tracer *t, bool left)
{
	bool full = t->skel->bss->full > 0;
	struct bpf_program *prog;

	if (t->verbose && full)
		sfs_warn("all clones of a program were busy %llu times",
			 (unsigned long long)t->skel->bss->full);
	bpf_object__for_each_program(prog, t->skel->obj) {
		const char *name = bpf_program__name(prog);
		size_t len = base_length(name);
		u64 lost;

		if (clone_number(name) || !bpf_program__autoload(prog))
			continue;
		lost = missed_by_all(t, prog, len);
		if (t->verbose && missed_by(prog))
			sfs_warn("%s: skipped %llu times, all clones %llu", name,
				 (unsigned long long)missed_by(prog), (unsigned long long)lost);
		if (!lost || (!left && gives_back(name, len)))
			continue;
		if (full || bpf_program__type(prog) != BPF_PROG_TYPE_RAW_TRACEPOINT)
			doubts__add(t->doubts, "up to %llu events of %.*s were missed",
					   (unsigned long long)lost, (int)len, name);
	}
}

void tracer__account(struct tracer *t, bool left)
{
	static const char *const what[KML_LOST_KINDS] = {
		[KML_LOST_OBJECT] = "objects found no room (--objects)",
		[KML_LOST_STACK] = "stacks could not be kept",
		[KML_LOST_FREE] = "frees could not be kept",
		[KML_LOST_EVENT] = "messages of the kernel half found no room",
		[KML_LOST_BUFFER] = "buffers found no room (--objects)",
		[KML_LOST_ARRAY] = "arrays of bulk calls could not be read",
	};
	unsigned int i;

	for (i = 0; i < KML_LOST_KINDS; i++) {
		if (t->skel->bss->lost[i])
			doubts__add(t->doubts, "%llu %s",
					   (unsigned long long)t->skel->bss->lost[i], what[i]);
	}
	account_missed(t, left);
}
