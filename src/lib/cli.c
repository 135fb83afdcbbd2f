// SPDX-License-Identifier: GPL-2.0-only
/*
 * cli.c - what all tools say and read alike: sizes, warnings, the last word.
 */
#include <stdarg.h>

#include "lib.h"

const char *sfs_program = "simplefs";
void (*sfs_clear_line)(void);

/* Names and labels are anybody's: what a terminal would obey is shown, and a line stays one. */
void sfs_put_plain(FILE *file, const char *text)
{
	const u8 *s = (const u8 *)text;
	unsigned int len;

	for (; *s; s += len ? len : 1) {
		len = sfs_utf8_len(s, strlen((const char *)s));
		/* U+0080 to U+009F are controls, too. */
		if (len == 2 && s[0] == 0xc2 && s[1] < 0xa0)
			fprintf(file, "\\x%02x", s[1]);
		else if (len > 1)
			fwrite(s, 1, len, file);
		else if (*s < 0x20 || *s >= 0x7f)
			fprintf(file, "\\x%02x", *s);
		else
			fputc(*s, file);
	}
}

static void sfs_say(const char *fmt, va_list ap)
{
	char *text;

	if (sfs_clear_line)
		sfs_clear_line();
	fprintf(stderr, "%s: ", sfs_program);
	if (vasprintf(&text, fmt, ap) >= 0) {
		sfs_put_plain(stderr, text);
		free(text);
	}
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
