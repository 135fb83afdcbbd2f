// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmodleak.c - proves that a kernel module gave everything back.
 *
 * Traces from before the module is loaded until after it is gone, waits until what is freed late
 * has been freed, and reports what is left.  This file is the order of these steps and the ways to
 * run them: until the module goes, around a command, loading and unloading it ourselves.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "environment.h"
#include "growth.h"
#include "report.h"
#include "settle.h"

#define UNLOAD_TRIES	250
#define CATCH_UP_NS	5000000000ULL

struct settings {
	bool json, folded, summary;
	bool verbose, trace, percpu, notify, unload, keep_caches;
	const char *load, *ko, *suppressions;
	u64 ready_fd, max_seconds, settle_seconds, objects, stacks, cycles;
	char module[KML_NAME_LEN];
	char **command;			/* NULL: none */
};

#define FIELD(member)	.o_field = offsetof(struct settings, member)

static const struct sfs_opt options[] = {
	{ .o_short = 'l', .o_long = "load", .o_arg = "FILE.ko", .o_kind = SFS_OPT_TEXT,
	  .o_help = "load the module from this file, \"FILE.ko p=1\" with parameters, once tracing",
	  FIELD(load) },
	{ .o_short = 'u', .o_long = "unload", FIELD(unload),
	  .o_help = "unload the module when the command, or the time, is over" },
	{ .o_short = 'm', .o_long = "max-seconds", .o_arg = "N", .o_kind = SFS_OPT_NUMBER,
	  .o_max = 1000000000, FIELD(max_seconds),
	  .o_help = "stop waiting for the module to go after N seconds" },
	{ .o_long = "settle", .o_arg = "N", .o_kind = SFS_OPT_NUMBER, FIELD(settle_seconds),
	  .o_min = 1, .o_max = 3600, .o_default = "300",
	  .o_help = "wait at most N seconds for late frees" },
	{ .o_short = 'c', .o_long = "cycles", .o_arg = "N", .o_kind = SFS_OPT_NUMBER, FIELD(cycles),
	  .o_min = 1, .o_max = 1000, .o_default = "1",
	  .o_help = "do it all up to N times, and spare what the kernel took once" },
	{ .o_long = "keep-caches", FIELD(keep_caches),
	  .o_help = "never ask the kernel to drop its caches" },
	{ .o_long = "objects", .o_arg = "N", .o_kind = SFS_OPT_NUMBER, FIELD(objects),
	  .o_max = 1 << 26, .o_help = "room for N objects at a time; 0: by memory" },
	{ .o_long = "stacks", .o_arg = "N", .o_kind = SFS_OPT_NUMBER, FIELD(stacks),
	  .o_max = 1 << 22, .o_help = "room for N different stacks; 0: for 16384" },
	{ .o_short = 'j', .o_long = "json", .o_help = "report as JSON", .o_group = 1, FIELD(json) },
	{ .o_short = 'f', .o_long = "folded", .o_group = 1, FIELD(folded),
	  .o_help = "report stacks as a flame graph wants them" },
	{ .o_short = 's', .o_long = "summary", .o_group = 1, FIELD(summary),
	  .o_help = "report a line for each kind of leak" },
	{ .o_long = "suppressions", .o_arg = "FILE", .o_kind = SFS_OPT_TEXT, FIELD(suppressions),
	  .o_help = "do not report stacks with a function that a pattern in FILE matches" },
	{ .o_long = "ko", .o_arg = "FILE.ko", .o_kind = SFS_OPT_TEXT, FIELD(ko),
	  .o_help = "where the module's debug information is, for file and line" },
	{ .o_long = "ready-fd", .o_arg = "N", .o_kind = SFS_OPT_NUMBER, FIELD(ready_fd),
	  .o_max = 1 << 20, .o_help = "write \"ready\" to file descriptor N once tracing" },
	{ .o_long = "notify", .o_help = "tell systemd once tracing", FIELD(notify) },
	{ .o_short = 'v', .o_long = "verbose", FIELD(verbose),
	  .o_help = "show the settling, and what is left but no leak" },
	{ .o_short = 't', .o_long = "trace", .o_help = "print each allocation and free",
	  FIELD(trace) },
	{ .o_short = 'P', .o_long = "percpu", FIELD(percpu),
	  .o_help = "accepted and needless: percpu memory is always traced" },
	{ .o_long = NULL }
};

