/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verdict.h - what all that was found comes to, and the exit status that says it.
 */
#ifndef KMODLEAK_VERDICT_H
#define KMODLEAK_VERDICT_H

#include "judge.h"

struct verdict {
	struct findings all;
	size_t leaks, unsettled;	/* of them */
	struct doubts doubts;
	unsigned int cycles;		/* that were made */
	int command;			/* its status, as the shell's; -1: there was none */
};

/* Judges all that is outstanding, anew.  Negative errno. */
int verdict__look(struct verdict *v, struct tracer *t);
/* Makes all leaks unsettled, for @reason. */
void verdict__withhold(struct verdict *v, const char *reason);
/* Takes out what a pattern in the file at @path matches.  Negative errno. */
int verdict__suppress(struct verdict *v, const char *path);
/* After findings were judged otherwise. */
void verdict__count(struct verdict *v);
int verdict__status(const struct verdict *v);
void verdict__free(struct verdict *v);

#endif
