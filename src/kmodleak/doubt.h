/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doubt.h - why a verdict may not be whole.
 */
#ifndef KMODLEAK_DOUBT_H
#define KMODLEAK_DOUBT_H

struct doubts {
	char *lines;			/* a sentence each; NULL: none */
};

/* What is in doubt already is not said again.  Ends the program when there is no memory for it. */
__attribute__((format(printf, 2, 3)))
void doubts__add(struct doubts *doubts, const char *fmt, ...);
void doubts__free(struct doubts *doubts);

#endif