static const struct sfs_cli cli = {
	.c_program = "kmodleak",
	.c_usage = "[options] MODULE [-- COMMAND...]",
	.c_about = "Traces what a kernel module allocates, and reports what it did not give back.",
	.c_notes = "Start it before the module is loaded. It reports when the module has gone; with\n"
		   "COMMAND, which loads, uses and unloads the module, when that has ended.",
	.c_opts = options,
	.c_operands_min = 1,
	.c_operands_max = 1 << 20,
	.c_exit_usage = KML_EXIT_FAILED,
	.c_exits = {
		{ KML_EXIT_CLEAN, "nothing was left" },
		{ KML_EXIT_LEAKS, "something leaked, and is reported" },
		{ KML_EXIT_FAILED, "wrong usage, a system that cannot trace, or a failed command" },
		{ KML_EXIT_INCOMPLETE, "no verdict: something was lost, unsettled, or not unloaded" },
	},
};

static void parse(struct settings *s, int argc, char **argv)
{
	int at;

	memset(s, 0, sizeof(*s));
	at = sfs_cli_parse(&cli, argc, argv, s, NULL);
	module__name(argv[at], s->module, sizeof(s->module));
	if (strlen(argv[at]) >= sizeof(s->module) || !*s->module)
		sfs_die(KML_EXIT_FAILED, "no module can have this name: %s", argv[at]);
	if (at + 1 < argc)
		s->command = argv + at + 1;
	if (s->suppressions && access(s->suppressions, R_OK))
		sfs_die(KML_EXIT_FAILED, "suppressions in %s: %s", s->suppressions, strerror(errno));
}

/* ---- telling others that tracing has begun ---- */

static void notify_systemd(void)
{
	static const char text[] = "READY=1\nSTATUS=tracing\n";
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t len;
	int fd;

	if (!path || !*path || strlen(path) >= sizeof(to.sun_path))
		sfs_die(KML_EXIT_FAILED, "--notify, but no NOTIFY_SOCKET in the environment");
	memcpy(to.sun_path, path, strlen(path) + 1);
	len = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&to, len) < 0)
		sfs_die(KML_EXIT_FAILED, "systemd cannot be told: %s", strerror(errno));
	close(fd);
}

/* Who has read it once need not do so again. */
static void tell_ready(const struct settings *s, bool again)
{
	if (s->ready_fd && write(s->ready_fd, "ready\n", 6) != 6 && !again)
		sfs_die(KML_EXIT_FAILED, "--ready-fd %llu: %s", (unsigned long long)s->ready_fd,
			strerror(errno));
}

static void tell_started(const struct settings *s)
{
	if (s->notify)
		notify_systemd();
	if (!s->command && !s->load)
		fprintf(stderr, "kmodleak: tracing %s\n", s->module);
}

/* ---- the ways to run ---- */

/* The status of wait() as a shell has it. */
static int shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* When one step has lasted long enough. */
static u64 patience(const struct settings *s)
{
	return s->max_seconds ? now_ns() + s->max_seconds * 1000000000ULL : UINT64_MAX;
}

/* What was cut short has not shown all that it would have. */
static void run_command(const struct settings *s, struct tracer *t, u64 deadline,
			struct verdict *v)
{
	pid_t pid = child__start(s->command);
	int status = 0;
	bool ended = child__wait(t, pid, deadline, &status);
	bool cut = !ended || child__signal();

