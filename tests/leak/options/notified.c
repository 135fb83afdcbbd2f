// SPDX-License-Identifier: GPL-2.0-only
/*
 * notified.c - stands in for systemd: runs a program and prints what it says on NOTIFY_SOCKET.
 *
 * usage: notified PROGRAM [ARGUMENT]...
 * The exit status is the program's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "/tmp/notify" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[256];
	int status;
	ssize_t n;
	pid_t pid;

	if (argc < 2 || fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    setenv("NOTIFY_SOCKET", at.sun_path, 1)) {
		perror("notified");
		return 125;
	}
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	n = recv(fd, text, sizeof(text) - 1, 0);
	if (n > 0)
		printf("told: %.*s\n", (int)strcspn(text, "\n"), text);
	fflush(stdout);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
