// SPDX-License-Identifier: GPL-2.0-only
/*
 * child.c - processes of ours, none of which is waited for without an end.
 *
 * What may hang is done by a child: the command, but loading and unloading as well, which run the
 * module's own code.  All waiting is the same loop, short enough for signals, and woken at once by
 * the end of a child or a word of the kernel half.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

#define PAUSE_MS	20
#define STOP_NS		10000000000ULL	/* from TERM to KILL, and from there on */

static volatile sig_atomic_t caught;
static pid_t terminal_from;		/* the group that had the terminal before the command's */

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

/* Who takes the terminal from a group in the background is asked by SIGTTOU not to. */
static void give_terminal(pid_t group)
{
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(STDIN_FILENO, group);
	signal(SIGTTOU, SIG_DFL);
}

pid_t child__start(char **command)
{
	bool terminal = tcgetpgrp(STDIN_FILENO) == getpgrp();
	pid_t pid = fork();

	if (pid < 0)
		sfs_die(KML_EXIT_FAILED, "no process for the command: %s", strerror(errno));
	terminal_from = terminal ? getpgrp() : 0;
	/* Both do it: who is first is not known. */
	setpgid(pid, pid);
	if (terminal)
		give_terminal(pid ? pid : getpid());
	if (!pid) {
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
	bool ended = await(t, pid, deadline, true, ret_status);

	if (ended && terminal_from) {
		give_terminal(terminal_from);
		terminal_from = 0;
	}
	return ended;
}

bool child__stop(struct tracer *t, pid_t pid, int *ret_status)
{
	bool ended;

	kill(-pid, SIGTERM);
	ended = await(t, pid, now_ns() + STOP_NS, false, ret_status);
	/* Others of its group may be left, and deaf. */
	kill(-pid, SIGKILL);
	if (!ended)
		ended = await(t, pid, now_ns() + STOP_NS, false, ret_status);
	if (terminal_from)
		give_terminal(terminal_from);
	terminal_from = 0;
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
