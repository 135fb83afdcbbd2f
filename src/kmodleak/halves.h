/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * halves.h - what the kernel half and the user half of kmodleak share.
 *
 * Units: times are CLOCK_MONOTONIC nanoseconds, sizes bytes.  An object is known by its key: its
 * kernel address with the class in the top byte, which every kernel address has as 0xff.
 */
#ifndef KMODLEAK_HALVES_H
#define KMODLEAK_HALVES_H

#include <linux/types.h>

#define KML_NAME_LEN 56		/* as struct module's name */
#define KML_COMMAND_LEN 16	/* as a thread's */
#define KML_STACK_DEPTH 128	/* what the kernel gives by default is one less */
#define KML_CHUNK 4096		/* of a module's symbols, as sent */
#define KML_BH_GETS 8		/* stacks at a time by which one buffer is held */
#define KML_DEFERRED 1024
#define KML_ORDERS 11		/* of blocks of pages that may be given back in parts */
/* Of each program; the fewer where a program on a tracepoint is not preempted. */
#define KML_CLONES 8
#define KML_CLONES_UNPREEMPTED 3

enum kml_class {
	KML_KMALLOC = 1,
	KML_SLAB,		/* an object of a named cache */
	KML_PAGES,
	KML_PERCPU,
	KML_VM_RAM,		/* vm_map_ram(); other areas have a vm_struct */
	KML_CACHE,		/* a reference to a cache shared with others (merged) */
	KML_BDEV,		/* an open block device, where opening allocates nothing */
	KML_BIO,		/* bios are recycled by CPU, past the slab */
	KML_BUFFER,		/* a buffer head somebody holds */
};

#define KML_KEY(class, addr)	((__u64)(addr) ^ ((__u64)(class) << 56))
#define KML_KEY_ADDR(key)	((key) | (0xffULL << 56))

/*
 * A percpu cookie need not begin with 0xff: its class is told by the object, not by the key.
 */
struct kml_object {
	__u64 time;		/* of the allocation */
	__u64 size;		/* as asked for */
	__u64 stack;		/* key into stacks */
	__u64 cache;		/* struct kmem_cache, key into caches */
	__u32 tid;
	__u32 refs;		/* of what can be taken more than once */
	__u32 class;
	__u32 order;		/* of pages */
	__u32 frameless;	/* the module's by its cache; no function of it is on the stack */
	__u32 pad;
	char command[KML_COMMAND_LEN];	/* of the thread that took it */
};

struct kml_range {
	__u64 start, end;
};

struct kml_stack {
	__u32 nframes;
	__u32 generation;	/* which loading of the module */
	__u64 ip[KML_STACK_DEPTH];
};

struct kml_cache {
	char name[32];
};

/* Who holds one buffer: the gets that no put has been set against yet. */
struct kml_buffer {
	__u64 time;		/* of the first get since nobody held it */
	__u64 block;
	__u64 size;
	__u64 gets, puts;	/* the module's, since then */
	__u64 unseen;		/* open gets that found no room here */
	struct kml_get {
		__u64 stack;
		__u32 tid;
		__u32 open;
		__u32 depth;	/* of the stack, in frames */
		__u32 last;	/* which get of the buffer's was the last of these */
	} by[KML_BH_GETS];
};

/* The events that have programs; all clones of one count as it. */
enum kml_prog {
	PROG_KMALLOC,
	PROG_SLAB_ALLOC,
	PROG_KFREE,
	PROG_SLAB_FREE,
	PROG_PAGE_ALLOC,
	PROG_PAGE_FREE,
	PROG_PERCPU_ALLOC,
	PROG_PERCPU_FREE,	/* the last that hangs on a tracepoint */
	PROG_BULK_ALLOC,
	PROG_PAGE_BULK,
	PROG_VM_MAP_RAM,
	PROG_BULK_FREE,
	PROG_FREE_RCU,
	PROG_NOLOCK_ALLOC,
	PROG_NOLOCK_FREE,
	PROG_NOLOCK_RCU,
	PROG_BIO_ALLOC,
	PROG_BIO_PUT,
	PROG_CACHE_GET,
	PROG_BDEV_GET,
	PROG_BREAD,
	PROG_GETBLK,
	PROG_FINDBLK,
	PROG_FINDBLK_NONATOMIC,
	PROG_BRELSE,
	PROG_BFORGET,
	PROG_BFREE,
	PROGS,
};

enum kml_event_type {
	KML_EV_LOAD = 1,	/* the module is about to run its init */
	KML_EV_SYMBOLS,		/* one chunk of some module's symbol table */
	KML_EV_STRINGS,		/* one chunk of its names */
	KML_EV_WAKE,		/* what the user half waits for may have come */
};

struct kml_event {
	__u32 type;
	__u32 total;		/* of symbols or strings */
	__u64 module;		/* struct module *: who the chunks belong to */
	__u32 generation;	/* 0: another module than the one traced */
	__u32 offset;		/* of the chunk */
	__u32 nbytes;		/* in the chunk; in KML_EV_LOAD 0 */
	__u32 pad;
	__u64 base, size;	/* KML_EV_SYMBOLS: core text */
	__u64 init_base, init_size;
	char name[KML_NAME_LEN];
};

struct kml_chunk {
	struct kml_event head;
	char data[KML_CHUNK];
};

/* An allocation or a free, for --trace. */
struct kml_call {
	__u64 time, key, size;
	__u32 tid;
	__u32 alloc;
};

/* Everything that can go missing, counted in the kernel. */
enum kml_lost {
	KML_LOST_OBJECT,	/* objects full or busy */
	KML_LOST_STACK,		/* stacks full */
	KML_LOST_WALK,		/* a stack could not be walked */
	KML_LOST_CUT,		/* one was cut before a frame of the module or its end was seen */
	KML_LOST_FREE,		/* deferred frees overflowed */
	KML_LOST_EVENT,		/* ring buffer full, or symbols not to be read */
	KML_LOST_BUFFER,	/* buffers full */
	KML_LOST_CACHE,		/* caches full: names are not known */
	KML_LOST_ARRAY,		/* a bulk call's array could not be read or was too long */
	KML_LOST_KINDS,
};

/* Asked of the kernel at judgement: what an object is by now. */
struct kml_inspect {
	__u64 addr;
	__u32 what;		/* enum kml_what */
	__u32 is_slab;
	/* pages */
	__u64 mapping;
	__s32 refs;		/* page, dentry, inode, cache or buffer */
	__u32 nbuffers;
	__u32 busy_buffers;	/* with b_count above 0 */
	__u32 buffer_refs;	/* sum of b_count */
	/* vm_struct, kmem_cache, buffer head, dentry */
	__u64 target;
	__u64 size;
	__u64 block;
	__u64 text;		/* a dentry's name */
	char name[32];
};

enum kml_what {
	KML_IS_PAGE = 1,
	KML_IS_VM_STRUCT,
	KML_IS_CACHE,
	KML_IS_BUFFER,
	KML_IS_KERNFS,		/* refs: negative when it was removed */
	KML_IS_DENTRY,		/* target: its inode */
	KML_IS_INODE,
	KML_IS_BIO,
	KML_IS_MODULE,		/* target, size: its text */
	KML_ADOPT = 100,	/* addr is the struct module of a module already loaded */
};

#endif
