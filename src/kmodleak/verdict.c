// SPDX-License-Identifier: GPL-2.0-only
/*
 * verdict.c - what all that was found comes to, and the exit status that says it.
 *
 * Leaks that were found are true, whatever else went wrong.  Without one the command must have
 * succeeded, nothing may be in doubt, and nothing left that could not be decided, for "clean".
 */
#include <fnmatch.h>

#include "verdict.h"

void verdict__count(struct verdict *v)
{
	size_t i;

	v->leaks = v->unsettled = 0;
	for (i = 0; i < v->all.n; i++) {
		v->leaks += v->all.all[i].judged == JUDGED_LEAK;
		v->unsettled += v->all.all[i].judged == JUDGED_UNSETTLED;
	}
}

int verdict__look(struct verdict *v, struct tracer *t)
{
	int err;

	judge__free(&v->all);
	err = judge__all(t, &v->all);
	verdict__count(v);
	if (err == -EINTR)
		doubts__add(&v->doubts, "a signal ended the look at what is left");
	return err == -EINTR ? 0 : err;
}

void verdict__withhold(struct verdict *v, const char *reason)
{
	size_t i;

	for (i = 0; i < v->all.n; i++) {
		if (v->all.all[i].judged != JUDGED_LEAK)
			continue;
		v->all.all[i].judged = JUDGED_UNSETTLED;
		v->all.all[i].reason = reason;
	}
	verdict__count(v);
}

static bool matches_stack(const struct finding *f, const char *glob)
{
	char name[128];
	unsigned int i;

	for (i = 0; f->trace && i < f->trace->nframes; i++) {
		judge__plain_name(f->trace->frames[i].sym.name, name, sizeof(name));
		if (!fnmatch(glob, name, 0))
			return true;
	}
	return false;
}

int verdict__suppress(struct verdict *v, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[256];
	size_t i;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "# \t\n")] = '\0';
		for (i = 0; *line && i < v->all.n; i++) {
			struct finding *f = &v->all.all[i];

			if (f->judged <= JUDGED_UNSETTLED && matches_stack(f, line))
				f->judged = JUDGED_SUPPRESSED;
		}
	}
	fclose(file);
	verdict__count(v);
	return 0;
}

int verdict__status(const struct verdict *v)
{
	if (v->leaks)
		return KML_EXIT_LEAKS;
	if (v->command > 0)
		return KML_EXIT_FAILED;
	return v->unsettled || v->doubts.lines ? KML_EXIT_INCOMPLETE : KML_EXIT_CLEAN;
}

void verdict__free(struct verdict *v)
{
	judge__free(&v->all);
	doubts__free(&v->doubts);
}