	/* A terminal's key reaches both: the command may have ended before we look. */
	if (child__signal())
		doubts__add(&v->doubts, "the command was stopped by a signal (%d)",
			    child__signal());
	else if (!ended)
		doubts__add(&v->doubts, "the command was stopped after %llu s (-m)",
			    (unsigned long long)s->max_seconds);
	child__signal_taken();
	if (!ended && !child__stop(t, pid, &status))
		doubts__add(&v->doubts, "the command does not end: process %d", pid);
	v->command = cut ? -1 : shell_status(status);
}

/* The module is gone by what the kernel says of itself, but the kernel half said nothing. */
static void catch_up(struct tracer *t, struct verdict *v)
{
	u64 deadline = now_ns() + CATCH_UP_NS;

	while (tracer__loaded(t) && !module__is_loaded(t->module)) {
		if (now_ns() >= deadline) {
			doubts__add(&v->doubts, "the unloading of %s was not seen", t->module);
			t->lost_track = true;
		}
		child__pause(t);
	}
}

/* The mirror of that: it has been there for a while. */
static bool overlooked(struct tracer *t, u64 *since, struct verdict *v)
{
	if (tracer__loaded(t) || !module__is_loaded(t->module)) {
		*since = 0;
		return false;
	}
	*since = *since ? *since : now_ns();
	if (now_ns() - *since < CATCH_UP_NS)
		return false;
	doubts__add(&v->doubts, "the loading of %s was not seen", t->module);
	return true;
}

/*
 * Runs the command, or waits until the module has gone once more than @unloads times, for a signal,
 * or the end of the time.
 */
static void attend(const struct settings *s, struct tracer *t, u32 unloads, struct verdict *v)
{
	u64 deadline = patience(s), since = 0;

	if (s->command)
		run_command(s, t, deadline, v);
	while (!s->command && !(s->load && s->unload && !s->max_seconds) &&
	       (tracer__loaded(t) || tracer__unloads(t) == unloads) && !child__signal() &&
	       now_ns() < deadline && !overlooked(t, &since, v)) {
		child__pause(t);
		if (tracer__loaded(t) && !module__is_loaded(t->module))
			break;
	}
	child__signal_taken();
	catch_up(t, v);
}

/* What has just been used may be busy for a moment. */
static void unload(const struct settings *s, struct tracer *t, struct verdict *v)
{
	unsigned int tries;
	int err = 0;

	for (tries = 0; tries < UNLOAD_TRIES; tries++) {
		err = child__call(t, module__unload, t->module, patience(s));
		if ((err != -EAGAIN && err != -EBUSY) || child__signal())
			break;
		child__pause(t);
	}
	if (err == -EAGAIN || err == -EBUSY)
		sfs_die(KML_EXIT_FAILED, "%s refuses to be unloaded: it is still in use", t->module);
	if (err == -EINTR && child__signal())
		sfs_die(KML_EXIT_FAILED, "a signal came while %s was being unloaded", t->module);
	if (err == -EINTR || err == -ETIMEDOUT)
		sfs_die(KML_EXIT_FAILED, "the unloading of %s does not end", t->module);
	if (err)
		sfs_die(KML_EXIT_FAILED, "%s cannot be unloaded: %s", t->module, strerror(-err));
	catch_up(t, v);
}

static void load(const struct settings *s, struct tracer *t)
{
	u32 loads = tracer__loads(t);
	int err = child__call(t, module__load, s->load, patience(s));

	if (err == -EINTR || err == -ETIMEDOUT)
		sfs_die(KML_EXIT_FAILED, "the loading of %s does not end", s->load);
	if (err)
		sfs_die(KML_EXIT_FAILED, "%s cannot be loaded: %s", s->load, strerror(-err));
	if (tracer__loads(t) == loads)
		sfs_die(KML_EXIT_FAILED, "%s does not hold a module named %s", s->load, s->module);
}

