// SPDX-License-Identifier: GPL-2.0-only
/*
 * selftest.c - simplefs-selftest: does the module, on this kernel, give back all it takes?
 *
 * --run makes the test and writes the verdict; --show says what it was.  The exit status is the
 * verdict's, so that a unit that runs it fails when the module does.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lib.h"
#include "selftest.h"

#define SFS_STATE_DIR		"/var/lib/simplefs/selftest"
#define SFS_STEP_SECONDS	600	/* far more than a slow machine needs */
#define SFS_EXIT_ERROR		2

struct sfs_selftest {
	struct sfs_options o;
	const char *release;
	bool run;
	bool json;
};

static void sfs_usage(FILE *out)
{
	fprintf(out,
		"usage: simplefs-selftest [options]\n"
		"  -s, --show           print the verdict on this kernel (the default)\n"
		"  -r, --run            make the test, write the verdict, print it\n"
		"  -j, --json           print it as JSON\n"
		"  -m, --module FILE    load this .ko; what it needs must be loaded\n"
		"  -d, --state DIR      where verdicts lie (default $STATE_DIRECTORY or\n"
		"                       " SFS_STATE_DIR ")\n"
		"  -t, --seconds N      what one step may take (default %d)\n"
		"  -k, --kernel RELEASE show the verdict on another kernel\n"
		"  -v, --verbose        name the steps as they begin\n"
		"  -V, --version        print the version\n"
		"  -h, --help           print this\n"
		"exit status: 0 PASS or SKIP, 1 LEAK, 2 ERROR or no verdict\n", SFS_STEP_SECONDS);
}

static void sfs_parse_option(struct sfs_selftest *st, int opt)
{
	char *end;

	switch (opt) {
	case 's':
	case 'r':
		st->run = opt == 'r';
		break;
	case 'j':
		st->json = true;
		break;
	case 'm':
		st->o.o_module = optarg;
		break;
	case 'd':
		st->o.o_state = optarg;
		break;
	case 't':
		st->o.o_seconds = strtoul(optarg, &end, 10);
		if (*end || !st->o.o_seconds || st->o.o_seconds > 86400)
			sfs_die(SFS_EXIT_ERROR, "not a number of seconds: %s", optarg);
		break;
	case 'k':
		st->release = optarg;
		break;
	case 'v':
		st->o.o_verbose = true;
		break;
	case 'V':
		printf("simplefs-selftest %s\n", SIMPLEFS_VERSION);
		exit(0);
	case 'h':
		sfs_usage(stdout);
		exit(0);
	default:
		sfs_usage(stderr);
		exit(SFS_EXIT_ERROR);
	}
}

static void sfs_parse_args(struct sfs_selftest *st, int argc, char **argv)
{
	static const struct option options[] = {
		{ "show", no_argument, NULL, 's' },
		{ "run", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "module", required_argument, NULL, 'm' },
		{ "state", required_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 't' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "srjm:d:t:k:vVh", options, NULL)) != -1)
		sfs_parse_option(st, opt);
	if (optind < argc)
		sfs_die(SFS_EXIT_ERROR, "no argument is expected: %s", argv[optind]);
	if (st->release && (st->run || strchr(st->release, '/')))
		sfs_die(SFS_EXIT_ERROR, "--kernel names a release and goes with --show");
}

/* @dir and what is missing above it. */
static int sfs_make_dirs(const char *dir)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(path) - 1 && dir[i]; i++) {
		path[i] = dir[i];
		path[i + 1] = '\0';
		if ((dir[i + 1] == '/' || !dir[i + 1]) && mkdir(path, 0755) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* Two tests at a time would find each other's module: the second one waits for another day. */
static bool sfs_lock_state(const char *dir, struct sfs_verdict *v, int *ret_lock)
{
	int fd;

	if (sfs_make_dirs(dir)) {
		sfs_verdict_set(v, SFS_VERDICT_ERROR, "state directory");
		snprintf(v->v_detail, sizeof(v->v_detail), "%s: %s", dir, strerror(errno));
		return false;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)) {
		sfs_verdict_set(v, SFS_VERDICT_SKIP, "another test is running");
		return false;
	}
	*ret_lock = fd;
	return true;
}

static int sfs_show(const struct sfs_selftest *st)
{
	struct sfs_verdict v = { 0 };
	int status;
	int err;

	err = sfs_verdict_read(st->o.o_state, st->release, &v);
	if (err == -ENOENT)
		sfs_die(SFS_EXIT_ERROR, "no verdict on %s yet", st->release);
	if (err)
		sfs_die(SFS_EXIT_ERROR, "verdict on %s: %s", st->release, strerror(-err));
	err = sfs_verdict_print(&v, stdout, st->json);
	status = err ? SFS_EXIT_ERROR : sfs_verdict_status(&v);
	free(v.v_report);
	return status;
}

static int sfs_run_test(struct sfs_selftest *st, const struct utsname *uts)
{
	struct sfs_verdict v = { .v_kind = SFS_VERDICT_PASS, .v_tool = SIMPLEFS_VERSION };
	const char *why = sfs_machine_refuses();
	time_t now = time(NULL);
	bool restore = false;
	struct tm tm;
	int status;
	int err;

	gmtime_r(&now, &tm);
	strftime(v.v_time, sizeof(v.v_time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(v.v_kernel, sizeof(v.v_kernel), "%s", st->release);
	snprintf(v.v_build, sizeof(v.v_build), "%s", uts->version);
	if (why)
		sfs_verdict_set(&v, SFS_VERDICT_SKIP, "%s", why);
	else if (sfs_lock_state(st->o.o_state, &v, &st->o.o_lock))
		restore = sfs_watch(&st->o, &v);
	err = sfs_verdict_write(&v, st->o.o_state);
	if (err)
		sfs_warn("%s: the verdict is not written: %s", st->o.o_state, strerror(-err));
	if (restore)
		sfs_watch_restore(&st->o);
	status = sfs_verdict_print(&v, stdout, st->json) ? SFS_EXIT_ERROR : sfs_verdict_status(&v);
	free(v.v_report);
	return status;
}

int main(int argc, char **argv)
{
	struct sfs_selftest st = { .o.o_seconds = SFS_STEP_SECONDS };
	struct utsname uts;

	sfs_program = "simplefs-selftest";
	uname(&uts);
	st.o.o_state = getenv("STATE_DIRECTORY");
	if (!st.o.o_state || !*st.o.o_state)
		st.o.o_state = SFS_STATE_DIR;
	sfs_parse_args(&st, argc, argv);
	if (!st.release)
		st.release = uts.release;
	return st.run ? sfs_run_test(&st, &uts) : sfs_show(&st);
}
