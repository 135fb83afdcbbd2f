// SPDX-License-Identifier: GPL-2.0-only
/*
 * verdict.c - what was found out, as a file that people read and scripts grep.
 *
 * Lines of "key: value", then an empty line and kmodleak's report when it had something to say.
 * One table of the fields serves writing, reading and JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"
#include "selftest.h"

#define SFS_REPORT_MAX	(1 << 20)

static const struct {
	const char *name;
	int status;
} sfs_verdict_kinds[SFS_VERDICT_KINDS] = {
	[SFS_VERDICT_PASS] = { "PASS", 0 },
	[SFS_VERDICT_LEAK] = { "LEAK", 1 },
	[SFS_VERDICT_SKIP] = { "SKIP", 0 },
	[SFS_VERDICT_ERROR] = { "ERROR", 2 },
};

#define SFS_VERDICT_FIELD(key, member) \
	{ key, offsetof(struct sfs_verdict, member), sizeof(((struct sfs_verdict *)0)->member) }

static const struct sfs_verdict_field {
	const char *key;
	size_t offset;
	size_t nbytes;
} sfs_verdict_fields[] = {
	SFS_VERDICT_FIELD("detail", v_detail),
	SFS_VERDICT_FIELD("kernel", v_kernel),
	SFS_VERDICT_FIELD("build", v_build),
	SFS_VERDICT_FIELD("module", v_module),
	SFS_VERDICT_FIELD("srcversion", v_srcversion),
	SFS_VERDICT_FIELD("tool", v_tool),
	SFS_VERDICT_FIELD("kmodleak", v_kmodleak),
	SFS_VERDICT_FIELD("time", v_time),
};

#define SFS_VERDICT_FIELDS	(sizeof(sfs_verdict_fields) / sizeof(*sfs_verdict_fields))

void sfs_verdict_set(struct sfs_verdict *v, enum sfs_verdict_kind kind, const char *fmt, ...)
{
	va_list ap;

	v->v_kind = kind;
	va_start(ap, fmt);
	vsnprintf(v->v_reason, sizeof(v->v_reason), fmt, ap);
	va_end(ap);
}

void sfs_verdict_complain(struct sfs_verdict *v, const char *text)
{
	bool blames = v->v_kind == SFS_VERDICT_PASS || v->v_kind == SFS_VERDICT_SKIP;

	if (blames)
		sfs_verdict_set(v, SFS_VERDICT_ERROR, "kernel");
	if (blames || !v->v_detail[0])
		snprintf(v->v_detail, sizeof(v->v_detail), "the kernel says: %s", text);
}

int sfs_verdict_status(const struct sfs_verdict *v)
{
	return sfs_verdict_kinds[v->v_kind].status;
}

static int sfs_verdict_print_text(const struct sfs_verdict *v, FILE *out)
{
	size_t i;

	fprintf(out, "verdict: %s", sfs_verdict_kinds[v->v_kind].name);
	fprintf(out, v->v_reason[0] ? "(%s)\n" : "%s\n", v->v_reason);
	for (i = 0; i < SFS_VERDICT_FIELDS; i++) {
		const char *value = (const char *)v + sfs_verdict_fields[i].offset;

		if (*value)
			fprintf(out, "%s: %s\n", sfs_verdict_fields[i].key, value);
	}
	if (v->v_report)
		fprintf(out, "\n%s", v->v_report);
	return fflush(out) || ferror(out) ? -EIO : 0;
}

int sfs_verdict_print(const struct sfs_verdict *v, FILE *file, bool json)
{
	const char *kind = sfs_verdict_kinds[v->v_kind].name;
	struct sfs_text *out;
	size_t i;

	if (!json)
		return sfs_verdict_print_text(v, file);
	out = sfs_text_open(file, true);
	if (!out)
		return -ENOMEM;
	out->str(out, "verdict", kind, strlen(kind));
	out->str(out, "reason", v->v_reason, strlen(v->v_reason));
	for (i = 0; i < SFS_VERDICT_FIELDS; i++) {
		const char *value = (const char *)v + sfs_verdict_fields[i].offset;

		out->str(out, sfs_verdict_fields[i].key, value, strlen(value));
	}
	if (v->v_report)
		out->str(out, "report", v->v_report, strlen(v->v_report));
	return sfs_text_close(out);
}

static int sfs_verdict_path(char path[PATH_MAX], const char *dir, const char *release,
			    const char *what)
{
	return snprintf(path, PATH_MAX, "%s/%s.%s", dir, release, what) < PATH_MAX ?
	       0 : -ENAMETOOLONG;
}

/*
 * Written aside and renamed: a verdict is whole or is not there.  Each kind has a name of its own
 * there, for a test that is skipped because another runs is not locked out here.
 */
