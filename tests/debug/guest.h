/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h - what the programs of the debug kernel share: mounting without a shell, the checker, the
 * saboteurs' knobs, the leak detector.
 *
 * Each program is one process, or a few forks of it: starting programs is the slow part there.  All
 * paths are fixed: volume /dev/vda, spare disk /dev/vdb, mounted at /mnt.
 */
#ifndef SFS_GUEST_H
#define SFS_GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap/tap.h"

#define GUEST_DISK	"/dev/vda"
#define GUEST_SPARE	"/dev/vdb"
#define GUEST_DIR	"/mnt"
#define GUEST_MODULE	"/lib/simplefs.ko"

/* 0 or -errno, as all below that return int. */
static inline int guest_mount(const char *dev, unsigned long flags, const char *options)
{
	return mount(dev, GUEST_DIR, "simplefs", flags, options) ? -errno : 0;
}

static inline int guest_umount(void)
{
	return umount2(GUEST_DIR, 0) ? -errno : 0;
}

/* Writes one line to a file of the kernel's. */
static inline int guest_set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static inline int guest_set_num(const char *path, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	return guest_set(path, text);
}

/* The first @size - 1 bytes of a file, as text; false when it cannot be read. */
static inline bool guest_get(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, got = 0;

	if (fd < 0)
		return false;
	while ((n = read(fd, buf + got, size - 1 - got)) > 0)
		got += n;
	close(fd);
	buf[got] = '\0';
	return n >= 0;
}

/* Runs a program, its output kept in GUEST_OUTPUT; its exit status. */
#define GUEST_OUTPUT	"/tmp/output"
static inline int guest_run(const char *const argv[])
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int fd = open(GUEST_OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* True when the volume on @dev, not mounted, is whole; else the checker's words are shown. */
static inline bool guest_check(const char *dev)
{
	const char *const argv[] = { "dump.simplefs", "--check", dev, NULL };
	static char text[8192];

	if (!guest_run(argv))
		return true;
	if (guest_get(GUEST_OUTPUT, text, sizeof(text)))
		printf("# %s: %s\n", dev, text);
	return false;
}

static inline int guest_load(void)
{
	int fd = open(GUEST_MODULE, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Copies all of one device to another, through the page cache, as a snapshot would see it. */
static inline int guest_copy(const char *from, const char *to)
{
	static char buf[1 << 20];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CLOEXEC);
	int err = in < 0 || out < 0 ? -errno : 0;
	ssize_t n = 0;

	while (!err && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			err = errno ? -errno : -EIO;
	if (n < 0 || fsync(out))
		err = -errno;
	close(in);
	close(out);
	return err;
}

/* ---- the saboteurs ---- */

#define GUEST_SLAB	"/sys/kernel/debug/failslab/"
#define GUEST_PAGES	"/sys/kernel/debug/fail_page_alloc/"
#define GUEST_REQUESTS	"/sys/kernel/debug/fail_make_request/"
#define GUEST_TEXT	(1 << 20)	/* no module's code is larger */

/* The address of a function of the kernel's, 0 if there is none. */
static inline unsigned long long guest_symbol(const char *name)
{
	FILE *list = fopen("/proc/kallsyms", "r");
	unsigned long long address, found = 0;
	char line[512], symbol[256];

	while (list && !found && fgets(line, sizeof(line), list))
		if (sscanf(line, "%llx %*c %255s", &address, symbol) == 2 && !strcmp(symbol, name))
			found = address;
	if (list)
		fclose(list);
	return found;
}

/*
 * Allocations of all kinds may fail, but only those that simplefs asks for, directly or not; and
 * not in the creation of files in /proc, since jbd2, when it closes a journal, warns of those that
 * it could not make.
 */
static inline void guest_aim_at_module(void)
{
	static const char *const kinds[] = { GUEST_SLAB, GUEST_PAGES };
	char text[64] = "";
	unsigned long long start;
	int i, n;

	guest_get("/sys/module/simplefs/sections/.text", text, sizeof(text));
	start = strtoull(text, NULL, 16);
	TAP_REQUIRE(start, "the module's address is known");
	for (i = 0; i < 2; i++) {
		const struct {
			const char *knob;
			long long value;
		} set[] = {
			{ "verbose", 0 }, { "probability", 0 }, { "stacktrace-depth", 32 },
			{ "require-start", start }, { "require-end", start + GUEST_TEXT },
			{ "reject-start", guest_symbol("_proc_mkdir") },
			{ "reject-end", guest_symbol("remove_proc_entry") },
		};

		for (n = 0; n < (int)(sizeof(set) / sizeof(set[0])); n++) {
			char path[128];

			snprintf(path, sizeof(path), "%s%s", kinds[i], set[n].knob);
			TAP_REQUIRE(!guest_set_num(path, set[n].value), "%s is set", path);
		}
	}
	TAP_REQUIRE(!guest_set(GUEST_SLAB "ignore-gfp-wait", "0") &&
		    !guest_set(GUEST_PAGES "ignore-gfp-wait", "0") &&
		    !guest_set(GUEST_PAGES "min-order", "0"), "no allocation is spared");
}

/* From now on @percent of these allocations fail, whoever runs the code. */
static inline void guest_some_fail(int percent)
{
	TAP_REQUIRE(!guest_set(GUEST_SLAB "times", "-1") && !guest_set(GUEST_PAGES "times", "-1") &&
		    !guest_set_num(GUEST_SLAB "probability", percent) &&
		    !guest_set_num(GUEST_PAGES "probability", percent), "%d %% fail", percent);
}

/* ---- leaks ---- */

#define GUEST_LEAKS	"/sys/kernel/debug/kmemleak"
#define GUEST_LEAK_AGE	6000	/* ms; the detector ignores what is younger than 5 s */

/* The kernel that watches locks does not watch memory. */
static inline bool guest_leaks_watched(void)
{
	return !access(GUEST_LEAKS, F_OK);
}

/* From here on only what is new counts. */
static inline void guest_leaks_forget(void)
{
	if (!guest_leaks_watched())
		return;
	guest_set(GUEST_LEAKS, "scan");
	guest_set(GUEST_LEAKS, "clear");
}

/* Unloads, lets memory grow old enough to be judged, and tells what nobody refers to any more. */
static inline void guest_unload_clean(void)
{
	static char report[65536];

	TAP_EQ(syscall(SYS_delete_module, "simplefs", 0) ? errno : 0, 0, "unloaded");
	if (!guest_leaks_watched())
		return;
	poll(NULL, 0, GUEST_LEAK_AGE);
	guest_set(GUEST_LEAKS, "scan");
	guest_set(GUEST_LEAKS, "scan");
	TAP_OK(guest_get(GUEST_LEAKS, report, sizeof(report)) && !report[0], "no memory leaked");
	if (report[0])
		printf("%s", report);
}

#endif
