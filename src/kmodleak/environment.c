// SPDX-License-Identifier: GPL-2.0-only
/*
 * environment.c - what the system must allow, and modules loaded and unloaded.
 *
 * Each obstacle is found before anything is tried, and told in one sentence that says what to do.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/module.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "environment.h"
#include "exit.h"

#define FIRST_PID_NAMESPACE	"pid:[4026531836]"

static bool has_capability(unsigned int cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &head, data))
		return false;
	return data[cap / 32].effective & (1U << cap % 32);
}

/* Whether the first line of @path contains @text. */
static bool file_says(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	char line[256] = "";
	bool found;

	found = file && fgets(line, sizeof(line), file) && strstr(line, text);
	if (file)
		fclose(file);
	return found;
}

static void normalize(char *name)
{
	for (; *name; name++) {
		if (*name == '-')
			*name = '_';
	}
}

/* Looks through modules.builtin for "kernel/fs/ext4/ext4.ko". */
static bool is_builtin(const char *module)
{
	char path[512], line[512], name[128];
	struct utsname uts;
	FILE *file;
	bool found = false;

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", uts.release);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		module__name(line, name, sizeof(name));
		found = !strcmp(name, module);
	}
	if (file)
		fclose(file);
	/* Without the list: a folder in /sys/module that no loaded module explains. */
	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return found || (!access(path, F_OK) && !module__is_loaded(module));
}

/* The kernel half knows processes by the numbers that the first namespace gives them. */
static bool in_first_pid_namespace(void)
{
	char name[64] = "";

	return readlink("/proc/self/ns/pid", name, sizeof(name) - 1) < 0 ||
	       !strcmp(name, FIRST_PID_NAMESPACE);
}

void environment__check(const char *module)
{
	if (is_builtin(module))
		sfs_die(KML_EXIT_FAILED, "%s is built into this kernel, not a module: it is never "
			"unloaded, so nothing can be missing", module);
	if (!has_capability(CAP_SYS_ADMIN) &&
	    !(has_capability(CAP_BPF) && has_capability(CAP_PERFMON)))
		sfs_die(KML_EXIT_FAILED, "tracing needs root (or the capabilities CAP_BPF, "
			"CAP_PERFMON and CAP_SYSLOG)");
	if (!in_first_pid_namespace())
		sfs_die(KML_EXIT_FAILED, "this process is in a PID namespace of its own, where it "
			"cannot tell when RCU has come round; run it outside (nsenter -t 1 -p)");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		sfs_die(KML_EXIT_FAILED, "this kernel has no type information "
			"(/sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF)");
	if (file_says("/sys/kernel/security/lockdown", "[confidentiality]"))
		sfs_die(KML_EXIT_FAILED, "the kernel is locked down for confidentiality, which "
			"forbids programs that read its memory; boot without lockdown=confidentiality");
}

bool environment__preempts_tracepoints(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	if (file_says("/sys/kernel/realtime", "1") || uname(&u) ||
	    sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return true;
	return major > 6 || (major == 6 && minor > 12);
}

bool environment__has_fred(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (file && !found && getline(&line, &room, file) > 0)
		found = !strncmp(line, "flags", 5) && strstr(line, " fred");
	free(line);
	if (file)
		fclose(file);
	return found;
}

u32 environment__max_stack(void)
{
	FILE *file = fopen("/proc/sys/kernel/perf_event_max_stack", "re");
	unsigned int n = 127;

	if (file && fscanf(file, "%u", &n) != 1)
		n = 127;
	if (file)
		fclose(file);
	return n;
}

void module__name(const char *path, char *ret_name, size_t room)
{
	const char *base = strrchr(path, '/');

	snprintf(ret_name, room, "%s", base ? base + 1 : path);
	if (strstr(ret_name, ".ko"))
		*strstr(ret_name, ".ko") = '\0';
	normalize(ret_name);
}

bool module__is_loaded(const char *module)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", module);
	return !access(path, F_OK);
}

size_t module__build_id(const char *module, u8 *id, size_t room)
{
	struct {
		u32 name_size, id_size, type;
		char name[4];
		u8 id[64];
	} note;
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id", module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, &note, sizeof(note)) : -1;
	if (fd >= 0)
		close(fd);
	if (n < (ssize_t)offsetof(typeof(note), id) || note.name_size != sizeof(note.name) ||
	    note.id_size > room || n - offsetof(typeof(note), id) < note.id_size)
		return 0;
	memcpy(id, note.id, note.id_size);
	return note.id_size;
}

/* A path may have a space itself: then nothing follows it. */
char *module__path(const char *file)
{
	return access(file, F_OK) ? strndup(file, strcspn(file, " ")) : strdup(file);
}

static bool is_compressed(const char *path)
{
	const char *suffix = strrchr(path, '.');

	return suffix && (!strcmp(suffix, ".xz") || !strcmp(suffix, ".zst") ||
			  !strcmp(suffix, ".gz"));
}

int module__load(const char *file)
{
	char *path = module__path(file);
	int fd, err = 0;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, file + strlen(path),
			      is_compressed(path) ? MODULE_INIT_COMPRESSED_FILE : 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	free(path);
	return err;
}

int module__unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}
