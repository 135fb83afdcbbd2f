// SPDX-License-Identifier: GPL-2.0-only
/*
 * tool.c - the other programs of the project, run and heard out.
 *
 * They are taken from beside this program, so that a build tree tests itself, else from $PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftest.h"

static bool sfs_tool_at(const char *dir, size_t dir_nbytes, const char *name, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%.*s/%s", (int)dir_nbytes, dir, name) >= PATH_MAX)
		return false;
	return !access(path, X_OK);
}

bool sfs_tool_find(const char *name, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));

	while (n > 0 && self[n - 1] != '/')
		n--;
	if (n > 1 && sfs_tool_at(self, n - 1, name, path))
		return true;
	if (!dirs)
		dirs = "/usr/sbin:/usr/bin:/sbin:/bin";
	while (*dirs) {
		size_t nbytes = strcspn(dirs, ":");

		if (nbytes && sfs_tool_at(dirs, nbytes, name, path))
			return true;
		dirs += nbytes + (dirs[nbytes] == ':');
	}
	return false;
}

/* Reads until nobody writes any more, and keeps the end, as one line. */
static void sfs_tool_listen(int fd, char *out, size_t nbytes)
{
	char buf[4096];
	size_t used = 0;
	size_t i;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)) {
		size_t got = n < 0 ? 0 : n;
		size_t keep = got < nbytes - 1 ? nbytes - 1 - got : 0;

		if (used > keep) {
			memmove(out, out + used - keep, keep);
			used = keep;
		}
		if (got > nbytes - 1)
			got = nbytes - 1;
		memcpy(out + used, buf + (n < 0 ? 0 : n) - got, got);
		used += got;
	}
	while (used && out[used - 1] == '\n')
		used--;
	out[used] = '\0';
	for (i = 0; i < used; i++) {
		if (out[i] == '\n')
			out[i] = ' ';
	}
}

int sfs_tool_run(char *const argv[], char *out, size_t nbytes)
{
	char path[PATH_MAX];
	int status;
	int fds[2];
	pid_t pid;

	out[0] = '\0';
	if (!sfs_tool_find(argv[0], path))
		return -ENOENT;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		setenv("LC_ALL", "C", 1);
		if (dup2(fds[1], STDOUT_FILENO) >= 0 && dup2(fds[1], STDERR_FILENO) >= 0)
			execv(path, argv);
		_exit(127);
	}
	close(fds[1]);
	if (pid < 0) {
		status = -errno;
		close(fds[0]);
		return status;
	}
	sfs_tool_listen(fds[0], out, nbytes);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
