/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - what the user is told.
 */
#ifndef KMODLEAK_REPORT_H
#define KMODLEAK_REPORT_H

#include "judge.h"

enum report_format {
	REPORT_TEXT,
	REPORT_SUMMARY,			/* a line for each group */
	REPORT_FOLDED,			/* stacks for a flame graph */
	REPORT_JSON,
};

struct report {
	enum report_format format;
	const char *suppressions;	/* file, or NULL */
	const char *ko;			/* where debug information may be; NULL: search */
	int command_status;		/* as of wait(); -1: there was no command */
	bool shared;			/* also what is no leak */
};

/* Suppresses, prints to stdout, and returns the program's exit status. */
int report__print(const struct report *r, struct tracer *t, struct findings *all);

#endif
