// SPDX-License-Identifier: GPL-2.0-only
/*
 * save_tell.c - dump --save: what is told of it, and the verdict.
 */
#include <stdarg.h>

#include "../lib/progress.h"
#include "save.h"

#define SFS_SAVE_TOLD	10		/* refusals of a kind that are told one by one */

static const struct {
	const char *one;
	const char *all;
} sfs_refusals[SFS_REFUSALS] = {
	[SFS_REFUSED_OWNER] = { "its owner is not to be had here", "owners" },
	[SFS_REFUSED_MODE] = { "its mode is not to be had here", "modes" },
	[SFS_REFUSED_TIMES] = { "its times are not to be had here", "times" },
	[SFS_REFUSED_ATTRIBUTE] = { "an attribute is not to be had here", "attributes" },
	[SFS_REFUSED_NODE] = { "a device is not to be made here", "devices" },
	[SFS_REFUSED_LINK] = { "a copy, as it cannot be linked to", "hard links" },
};

static void sfs_save_say(struct sfs_save *s, const char *text)
{
	sfs_progress_clear();
	sfs_put_plain(stdout, s->path_len ? s->path : "/");
	fputs(": ", stdout);
	sfs_put_plain(stdout, text);
	fputc('\n', stdout);
}

void sfs_save_lose(struct sfs_save *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->nlost++;
	sfs_save_say(s, text);
}

void sfs_save_refuse(struct sfs_save *s, enum sfs_save_refusal r, const char *what, int err)
{
	char text[512];

	if (s->refused[r]++ >= SFS_SAVE_TOLD && r != SFS_REFUSED_NODE)
		return;
	snprintf(text, sizeof(text), "%s%s%.255s: %s", sfs_refusals[r].one, what ? ": " : "",
		 what ? what : "", strerror(err));
	sfs_save_say(s, text);
}

void sfs_save_fail(struct sfs_save *s, int err)
{
	static const int alone[] = {
		EEXIST, ENAMETOOLONG, EILSEQ, EINVAL, EOPNOTSUPP, EACCES, EPERM, ELOOP, ENOTDIR,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(alone); i++) {
		if (err != alone[i])
			continue;
		sfs_save_lose(s, "it cannot be made here: %s", strerror(err));
		return;
	}
	s->err = s->err ? s->err : -err;
}

int sfs_save_verdict(struct sfs_save *s, const char *dir)
{
	bool refused = false;
	unsigned int r;

	sfs_told(SFS_EXIT_FAILED);
	for (r = 0; r < SFS_REFUSALS; r++) {
		refused |= s->refused[r];
		if (s->refused[r])
			sfs_warn("%s: %s that it did not take: %llu", dir, sfs_refusals[r].all,
				 (unsigned long long)s->refused[r]);
	}
	if (s->nlost)
		sfs_warn("%s: not all was saved: %llu places were told", dir,
			 (unsigned long long)s->nlost);
	if (s->err)
		sfs_die(SFS_EXIT_FAILED, "%s: it was not saved to its end: %s", dir,
			strerror(-s->err));
	if (s->nlost)
		return SFS_EXIT_DAMAGED;
	return refused ? SFS_EXIT_REFUSED : SFS_EXIT_OK;
}
