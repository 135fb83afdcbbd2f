/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * module.bpf.h - the module's coming and going, and what an object is by now.
 *
 * A module's symbols go with it, so they are copied out before its init runs; those of other
 * modules as well, since their frames are shown and judged by.  Only what sets its parameters has
 * run then.
 */
#ifndef KMODLEAK_MODULE_BPF_H
#define KMODLEAK_MODULE_BPF_H

#define STRINGS_MAX (4U << 20)

/* Read by the user half as they are; events only wake it. */
__u32 awaited;			/* the process it waits for; 0: none, or RCU has come round to it */
__u32 loads, unloads;
__u64 unloaded;			/* when it last was */

/* What finds no room is no loss: the reader looks by itself before long. */
static __always_inline int wake_reader(void)
{
	struct kml_event e = { .type = KML_EV_WAKE };

	bpf_ringbuf_output(&events, &e, sizeof(e), 0);
	return 0;
}

struct copy {
	__u64 module, addr;
	__u32 type, generation, total;
};

static long copy_chunk(__u32 i, struct copy *c)
{
	struct kml_chunk *chunk;
	__u32 offset = i * KML_CHUNK, nbytes = c->total - offset;

	if (offset >= c->total)
		return 1;
	chunk = bpf_ringbuf_reserve(&events, sizeof(*chunk), 0);
	if (!chunk) {
		lose(KML_LOST_EVENT);
		return 1;
	}
	__builtin_memset(&chunk->head, 0, sizeof(chunk->head));
	chunk->head.type = c->type;
	chunk->head.module = c->module;
	chunk->head.generation = c->generation;
	chunk->head.offset = offset;
	chunk->head.total = c->total;
	if (nbytes > KML_CHUNK)
		nbytes = KML_CHUNK;
	chunk->head.nbytes = nbytes;
	if (bpf_probe_read_kernel(chunk->data, nbytes, (void *)(c->addr + offset)))
		lose(KML_LOST_EVENT);
	bpf_ringbuf_submit(chunk, 0);
	return 0;
}

static __always_inline void copy_symbols(struct module *m, __u32 gen)
{
	struct mod_kallsyms *k = BPF_CORE_READ(m, kallsyms);
	struct copy c = { .module = (__u64)m, .type = KML_EV_SYMBOLS, .generation = gen };

	if (!k)
		return;
	c.addr = (__u64)BPF_CORE_READ(k, symtab);
	c.total = BPF_CORE_READ(k, num_symtab) * 24;
	bpf_loop((c.total + KML_CHUNK - 1) / KML_CHUNK, copy_chunk, &c, 0);
	/* The names lie before the struct that describes them, in the same piece of memory. */
	c.type = KML_EV_STRINGS;
	c.addr = (__u64)BPF_CORE_READ(k, strtab);
	c.total = (__u64)k > c.addr && (__u64)k - c.addr < STRINGS_MAX ? (__u64)k - c.addr : 65536;
	bpf_loop((c.total + KML_CHUNK - 1) / KML_CHUNK, copy_chunk, &c, 0);
}

static __always_inline void find_text(struct module *m, struct kml_range *core,
				      struct kml_range *init)
{
	struct module___old *old = (void *)m;
	__u32 size, init_size;

	if (bpf_core_field_exists(old->core_layout)) {
		core->start = (__u64)BPF_CORE_READ(old, core_layout.base);
		size = BPF_CORE_READ(old, core_layout.text_size);
		init->start = (__u64)BPF_CORE_READ(old, init_layout.base);
		init_size = BPF_CORE_READ(old, init_layout.text_size);
	} else {
		/* MOD_TEXT and MOD_INIT_TEXT */
		core->start = (__u64)BPF_CORE_READ(m, mem[0].base);
		size = BPF_CORE_READ(m, mem[0].size);
		init->start = (__u64)BPF_CORE_READ(m, mem[4].base);
		init_size = BPF_CORE_READ(m, mem[4].size);
	}
	core->end = core->start + size;
	init->end = init->start + init_size;
}

static __always_inline bool is_wanted(const char *name)
{
	int i;

	for (i = 0; i < KML_NAME_LEN; i++) {
		if (name[i] != module_name[i])
			return false;
		if (!name[i])
			break;
	}
	return true;
}

static __noinline int announce(struct module *m, bool loading)
{
	struct kml_event e = { .type = KML_EV_LOAD, .module = (__u64)m };
	struct kml_range core = {}, init = {};
	__u32 gen = 0;

	find_text(m, &core, &init);
	bpf_probe_read_kernel_str(e.name, sizeof(e.name), &m->name);
	e.base = core.start;
	e.size = core.end - core.start;
	e.init_base = init.start;
	e.init_size = init.end - init.start;
	if (is_wanted(e.name))
		gen = ++generation;
	e.generation = gen;
	if (bpf_ringbuf_output(&events, &e, sizeof(e), 0))
		lose(KML_LOST_EVENT);
	if (loading)
		copy_symbols(m, gen);
	if (gen) {
		if (loading)
			init_text = init;
		text = core;
		module_addr = (__u64)m;
		loads++;
	}
	return gen;
}

SEC("raw_tp/module_load")
int module_load(__u64 *args)
{
	announce((struct module *)args[0], true);
	return 0;
}

