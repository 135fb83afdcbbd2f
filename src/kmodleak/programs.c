// SPDX-License-Identifier: GPL-2.0-only
/*
 * programs.c - the programs of the kernel half: what each hangs on, and what it was skipped for.
 *
 * Kernels differ in the names of functions: each program that hangs on one has a list of names, of
 * which the first that this kernel has is taken.  A program without which an allocation or a free
 * would be missed must attach, or the verdict is in doubt.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "programs.h"
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
	{ .program = "nolock_alloc", .names = { "_kmalloc_nolock_noprof", "kmalloc_nolock_noprof" },
	  .optional = true, .counted = PROG_NOLOCK_ALLOC },
	{ .program = "nolock_free", .names = { "kfree_nolock" }, .optional = true,
	  .counted = PROG_NOLOCK_FREE },
	{ .program = "nolock_rcu", .names = { "kfree_call_rcu_nolock" }, .optional = true,
	  .counted = PROG_NOLOCK_RCU },
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
	{ .program = "find_na_bh", .names = { "__find_get_block_nonatomic" }, .optional = true,
	  .counted = PROG_FINDBLK_NONATOMIC },
	{ .program = "put_bh", .names = { "__brelse" }, .optional = true,
	  .counted = PROG_BRELSE },
	{ .program = "forget_bh", .names = { "__bforget" }, .optional = true,
	  .counted = PROG_BFORGET },
	{ .program = "free_bh", .names = { "free_buffer_head" }, .optional = true,
	  .counted = PROG_BFREE },
};

/* Programs that take out what was given back. */
static const char *const give_back[] = {
	"kfree", "slab_free", "page_free", "percpu_free", "bulk_free", "free_rcu", "nolock_free", "nolock_rcu",
	"bio_put", "put_bh", "forget_bh", "free_bh",
};

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

bool programs__has_function(struct btf *btf, const char *name)
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
		if (!programs__has_function(btf, target->names[i]))
			continue;
		if (!bpf_program__set_attach_target(prog, 0, target->names[i]))
			return;
	}
	bpf_program__set_autoload(prog, false);
	if (!target->optional)
		doubts__add(t->doubts, "this kernel has no function %s to trace", target->names[0]);
}

void programs__choose(struct tracer *t, struct btf *btf, unsigned int nclones)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, t->skel->obj) {
		if (clone_number(bpf_program__name(prog)) >= nclones)
			bpf_program__set_autoload(prog, false);
		else
			choose_target(t, prog, btf);
	}
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

void programs__attach(struct tracer *t)
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
 * Of a program without clones nobody has seen what it was skipped for; but who waits for a process
 * to be freed has a deadline.
 */
static bool is_alone_and_needed(const char *name, size_t len)
{
	return !name[len] && strcmp(name, "process_free");
}

/*
 * An event is lost when every clone of its program was skipped for it: at most as many as were
 * skipped by the clone that was skipped least.  On tracepoints that is only so when all clones were
 * busy at once: three always suffice where programs are not preempted (kmodleak.bpf.c).
 */
void programs__account(struct tracer *t, bool left)
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
		if (full || bpf_program__type(prog) != BPF_PROG_TYPE_RAW_TRACEPOINT ||
		    is_alone_and_needed(name, len))
			doubts__add(t->doubts, "up to %llu events of %.*s were missed",
					   (unsigned long long)lost, (int)len, name);
	}
}
