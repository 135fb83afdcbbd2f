/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ops.h - what the two parts of ops share: the worker's model, its buffer, its verdicts.
 */
#ifndef SFS_CRASH_OPS_H
#define SFS_CRASH_OPS_H

#include "model.h"

extern struct model *m;
extern uint8_t *buf;			/* MODEL_FILE_MAX, aligned */
extern bool full;			/* ENOSPC is an answer */
extern bool faults;			/* so is ENOMEM; EIO is the end */

void fail(const struct model_op *op, const char *what) __attribute__((noreturn));
/* True if errno says that there is no space or memory, as it may; else it is the end. */
bool refused(const struct model_op *op, const char *what);

/* Did it fail for want of memory, where that may be? */
int without_memory(int result);
/* A call that is made until it does not. */
#define AGAIN(call)							\
({									\
	int again_;							\
									\
	do								\
		again_ = (call);					\
	while (without_memory(again_));					\
	again_;								\
})

/* ---- ops_crowd.c ---- */

/* Folders for @workers in the working directory, and what @mode says, on disk. */
void prepare_crowd(unsigned int workers, const char *mode);
/* One operation from OP_PUSH to OP_SHARED; its outcome. */
int do_crowd(const struct model_op *op);

/* ---- ops_wide.c ---- */

/* Another process syncs the volume in the working directory, some times for each label. */
void sync_beside(void);
void sync_beside_end(void);
/* One after these. */
int do_wide(const struct model_op *op);

#endif
