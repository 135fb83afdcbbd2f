// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - the command line of all tools, from tables.
 *
 * A program describes its options as data (struct sfs_opt): limits, defaults, what excludes what.
 * From the one table come the parsing into the program's settings, the errors and --help, so that
 * none of them can say something else than the others.
 */
#include <getopt.h>

#include "lib.h"

#define SFS_OPTS_MAX	48		/* of one program, with --version and --help */
#define SFS_HELP_COLUMN	28

static const struct sfs_opt sfs_opt_version = {
	.o_short = 'V', .o_long = "version", .o_help = "print the version and stop",
};
static const struct sfs_opt sfs_opt_help = {
	.o_short = 'h', .o_long = "help", .o_help = "print this and stop",
};

/* "4M" for 4194304: the largest suffix that loses nothing. */
static const char *sfs_size_text(u64 nbytes, char *text, size_t room)
{
	static const char suffixes[] = "\0KMGTPE";
	unsigned int n = 0;

	while (nbytes && nbytes % 1024 == 0 && n + 1 < sizeof(suffixes) - 1) {
		nbytes /= 1024;
		n++;
	}
	snprintf(text, room, "%llu%.1s", (unsigned long long)nbytes, suffixes + n);
	return text;
}

static u64 sfs_opt_max(const struct sfs_opt *opt)
{
	return opt->o_max ? opt->o_max : UINT64_MAX;
}

static const char *sfs_opt_limit(const struct sfs_opt *opt, u64 limit, char *text, size_t room)
{
	if (opt->o_kind == SFS_OPT_SIZE)
		return sfs_size_text(limit, text, room);
	snprintf(text, room, "%llu", (unsigned long long)limit);
	return text;
}

/* How a user writes it: "-L" or "-J size=". */
static const char *sfs_opt_name(const struct sfs_opt *parent, const struct sfs_opt *opt, char *text,
				size_t room)
{
	if (parent)
		snprintf(text, room, "-%c %s%s", parent->o_short, opt->o_long,
			 opt->o_arg ? "=" : "");
	else if (opt->o_short)
		snprintf(text, room, "-%c", opt->o_short);
	else
		snprintf(text, room, "--%s", opt->o_long);
	return text;
}

/* ---- --help ---- */

static void sfs_help_limits(const struct sfs_opt *opt)
{
	bool low = opt->o_min && opt->o_kind != SFS_OPT_TEXT;
	const char *before = " (";
	char min[32];
	char max[32];

	sfs_opt_limit(opt, opt->o_min, min, sizeof(min));
	sfs_opt_limit(opt, opt->o_max, max, sizeof(max));
	if (opt->o_kind == SFS_OPT_TEXT && opt->o_max)
		printf("%sup to %s bytes", before, max);
	else if (low && opt->o_max == opt->o_min)
		printf("%sonly %s", before, max);
	else if (low && opt->o_max)
		printf("%s%s to %s", before, min, max);
	else if (opt->o_max)
		printf("%sup to %s", before, max);
	else if (low)
		printf("%sat least %s", before, min);
	else
		before = NULL;
	if (opt->o_default && opt->o_min != opt->o_max)
		printf("%sdefault: %s", before ? ", " : " (", opt->o_default);
	if (before || (opt->o_default && opt->o_min != opt->o_max))
		putchar(')');
}

static void sfs_help_option(const struct sfs_opt *parent, const struct sfs_opt *opt)
{
	const struct sfs_opt *sub;
	int width;

	if (!opt->o_help)
		return;
	if (parent)
		width = printf("        %s%s%s", opt->o_long, opt->o_arg ? "=" : "",
			       opt->o_arg ? opt->o_arg : "");
	else if (opt->o_short)
		width = printf("  -%c, --%s%s%s", opt->o_short, opt->o_long, opt->o_arg ? " " : "",
			       opt->o_arg ? opt->o_arg : "");
	else
		width = printf("      --%s%s%s", opt->o_long, opt->o_arg ? " " : "",
			       opt->o_arg ? opt->o_arg : "");
	printf("%*s%s", width < SFS_HELP_COLUMN ? SFS_HELP_COLUMN - width : 1, "", opt->o_help);
	sfs_help_limits(opt);
	putchar('\n');
	for (sub = opt->o_sub; sub && sub->o_long; sub++)
		sfs_help_option(opt, sub);
}

