// SPDX-License-Identifier: GPL-2.0-only
/*
 * cli.c - what all tools say and read alike: sizes, warnings, the last word.
 */
#include <stdarg.h>

#include "lib.h"

const char *sfs_program = "simplefs";

static void sfs_say(const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: ", sfs_program);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void sfs_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sfs_say(fmt, ap);
	va_end(ap);
}

void sfs_die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sfs_say(fmt, ap);
	va_end(ap);
	exit(status);
}

int sfs_parse_size(const char *text, u64 unit, u64 *ret_nbytes)
{
	static const char suffixes[] = "KMGTPE";
	const char *suffix;
	unsigned int shift = 0;
	char *end;
	u64 value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (*end) {
		suffix = strchr(suffixes, *end & ~0x20);
		if (!suffix || !*suffix || (end[1] && strcmp(end + 1, "iB")))
			return -EINVAL;
		shift = 10 * (suffix - suffixes + 1);
		unit = 1;
	}
	if (value > (UINT64_MAX >> shift) / unit)
		return -ERANGE;
	*ret_nbytes = (value << shift) * unit;
	return 0;
}

u64 sfs_take_size(const char *text, int status)
{
	u64 nbytes = 0;
	int err = sfs_parse_size(text, SFS_BLOCK_SIZE, &nbytes);

	if (err == -EINVAL)
		sfs_die(status, "not a size: '%s'", text);
	if (err || nbytes >> SFS_BLOCK_BITS > SFS_BLK_MAX)
		sfs_die(status, "'%s' is too large, it has to be below 1 EiB", text);
	if (nbytes < SFS_BLOCK_SIZE)
		sfs_die(status, "'%s' is less than a block", text);
	return nbytes >> SFS_BLOCK_BITS;
}

void sfs_told(int status)
{
	if (fflush(stdout) || ferror(stdout))
		sfs_die(status, "standard output cannot be written: %s", strerror(errno));
}
