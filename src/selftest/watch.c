// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - the watcher: kmodleak and the worker side by side, and what follows from both.
 *
 * kmodleak is ready before the module is loaded, and ends by itself some time after the worker has
 * unloaded it.  Who is late is asked to end, not forced: a worker that hangs in the kernel cannot
 * be helped, and unmounting or unloading under it would only hide where.  Asked to stop itself
 * (TERM, INT or HUP), the watcher waits for nobody any more, and says in the verdict how far it
 * came.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib.h"
#include "selftest.h"

#define SFS_TRACER_SECONDS	600	/* to get ready, and again to judge */
#define SFS_STOP_SECONDS	20	/* for all that is left, once asked to stop */
#define SFS_REPORT_BYTES	(256 << 10)
#define SFS_ROOM_BYTES		(128ULL << 20)	/* for images, and what they are copied to */
#define SFS_CYCLES		"1"	/* a leak may bar itself from a second: a name that stayed */
#define SFS_OBJECTS		"131072"	/* with all that goes with it some 64 MiB */

struct sfs_watcher {
	const struct sfs_options *o;
	struct sfs_verdict *v;
	char dir[PATH_MAX];		/* for this run: images, mount points */
	char report_path[PATH_MAX];
	int kmsg;
	pid_t tracer;			/* kmodleak; 0 when it has ended */
	int ready_fd;			/* where it tells that the module may be loaded */
	pid_t worker;
	int worker_fd;			/* what it tells */
	bool loaded;			/* it has loaded the module, this time */
	char step[64];
	bool stuck;			/* the worker goes on, and needs its files */
};

static volatile sig_atomic_t sfs_stopped;

static void sfs_note_stop(int signal)
{
	(void)signal;
	sfs_stopped = 1;
}

