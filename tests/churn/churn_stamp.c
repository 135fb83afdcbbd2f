// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn_stamp.c - content that says whose it is.
 *
 * Sixteen bytes, over and over: owner, file, place, version.  What is found in a wrong file, at a
 * wrong place or too late gives itself away.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "churn.h"

#define STAMP_MAGIC	0x43480000u	/* and the owner */

struct stamp {
	uint32_t owner, file, pos, version;
};

unsigned char *bounce;

void stamp(unsigned char *buf, uint32_t owner, uint32_t file, uint32_t version, off_t pos,
	   size_t nbytes)
{
	struct stamp s = { STAMP_MAGIC | owner, file, 0, version };
	off_t end = pos + nbytes;

	while (pos < end) {
		size_t skip = pos % sizeof(s);
		size_t n = sizeof(s) - skip;

		if ((off_t)n > end - pos)
			n = end - pos;
		s.pos = pos - skip;
		memcpy(buf, (char *)&s + skip, n);
		buf += n;
		pos += n;
	}
}

/* What the bytes around @i say of themselves. */
static void whose(const unsigned char *buf, off_t pos, ssize_t got, ssize_t i)
{
	ssize_t start = i - (pos + i) % (ssize_t)sizeof(struct stamp);
	struct stamp s;

	if (start < 0 || start + (ssize_t)sizeof(s) > got)
		return;
	memcpy(&s, buf + start, sizeof(s));
	if (s.owner >> 16 == STAMP_MAGIC >> 16)
		printf("# it is of owner %u, file %x, byte %u, version %u\n", s.owner & 0xffff,
		       s.file, s.pos, s.version);
	else
		printf("# it is nobody's: %08x %08x %08x %08x\n", s.owner, s.file, s.pos,
		       s.version);
}

void trace(struct object *o, off_t pos, off_t nbytes)
{
	o->trace[o->traced++ % TRACE] = (struct trace) {
		.op = doing, .step = self ? self->steps : 0, .pos = pos, .nbytes = nbytes,
		.size = o->size,
	};
}

static void tell_trace(const struct object *o)
{
	unsigned int i;

	for (i = o->traced > TRACE ? o->traced - TRACE : 0; i < o->traced; i++) {
		const struct trace *t = &o->trace[i % TRACE];

		printf("# step %lu: %s of %ld bytes at %ld of %ld\n", t->step,
		       t->op ? t->op->name : "-", (long)t->nbytes, (long)t->pos, (long)t->size);
	}
}

/* Which runs of bytes are wrong, the first of them. */
static void tell_runs(const unsigned char *want, const unsigned char *buf, off_t pos, ssize_t got)
{
	ssize_t i = 0, end;
	int n;

	for (n = 0; n < 8; n++) {
		while (i < got && buf[i] == want[i])
			i++;
		if (i == got)
			return;
		for (end = i; end < got && buf[end] != want[end]; end++)
			;
		printf("# bytes %ld to %ld are wrong\n", (long)(pos + i), (long)(pos + end - 1));
		i = end;
	}
}

void compare(const struct object *o, off_t pos, const unsigned char *buf, ssize_t got,
	     size_t asked, const char *what)
{
	off_t want = pos >= o->size ? 0 : o->size - pos;
	ssize_t i;

	errno = 0;
	if (want > (off_t)asked)
		want = asked;
	if (got != want)
		bad("%s: %zd bytes at %ld of a file of %ld, not %ld", what, got, (long)pos,
		    (long)o->size, (long)want);
	if (!memcmp(buf, o->data + pos, got))
		return;
	for (i = 0; buf[i] == o->data[pos + i]; i++)
		;
	tell_trace(o);
	tell_runs(o->data + pos, buf, pos, got);
	whose(buf, pos, got, i);
	bad("%s: file %x (size %ld, version %u): byte %ld is %02x, not %02x", what, o->serial,
	    (long)o->size, o->version, (long)(pos + i), buf[i], o->data[pos + i]);
}

void target_make(char *buf, unsigned int owner, uint32_t serial, unsigned int nbytes)
{
	char piece[32];
	unsigned int i;
	int n = sprintf(piece, "o%02u-s%08x-n%04u/", owner % 100, serial, nbytes);

	for (i = 0; i < nbytes; i++)
		buf[i] = piece[i % n];
	buf[nbytes] = '\0';
}

bool target_valid(const char *buf, ssize_t nbytes)
{
	static char want[TARGET_MAX + 1];
	unsigned int owner, serial, length;

	if (nbytes < TARGET_MIN || nbytes > TARGET_MAX ||
	    sscanf(buf, "o%2u-s%8x-n%4u", &owner, &serial, &length) != 3 ||
	    (ssize_t)length != nbytes)
		return false;
	target_make(want, owner, serial, length);
	return !memcmp(buf, want, nbytes);
}
