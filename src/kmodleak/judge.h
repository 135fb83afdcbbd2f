/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - what is a leak of the module and what is not, and why.
 */
#ifndef KMODLEAK_JUDGE_H
#define KMODLEAK_JUDGE_H

#include "tracer.h"

enum judgement {
	JUDGED_LEAK,
	JUDGED_UNSETTLED,		/* cannot be told; the reason says why */
	JUDGED_SHARED,			/* memory of an allocator or a cache of the kernel */
	JUDGED_SUPPRESSED,
};

struct frame {
	u64 ip;
	struct ksym sym;
};

/* A filed stack, named; innermost first, what belongs to the tracing left out. */
struct trace {
	u64 stack;			/* key */
	unsigned int nframes;
	unsigned int near;		/* the innermost frame of the module */
	bool frameless;			/* there is none; near: the innermost but the allocator's */
	struct frame frames[KML_STACK_DEPTH];
};

/* One thing left over, and what is thought of it. */
struct finding {
	enum judgement judged;
	const char *reason;		/* of all but a plain leak; may be NULL */
	const char *allocator;		/* "kmalloc", "slab", "pages", "vmalloc" ... */
	char what[48];			/* name of the cache, the buffer's block ...; may be "" */
	u64 addr;
	u64 cache;			/* the slab cache that it is in, or is; 0: none */
	u64 size;
	u64 time;			/* of the allocation */
	u32 tid;			/* of the thread that took it; 0: not known */
	char command[KML_COMMAND_LEN];	/* its; may be "" */
	u32 gets, puts;			/* of references */
	s32 refs;			/* missing puts; 0: not a reference */
	s32 holders;			/* that a dentry has, children among them */
	u64 keeps[2];			/* what a dentry nobody holds points to: inode, name */
	bool asked;			/* by the module itself, of no function that keeps things */
	const struct trace *trace;	/* NULL: lost */
};

struct findings {
	struct finding *all;
	size_t n;
	void *traces;			/* tree of struct trace by key */
};

/* Judges all that is outstanding.  Negative errno; -EINTR: of a part only (tracer.interrupted). */
int judge__all(struct tracer *t, struct findings *ret_findings);
void judge__free(struct findings *findings);
/* The function's name without what the compiler added ("x.constprop.0", "x_noprof"). */
void judge__plain_name(const char *name, char *ret_name, size_t room);

#endif
