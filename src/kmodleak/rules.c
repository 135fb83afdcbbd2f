// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules.c - the kernel functions whose allocations below a module are not the module's.
 *
 * A rule looks at the frames between the allocator and the innermost frame of the module: what was
 * called there on the module's behalf decides who owns the memory.  Each says in words why.
 */
#include "rules.h"

#define ALL	(~0U)
#define NOT(class)	(ALL & ~(1U << (class)))

static const struct rule rules[] = {
	/* Memory behind something that is tracked itself, or that an allocator keeps. */
	{ "memory behind a kmalloc object", 1U << KML_PAGES, {
		"kmalloc_large_node", "kmalloc_large", "kmalloc_order" } },
	{ "a slab's page or its records", ALL, {
		"allocate_slab", "new_slab", "alloc_slab_page", "memcg_alloc_slab_cgroups",
		"alloc_slab_obj_exts", "memcg_slab_post_alloc_hook", "alloc_tagging_slab_alloc_hook",
		"refill_objects", "__pcs_replace_empty_main", "alloc_empty_sheaf",
		"refill_sheaf", "barn_replace_empty_sheaf",
		"__pcs_replace_full_main", "alloc_full_sheaf" } },
	{ "memory behind a vmalloc area", NOT(KML_VM_RAM), {
		"__vmalloc_node_range", "__vmalloc_area_node", "vm_area_alloc_pages",
		"alloc_vmap_area", "__get_vm_area_node", "vmap_range_noflush", "vm_map_ram",
		"new_vmap_block", "vmap_pages_range", "vmap", "__vmap_pages_range_noflush" } },
	{ "memory behind a bio", NOT(KML_BIO), { "bio_alloc_bioset", "bvec_alloc" } },
	{ "memory behind the percpu allocator", NOT(KML_PERCPU), {
		"pcpu_alloc", "pcpu_create_chunk", "pcpu_populate_chunk", "pcpu_balance_free" } },
	{ "records of a slab cache", ALL, {
		"kmem_cache_create", "kmem_cache_create_usercopy", "__kmem_cache_create_args",
		"create_cache", "__kmem_cache_create", "do_kmem_cache_create",
		"kmem_cache_destroy", "sysfs_slab_add", "sysfs_slab_alias", "debugfs_slab_add",
		"debugfs_slab_release" } },
	{ "a page table", ALL, {
		"__pte_alloc", "__pte_alloc_kernel", "__pmd_alloc", "__pud_alloc", "__p4d_alloc",
		"pte_alloc_one", "pte_alloc_one_kernel" } },

	/* Memory of somebody else, who only happened to need it below the module. */
	{ "memory of a user process", ALL, {
		"handle_mm_fault", "faultin_page", "__get_user_pages", "exc_page_fault",
		"do_user_addr_fault", "populate_vma_page_range" } },
	{ "taken while memory was reclaimed", ALL, {
		"try_to_free_pages", "do_try_to_free_pages", "shrink_node", "shrink_slab",
		"__alloc_pages_direct_compact", "out_of_memory" } },
	{ "a list of memory cgroups", ALL, {
		"memcg_list_lru_alloc", "expand_shrinker_info", "prealloc_memcg_shrinker",
		"shrinker_memcg_alloc", "memcg_update_all_list_lrus", "obj_cgroup_charge",
		"mem_cgroup_css_alloc" } },
	{ "I/O state of a process or of a control group", ALL, {
		"alloc_io_context", "create_task_io_context", "ioc_create_icq",
		"ioc_find_get_icq", "blkg_create", "blkg_alloc", "blkg_lookup_create",
		"blkcg_activate_policy", "wb_get_create", "cgwb_create" } },
	{ "what RCU takes to remember what it shall free", ALL, {
		"kvfree_call_rcu", "__kfree_rcu_sheaf", "call_rcu" } },
	{ "nodes that every CPU keeps ready", ALL, {
		"radix_tree_preload", "idr_preload" } },
	{ "what a security module keeps of an inode or a file", ALL, {
		"security_inode_alloc", "security_file_alloc" } },
	{ "the name of a sysfs entry", 1U << KML_KMALLOC, { "__kernfs_new_node" } },
	{ "a slab for bios, shared by size", ALL, { "bio_find_or_create_slab", "create_bio_slab" } },
	{ "a pool of workers, shared by attributes", ALL, { "alloc_unbound_pwq", "get_unbound_pool" } },
	{ "memory of a lock checker or a profiler", ALL, { "register_lock_class", "stack_depot_save" } },
	{ NULL }
};

/* What stands between an allocator and the tree that asks for a node. */
static const char *const tree_names[] = {
	"xas_", "__xas_", "xa_", "__xa_", "idr_", "ida_", "radix_tree_", "__radix_tree_", "mas_",
	"mtree_", "kmem_cache_alloc", "__kmem_cache_alloc", "slab_", "kmalloc", "__kmalloc",
	"__do_kmalloc", NULL
};

/* The start of the allocators' own frames. */
static const char *const allocator_names[] = {
	"_kmalloc_nolock", "kmem_cache_alloc", "__kmem_cache_alloc", "kmalloc", "__kmalloc", "__do_kmalloc", "kvmalloc",
	"__kvmalloc", "slab_", "__slab_", "alloc_pages", "__alloc_pages", "__alloc_frozen_pages",
	"alloc_frozen_pages", "get_free_pages", "__get_free_pages", "get_zeroed_page",
	"__folio_alloc", "folio_alloc", "pcpu_alloc", "__alloc_percpu", "kstrdup", "kmemdup",
	"krealloc", "alloc_pages_mpol", "kmem_cache_alloc_bulk", NULL
};

/* And of those that hand what they take to their caller, and keep none of it. */
static const char *const giver_names[] = {
	"kasprintf", "kvasprintf", "kstrndup", "kmemdup", "memdup_user", "vmemdup_user", "kvmemdup",
	"krealloc", "vmalloc", "__vmalloc", "vzalloc", "__get_vm_area", "get_vm_area", "vmap",
	"vm_map_ram", "kmem_cache_create", "__kmem_cache_create_args", "create_cache",
	"do_kmem_cache_create", "__kmem_cache_alias", "alloc_pages_exact", "__alloc_pages_bulk",
	"bio_alloc", "mempool_alloc", "kvrealloc", NULL
};

static bool begins_with_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (!strncmp(name, *names, strlen(*names)))
			return true;
	}
	return false;
}

bool rules__is_allocator(const char *name)
{
	return begins_with_one_of(name, allocator_names);
}

bool rules__is_giver(const char *name)
{
	return rules__is_allocator(name) || begins_with_one_of(name, giver_names);
}

bool rules__is_tree(const char *name)
{
	return begins_with_one_of(name, tree_names);
}

/* What was inlined into another kernel's "f" is an "__f" of its own in the next. */
static const char *without_underscores(const char *name)
{
	return name + strspn(name, "_");
}

const char *rules__find(const char *name, unsigned int class)
{
	const struct rule *rule;
	unsigned int i;

	name = without_underscores(name);
	for (rule = rules; rule->why; rule++) {
		if (!(rule->classes & (1U << class)))
			continue;
		for (i = 0; i < RULE_NAMES && rule->names[i]; i++) {
			if (!strcmp(without_underscores(rule->names[i]), name))
				return rule->why;
		}
	}
	return NULL;
}
