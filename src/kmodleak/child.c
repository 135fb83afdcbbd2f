// SPDX-License-Identifier: GPL-2.0-only
/*
 * child.c - processes of ours, none of which is waited for without an end.
 *
 * What may hang is done by a child: the command, but loading and unloading as well, which run the
 * module's own code.  All waiting is the same loop, short enough for signals, and woken at once by
 * the end of a child or a word of the kernel half.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

#define PAUSE_MS	20
#define STOP_NS		10000000000ULL	/* from TERM to KILL, and from there on */

static volatile sig_atomic_t caught;
static bool in_our_group;		/* the command, so that a terminal's keys reach both */

static void note_signal(int signal)
{
	if (signal != SIGCHLD && !caught)
		caught = signal;
}

static void handle(void (*handler)(int signal), void (*pipe_handler)(int signal))
{
	const struct sigaction action = { .sa_handler = handler };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGCHLD, &action, NULL);
	signal(SIGPIPE, pipe_handler);
}

void child__catch_signals(void)
{
	handle(note_signal, SIG_IGN);
}

void child__release_signals(void)
{
	handle(SIG_DFL, SIG_DFL);
}

int child__signal(void)
{
	return caught;
}

void child__signal_taken(void)
{
	caught = 0;
}

void child__pause(struct tracer *t)
{
	int err = tracer__poll(t, PAUSE_MS);

	if (err)
		sfs_die(KML_EXIT_FAILED, "the kernel half does not answer: %s", strerror(-err));
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

pid_t child__start(char **command)
{
	pid_t us = getpid(), pid;

	in_our_group = has_terminal();
	pid = fork();
	if (pid < 0)
		sfs_die(KML_EXIT_FAILED, "no process for the command: %s", strerror(errno));
	/* Both do it: who is first is not known. */
	if (!in_our_group)
		setpgid(pid, pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != us)
			_exit(127);
		child__release_signals();
		execvp(*command, command);
		sfs_warn("%s: %s", *command, strerror(errno));
		_exit(127);
	}
	return pid;
}

static bool await(struct tracer *t, pid_t pid, u64 deadline, bool heed, int *ret_status)
{
	pid_t got;

	while ((got = waitpid(pid, ret_status, WNOHANG)) != pid) {
		if (got < 0 && errno != EINTR)
			sfs_die(KML_EXIT_FAILED, "process %d is lost: %s", pid, strerror(errno));
		if ((heed && caught) || now_ns() >= deadline)
			return false;
		child__pause(t);
	}
	return true;
}

bool child__wait(struct tracer *t, pid_t pid, u64 deadline, int *ret_status)
{
	return await(t, pid, deadline, true, ret_status);
}

/* Whose parent is @parent: "4711 (a name) S 4710 ..."; 0: nobody. */
static pid_t child_of(pid_t parent)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	pid_t found = 0;

	while (processes && !found && (entry = readdir(processes))) {
		char path[280], line[512] = "", *name_end;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		file = atoi(entry->d_name) > 0 ? fopen(path, "re") : NULL;
		name_end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
		if (name_end && atoi(name_end + strlen(") S ")) == parent)
			found = atoi(entry->d_name);
		if (file)
			fclose(file);
	}
	if (processes)
		closedir(processes);
	return found;
}

/* What the command has left running became ours when its parents ended. */
static void kill_orphans(struct tracer *t)
{
	u64 deadline = now_ns() + STOP_NS;
	pid_t pid;
	int status;

	while ((pid = child_of(getpid())) && now_ns() < deadline) {
		kill(pid, SIGKILL);
		await(t, pid, deadline, false, &status);
	}
}

bool child__stop(struct tracer *t, pid_t pid, int *ret_status)
{
	pid_t target = in_our_group ? pid : -pid;
	bool ended;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	kill(target, SIGTERM);
	ended = await(t, pid, now_ns() + STOP_NS, false, ret_status);
	/* Others of its group may be left, and deaf. */
	if (!ended || !in_our_group)
		kill(target, SIGKILL);
	if (!ended)
		ended = await(t, pid, now_ns() + STOP_NS, false, ret_status);
	kill_orphans(t);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	return ended;
}

int child__call(struct tracer *t, int (*call)(const char *arg), const char *arg, u64 deadline)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		child__release_signals();
		_exit(-call(arg));
	}
	if (!child__wait(t, pid, deadline, &status)) {
		kill(pid, SIGKILL);
		return caught ? -EINTR : -ETIMEDOUT;
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}
