/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TAP for the unit tests: a counted line for each check, a plan at the end.
 *
 * A test calls TAP_OK and its kin, and returns tap_done() from main. The plan comes last, so a
 * test that dies half way has no plan, and the runner counts that as a failure. In the inner loops
 * of property tests use TAP_REQUIRE: silent while true, and the end of the test when not.
 */
#ifndef SFS_TAP_H
#define SFS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_count, tap_failures;

__attribute__((format(printf, 4, 5), unused))
static bool tap_ok(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!good) {
		printf("# at %s:%d\n", file, line);
		tap_failures++;
	}
	fflush(stdout);
	return good;
}

/* Prints the plan; the value is main's exit status. */
__attribute__((unused))
static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_count && !tap_failures ? 0 : 1;
}

#define TAP_OK(good, ...) tap_ok((good), __FILE__, __LINE__, __VA_ARGS__)

/* Both values are shown when they differ. */
#define TAP_EQ(got, want, ...) do {						\
	long long tap_got = (got), tap_want = (want);				\
	if (!tap_ok(tap_got == tap_want, __FILE__, __LINE__, __VA_ARGS__))	\
		printf("# got %lld, want %lld\n", tap_got, tap_want);		\
} while (0)

/* For what every later step rests on: say where and why (seed, step), and stop. */
#define TAP_REQUIRE(good, ...) do {						\
	if (!(good)) {								\
		tap_ok(false, __FILE__, __LINE__, __VA_ARGS__);			\
		printf("# %s\n", #good);					\
		exit(tap_done());						\
	}									\
} while (0)

#endif
