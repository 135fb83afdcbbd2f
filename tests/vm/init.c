// SPDX-License-Identifier: GPL-2.0-only
/*
 * init.c - process 1 of the test machine: modules in, the command run, its status out.
 *
 * The initramfs holds /modules (paths of .ko files, in order, each with its parameters), /command
 * (arguments, each ended by NUL) and, if files are to come back, /wanted (their paths).  They leave
 * as a tar archive on the disk whose serial number is "wanted", the status on the console as
 * "vm-exit: N"; the runner reads nothing else.  "vm-init" means that the console can be heard: the
 * runner boots a machine again that ends without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void vm_mount(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY)
		printf("init: cannot mount %s: %s\n", dir, strerror(errno));
}

static void vm_off(int status)
{
	printf("\nvm-exit: %d\n", status);	/* on a line of its own, whatever came before */
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void vm_wake(int sig)
{
	(void)sig;
}

/*
 * An emulated serial port may never interrupt, once in a hundred boots of QEMU 10: the kernel's own
 * lines pass, for it asks the port, and all that programs say is lost.  Better to end at once.
 */
static void vm_check_console(void)
{
	struct sigaction wake = { .sa_handler = vm_wake };

	sigaction(SIGALRM, &wake, NULL);
	alarm(60);
	if (!tcdrain(1) || errno != EINTR) {
		alarm(0);
		return;
	}
	dprintf(open("/dev/kmsg", O_WRONLY), "init: nothing said here is heard\n");
	reboot(RB_POWER_OFF);
}

/* Where disks are called otherwise (UML), the usual names are there as well. */
static void vm_name_disks(void)
{
	char disk[] = "/dev/ubda", name[] = "/dev/vda";

	for (; !access(disk, F_OK); disk[8]++, name[7]++)
		if (symlink(disk, name))
			printf("init: cannot name %s: %s\n", disk, strerror(errno));
}

static void vm_load_modules(void)
{
	FILE *list = fopen("/modules", "r");
	char path[512];

	while (list && fgets(path, sizeof(path), list)) {
		char *parameters = path;
		int fd;

		path[strcspn(path, "\n")] = '\0';
		strsep(&parameters, " ");
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, parameters ? parameters : "", 0) &&
			       errno != EEXIST)) {
			printf("init: cannot load %s: %s\n", path, strerror(errno));
			vm_off(125);
		}
		close(fd);
	}
}

/* The disk that carries the wanted files out. */
static const char *vm_find_disk(void)
{
	static char path[64];
	glob_t disks;
	size_t i;

	path[0] = '\0';
	if (glob("/sys/block/vd*/serial", 0, NULL, &disks))
		return NULL;
	for (i = 0; i < disks.gl_pathc; i++) {
		FILE *f = fopen(disks.gl_pathv[i], "r");
		char serial[32] = "";
		char name[16];

		if (f && fgets(serial, sizeof(serial), f) && !strncmp(serial, "wanted", 6) &&
		    sscanf(disks.gl_pathv[i], "/sys/block/%15[^/]", name) == 1)
			snprintf(path, sizeof(path), "/dev/%s", name);
		if (f)
			fclose(f);
	}
	globfree(&disks);
	return path[0] ? path : NULL;
}

/* /wanted's lines as arguments after those of tar; NULL-terminated. */
static void vm_wanted_names(FILE *list, char **argv, int max)
{
	static char names[64][256];
	int n;

	for (n = 0; n < max - 1 && n < 64 && fgets(names[n], sizeof(names[n]), list); n++) {
		names[n][strcspn(names[n], "\n")] = '\0';
		argv[n] = names[n];
	}
	argv[n] = NULL;
}

static void vm_send_wanted(void)
{
	char *argv[70] = { "tar", "-C", "/", "-cf" };
	FILE *list = fopen("/wanted", "r");
	const char *disk;
	int status;
	pid_t pid;

	if (!list)
		return;
	disk = vm_find_disk();
	if (!disk) {
		printf("init: no disk for the wanted files\n");
		vm_off(125);
	}
	argv[4] = (char *)disk;
	vm_wanted_names(list, argv + 5, 65);
	fclose(list);
	pid = fork();
	if (!pid) {
		execv("/bin/busybox", argv);
		_exit(127);
	}
	/* What is missing from the archive the runner will miss. */
	while (waitpid(-1, &status, 0) != pid)
		;
}

int main(void)
{
	static char command[65536];
	char *argv[256];
	int argc = 0;
	ssize_t nbytes;
	char *p;
	int status;
	pid_t pid;
	int fd;

	vm_mount("proc", "/proc");
	vm_mount("sysfs", "/sys");
	vm_mount("devtmpfs", "/dev");
	vm_mount("tmpfs", "/tmp");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	vm_name_disks();
	fd = open("/dev/console", O_RDWR);
	if (fd >= 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	setenv("PATH", "/bin:/sbin", 1);
	printf("vm-init\n");
	vm_check_console();
	vm_load_modules();
	fd = open("/command", O_RDONLY);
	nbytes = fd < 0 ? -1 : read(fd, command, sizeof(command) - 1);
	if (nbytes <= 0)
		vm_off(125);
	for (p = command; p < command + nbytes && argc < 255; p += strlen(p) + 1)
		argv[argc++] = p;
	argv[argc] = NULL;
	printf("vm-start\n");
	pid = fork();
	if (!pid) {
		setsid();
		execvp(argv[0], argv);
		printf("init: cannot run %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	while (waitpid(-1, &status, 0) != pid)
		;
	vm_send_wanted();
	vm_off(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
