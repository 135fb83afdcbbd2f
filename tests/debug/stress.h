/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stress.h - what the parts of the stress mix share: a worker, its files, its verdicts.
 *
 * A worker is a process.  What it knows of its files lies in memory that the parent sees, too, so
 * that everything can be compared once more when all have ended.
 */
#ifndef SFS_STRESS_H
#define SFS_STRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKERS		5
#define FILES		6
#define FILE_BYTES	(96 * 4096)
#define SHARED_NAMES	24
#define BLOCK		4096

struct shadow {
	bool exists;
	bool lost;			/* a failure left it in doubt: content is not compared */
	off_t size;
	unsigned char data[FILE_BYTES];
};

struct worker {
	struct shadow file[FILES];
	unsigned long ops;
	unsigned long frozen, readonly;	/* how often the disturber came to do that */
	bool hush;			/* the disturber wants nobody to begin anything */
};

/* ---- stress.c ---- */
extern struct worker *workers;		/* shared with the children */
extern struct worker *self;
extern unsigned int me;
extern bool with_faults, nearly_full, with_remount;
extern unsigned char *bounce;		/* aligned, FILE_BYTES */
extern int dir_fd;			/* of the shared directory */

uint32_t rnd(uint32_t below);
/* Errors that the mode explains. */
bool excused(int err);
/* A failure that nothing explains, errno told, is the end of the worker. */
__attribute__((format(printf, 1, 2), noreturn)) void bad(const char *fmt, ...);
/* True when @ret says success; an excused failure makes the file (may be NULL) doubtful. */
bool fine(long ret, struct shadow *s, const char *what);

/* ---- stress_own.c: one operation on one of the worker's own files ---- */
void own_path(char *path, unsigned int worker, unsigned int n);
void own_step(void);

/* ---- stress_map.c: what the kernel says of where data is ---- */
/* Everything that fiemap calls a hole or unwritten, and lseek a hole, is zeros in the shadow. */
void own_extents(int fd, const struct shadow *s);

/* ---- stress_shared.c: names that all fight over, and who disturbs them ---- */
void shared_step(void);
void disturb(void);

#endif
