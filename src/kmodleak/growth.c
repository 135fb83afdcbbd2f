// SPDX-License-Identifier: GPL-2.0-only
/*
 * growth.c - what grows from cycle to cycle, and so is the module's.
 *
 * The kernel keeps something of its own when it is first asked: a page for the slots of probes, an
 * array for the users of a tracepoint, a fragment for the next packet.  That happens below the
 * module, but once; what a module forgets it forgets each time.  Findings are of one kind when the
 * same place in the module has asked for the same through the same functions: that outlives a new
 * loading, where addresses do not.
 *
 * What the module itself asked an allocator for is its own, however often it forgets it: then no
 * function of the kernel stands between that could have taken it for itself.
 */
#include "growth.h"

struct kind {
	u64 key;
	u64 count;
	bool grew;			/* in each cycle so far */
};

static u64 mix(u64 hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return (hash ^ 0xff) * 0x100000001b3ULL;
}

static u64 key_of(const struct finding *f)
{
	u64 hash = mix(0xcbf29ce484222325ULL, f->allocator);
	char name[128];
	unsigned int i;

	if (strcmp(f->allocator, "buffer"))
		hash = mix(hash, f->what);
	for (i = 0; f->trace && i <= f->trace->near && i < f->trace->nframes; i++) {
		judge__plain_name(f->trace->frames[i].sym.name, name, sizeof(name));
		hash = mix(mix(hash, name), f->trace->frames[i].sym.module);
		if (i == f->trace->near)
			hash += f->trace->frames[i].sym.offset;
	}
	return hash;
}

static bool is_left(const struct finding *f)
{
	return f->judged == JUDGED_LEAK || f->judged == JUDGED_UNSETTLED;
}

static int kind_order(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static struct kind *find(const struct growth *g, u64 key)
{
	const struct kind wanted = { .key = key };

	return g->n ? bsearch(&wanted, g->kinds, g->n, sizeof(wanted), kind_order) : NULL;
}

/* What is forgotten each time was so the first time, too. */
static bool grows(const struct growth *g, const struct kind *now)
{
	const struct kind *before = find(g, now->key);

	if (!g->cycles)
		return true;
	return before && before->grew && now->count > before->count;
}

int growth__note(struct growth *g, const struct findings *all)
{
	struct kind *kinds = calloc(all->n + 1, sizeof(*kinds));
	size_t i, n = 0, kept = 0;

	if (!kinds)
		return -ENOMEM;
	for (i = 0; i < all->n; i++) {
		if (!is_left(&all->all[i]))
			continue;
		kinds[n].key = key_of(&all->all[i]);
		/* What is still there may be held once more. */
		kinds[n++].count = max(max(all->all[i].refs, all->all[i].holders), 1);
	}
	qsort(kinds, n, sizeof(*kinds), kind_order);
	for (i = 0; i < n; i++) {
		if (kept && kinds[kept - 1].key == kinds[i].key)
			kinds[kept - 1].count += kinds[i].count;
		else
			kinds[kept++] = kinds[i];
	}
	for (i = 0; i < kept; i++)
		kinds[i].grew = grows(g, &kinds[i]);
	free(g->kinds);
	g->kinds = kinds;
	g->n = kept;
	g->cycles++;
	return 0;
}

/* Where there was one cycle all that is known is what the module asked for itself. */
static void apply_to(const struct growth *g, struct finding *f)
{
	const struct kind *kind = find(g, key_of(f));

	if (g->cycles < 2) {
		f->judged = JUDGED_UNSETTLED;
		f->reason = "whether it grows is not known, for there was one cycle";
	} else if (kind && !kind->grew) {
		f->judged = JUDGED_SHARED;
		f->reason = "did not grow from cycle to cycle: the kernel's own";
	}
}

void growth__apply(const struct growth *g, struct verdict *v)
{
	size_t i;

	for (i = 0; i < v->all.n; i++) {
		if (is_left(&v->all.all[i]) && !v->all.all[i].asked)
			apply_to(g, &v->all.all[i]);
	}
	verdict__count(v);
}

void growth__free(struct growth *g)
{
	free(g->kinds);
	g->kinds = NULL;
}
