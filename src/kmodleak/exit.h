/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exit.h - the statuses of the program; main and all that end it early.
 */
#ifndef KMODLEAK_EXIT_H
#define KMODLEAK_EXIT_H

enum {
	KML_EXIT_CLEAN = 0,
	KML_EXIT_LEAKS = 1,
	KML_EXIT_FAILED = 2,
	KML_EXIT_INCOMPLETE = 3,
};

#endif
