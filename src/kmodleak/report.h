/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - what the user is told.
 */
#ifndef KMODLEAK_REPORT_H
#define KMODLEAK_REPORT_H

#include "verdict.h"

enum report_format {
	REPORT_TEXT,
	REPORT_SUMMARY,			/* a line for each group */
	REPORT_FOLDED,			/* stacks for a flame graph */
	REPORT_JSON,
};

struct report {
	enum report_format format;
	const char *ko;			/* where debug information may be; NULL: search */
	bool shared;			/* also what is no leak */
};

/* To stdout; ends the program when that cannot be written. */
void report__print(const struct report *r, struct tracer *t, struct verdict *v);

#endif
