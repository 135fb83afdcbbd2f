// SPDX-License-Identifier: GPL-2.0-only
/*
 * doubt.c - why a verdict may not be whole: sentences, each of them once.
 */
#include <stdarg.h>

#include "../lib/lib.h"
#include "doubt.h"
#include "exit.h"

void doubts__add(struct doubts *doubts, const char *fmt, ...)
{
	char *line, *all;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0)
		sfs_die(KML_EXIT_FAILED, "out of memory for a reason");
	if (doubts->lines && strstr(doubts->lines, line)) {
		free(line);
		return;
	}
	n = asprintf(&all, "%s%s\n", doubts->lines ? doubts->lines : "", line);
	free(line);
	if (n < 0)
		sfs_die(KML_EXIT_FAILED, "out of memory for reasons");
	free(doubts->lines);
	doubts->lines = all;
}

void doubts__free(struct doubts *doubts)
{
	free(doubts->lines);
	doubts->lines = NULL;
}
