// SPDX-License-Identifier: GPL-2.0-only
/*
 * tracer.c - loads the kernel half, takes what it tells, reads what it has gathered.
 *
 * Messages wake us and bring what would be gone later: symbols.  How things stand is read from the
 * kernel half's own variables, so that a message lost cannot keep anybody waiting.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <poll.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "programs.h"
#include "kmodleak.skel.h"

#define READER_MS	1000

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

#define JUMP_BYTES	64	/* more than a function needs to do nothing but jump to another */

/*
 * The texts below which an interrupt, a fault or a softirq is at work.  Softirqs have a section of
 * their own, but newer kernels only jump from it to a function that does the work, and then it is
 * that one whose frame is on the stack.
 */
static void set_entries(struct tracer *t, struct kmodleak_bpf__rodata *ro)
{
	struct ksyms *k = t->ksyms;
	u64 start = 0, end = 0;
	bool softirqs;

	ro->entry_text.start = ksyms__addr(k, "__entry_text_start");
	ro->entry_text.end = ksyms__addr(k, "__entry_text_end");
	ro->softirq_text.start = ksyms__addr(k, "__softirqentry_text_start");
	ro->softirq_text.end = ksyms__addr(k, "__softirqentry_text_end");
	softirqs = ksyms__range(k, "handle_softirqs", &start, &end) ||
		   ro->softirq_text.end - ro->softirq_text.start > JUMP_BYTES;
	ro->softirq_handler.start = start;
	ro->softirq_handler.end = end;
	t->sees_interrupts = ro->entry_text.end && softirqs && !environment__has_fred();
	if (!t->sees_interrupts)
		doubts__add(t->doubts, "it is not known by which text interrupts%s enter this kernel: "
			    "what one allocates may look like the module's",
			    softirqs ? "" : " or softirqs");
}

static void set_constants(struct tracer *t, struct btf *btf, unsigned int nclones)
{
	struct kmodleak_bpf__rodata *ro = t->skel->rodata;
	struct ksyms *k = t->ksyms;

	ro->core_text.start = ksyms__addr(k, "_stext");
	ro->core_text.end = ksyms__addr(k, "_etext");
	set_entries(t, ro);
	ro->max_frames = min_t(u32, environment__max_stack(), KML_STACK_DEPTH);
	ro->trace_calls = t->trace;
	ro->page_size = sysconf(_SC_PAGESIZE);
	ro->nclones = nclones;
	ro->can_hold_cpu = programs__has_function(btf, "bpf_preempt_disable");
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

static int take_event(void *arg, void *data, size_t nbytes)
{
	const struct kml_event *e = data;
	struct tracer *t = arg;

	(void)nbytes;
	if (e->type != KML_EV_WAKE &&
	    ksyms__learn(t->ksyms, e, ((const struct kml_chunk *)e)->data))
		doubts__add(t->doubts, "symbols of a module were not understood");
	if (e->type == KML_EV_LOAD && e->generation)
		t->build_id_size = module__build_id(t->module, t->build_id, sizeof(t->build_id));
	return 0;
}

/* Waits a second for who reads the trace, once: what does not read shall not stop us. */
static bool can_tell(struct tracer *t)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&fd, 1, t->reader_sleeps ? 0 : READER_MS) > 0)
		t->reader_sleeps = false;
	else
		t->reader_sleeps = true;
	t->unread += t->reader_sleeps;
	return !t->reader_sleeps;
}