/* What is left of one loading. */
static void look(const struct settings *s, struct tracer *t, struct verdict *v)
{
	bool loaded = tracer__loaded(t);
	int err;

	if (!tracer__loads(t)) {
		tracer__account(t, false);
		if (!v->doubts.lines)
			sfs_die(KML_EXIT_FAILED, "%s was never loaded while being traced",
				t->module);
		doubts__add(&v->doubts, "%s was not seen to be loaded", t->module);
		return;
	}
	if (loaded)
		doubts__add(&v->doubts, "%s is still loaded: what it holds may yet be given back",
			    t->module);
	err = loaded ? verdict__look(v, t) : settle(t, s->settle_seconds, !s->keep_caches, v);
	if (err)
		sfs_die(KML_EXIT_FAILED, "what is left cannot be read: %s", strerror(-err));
	if (loaded)
		verdict__withhold(v, "the module is still loaded");
}

static void cycle(const struct settings *s, struct tracer *t, struct verdict *v)
{
	u32 unloads = tracer__unloads(t);

	if (!v->cycles || (!s->command && !s->load))
		tell_ready(s, v->cycles > 0);
	if (!v->cycles)
		tell_started(s);
	if (s->load)
		load(s, t);
	attend(s, t, unloads, v);
	if (s->unload && tracer__loaded(t))
		unload(s, t, v);
	look(s, t, v);
	v->cycles++;
}

/* As many cycles as were asked for, while something is left that the next may explain. */
static void run(const struct settings *s, struct tracer *t, struct verdict *v)
{
	struct growth g = { 0 };
	int err;

	do {
		cycle(s, t, v);
		err = growth__note(&g, &v->all);
		if (err)
			sfs_die(KML_EXIT_FAILED, "what is left cannot be compared: %s",
				strerror(-err));
	} while (v->cycles < s->cycles && (v->leaks || v->unsettled) && !v->doubts.lines &&
		 v->command <= 0);
	if (s->cycles > 1)
		growth__apply(&g, v);
	growth__free(&g);
	if (!t->sees_interrupts)
		verdict__withhold(v, "an interrupt may have taken it");
	tracer__account(t, v->leaks || v->unsettled);
	err = s->suppressions ? verdict__suppress(v, s->suppressions) : 0;
	if (err)
		sfs_die(KML_EXIT_FAILED, "%s has gone meanwhile: %s", s->suppressions,
			strerror(-err));
}

static int tell(const struct settings *s, struct tracer *t, struct verdict *v)
{
	char *path = s->load ? module__path(s->load) : NULL;
	struct report r = {
		.format = s->json ? REPORT_JSON : s->folded ? REPORT_FOLDED :
			  s->summary ? REPORT_SUMMARY : REPORT_TEXT,
		.ko = s->ko ? s->ko : path,
		.shared = s->verbose,
	};
	int status = verdict__status(v);

	report__print(&r, t, v);
	free(path);
	if (v->command > 0 && status == KML_EXIT_FAILED)
		sfs_warn("the command failed (status %d)", v->command);
	return status;
}

int main(int argc, char **argv)
{
	struct verdict v = { .command = -1 };
	struct tracer t = { .doubts = &v.doubts };
	struct settings s;
	int status;

	parse(&s, argc, argv);
	child__catch_signals();
	t.module = s.module;
	t.interrupted = child__signal;
	t.verbose = s.verbose;
	t.trace = s.trace;
	tracer__open(&t, s.objects, s.stacks);
	if (module__is_loaded(s.module) && !tracer__loaded(&t)) {
		if (s.load)
			sfs_die(KML_EXIT_FAILED, "%s is loaded already", s.module);
		if (tracer__adopt(&t))
			sfs_die(KML_EXIT_FAILED, "%s is loaded, but cannot be found in memory",
				s.module);
		sfs_warn("%s is loaded already: what it has allocated so far is not seen", s.module);
	}
	run(&s, &t, &v);
	child__release_signals();
	status = tell(&s, &t, &v);
	verdict__free(&v);
	tracer__close(&t);
	return status;
}
