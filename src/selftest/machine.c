// SPDX-License-Identifier: GPL-2.0-only
/*
 * machine.c - the running kernel: what it allows, the module in it, and what it complains of.
 *
 * Nothing here is forced: a module that is in use stays, and a machine that forbids the test is
 * told apart from one that fails it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "selftest.h"

#define SFS_UNLOAD_TRIES	50
#define SFS_COMPLAINT_LINES	200	/* that may belong to one */
#define SFS_COMPLAINT_US	1000000	/* between two lines of one, at most */
#define SFS_UNLOAD_NS		100000000	/* between two of them */

/* The beginning of a small file of procfs or sysfs, without its newline; -errno. */
static int sfs_read_line(const char *path, char *text, size_t nbytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	text[0] = '\0';
	if (fd < 0)
		return -errno;
	n = read(fd, text, nbytes - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

/* A device's file may be there without its driver. */
static bool sfs_opens(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool sfs_lockdown_is(const char *mode)
{
	char line[128];

	return !sfs_read_line("/sys/kernel/security/lockdown", line, sizeof(line)) &&
	       strstr(line, mode);
}

const char *sfs_machine_refuses(void)
{
	char line[128];

	if (geteuid())
		return "not root";
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return "no BTF in this kernel";
	if (sfs_lockdown_is("[confidentiality]"))
		return "lockdown";
	if (access("/proc/modules", R_OK))
		return "kernel without modules";
	if (!sfs_read_line("/proc/sys/kernel/modules_disabled", line, sizeof(line)) &&
	    !strcmp(line, "1"))
		return "modules_disabled";
	if (!sfs_read_line("/proc/sys/kernel/kptr_restrict", line, sizeof(line)) &&
	    atoi(line) > 1)
		return "kptr_restrict";
	return sfs_opens("/dev/loop-control") ? NULL : "no loop device";
}

bool sfs_machine_has_room(const char *dir, unsigned long long nbytes)
{
	struct statvfs st;

	/* A filesystem that knows no limit has no blocks. */
	if (statvfs(dir, &st) || !st.f_blocks)
		return true;
	return (unsigned long long)st.f_bavail * st.f_frsize >= nbytes;
}

/* ---- the module ---- */

int sfs_module_refs(void)
{
	char text[32];
	int err;

	if (access("/sys/module/" SFS_MODULE, F_OK))
		return -ENOENT;
	err = sfs_read_line("/sys/module/" SFS_MODULE "/refcnt", text, sizeof(text));
	if (err)
		return -EBUSY;
	/* -1: it is on its way out, and so nobody's to load. */
	return atoi(text) < 0 ? 1 : atoi(text);
}

void sfs_module_attr(const char *name, char *value, size_t nbytes)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/" SFS_MODULE "/%s", name);
	if (sfs_read_line(path, value, nbytes))
		value[0] = '\0';
}

static int sfs_module_load_file(const char *path, char *why, size_t nbytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	/* Locked down, the kernel has this word for what is not signed. */
	if (err == -EPERM && sfs_lockdown_is("[integrity]"))
		err = -EKEYREJECTED;
	if (err)
		snprintf(why, nbytes, "%s: %s%s", path, strerror(-err), fd >= 0 && err == -ENOENT ?
			 " (a module it needs is not loaded: see dmesg)" : "");
	return err;
}

int sfs_module_load(const char *path, char *why, size_t nbytes)
{
	char *const argv[] = { "modprobe", SFS_MODULE, NULL };
	int status;

	why[0] = '\0';
	if (path)
		return sfs_module_load_file(path, why, nbytes);
	status = sfs_tool_run(argv, why, nbytes);
	if (!status)
		return 0;
	if (status < 0) {
		snprintf(why, nbytes, "modprobe: %s", strerror(-status));
		return status;
	}
	/* modprobe's status is 1 for everything; its words are those of strerror(3). */
	if (strstr(why, strerror(EKEYREJECTED)) || strstr(why, strerror(ENOKEY)) ||
	    (strstr(why, strerror(EPERM)) && sfs_lockdown_is("[integrity]")))
		return -EKEYREJECTED;
	return strstr(why, SFS_MODULE " not found in ") ? -ESRCH : -EINVAL;
}

int sfs_module_unload(void)
{
	const struct timespec nap = { .tv_nsec = SFS_UNLOAD_NS };
	int tries;

	for (tries = 0; tries < SFS_UNLOAD_TRIES; tries++) {
		if (!syscall(SYS_delete_module, SFS_MODULE, O_NONBLOCK))
			return 0;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return -errno;
		nanosleep(&nap, NULL);
	}
	return -EAGAIN;
}

static bool sfs_is_mounted_for(const char *process)
{
	char path[PATH_MAX];
	FILE *mounts;
	struct mntent *m;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%s/mounts", process);
	mounts = setmntent(path, "r");
	while (mounts && !found && (m = getmntent(mounts)))
		found = !strcmp(m->mnt_type, SFS_MODULE);
	if (mounts)
		endmntent(mounts);
	return found;
}

bool sfs_module_is_mounted(void)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (processes && !found && (entry = readdir(processes)))
		found = atoi(entry->d_name) > 0 && sfs_is_mounted_for(entry->d_name);
	if (processes)
		closedir(processes);
	return found;
}

/* ---- the kernel's log ---- */

static const char *const sfs_complaints[] = {
	"WARNING:", "BUG:", "Oops", "general protection fault", "KASAN:", "UBSAN:", "rcu: INFO",
	"Objects remaining in", "possible circular locking", "possible recursive locking",
	"blocked for more than", "soft lockup", "kernel BUG at",
};

int sfs_kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

/* What the kernel says in a record, and when (us); false: another says it. */
static bool sfs_kmsg_said(char *record, char **ret_said, unsigned long long *ret_us)
{
	char *said = strchr(record, ';');
	char *field = record;
	int i;

	/* "priority,sequence,time,flags;text\n": above the level's three bits 0 is the kernel's own. */
	if (!said || strtoul(record, NULL, 10) >> 3)
		return false;
	for (i = 0; i < 2 && field; i++) {
		field = strchr(field, ',');
		field += !!field;
	}
	*ret_us = field ? strtoull(field, NULL, 10) : 0;
	*ret_said = said + 1;
	(*ret_said)[strcspn(*ret_said, "\n")] = '\0';
	return true;
}

static bool sfs_kmsg_begins(const char *said)
{
	size_t i;

	for (i = 0; i < sizeof(sfs_complaints) / sizeof(*sfs_complaints); i++) {
		if (strstr(said, sfs_complaints[i]))
			return true;
	}
	return false;
}

/*
 * A complaint names the guilty: in its first line by name, later by a function of the module's on a
 * stack, or as the process.  What the module itself says in between is no part of it.
 */
static bool sfs_kmsg_names_us(const char *said, bool first)
{
	const char *process = strstr(said, "Comm: ");

	return strstr(said, "[" SFS_MODULE "]") || (process && strstr(process, SFS_MODULE)) ||
	       (first && strstr(said, SFS_MODULE));
}

static bool sfs_kmsg_ends(const char *said)
{
	return strstr(said, "---[ end trace");
}

bool sfs_kmsg_complaint(int fd, char *text, size_t nbytes)
{
	unsigned int lines = SFS_COMPLAINT_LINES;
	unsigned long long us, last = 0;
	char record[8192];
	char *said;
	bool first;
	ssize_t n;

	/* EPIPE: records were overwritten before they were read; the next read goes on. */
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = '\0';
		if (!sfs_kmsg_said(record, &said, &us))
			continue;
		/* The clocks of two CPUs differ a little, so that time may go back. */
		if (us > last + SFS_COMPLAINT_US)
			lines = SFS_COMPLAINT_LINES;
		last = us;
		first = sfs_kmsg_begins(said);
		if (first && (lines >= SFS_COMPLAINT_LINES || sfs_kmsg_names_us(said, first))) {
			snprintf(text, nbytes, "%s", said);
			lines = 0;
		}
		if (lines < SFS_COMPLAINT_LINES && sfs_kmsg_names_us(said, first))
			return true;
		lines = sfs_kmsg_ends(said) ? SFS_COMPLAINT_LINES :
			lines < SFS_COMPLAINT_LINES ? lines + 1 : lines;
	}
	return false;
}
