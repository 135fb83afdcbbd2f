/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * programs.h - the programs of the kernel half: what each hangs on, and what it was skipped for.
 */
#ifndef KMODLEAK_PROGRAMS_H
#define KMODLEAK_PROGRAMS_H

#include "tracer.h"

struct btf;

/* Before loading: what each hangs on; what this kernel does not need is left out. */
void programs__choose(struct tracer *t, struct btf *btf, unsigned int nclones);
void programs__attach(struct tracer *t);
/* What was missed since, as doubts; as with tracer__account(). */
void programs__account(struct tracer *t, bool left);
bool programs__has_function(struct btf *btf, const char *name);

#endif
