// SPDX-License-Identifier: GPL-2.0-only
/*
 * text.c - where printed objects go: indented "key: value" lines, or JSON.
 */
#include <time.h>

#include "lib.h"

#define SFS_TEXT_DEPTH	16

struct sfs_text_file {
	struct sfs_text text;		/* first, so that one is the other */
	FILE *file;
	bool json;
	unsigned int depth;
	bool array[SFS_TEXT_DEPTH];
	bool any[SFS_TEXT_DEPTH];	/* something was printed at this depth */
};

static struct sfs_text_file *sfs_text_file(struct sfs_text *out)
{
	return container_of(out, struct sfs_text_file, text);
}

/* Names are bytes; JSON is UTF-8: a byte that is none stands as the character of its number. */
static void sfs_put_json(FILE *file, const u8 *s, unsigned int nbytes)
{
	unsigned int i;

	for (fputc('"', file), i = 0; i < nbytes; i++) {
		unsigned int len = sfs_utf8_len(s + i, nbytes - i);

		if (len) {
			fwrite(s + i, 1, len, file);
			i += len - 1;
		} else if (s[i] == '"' || s[i] == '\\') {
			fprintf(file, "\\%c", s[i]);
		} else if (s[i] < 0x20 || s[i] >= 0x7f) {
			fprintf(file, "\\u%04x", s[i]);
		} else {
			fputc(s[i], file);
		}
	}
	fputc('"', file);
}

/* What stands before a value: comma, new line, indentation, key. */
static void sfs_text_lead(struct sfs_text_file *f, const char *key)
{
	if (f->json) {
		fprintf(f->file, "%s\n%*s", f->any[f->depth] ? "," : "", 2 * (int)f->depth, "");
		if (key && !f->array[f->depth]) {
			sfs_put_json(f->file, (const u8 *)key, strlen(key));
			fputs(": ", f->file);
		}
	} else {
		fprintf(f->file, "%*s%s%s", 2 * (int)f->depth, "", key ? key : "-", key ? ": " : " ");
	}
	f->any[f->depth] = true;
}

static void sfs_text_end(struct sfs_text_file *f)
{
	if (!f->json)
		fputc('\n', f->file);
}

static void sfs_text_open_(struct sfs_text *out, const char *key, bool array)
{
	struct sfs_text_file *f = sfs_text_file(out);

	sfs_text_lead(f, key);
	sfs_text_end(f);
	if (f->json)
		fputc(array ? '[' : '{', f->file);
	assert(f->depth + 1 < SFS_TEXT_DEPTH);
	f->depth++;
	f->array[f->depth] = array;
	f->any[f->depth] = false;
}

static void sfs_text_close_(struct sfs_text *out)
{
	struct sfs_text_file *f = sfs_text_file(out);

	f->depth--;
	if (f->json)
		fprintf(f->file, "\n%*s%c", 2 * (int)f->depth, "",
			f->array[f->depth + 1] ? ']' : '}');
}

static void sfs_text_num(struct sfs_text *out, const char *key, u64 value)
{
	struct sfs_text_file *f = sfs_text_file(out);

	sfs_text_lead(f, key);
	fprintf(f->file, "%llu", (unsigned long long)value);
	sfs_text_end(f);
}

static void sfs_text_hex(struct sfs_text *out, const char *key, u64 value)
{
	struct sfs_text_file *f = sfs_text_file(out);

	sfs_text_lead(f, key);
	fprintf(f->file, f->json ? "\"0x%llx\"" : "0x%llx", (unsigned long long)value);
	sfs_text_end(f);
}

static void sfs_text_time(struct sfs_text *out, const char *key, s64 ns)
{
	struct sfs_text_file *f = sfs_text_file(out);
	time_t seconds = ns / 1000000000;
	s64 rest = ns % 1000000000;
	struct tm tm;
	char text[64];

	if (rest < 0) {
		rest += 1000000000;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	sfs_text_lead(f, key);
	fprintf(f->file, f->json ? "\"%s.%09lldZ\"" : "%s.%09lldZ", text, (long long)rest);
	sfs_text_end(f);
}

static void sfs_text_str(struct sfs_text *out, const char *key, const char *s, unsigned int nbytes)
{
	struct sfs_text_file *f = sfs_text_file(out);

	sfs_text_lead(f, key);
	/* Names are bytes; quoted in text too, so that a line stays a line. */
	sfs_put_json(f->file, (const u8 *)s, nbytes);
	sfs_text_end(f);
}

/* A UUID, which its key tells, in the form that everybody else takes. */
static void sfs_text_bytes(struct sfs_text *out, const char *key, const u8 *p, unsigned int nbytes)
{
	struct sfs_text_file *f = sfs_text_file(out);
	bool uuid = key && nbytes == 16 && strstr(key, "uuid");
	unsigned int i;

	sfs_text_lead(f, key);
	if (f->json)
		fputc('"', f->file);
	for (i = 0; i < nbytes; i++)
		fprintf(f->file, "%s%02x", uuid && i >= 4 && i <= 10 && i % 2 == 0 ? "-" : "", p[i]);
	if (f->json)
		fputc('"', f->file);
	sfs_text_end(f);
}

struct sfs_text *sfs_text_open(FILE *file, bool json)
{
	struct sfs_text_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->text = (struct sfs_text) {
		.open = sfs_text_open_, .close = sfs_text_close_, .num = sfs_text_num,
		.hex = sfs_text_hex, .time = sfs_text_time, .str = sfs_text_str,
		.bytes = sfs_text_bytes,
	};
	f->file = file;
	f->json = json;
	if (json) {
		fputc('{', file);
		f->depth = 1;
	}
	return &f->text;
}

int sfs_text_close(struct sfs_text *text)
{
	struct sfs_text_file *f = sfs_text_file(text);
	int err;

	if (f->json)
		fputs("\n}\n", f->file);
	err = fflush(f->file) || ferror(f->file) ? -EIO : 0;
	free(f);
	return err;
}
