/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest.h - simplefs-selftest: its verdict, what it asks of the machine, the map of its files.
 *
 * Two processes share the work.  The worker loads the module, does the steps and unloads it; the
 * watcher starts kmodleak and the worker, holds each step to its time, reads the kernel's log and
 * judges.  A worker that hangs in the kernel therefore hangs alone.
 */
#ifndef SFS_SELFTEST_H
#define SFS_SELFTEST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SFS_MODULE	"simplefs"

/* ---- verdict.c ---- */

enum sfs_verdict_kind {
	SFS_VERDICT_PASS,
	SFS_VERDICT_LEAK,
	SFS_VERDICT_SKIP,
	SFS_VERDICT_ERROR,
	SFS_VERDICT_KINDS,
};

struct sfs_verdict {
	enum sfs_verdict_kind v_kind;
	char v_reason[128];		/* in brackets after it: how much, why, which step */
	char v_detail[400];		/* one more line, or empty */
	char v_kernel[65];
	char v_build[65];		/* of the kernel: uname -v */
	char v_module[64];		/* its version */
	char v_srcversion[64];
	char v_tool[64];		/* this program's version */
	char v_kmodleak[64];		/* and that of kmodleak */
	char v_time[32];		/* UTC, ISO 8601 */
	char *v_report;			/* kmodleak's own words; NULL: none.  Freed by the caller */
};

__attribute__((format(printf, 3, 4)))
void sfs_verdict_set(struct sfs_verdict *v, enum sfs_verdict_kind kind, const char *fmt, ...);
/*
 * The kernel has complained of the module, in these words: an ERROR, also where the tracer came to
 * no verdict or the test was stopped.  Beside a LEAK or another ERROR it is one more line.
 */
void sfs_verdict_complain(struct sfs_verdict *v, const char *text);
/*
 * Puts it below @dir: <release>.verdict is the stamp that keeps the unit from running again; what
 * was skipped goes to <release>.skipped, so that a later boot tries.  0 or a negative errno.
 */
int sfs_verdict_write(const struct sfs_verdict *v, const char *dir);
/* The verdict on @release, or why there was none.  -ENOENT: never run, -EINVAL: not a verdict. */
int sfs_verdict_read(const char *dir, const char *release, struct sfs_verdict *ret_verdict);
int sfs_verdict_print(const struct sfs_verdict *v, FILE *out, bool json);
int sfs_verdict_status(const struct sfs_verdict *v);	/* the exit status that says the same */

/* ---- machine.c ---- */

/* What keeps the test from being made here, in a few words; NULL: nothing. */
const char *sfs_machine_refuses(void);
/*
 * References to the loaded module; one that is on its way, in or out, has some.  -ENOENT: not
 * loaded, -EBUSY: built in.
 */
int sfs_module_refs(void);
/* One attribute below /sys/module/simplefs; empty if there is none. */
void sfs_module_attr(const char *name, char *value, size_t nbytes);
/*
 * @path: a .ko, whose dependencies must be loaded; NULL: modprobe's choice.  On failure @why says
 * why.  -EKEYREJECTED: its signature was refused, or that it has none; -ESRCH: modprobe knows no
 * such module for this kernel.
 */
int sfs_module_load(const char *path, char *why, size_t nbytes);
/* Without force; waits a few seconds for passing users.  -EAGAIN: somebody stays. */
int sfs_module_unload(void);
/* Does any process, in whatever namespace, see a volume that is mounted? */
bool sfs_module_is_mounted(void);
/* The kernel's log from here on; a negative errno. */
int sfs_kmsg_open(void);
/*
 * The first complaint (WARN, BUG, Oops) since the last call in which the kernel itself names the
 * module, or a process of this test; false: none.
 */
bool sfs_kmsg_complaint(int fd, char *text, size_t nbytes);
/* At least so many bytes can be written below @dir, or it does not say. */
bool sfs_machine_has_room(const char *dir, unsigned long long nbytes);

/* ---- tool.c ---- */

/* A program beside this one, else in $PATH; false: nowhere. */
bool sfs_tool_find(const char *name, char path[PATH_MAX]);
/* Runs it; its exit status (128 + signal), or a negative errno.  @out gets the end of its words. */
int sfs_tool_run(char *const argv[], char *out, size_t nbytes);

/* ---- watch.c ---- */

struct sfs_options {
	const char *o_module;		/* NULL: modprobe's choice */
	const char *o_state;		/* where verdicts and, for a while, images lie */
	int o_lock;			/* on that, until this process ends */
	unsigned int o_seconds;		/* that one step may take */
	bool o_verbose;
};

/*
 * Does it all; the verdict is complete but for kernel and time.  True: the module was there before,
 * and sfs_watch_restore() loads it again, once the verdict has been written.
 */
bool sfs_watch(const struct sfs_options *o, struct sfs_verdict *v);
void sfs_watch_restore(const struct sfs_options *o);

/* ---- worker.c ---- */

/*
 * The worker: all steps in order, in @dir, each told to @report as a line: "step NAME", "fact KEY
 * VALUE", "fail TEXT", "skip TEXT".  Does not return.
 */
__attribute__((noreturn))
void sfs_work(const char *module, const char *dir, FILE *report);

#endif
