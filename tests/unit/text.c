// SPDX-License-Identifier: GPL-2.0-only
/*
 * text.c - what printed objects look like: times of any value, names of any bytes, both ways.
 */
#include "lib.h"
#include "tap/tap.h"

static char *printed;
static size_t room;
static FILE *file;

static bool is_label(const char *s)
{
	return !sfs_label_verify(s, strlen(s));
}

static struct sfs_text *begin(bool json)
{
	struct sfs_text *out;

	file = open_memstream(&printed, &room);
	out = file ? sfs_text_open(file, json) : NULL;
	TAP_REQUIRE(out, "a sink");
	return out;
}

static void end(struct sfs_text *out, const char *want, const char *name)
{
	TAP_EQ(sfs_text_close(out), 0, "%s: is printed", name);
	fclose(file);
	if (!TAP_OK(!strcmp(printed, want), "%s: as it should be", name))
		printf("# got %s\n# want %s\n", printed, want);
	free(printed);
}

static void time_is(s64 ns, const char *want)
{
	struct sfs_text *out = begin(false);
	char line[80];

	out->time(out, "t", ns);
	snprintf(line, sizeof(line), "t: %s\n", want);
	end(out, line, want);
}

static void name_is(const char *s, unsigned int nbytes, const char *want)
{
	struct sfs_text *out = begin(false);
	char line[80];

	out->str(out, "n", s, nbytes);
	snprintf(line, sizeof(line), "n: %s\n", want);
	end(out, line, want);
}

int main(void)
{
	struct sfs_text *out;
	char longest[SFS_LABEL_MAX + 1];

	time_is(0, "1970-01-01T00:00:00.000000000Z");
	time_is(-1, "1969-12-31T23:59:59.999999999Z");
	time_is(-1000000000, "1969-12-31T23:59:59.000000000Z");
	time_is(1700000000123456789, "2023-11-14T22:13:20.123456789Z");
	time_is(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
	time_is(INT64_MIN, "1677-09-21T00:12:43.145224192Z");

	name_is("plain", 5, "\"plain\"");
	name_is("q\"b\\", 4, "\"q\\\"b\\\\\"");
	name_is("a\nb\0c", 5, "\"a\\u000ab\\u0000c\"");
	name_is("\303\244", 2, "\"\303\244\"");
	name_is("\303", 1, "\"\\u00c3\"");
	name_is("\300\200", 2, "\"\\u00c0\\u0080\"");
	name_is("\360\237\220\247", 4, "\"\360\237\220\247\"");
	name_is("\360\237\220", 3, "\"\\u00f0\\u009f\\u0090\"");
	TAP_OK(is_label("") && is_label("a\303\244\360\237\220\247"), "UTF-8");
	TAP_OK(!is_label("\302\233") && !is_label("\340\200\257") &&
	       !is_label("\355\240\200") && !is_label("\360\200\200\257") &&
	       !is_label("\364\220\200\200"), "no controls, no long forms, no surrogates");
	TAP_OK(is_label("\302\240\340\240\200\355\237\277\360\220\200\200\364\217\277\277"),
	       "their neighbours are characters");
	TAP_OK(!is_label("a\303") && !is_label("\377") && !is_label("\200"),
	       "no UTF-8");
	memset(longest, 'l', sizeof(longest));
	TAP_OK(!sfs_label_verify(longest, SFS_LABEL_MAX) &&
	       sfs_label_verify(longest, SFS_LABEL_MAX + 1), "not longer than 64 bytes");
	longest[SFS_LABEL_MAX - 1] = '\303';
	longest[SFS_LABEL_MAX] = '\244';
	TAP_OK(sfs_label_verify(longest, SFS_LABEL_MAX), "nor ended in a character");

	out = begin(true);
	out->open(out, "o", false);
	out->num(out, "n", UINT64_MAX);
	out->hex(out, "h", 255);
	out->open(out, "a", true);
	out->num(out, NULL, 1);
	out->bytes(out, NULL, (const u8 *)"\1\377", 2);
	out->close(out);
	out->close(out);
	end(out, "{\n  \"o\": {\n    \"n\": 18446744073709551615,\n    \"h\": \"0xff\",\n    \"a\": [\n"
	    "      1,\n      \"01ff\"\n    ]\n  }\n}\n", "JSON");
	return tap_done();
}
