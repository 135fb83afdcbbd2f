/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * child.h - processes of ours, none of which is waited for without an end.
 *
 * Deadlines are times of now_ns().  Whoever waits takes meanwhile what the kernel half tells.
 */
#ifndef KMODLEAK_CHILD_H
#define KMODLEAK_CHILD_H

#include <sys/types.h>

#include "tracer.h"

/* From here on INT and TERM end waiting, not the program. */
void child__catch_signals(void);
/* For the report: they end the program again. */
void child__release_signals(void);
/* The first of them that nobody has acted upon; 0: none. */
int child__signal(void);
/* It has been acted upon; the next one counts anew. */
void child__signal_taken(void);

/* Takes what the kernel half tells for a moment; ends the program when that cannot be. */
void child__pause(struct tracer *t);
/*
 * A command in a process group of its own; if there is a terminal in ours, so that its keys for
 * interrupting and stopping reach both.
 */
pid_t child__start(char **command);
/* False: it goes on, and @deadline has passed or a signal came. */
bool child__wait(struct tracer *t, pid_t pid, u64 deadline, int *ret_status);
/* It is asked to end, then killed, and what it started with it.  False: not even that ended it. */
bool child__stop(struct tracer *t, pid_t pid, int *ret_status);
/*
 * @call in a process of its own, since it may hang in the kernel.  Its negative errno; -ETIMEDOUT
 * or -EINTR: it goes on.
 */
int child__call(struct tracer *t, int (*call)(const char *arg), const char *arg, u64 deadline);

#endif