static int take_call(void *arg, void *data, size_t nbytes)
{
	const struct kml_call *call = data;
	unsigned long long s = call->time / 1000000000, us = call->time / 1000 % 1000000;

	(void)nbytes;
	if (!can_tell(arg))
		return 0;
	if (call->alloc)
		fprintf(stderr, "%llu.%06llu %u alloc %#llx %llu bytes\n", s, us, call->tid,
			KML_KEY_ADDR(call->key), call->size);
	else
		fprintf(stderr, "%llu.%06llu %u free  %#llx\n", s, us, call->tid,
			KML_KEY_ADDR(call->key));
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

static int open_rings(struct tracer *t)
{
	const struct kmodleak_bpf *skel = t->skel;

	t->ring = ring_buffer__new(bpf_map__fd(skel->maps.events), take_event, t, NULL);
	if (!t->ring)
		return -errno;
	return ring_buffer__add(t->ring, bpf_map__fd(skel->maps.calls_told), take_call, t);
}

void tracer__open(struct tracer *t, u64 objects, u64 stacks)
{
	unsigned int nclones;
	struct btf *btf;
	int err;

	libbpf_set_print(t->verbose ? print_libbpf : print_nothing);
	environment__check(t->module);
	err = ksyms__load("/proc/kallsyms", &t->ksyms);
	if (err)
		sfs_die(KML_EXIT_FAILED, "the kernel hides the addresses of its symbols (%s); "
			"sysctl kernel.kptr_restrict=1 shows them to root", strerror(-err));
	btf = btf__load_vmlinux_btf();
	t->skel = kmodleak_bpf__open();
	if (!btf || !t->skel)
		sfs_die(KML_EXIT_FAILED, "the kernel's type information cannot be read (%s)",
			strerror(errno));
	nclones = environment__preempts_tracepoints() ? KML_CLONES : KML_CLONES_UNPREEMPTED;
	programs__choose(t, btf, nclones);
	set_constants(t, btf, nclones);
	btf__free(btf);
	if (!objects)
		objects = default_objects();
	bpf_map__set_max_entries(t->skel->maps.objects, objects);
	bpf_map__set_max_entries(t->skel->maps.buffers, max_t(u64, objects / 8, 1024));
	if (stacks)
		bpf_map__set_max_entries(t->skel->maps.stacks, stacks);
	if (!t->trace)
		bpf_map__set_max_entries(t->skel->maps.calls_told, sysconf(_SC_PAGESIZE));
	err = kmodleak_bpf__load(t->skel);
	if (err)
		sfs_die(KML_EXIT_FAILED, "the kernel does not take the tracing programs (%s)%s",
			strerror(-err), t->verbose ? "" : "; -v says more");
	ksyms__bound_modules(t->ksyms, t, bound_module);
	err = open_rings(t);
	if (err)
		sfs_die(KML_EXIT_FAILED, "no ring buffer (%s)", strerror(-err));
	programs__attach(t);
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

/* What the kernel half writes while we read. */
static const volatile struct kmodleak_bpf__bss *told(const struct tracer *t)
{
	return t->skel->bss;
}

bool tracer__loaded(const struct tracer *t)
{
	return told(t)->module_addr && !t->lost_track;
}

u32 tracer__loads(const struct tracer *t)
{
	return told(t)->loads;
}

u32 tracer__unloads(const struct tracer *t)
{
	return told(t)->unloads;
}

u64 tracer__unloaded(const struct tracer *t)
{
	return told(t)->unloaded;
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

bool tracer__given(struct tracer *t, u64 addr, u64 since)
{
	u64 when;

	return !bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.given), &addr, &when) &&
	       when >= since;
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
	t->skel->bss->awaited = pid;
}

bool tracer__child_freed(const struct tracer *t)
{
	return !told(t)->awaited;
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

void tracer__account(struct tracer *t, bool left)
{
	static const char *const what[KML_LOST_KINDS] = {
		[KML_LOST_OBJECT] = "objects found no room (--objects)",
		[KML_LOST_STACK] = "stacks found no room (--stacks)",
		[KML_LOST_WALK] = "stacks could not be walked",
		[KML_LOST_CUT] = "stacks were cut short (kernel.perf_event_max_stack)",
		[KML_LOST_FREE] = "frees could not be kept",
		[KML_LOST_EVENT] = "messages of the kernel half found no room",
		[KML_LOST_BUFFER] = "buffers found no room (--objects)",
		[KML_LOST_CACHE] = "names of slab caches found no room",
		[KML_LOST_ARRAY] = "arrays of bulk calls could not be read",
	};
	unsigned int i;

	for (i = 0; i < KML_LOST_KINDS; i++) {
		if (t->skel->bss->lost[i])
			doubts__add(t->doubts, "%llu %s",
					   (unsigned long long)t->skel->bss->lost[i], what[i]);
	}
	programs__account(t, left);
	if (t->unread || t->skel->bss->calls_untold)
		sfs_warn("%llu lines of the trace were not printed: nobody read them in time",
			 (unsigned long long)(t->unread + t->skel->bss->calls_untold));
}