/* From here to the end of init its thread does nothing else: that tells tail calls of it. */
SEC("raw_tp/initcall_start")
int initcall_start(__u64 *args)
{
	if (in_module(args[0]))
		init_tid = bpf_get_current_pid_tgid();
	return 0;
}

/* Its init has returned; the text of it may become somebody else's. */
SEC("raw_tp/initcall_finish")
int initcall_finish(__u64 *args)
{
	if (!in_module(args[0]))
		return 0;
	init_text.start = init_text.end = 0;
	init_tid = 0;
	return 0;
}

SEC("raw_tp/module_free")
int module_free(__u64 *args)
{
	if (!module_addr || args[0] != module_addr)
		return 0;
	text.start = text.end = init_text.start = init_text.end = 0;
	init_tid = 0;
	unloaded = bpf_ktime_get_ns();
	unloads++;
	module_addr = 0;
	return wake_reader();
}

SEC("raw_tp/sched_process_free")
int process_free(__u64 *args)
{
	struct task_struct *task = (void *)args[0];

	if (!awaited || (__u32)BPF_CORE_READ(task, pid) != awaited)
		return 0;
	awaited = 0;
	return wake_reader();
}

/* ---- what an object is by now ---- */

static __always_inline bool is_slab(struct page *page, __u64 flags, __u32 type)
{
	if (bpf_core_enum_value_exists(enum pagetype___typed, PGTY_slab))
		return type >> 24 == bpf_core_enum_value(enum pagetype___typed, PGTY_slab);
	return flags & (1ULL << bpf_core_enum_value(enum pageflags, PG_slab));
}

static __noinline int inspect_page(struct kml_inspect *q)
{
	struct page *page = (struct page *)q->addr;
	struct page___memdesc *desc = (void *)page;
	struct buffer_head___seen *head, *bh;
	__u64 flags;
	int i, count;

	if (bpf_core_type_exists(memdesc_flags_t))
		flags = BPF_CORE_READ(desc, flags.f);
	else
		flags = BPF_CORE_READ(page, flags);
	q->mapping = (__u64)BPF_CORE_READ(page, mapping);
	q->refs = BPF_CORE_READ(page, _refcount.counter);
	q->is_slab = is_slab(page, flags, BPF_CORE_READ(page, page_type));
	if (!(flags & (1ULL << bpf_core_enum_value(enum pageflags, PG_private))) || q->is_slab)
		return 0;
	head = (struct buffer_head___seen *)BPF_CORE_READ(page, private);
	bh = head;
	for (i = 0; i < 128 && bh; i++) {
		count = BPF_CORE_READ(bh, b_count.counter);
		q->nbuffers++;
		if (count > 0) {
			q->busy_buffers++;
			q->buffer_refs += count;
		}
		bh = BPF_CORE_READ(bh, b_this_page);
		if (bh == head)
			break;
	}
	return 0;
}

static __noinline int inspect_other(struct kml_inspect *q)
{
	struct kml_range core = {}, init = {};
	void *addr = (void *)q->addr;

	switch (q->what) {
	case KML_IS_VM_STRUCT:
		q->target = (__u64)BPF_CORE_READ((struct vm_struct *)addr, addr);
		q->size = BPF_CORE_READ((struct vm_struct *)addr, size);
		break;
	case KML_IS_CACHE:
		q->refs = BPF_CORE_READ((struct kmem_cache *)addr, refcount);
		q->size = BPF_CORE_READ((struct kmem_cache *)addr, size);
		bpf_probe_read_kernel_str(q->name, sizeof(q->name),
					  BPF_CORE_READ((struct kmem_cache *)addr, name));
		break;
	case KML_IS_MODULE:
		find_text(addr, &core, &init);
		q->target = core.start;
		q->size = core.end - core.start;
		break;
	case KML_IS_KERNFS:
		q->refs = BPF_CORE_READ((struct kernfs_node *)addr, active.counter);
		break;
	case KML_IS_DENTRY:
		q->refs = BPF_CORE_READ((struct dentry *)addr, d_lockref.count);
		q->target = (__u64)BPF_CORE_READ((struct dentry *)addr, d_inode);
		q->text = (__u64)BPF_CORE_READ((struct dentry *)addr, d_name.name);
		break;
	case KML_IS_INODE:
		q->refs = BPF_CORE_READ((struct inode *)addr, i_count.counter);
		break;
	case KML_IS_BIO:
		q->refs = BPF_CORE_READ((struct bio *)addr, __bi_cnt.counter);
		break;
	case KML_IS_BUFFER:
		q->refs = BPF_CORE_READ((struct buffer_head___seen *)addr, b_count.counter);
		q->block = BPF_CORE_READ((struct buffer_head___seen *)addr, b_blocknr);
		q->size = BPF_CORE_READ((struct buffer_head___seen *)addr, b_size);
		break;
	}
	return 0;
}

SEC("syscall")
int inspect(struct kml_inspect *q)
{
	struct kml_inspect copy = *q;

	if (copy.what == KML_ADOPT)
		return announce((struct module *)copy.addr, false);
	if (copy.what == KML_IS_PAGE)
		inspect_page(&copy);
	else
		inspect_other(&copy);
	*q = copy;
	return 0;
}

#endif
