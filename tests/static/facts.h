/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the analyzers cannot see for themselves, said before each file of the core they read.
 *
 * They look at one file at a time, so they take sfs_corrupt() for a function that may return 0 and
 * leave an output unset; and cppcheck 2.10 loses its way in a statement expression that stands in
 * a designated initialiser. Nothing here is ever compiled into anything.
 */
#include "core.h"

#define sfs_corrupt(...) ((void)sfs_corrupt(__VA_ARGS__), -EFSCORRUPTED)

#undef min
#undef max
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
