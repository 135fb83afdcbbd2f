/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tracer.h - the kernel half as the user half sees it, and what it has told.
 */
#ifndef KMODLEAK_TRACER_H
#define KMODLEAK_TRACER_H

#include <bpf/libbpf.h>

#include "doubt.h"
#include "exit.h"
#include "ksyms.h"

struct tracer {
	const char *module;		/* as the kernel writes it: '_', not '-' */
	struct kmodleak_bpf *skel;
	struct ring_buffer *ring;
	struct ksyms *ksyms;
	u8 build_id[64];		/* of the module as it was loaded last */
	size_t build_id_size;		/* 0: not known */
	bool partial;			/* the module was there before us */
	bool sees_interrupts;		/* can tell where one begins on a stack */
	bool lost_track;		/* the module went without a word */
	int (*interrupted)(void);	/* a signal says that long work is to end */
	u64 started;
	struct doubts *doubts;		/* where what it cannot see or has lost is told */
	u64 attaching[PROGS];		/* calls that passed while clones were still attached */
	bool verbose;
	bool trace;			/* print each allocation and free */
	bool reader_sleeps;		/* whoever should read these lines */
	u64 unread;			/* lines that therefore were dropped */
};

/* One object still there, with its key. */
struct tracer_object {
	u64 key;
	struct kml_object o;
};

struct tracer_buffer {
	u64 bh;
	struct kml_buffer b;
};

/*
 * Loads and attaches; from its return on nothing is missed that the module allocates from its init
 * on.  Ends the program with a sentence when the system cannot trace.  @objects, @stacks: room, 0
 * for a default.
 */
void tracer__open(struct tracer *t, u64 objects, u64 stacks);
/* Traces a module that is loaded already.  -ESRCH: its struct module cannot be found. */
int tracer__adopt(struct tracer *t);
void tracer__close(struct tracer *t);
/* How things stand, whatever messages were lost. */
bool tracer__loaded(const struct tracer *t);
u32 tracer__loads(const struct tracer *t);
u32 tracer__unloads(const struct tracer *t);
u64 tracer__unloaded(const struct tracer *t);		/* time; 0: it never was */
/* Takes what the kernel half has told within @timeout_ms.  Returns a negative errno. */
int tracer__poll(struct tracer *t, int timeout_ms);
/* All objects outstanding; the caller frees.  Negative errno. */
long tracer__objects(struct tracer *t, struct tracer_object **ret_objects);
long tracer__buffers(struct tracer *t, struct tracer_buffer **ret_buffers);
bool tracer__stack(struct tracer *t, u64 key, struct kml_stack *ret_stack);
const char *tracer__cache(struct tracer *t, u64 cache);	/* name, valid until the next call */
/* To kvfree_rcu(), and not before the time @since: another may have had the address then. */
bool tracer__given(struct tracer *t, u64 addr, u64 since);
int tracer__inspect(struct tracer *t, struct kml_inspect *query);
void tracer__await_child(struct tracer *t, u32 pid);	/* 0: no more */
bool tracer__child_freed(const struct tracer *t);	/* RCU has come round to it */
u64 tracer__freed(const struct tracer *t);
u64 tracer__traced(const struct tracer *t);
/*
 * Looks at all that may have been lost, and says so.  A free that was missed can make a leak of
 * what was given back but hide none: it counts only if there is something @left.
 */
void tracer__account(struct tracer *t, bool left);
u64 now_ns(void);

#endif