int sfs_verdict_write(const struct sfs_verdict *v, const char *dir)
{
	bool skipped = v->v_kind == SFS_VERDICT_SKIP;
	char path[PATH_MAX];
	char aside[PATH_MAX];
	FILE *file;
	int err;

	err = sfs_verdict_path(path, dir, v->v_kernel, skipped ? "skipped" : "verdict");
	if (!err)
		err = sfs_verdict_path(aside, dir, v->v_kernel, skipped ? "skipped.new" :
								      "verdict.new");
	if (err)
		return err;
	file = fopen(aside, "we");
	if (!file)
		return -errno;
	err = sfs_verdict_print_text(v, file);
	if (!err && fsync(fileno(file)))
		err = -errno;
	if (fclose(file) && !err)
		err = -errno;
	if (!err && rename(aside, path))
		err = -errno;
	if (err) {
		unlink(aside);
		return err;
	}
	/* A verdict says more than why an earlier try came to none. */
	err = sfs_verdict_path(path, dir, v->v_kernel, "skipped");
	if (!err && !skipped && unlink(path) && errno != ENOENT)
		err = -errno;
	return err;
}

static bool sfs_verdict_parse_kind(struct sfs_verdict *v, const char *value)
{
	size_t nbytes;
	int i;

	for (i = 0; i < SFS_VERDICT_KINDS; i++) {
		nbytes = strlen(sfs_verdict_kinds[i].name);
		if (strncmp(value, sfs_verdict_kinds[i].name, nbytes))
			continue;
		value += nbytes;
		v->v_kind = i;
		if (!*value)
			return true;
		nbytes = strlen(value);
		if (*value != '(' || value[nbytes - 1] != ')')
			return false;
		snprintf(v->v_reason, sizeof(v->v_reason), "%.*s", (int)nbytes - 2, value + 1);
		return true;
	}
	return false;
}

static void sfs_verdict_parse_line(struct sfs_verdict *v, const char *line)
{
	size_t i;

	for (i = 0; i < SFS_VERDICT_FIELDS; i++) {
		const struct sfs_verdict_field *f = &sfs_verdict_fields[i];
		size_t nbytes = strlen(f->key);

		if (!strncmp(line, f->key, nbytes) && !strncmp(line + nbytes, ": ", 2))
			snprintf((char *)v + f->offset, f->nbytes, "%s", line + nbytes + 2);
	}
}

static int sfs_verdict_parse(FILE *file, struct sfs_verdict *v)
{
	char line[1024];
	size_t nbytes;

	if (!fgets(line, sizeof(line), file))
		return -EINVAL;
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "verdict: ", 9) || !sfs_verdict_parse_kind(v, line + 9))
		return -EINVAL;
	while (fgets(line, sizeof(line), file) && line[0] != '\n') {
		line[strcspn(line, "\n")] = '\0';
		sfs_verdict_parse_line(v, line);
	}
	v->v_report = malloc(SFS_REPORT_MAX + 1);
	if (!v->v_report)
		return -ENOMEM;
	nbytes = fread(v->v_report, 1, SFS_REPORT_MAX, file);
	v->v_report[nbytes] = '\0';
	if (!nbytes) {
		free(v->v_report);
		v->v_report = NULL;
	}
	return ferror(file) ? -EIO : 0;
}

int sfs_verdict_read(const char *dir, const char *release, struct sfs_verdict *ret_verdict)
{
	struct sfs_verdict v = { 0 };
	char path[PATH_MAX];
	FILE *file;
	int err;

	err = sfs_verdict_path(path, dir, release, "verdict");
	if (err)
		return err;
	file = fopen(path, "re");
	if (!file && errno == ENOENT && !sfs_verdict_path(path, dir, release, "skipped"))
		file = fopen(path, "re");
	if (!file)
		return -errno;
	err = sfs_verdict_parse(file, &v);
	fclose(file);
	if (err)
		free(v.v_report);
	else
		*ret_verdict = v;
	return err;
}
