// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - the command line from a table: every kind of option, every way to be wrong.
 *
 * Each case is a command line that a child parses, and what must come out: its exit status and, in
 * its output, one text.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"
#include "tap/tap.h"

struct settings {
	bool flag;
	const char *text;
	u64 number;
	u64 size;
	u64 sub;
	bool lone;
	int choice;
};

#define FIELD(name)	offsetof(struct settings, name)

static const char *const words[] = { "stop", "go", NULL };

static const struct sfs_opt subs[] = {
	{ .o_long = "size", .o_arg = "SIZE", .o_help = "s", .o_kind = SFS_OPT_SIZE,
	  .o_field = FIELD(sub), .o_unit = 1 << 20, .o_group = 2 },
	{ .o_long = "none", .o_help = "n", .o_field = FIELD(lone), .o_group = 2 },
	{ .o_long = NULL }
};

static const struct sfs_opt opts[] = {
	{ .o_short = 'f', .o_long = "flag", .o_help = "a flag", .o_field = FIELD(flag), .o_group = 1 },
	{ .o_short = 't', .o_long = "text", .o_arg = "TEXT", .o_help = "a text",
	  .o_kind = SFS_OPT_TEXT, .o_field = FIELD(text), .o_max = 4, .o_default = "abc" },
	{ .o_short = 'n', .o_long = "number", .o_arg = "N", .o_help = "a number",
	  .o_kind = SFS_OPT_NUMBER, .o_field = FIELD(number), .o_min = 2, .o_max = 64,
	  .o_default = "7", .o_group = 1 },
	{ .o_long = "size", .o_arg = "SIZE", .o_help = "a size", .o_kind = SFS_OPT_SIZE,
	  .o_field = FIELD(size), .o_min = 4 << 20, .o_unit = 4096 },
	{ .o_short = 'c', .o_long = "choice", .o_arg = "stop or go", .o_help = "a choice",
	  .o_kind = SFS_OPT_CHOICE, .o_field = FIELD(choice), .o_words = words },
	{ .o_short = 'J', .o_long = "list", .o_arg = "LIST", .o_help = "a list",
	  .o_kind = SFS_OPT_LIST, .o_sub = subs },
	{ .o_short = 'z', .o_long = "silent", .o_field = FIELD(flag) },
	{ .o_long = NULL }
};

static const struct sfs_cli cli = {
	.c_program = "prog", .c_usage = "[options] FILE", .c_about = "About it.", .c_opts = opts,
	.c_operands_min = 1, .c_operands_max = 2, .c_exit_usage = 9,
	.c_exits = { { 0, "done" }, { 9, "asked wrongly" } },
};