__attribute__((noreturn))
static void sfs_help(const struct sfs_cli *cli)
{
	const struct sfs_opt *opt;
	unsigned int n;

	printf("usage: %s %s\n%s\n\n", sfs_program, cli->c_usage, cli->c_about);
	for (opt = cli->c_opts; opt->o_long; opt++)
		sfs_help_option(NULL, opt);
	sfs_help_option(NULL, &sfs_opt_version);
	sfs_help_option(NULL, &sfs_opt_help);
	if (cli->c_notes)
		printf("\n%s\n", cli->c_notes);
	printf("\nexit status:\n");
	for (n = 0; cli->c_exits[n].meaning; n++)
		printf("%4d  %s\n", cli->c_exits[n].status, cli->c_exits[n].meaning);
	sfs_told(cli->c_exit_usage);
	exit(0);
}

/* ---- parsing ---- */

struct sfs_parse {
	const struct sfs_cli *cli;
	void *settings;
	const struct sfs_opt *picked[SFS_OPT_GROUPS];
	char names[SFS_OPT_GROUPS][32];	/* of what was picked, as the user wrote it */
};

static void sfs_opt_number(const struct sfs_parse *p, const struct sfs_opt *opt, const char *name,
			   const char *arg)
{
	char limit[32];
	char *end;
	u64 value;
	int err = 0;

	if (opt->o_kind == SFS_OPT_SIZE) {
		err = sfs_parse_size(arg, opt->o_unit ? opt->o_unit : 1, &value);
	} else {
		errno = 0;
		value = strtoull(arg, &end, 0);
		if (*arg < '0' || *arg > '9' || *end)
			err = -EINVAL;
		else
			err = errno ? -ERANGE : 0;
	}
	if (err == -EINVAL)
		sfs_die(p->cli->c_exit_usage, "%s: not a %s: '%s'", name,
			opt->o_kind == SFS_OPT_SIZE ? "size" : "number", arg);
	if (err || value > sfs_opt_max(opt))
		sfs_die(p->cli->c_exit_usage, "%s: '%s' is too large, the limit is %s", name, arg,
			sfs_opt_limit(opt, sfs_opt_max(opt), limit, sizeof(limit)));
	if (value < opt->o_min)
		sfs_die(p->cli->c_exit_usage, "%s: '%s' is too small, the least is %s", name, arg,
			sfs_opt_limit(opt, opt->o_min, limit, sizeof(limit)));
	*(u64 *)((u8 *)p->settings + opt->o_field) = value;
}

static void sfs_opt_choice(const struct sfs_parse *p, const struct sfs_opt *opt, const char *name,
			   const char *arg)
{
	int n = 0;

	while (opt->o_words[n] && strcmp(opt->o_words[n], arg))
		n++;
	if (!opt->o_words[n])
		sfs_die(p->cli->c_exit_usage, "%s: takes %s, not '%s'", name, opt->o_arg, arg);
	*(int *)((u8 *)p->settings + opt->o_field) = n;
}

static void sfs_opt_list(struct sfs_parse *p, const struct sfs_opt *opt, char *arg);

static void sfs_opt_take(struct sfs_parse *p, const struct sfs_opt *parent,
			 const struct sfs_opt *opt, char *arg)
{
	void *field = (u8 *)p->settings + opt->o_field;
	char name[32];

	sfs_opt_name(parent, opt, name, sizeof(name));
	assert(arg || opt->o_kind == SFS_OPT_FLAG);	/* else the table lacks an o_arg */
	switch (opt->o_kind) {
	case SFS_OPT_FLAG:
		*(bool *)field = true;
		break;
	case SFS_OPT_TEXT:
		if (strlen(arg) > sfs_opt_max(opt))
			sfs_die(p->cli->c_exit_usage, "%s: longer than %llu bytes: '%s'", name,
				(unsigned long long)opt->o_max, arg);
		*(const char **)field = arg;
		break;
	case SFS_OPT_NUMBER:
	case SFS_OPT_SIZE:
		sfs_opt_number(p, opt, name, arg);
		break;
	case SFS_OPT_CHOICE:
		sfs_opt_choice(p, opt, name, arg);
		break;
	case SFS_OPT_LIST:
		sfs_opt_list(p, opt, arg);
		break;
	}
}

static bool sfs_opt_is_same(const struct sfs_opt *a, const struct sfs_opt *b)
{
	return a == b || (a->o_again && a - 1 == b) || (b->o_again && b - 1 == a);
}

/* Takes an option that the user gave: here it may stand in another's way. */
static void sfs_opt_pick(struct sfs_parse *p, const struct sfs_opt *parent,
			 const struct sfs_opt *opt, char *arg)
{
	unsigned int g = opt->o_group;
	char name[32];

	sfs_opt_name(parent, opt, name, sizeof(name));
	if (g && p->picked[g] && !sfs_opt_is_same(p->picked[g], opt))
		sfs_die(p->cli->c_exit_usage, "%s and %s exclude each other", p->names[g], name);
	p->picked[g] = opt;
	memcpy(p->names[g], name, sizeof(name));
	sfs_opt_take(p, parent, opt, arg);
}