static long long sfs_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Waits for @fd until @deadline (ms); false: nothing came, or somebody wants us to stop. */
static bool sfs_wait_fd(int fd, long long deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	long long left;

	while (!sfs_stopped && (left = deadline - sfs_now()) > 0) {
		/* A signal may come just before: it is not slept over. */
		int n = poll(&p, 1, min(left, 1000LL));

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* Waits for the end of @pid; false: it goes on. */
static bool sfs_wait_child(pid_t pid, unsigned int seconds, int *ret_status)
{
	long long deadline = sfs_now() + seconds * 1000LL;
	const struct timespec nap = { .tv_nsec = 20000000 };

	for (;;) {
		pid_t got = waitpid(pid, ret_status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return got == pid;
		if (sfs_stopped)
			deadline = min(deadline, sfs_now() + SFS_STOP_SECONDS * 1000LL);
		if (sfs_now() >= deadline)
			return false;
		nanosleep(&nap, NULL);
	}
}

/*
 * @call in a process of its own, for it runs the module's code, which may hang: a negative errno,
 * -ETIMEDOUT when it goes on.
 */
static int sfs_call(const struct sfs_options *o, int (*call)(const struct sfs_options *o))
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		close(o->o_lock);	/* should it hang, it keeps no later test from running */
		_exit(-call(o));
	}
	if (!sfs_wait_child(pid, o->o_seconds, &status))
		return -ETIMEDOUT;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int sfs_unload(const struct sfs_options *o)
{
	(void)o;
	return sfs_module_unload();
}

static int sfs_load(const struct sfs_options *o)
{
	char why[256];
	int err = sfs_module_load(o->o_module, why, sizeof(why));

	if (err)
		fprintf(stderr, "simplefs-selftest: not loaded again: %s\n", why);
	return err;
}

/* ---- kmodleak ---- */

static void sfs_tracer_exec(struct sfs_watcher *w, const char *path, int ready)
{
	int out = open(w->report_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	char number[16];
	char *argv[11] = { "kmodleak", "--cycles", SFS_CYCLES, "--objects", SFS_OBJECTS,
			   "--ready-fd", number };
	int argc = 7;

	snprintf(number, sizeof(number), "%d", ready);
	if (w->o->o_module) {		/* else it looks where modprobe does */
		argv[argc++] = "--ko";
		argv[argc++] = (char *)w->o->o_module;
	}
	argv[argc] = SFS_MODULE;
	if (out >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
		execv(path, argv);
	_exit(127);
}

/* It waits for the module to be loaded, once more; false: it has judged, or does not answer. */
static bool sfs_tracer_ready(struct sfs_watcher *w)
{
	char word[sizeof("ready\n") - 1];

	return w->tracer > 0 &&
	       sfs_wait_fd(w->ready_fd, sfs_now() + SFS_TRACER_SECONDS * 1000) &&
	       read(w->ready_fd, word, sizeof(word)) > 0;
}

static void sfs_note_version(struct sfs_verdict *v)
{
	char *const argv[] = { "kmodleak", "--version", NULL };
	char out[64];

	if (!sfs_tool_run(argv, out, sizeof(out)))
		snprintf(v->v_kmodleak, sizeof(v->v_kmodleak), "%s", out + strcspn(out, " ") + 1);
}

/*
 * The tracer said neither yes nor no: that is nobody's fault but its own or the machine's, and the
 * next boot tries again.  @why goes with what the report gives as the first reason.
 */
static void sfs_judge_nothing(struct sfs_verdict *v, const char *reason, const char *why)
{
	static const char head[] = "incomplete:\n";
	const char *line = v->v_report ? strstr(v->v_report, head) : NULL;

	sfs_verdict_set(v, SFS_VERDICT_SKIP, "%s", reason);
	if (line)
		line += strlen(head);
	else if (v->v_report)
		line = v->v_report;
	snprintf(v->v_detail, sizeof(v->v_detail), "%s%s%.*s", why, line ? ": " : "",
		 line ? (int)min_t(size_t, strcspn(line, "\n"), 300) : 0, line ? line : "");
}

/* Started and ready; false: the verdict may say why not. */
static bool sfs_tracer_start(struct sfs_watcher *w)
{
	char path[PATH_MAX];
	int fds[2];

	if (!sfs_tool_find("kmodleak", path)) {
		sfs_judge_nothing(w->v, "kmodleak", "it is not installed");
		return false;
	}
	if (pipe2(fds, O_CLOEXEC)) {
		sfs_judge_nothing(w->v, "kmodleak", strerror(errno));
		return false;
	}
	sfs_note_version(w->v);
	w->tracer = fork();
	if (!w->tracer) {
		setpgid(0, 0);		/* out of reach of a terminal's keys, as the worker */
		fcntl(fds[1], F_SETFD, 0);
		sfs_tracer_exec(w, path, fds[1]);
	}
	close(fds[1]);
	w->ready_fd = fds[0];
	return sfs_tracer_ready(w);
}

/* Its end, by itself or asked; -1: it does not. */
static int sfs_tracer_end(struct sfs_watcher *w, bool ask)
{
	bool ended = false;
	int status;

	if (w->tracer <= 0)
		return -1;
	if (ask)
		kill(w->tracer, SIGINT);
	ended = sfs_wait_child(w->tracer, SFS_TRACER_SECONDS, &status);
	if (!ended) {
		kill(w->tracer, SIGTERM);
		ended = sfs_wait_child(w->tracer, SFS_TRACER_SECONDS, &status);
	}
	if (!ended || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static char *sfs_read_report(const struct sfs_watcher *w)
{
	char *text = malloc(SFS_REPORT_BYTES + 1);
	int fd = open(w->report_path, O_RDONLY | O_CLOEXEC);
	ssize_t n = text && fd >= 0 ? read(fd, text, SFS_REPORT_BYTES) : -1;

	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* ---- the worker ---- */

static bool sfs_worker_start(struct sfs_watcher *w)
{
	int fds[2];
	FILE *report;

	if (pipe2(fds, O_CLOEXEC))
		return false;
	w->worker = fork();
	if (!w->worker) {
		setpgid(0, 0);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		/* Should it be stuck, it does not keep the next test from running. */
		close(w->o->o_lock);
		report = fdopen(fds[1], "w");
		if (!report)
			_exit(2);
		sfs_work(w->o->o_module, w->dir, report);
	}
	close(fds[1]);
	w->worker_fd = fds[0];
	return w->worker > 0;
}

/* One line of the worker's. */
static void sfs_hear(struct sfs_watcher *w, const char *line)
{
	struct sfs_verdict *v = w->v;

	if (!strncmp(line, "step ", 5)) {
		snprintf(w->step, sizeof(w->step), "%s", line + 5);
		if (w->o->o_verbose)
			fprintf(stderr, "%s\n", w->step);
	} else if (!strncmp(line, "fact version ", 13)) {
		snprintf(v->v_module, sizeof(v->v_module), "%s", line + 13);
	} else if (!strncmp(line, "fact srcversion ", 16)) {
		snprintf(v->v_srcversion, sizeof(v->v_srcversion), "%s", line + 16);
		w->loaded = true;
	} else if (!strncmp(line, "skip ", 5)) {
		sfs_verdict_set(v, SFS_VERDICT_SKIP, "%s", line + 5);
	} else if (!strncmp(line, "fail ", 5)) {
		sfs_verdict_set(v, SFS_VERDICT_ERROR, "%s", w->step);
		snprintf(v->v_detail, sizeof(v->v_detail), "%s", line + 5);
	}
}

/* Cuts what was read into lines; the rest stays at the front of @buf.  Returns its length. */
static size_t sfs_hear_all(struct sfs_watcher *w, char *buf, size_t used)
{
	char *line = buf;
	char *end;

	buf[used] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		sfs_hear(w, line);
		line = end + 1;
	}
	used -= line - buf;
	memmove(buf, line, used);
	return used;
}

/* Until the worker has ended, each step in its time; false: it is stuck in one. */
static bool sfs_worker_watch(struct sfs_watcher *w)
{
	char buf[1024];
	size_t used = 0;
	int status = 0;
	ssize_t n;

	while (sfs_wait_fd(w->worker_fd, sfs_now() + w->o->o_seconds * 1000LL)) {
		n = read(w->worker_fd, buf + used, sizeof(buf) - 1 - used);
		if (n > 0) {
			used = sfs_hear_all(w, buf, used + n);
			if (used == sizeof(buf) - 1)
				used = 0;
			continue;
		}
		if (!sfs_wait_child(w->worker, w->o->o_seconds, &status))
			break;
		if (status && sfs_stopped) {
			sfs_verdict_set(w->v, SFS_VERDICT_SKIP, "stopped");
			snprintf(w->v->v_detail, sizeof(w->v->v_detail), "at %s", w->step);
		} else if (status && w->v->v_kind == SFS_VERDICT_PASS) {
			sfs_verdict_set(w->v, SFS_VERDICT_ERROR, "%s", w->step);
			snprintf(w->v->v_detail, sizeof(w->v->v_detail), "the worker died: %s",
				 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit");
		}
		return true;
	}
	if (sfs_stopped) {
		sfs_verdict_set(w->v, SFS_VERDICT_SKIP, "stopped");
		snprintf(w->v->v_detail, sizeof(w->v->v_detail),
			 "at %s; process %d is left alone", w->step, w->worker);
	} else {
		sfs_verdict_set(w->v, SFS_VERDICT_ERROR, "%s", w->step);
		snprintf(w->v->v_detail, sizeof(w->v->v_detail),
			 "still at it after %u s; process %d is left alone", w->o->o_seconds,
			 w->worker);
	}
	return false;
}

/* ---- the verdict ---- */

/*
 * "64 bytes in 1 objects, 1 stacks": from the report's first line and the heads of its groups.  A
 * step that failed, perhaps for that reason, becomes the detail.
 */
static void sfs_judge_leak(struct sfs_verdict *v)
{
	const char *report = v->v_report ? v->v_report : "";
	const char *amount = strstr(report, "LEAK, ");
	const char *line = report;
	unsigned int stacks = 0;
	char detail[sizeof(v->v_detail)];
	size_t used;

	if (v->v_kind == SFS_VERDICT_ERROR) {
		snprintf(detail, sizeof(detail), "%.100s: %.290s", v->v_reason, v->v_detail);
		memcpy(v->v_detail, detail, sizeof(detail));
	}
	if (!amount) {
		sfs_verdict_set(v, SFS_VERDICT_LEAK, "see the report");
		return;
	}
	while ((line = strchr(line, '\n'))) {
		line++;
		used = strspn(line, "0123456789");
		stacks += used && !strncmp(line + used, " bytes in ", 10);
	}
	amount += strlen("LEAK, ");
	sfs_verdict_set(v, SFS_VERDICT_LEAK, "%.*s, %u stacks", (int)strcspn(amount, ";\n("),
			amount, stacks);
}

/* What kmodleak's exit means: leaks are true, whatever else there is. */
static void sfs_judge(struct sfs_watcher *w, int status)
{
	struct sfs_verdict *v = w->v;
	char why[64];

	v->v_report = sfs_read_report(w);
	if (status == 1)
		sfs_judge_leak(v);
	if (v->v_kind != SFS_VERDICT_PASS)
		return;
	if (sfs_stopped && status) {
		sfs_verdict_set(v, SFS_VERDICT_SKIP, "stopped");
		snprintf(v->v_detail, sizeof(v->v_detail), "before kmodleak had judged");
		return;
	}
	switch (status) {
	case 0:
		free(v->v_report);
		v->v_report = NULL;
		break;
	case 3:
		sfs_judge_nothing(v, "trace not complete", "no verdict of kmodleak's");
		break;
	case -1:
		sfs_judge_nothing(v, "kmodleak", "it did not end");
		break;
	default:
		snprintf(why, sizeof(why), "it failed with exit %d", status);
		sfs_judge_nothing(v, "kmodleak", why);
	}
}

static void sfs_judge_kmsg(struct sfs_watcher *w)
{
	char text[300];

	if (sfs_kmsg_complaint(w->kmsg, text, sizeof(text)))
		sfs_verdict_complain(w->v, text);
}

/* True: the module has been loaded, used and unloaded. */
static bool sfs_run_worker(struct sfs_watcher *w)
{
	w->loaded = false;
	if (!sfs_worker_start(w)) {
		sfs_verdict_set(w->v, SFS_VERDICT_ERROR, "load");
		return false;
	}
	w->stuck = !sfs_worker_watch(w);
	close(w->worker_fd);
	return !w->stuck && w->loaded && w->v->v_kind == SFS_VERDICT_PASS;
}

static void sfs_run_traced(struct sfs_watcher *w)
{
	int status;

	if (!sfs_tracer_start(w)) {
		sfs_tracer_end(w, true);
		w->v->v_report = sfs_read_report(w);
		if (sfs_stopped)
			sfs_verdict_set(w->v, SFS_VERDICT_SKIP, "stopped");
		else if (w->v->v_kind == SFS_VERDICT_PASS)
			sfs_judge_nothing(w->v, "kmodleak", "it did not get ready");
		return;
	}
	while (sfs_run_worker(w) && sfs_tracer_ready(w))
		;
	/* Is the module gone, then kmodleak ends by itself. */
	status = sfs_tracer_end(w, w->stuck || sfs_module_refs() != -ENOENT || !w->loaded);
	close(w->ready_fd);
	sfs_judge(w, status);
	sfs_judge_kmsg(w);
}

static int sfs_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void sfs_remove_dir(const char *dir)
{
	if (nftw(dir, sfs_remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
		fprintf(stderr, "simplefs-selftest: %s is left behind: %s\n", dir,
			strerror(errno));
}

/*
 * Right after somebody's unmount udev has yet to look at that volume, and its rule would load the
 * module in the midst of the test.
 */
static void sfs_await_udev(void)
{
	char *const argv[] = { "udevadm", "settle", "--timeout=60", NULL };
	char path[PATH_MAX], why[256];

	if (sfs_tool_find(argv[0], path) && sfs_tool_run(argv, why, sizeof(why)))
		fprintf(stderr, "simplefs-selftest: udev was not waited for: %s\n", why);
}

void sfs_watch_restore(const struct sfs_options *o)
{
	/* It was loaded, so it is again. */
	if (sfs_module_refs() == -ENOENT && sfs_call(o, sfs_load) == -ETIMEDOUT)
		fprintf(stderr, "simplefs-selftest: the module's loading does not end\n");
}

bool sfs_watch(const struct sfs_options *o, struct sfs_verdict *v)
{
	static const struct sigaction stop = { .sa_handler = sfs_note_stop };
	struct sfs_watcher w = { .o = o, .v = v };
	int refs, err;

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	if (signal(SIGHUP, sfs_note_stop) == SIG_IGN)
		signal(SIGHUP, SIG_IGN);	/* as nohup(1) asked */
	sfs_await_udev();
	refs = sfs_module_refs();
	if (refs > 0 || refs == -EBUSY) {
		sfs_verdict_set(v, SFS_VERDICT_SKIP, "%s", refs > 0 ? "in use" : "built in");
		return false;
	}
	if (!sfs_machine_has_room(o->o_state, SFS_ROOM_BYTES)) {
		sfs_verdict_set(v, SFS_VERDICT_SKIP, "no room");
		snprintf(v->v_detail, sizeof(v->v_detail), "%s: less than %llu MiB are free",
			 o->o_state, SFS_ROOM_BYTES >> 20);
		return false;
	}
	snprintf(w.dir, sizeof(w.dir), "%s/work.XXXXXX", o->o_state);
	if (!mkdtemp(w.dir) ||
	    snprintf(w.report_path, PATH_MAX, "%s/report", w.dir) >= PATH_MAX) {
		sfs_verdict_set(v, SFS_VERDICT_ERROR, "state directory");
		snprintf(v->v_detail, sizeof(v->v_detail), "%s: %s", o->o_state, strerror(errno));
		return false;
	}
	w.kmsg = sfs_kmsg_open();
	if (w.kmsg < 0)
		fprintf(stderr, "simplefs-selftest: the kernel's log is not watched: %s\n",
			strerror(-w.kmsg));
	err = refs == 0 ? sfs_call(o, sfs_unload) : 0;
	if (err && sfs_stopped) {
		sfs_verdict_set(v, SFS_VERDICT_SKIP, "stopped");
	} else if (err == -ETIMEDOUT) {
		sfs_verdict_set(v, SFS_VERDICT_ERROR, "unload");
		snprintf(v->v_detail, sizeof(v->v_detail), "the module that was there does not go");
	} else if (err) {
		sfs_verdict_set(v, SFS_VERDICT_SKIP, "in use");
	} else {
		sfs_run_traced(&w);
	}
	if (w.kmsg >= 0)
		close(w.kmsg);
	if (!w.stuck)
		sfs_remove_dir(w.dir);
	return refs == 0 && !err;
}