static const struct {
	const char *line;
	int status;
	const char *says;
} cases[] = {
	{ "x", 0, "flag=0 text=abc number=7 size=0 choice=0 sub=0 lone=0 first=x picked=-\n" },
	{ "-f x", 0, "flag=1 " },
	{ "x -f", 0, "flag=1 " },
	{ "-t 1234 x y", 0, "text=1234 " },
	{ "--text=q x", 0, "text=q " },
	{ "-t 12345 x", 9, "prog: -t: longer than 4 bytes: '12345'\n" },
	{ "-n 64 x", 0, "number=64 size=0 choice=0 sub=0 lone=0 first=x picked=n\n" },
	{ "-n 0x10 x", 0, "number=16 " },
	{ "-n 65 x", 9, "prog: -n: '65' is too large, the limit is 64\n" },
	{ "-n 1 x", 9, "prog: -n: '1' is too small, the least is 2\n" },
	{ "-n 99999999999999999999 x", 9, "is too large, the limit is 64\n" },
	{ "-n 5k x", 9, "prog: -n: not a number: '5k'\n" },
	{ "-n -5 x", 9, "prog: -n: not a number: '-5'\n" },
	{ "--size 1024 x", 0, "size=4194304 " },
	{ "--size 1GiB x", 0, "size=1073741824 " },
	{ "--size 1m x", 9, "prog: --size: '1m' is too small, the least is 4M\n" },
	{ "--size 16E x", 9, "prog: --size: '16E' is too large, the limit is 18446744073709551615\n" },
	{ "--size 1MB x", 9, "prog: --size: not a size: '1MB'\n" },
	{ "-c go x", 0, "choice=1 " },
	{ "-c no x", 9, "prog: -c: takes stop or go, not 'no'\n" },
	{ "-J size=3 x", 0, "sub=3145728 lone=0 " },
	{ "-J none x", 0, "lone=1 " },
	{ "-J none,size=3 x", 9, "prog: -J none and -J size= exclude each other\n" },
	{ "-J none -J size=3 x", 9, "prog: -J none and -J size= exclude each other\n" },
	{ "-J size=q x", 9, "prog: -J size=: not a size: 'q'\n" },
	{ "-J size x", 9, "prog: -J size: needs a value\n" },
	{ "-J none=1 x", 9, "prog: -J none: takes no value\n" },
	{ "-J some=1 x", 9, "prog: -J: does not know 'some', see --help\n" },
	{ "-f -n 3 x", 9, "prog: -f and -n exclude each other\n" },
	{ "-n 3 -n 4 x", 0, "number=4 " },
	{ "-z x", 0, "flag=1 " },
	{ "-q x", 9, "prog: unknown option -q, see --help\n" },
	{ "--quux x", 9, "prog: option not understood: --quux, see --help\n" },
	{ "x -t", 9, "prog: -t needs an argument, see --help\n" },
	{ "x --text", 9, "prog: --text needs an argument, see --help\n" },
	{ "", 9, "prog: usage: prog [options] FILE, see --help\n" },
	{ "x y z", 9, "prog: usage: prog [options] FILE, see --help\n" },
	{ "-V", 0, "prog " SIMPLEFS_VERSION "\n" },
	{ "--help", 0, "  -t, --text TEXT           a text (up to 4 bytes, default: abc)\n" },
	{ "--help", 0, "  -n, --number N            a number (2 to 64, default: 7)\n" },
	{ "--help", 0, "      --size SIZE           a size (at least 4M)\n" },
	{ "--help", 0, "        none                n\n" },
	{ "-h", 0, "   9  asked wrongly\n" },
};

static void child(const char *line)
{
	const struct sfs_opt *picked[SFS_OPT_GROUPS];
	char *words = strdup(line);
	char *argv[16] = { "prog" };
	struct settings s = { 0 };
	int argc = 1;
	int first;

	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	first = sfs_cli_parse(&cli, argc, argv, &s, picked);
	printf("flag=%d text=%s number=%llu size=%llu choice=%d sub=%llu lone=%d first=%s "
	       "picked=%c\n", s.flag, s.text, (unsigned long long)s.number,
	       (unsigned long long)s.size, s.choice, (unsigned long long)s.sub, s.lone,
	       argv[first], picked[1] ? picked[1]->o_short : '-');
	free(words);
	exit(0);
}

/* The exit status of a child that parsed @line, its output in @out. */
static int parse(const char *line, char *out, size_t room)
{
	size_t have = 0;
	int status;
	ssize_t n;
	int fd[2];
	pid_t pid;

	fflush(stdout);
	if (pipe(fd))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		close(fd[0]);
		child(line);
	}
	close(fd[1]);
	while ((n = read(fd[0], out + have, room - 1 - have)) > 0)
		have += n;
	out[have] = '\0';
	close(fd[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int main(void)
{
	char out[8192];
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int status = parse(cases[i].line, out, sizeof(out));
		char name[160];

		snprintf(name, sizeof(name), "'%s': exit %d", cases[i].line, cases[i].status);
		TAP_EQ(status, cases[i].status, name);
		snprintf(name, sizeof(name), "'%s': says so", cases[i].line);
		if (!TAP_OK(strstr(out, cases[i].says), name))
			printf("# it says: %s# want: %s", out, cases[i].says);
	}
	parse("--help", out, sizeof(out));
	TAP_OK(!strstr(out, "silent"), "what has no help text is not shown");
	return tap_done();
}