/* Cuts the argument where it stands: texts in it stay as long as the command line. */
static void sfs_opt_list(struct sfs_parse *p, const struct sfs_opt *opt, char *arg)
{
	char *word;

	while ((word = strsep(&arg, ","))) {
		const struct sfs_opt *sub = opt->o_sub;
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		while (sub->o_long && strcmp(sub->o_long, word))
			sub++;
		if (!sub->o_long)
			sfs_die(p->cli->c_exit_usage, "-%c: does not know '%s', see --help",
				opt->o_short, word);
		if (!value != !sub->o_arg)
			sfs_die(p->cli->c_exit_usage, "-%c %s: %s", opt->o_short, word,
				value ? "takes no value" : "needs a value");
		sfs_opt_pick(p, opt, sub, value);
	}
}

/* The tables of getopt_long(3); option n is given as SFS_OPT_FIRST + n when it is long. */
#define SFS_OPT_FIRST	256

struct sfs_getopt {
	const struct sfs_opt *opts[SFS_OPTS_MAX];
	struct option longs[SFS_OPTS_MAX + 1];	/* the last is zero */
	char shorts[2 * SFS_OPTS_MAX + 2];
	unsigned int count;
};

static void sfs_getopt_add(struct sfs_getopt *g, const struct sfs_opt *opt)
{
	char *end = g->shorts + strlen(g->shorts);

	assert(g->count < SFS_OPTS_MAX);
	g->opts[g->count] = opt;
	g->longs[g->count] = (struct option) {
		opt->o_long, opt->o_arg ? required_argument : no_argument, NULL,
		SFS_OPT_FIRST + (int)g->count,
	};
	if (opt->o_short)
		sprintf(end, "%c%s", opt->o_short, opt->o_arg ? ":" : "");
	g->count++;
}

static void sfs_getopt_make(struct sfs_getopt *g, const struct sfs_cli *cli)
{
	const struct sfs_opt *opt;

	memset(g, 0, sizeof(*g));
	g->shorts[0] = ':';
	for (opt = cli->c_opts; opt->o_long; opt++)
		sfs_getopt_add(g, opt);
	sfs_getopt_add(g, &sfs_opt_version);
	sfs_getopt_add(g, &sfs_opt_help);
}

/* The option that getopt_long() gave as @c; the program's own come first. */
static const struct sfs_opt *sfs_getopt_find(const struct sfs_cli *cli, const struct sfs_getopt *g,
					     int c, char *const *argv)
{
	unsigned int n;

	if (c == ':')
		sfs_die(cli->c_exit_usage, "%s needs an argument, see --help", argv[optind - 1]);
	if (c == '?' && optopt && optopt < SFS_OPT_FIRST)
		sfs_die(cli->c_exit_usage, "unknown option -%c, see --help", optopt);
	if (c >= SFS_OPT_FIRST)
		return g->opts[c - SFS_OPT_FIRST];
	for (n = 0; n < g->count; n++) {
		if (g->opts[n]->o_short == c)
			return g->opts[n];
	}
	sfs_die(cli->c_exit_usage, "option not understood: %s, see --help", argv[optind - 1]);
}

static void sfs_opt_defaults(struct sfs_parse *p)
{
	const struct sfs_opt *opt;

	for (opt = p->cli->c_opts; opt->o_long; opt++) {
		assert(!opt->o_default || opt->o_kind != SFS_OPT_LIST);	/* would be cut */
		if (opt->o_default)
			sfs_opt_take(p, NULL, opt, (char *)opt->o_default);
	}
}

int sfs_cli_parse(const struct sfs_cli *cli, int argc, char **argv, void *settings,
		  const struct sfs_opt **ret_picked)
{
	struct sfs_parse p = { .cli = cli, .settings = settings };
	const struct sfs_opt *opt;
	struct sfs_getopt g;
	int c;

	sfs_program = cli->c_program;
	sfs_getopt_make(&g, cli);
	sfs_opt_defaults(&p);
	opterr = 0;
	while ((c = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1) {
		opt = sfs_getopt_find(cli, &g, c, argv);
		if (opt == &sfs_opt_help)
			sfs_help(cli);
		if (opt == &sfs_opt_version) {
			printf("%s %s\n", sfs_program, SIMPLEFS_VERSION);
			sfs_told(cli->c_exit_usage);
			exit(0);
		}
		sfs_opt_pick(&p, NULL, opt, optarg);
	}
	if (argc - optind < cli->c_operands_min || argc - optind > cli->c_operands_max)
		sfs_die(cli->c_exit_usage, "usage: %s %s, see --help", sfs_program, cli->c_usage);
	if (ret_picked)
		memcpy(ret_picked, p.picked, sizeof(p.picked));
	return optind;
}
