// SPDX-License-Identifier: GPL-2.0-only
/*
 * terminal.c - runs a command as the job in front of a terminal, as a shell would, and types a key.
 *
 * usage: terminal KEY COMMAND...; KEY (c or z, with the control key) is typed once the command has
 * printed "begun".  A job that stops is said to have, and sent on, and "on" is typed.  Everything
 * printed is printed again; then "job: exit N" or "job: signal N".
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int master, terminal;
static char heard[4096];
static size_t used;

static void start(char **command)
{
	setpgid(0, 0);
	tcsetpgrp(terminal, getpgrp());
	dup2(terminal, 0);
	dup2(terminal, 1);
	dup2(terminal, 2);
	signal(SIGTTOU, SIG_DFL);
	execvp(*command, command);
	_exit(127);
}

static void type(const char *keys, size_t n)
{
	if (write(master, keys, n) != (ssize_t)n)
		err(1, "typing");
}

static void listen_a_moment(void)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, 50) <= 0)
		return;
	n = read(master, heard + used, sizeof(heard) - 1 - used);
	if (n <= 0)
		return;
	fwrite(heard + used, 1, n, stdout);
	fflush(stdout);
	used += n;
	if (used == sizeof(heard) - 1)
		used = 0;
	heard[used] = '\0';
}

int main(int argc, char **argv)
{
	bool typed = false;
	int status;
	char key;
	pid_t job;

	if (argc < 3)
		return 2;
	key = *argv[1] & 0x1f;
	signal(SIGTTOU, SIG_IGN);
	setsid();
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		err(1, "no terminal");
	terminal = open(ptsname(master), O_RDWR);
	if (terminal < 0 || ioctl(terminal, TIOCSCTTY, 0))
		err(1, "no terminal of our own");
	job = fork();
	if (!job)
		start(argv + 2);
	setpgid(job, job);
	tcsetpgrp(terminal, job);
	for (;;) {
		listen_a_moment();
		if (!typed && strstr(heard, "begun")) {
			type(&key, 1);
			typed = true;
		}
		if (waitpid(job, &status, WNOHANG | WUNTRACED) != job)
			continue;
		if (!WIFSTOPPED(status))
			break;
		puts("\njob: stopped");
		tcsetpgrp(terminal, job);
		kill(-job, SIGCONT);
		type("on\n", 3);
	}
	listen_a_moment();
	if (WIFSIGNALED(status))
		printf("job: signal %d\n", WTERMSIG(status));
	else
		printf("job: exit %d\n", WEXITSTATUS(status));
	return 0;
}
