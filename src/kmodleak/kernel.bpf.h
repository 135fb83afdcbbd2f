/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.bpf.h - the kernel's types as far as kmodleak looks into them, located by CO-RE.
 *
 * Only members that are read; offsets come from the running kernel's BTF.  A type that differs
 * between kernels has a second spelling, whose suffix after ___ the loader ignores.
 */
#ifndef KMODLEAK_KERNEL_BPF_H
#define KMODLEAK_KERNEL_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mod_kallsyms {
	void *symtab;
	unsigned int num_symtab;
	char *strtab;
};

struct module_memory {
	void *base;
	unsigned int size;
};

struct module_layout {
	void *base;
	unsigned int size;
	unsigned int text_size;
};

/* 6.4 and newer: one piece of memory for each kind of section. */
struct module {
	char name[KML_NAME_LEN];
	struct module_memory mem[7];
	struct mod_kallsyms *kallsyms;
};

struct module___old {
	char name[KML_NAME_LEN];
	struct module_layout core_layout;
	struct module_layout init_layout;
};

struct task_struct {
	int pid;
};

struct kmem_cache {
	const char *name;
	unsigned int size;
	int refcount;
};

typedef struct {
	int counter;
} atomic_t;

struct page {
	unsigned long flags;
	void *mapping;
	unsigned long private;
	unsigned int page_type;
	atomic_t _refcount;
};

/* 6.18 and newer. */
typedef struct {
	unsigned long f;
} memdesc_flags_t;

struct page___memdesc {
	memdesc_flags_t flags;
};

/* Only asked for by name; the values are the running kernel's. */
enum pageflags {
	PG_private = 13,
	PG_slab = 9,
};

enum pagetype___typed {
	PGTY_slab = 0xf5,
};

struct buffer_head___seen {
	struct buffer_head___seen *b_this_page;
	unsigned long long b_blocknr;
	unsigned long b_size;
	atomic_t b_count;
};

struct kernfs_node {
	atomic_t active;
};

struct qstr {
	const unsigned char *name;
};

struct lockref {
	int count;
};

struct inode {
	atomic_t i_count;
};

struct dentry {
	struct qstr d_name;
	struct inode *d_inode;
	struct lockref d_lockref;
};

struct bio {
	atomic_t __bi_cnt;
};

struct vm_struct {
	void *addr;
	unsigned long size;
};

#pragma clang attribute pop

#endif
