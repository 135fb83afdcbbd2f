// SPDX-License-Identifier: GPL-2.0-only
/*
 * report.c - what the user is told: groups of like findings, biggest first.
 *
 * Findings of one kind and one stack are one group.  Everything is shown by groups; the four
 * formats differ only in how a group is written.
 */
#include "report.h"
#include "srcline.h"

struct group {
	const struct finding *first;
	size_t count;
	u64 nbytes;
	u64 youngest, oldest;		/* ages in ns */
	u64 refs, gets, puts;
	bool several;			/* threads have taken it */
};

/* ---- groups ---- */

static int text_order(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* Buffers are told apart by their stacks alone, other things by their names too. */
static int finding_order(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int order = (int)x->judged - (int)y->judged;

	if (!order)
		order = text_order(x->allocator, y->allocator);
	if (!order && strcmp(x->allocator, "buffer"))
		order = text_order(x->what, y->what);
	if (!order)
		order = text_order(x->reason, y->reason);
	if (!order)
		order = x->trace < y->trace ? -1 : x->trace > y->trace;
	return order;
}

static int group_order(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->nbytes < y->nbytes ? 1 : x->nbytes > y->nbytes ? -1 : 0;
}

static size_t make_groups(const struct tracer *t, struct findings *all, struct group **ret_groups)
{
	u64 now = tracer__unloaded(t) ? max(tracer__unloaded(t), t->started) : now_ns();
	struct group *groups = calloc(all->n + 1, sizeof(*groups));
	struct group *g = NULL;
	size_t i, n = 0;

	if (!groups)
		sfs_die(KML_EXIT_FAILED, "out of memory for the report");
	qsort(all->all, all->n, sizeof(*all->all), finding_order);
	for (i = 0; i < all->n; i++) {
		const struct finding *f = &all->all[i];
		u64 age = now > f->time ? now - f->time : 0;

		if (!i || finding_order(f, f - 1)) {
			g = &groups[n++];
			g->first = f;
			g->youngest = age;
		}
		g->count++;
		g->nbytes += f->size;
		g->youngest = min(g->youngest, age);
		g->oldest = max(g->oldest, age);
		g->several |= f->tid != g->first->tid;
		g->refs += f->refs;
		g->gets += f->gets;
		g->puts += f->puts;
	}
	qsort(groups, n, sizeof(*groups), group_order);
	*ret_groups = groups;
	return n;
}

static const char *plain(const struct ksym *sym)
{
	static char name[128];

	judge__plain_name(sym->name ? sym->name : "?", name, sizeof(name));
	return name;
}

static const char *near_function(const struct finding *f)
{
	return f->trace ? plain(&f->trace->frames[f->trace->near].sym) : "?";
}

/* ---- formats ---- */

static void print_frame(const struct frame *frame, struct srcline *lines)
{
	char where[256];

	printf("  %c %s+0x%llx", frame->sym.target ? '*' : ' ',
	       frame->sym.name ? frame->sym.name : "?", (unsigned long long)frame->sym.offset);
	if (frame->sym.module)
		printf(" [%s]", frame->sym.module);
	if (frame->sym.target &&
	    srcline__find(lines, frame->sym.name, frame->sym.offset - 1, where, sizeof(where)))
		printf("  %s", where);
	putchar('\n');
}

static void print_group(const struct group *g, struct srcline *lines)
{
	const struct finding *f = g->first;
	unsigned int i;

	printf("\n%s%llu bytes in %zu object%s: %s%s%s, ",
	       f->judged == JUDGED_UNSETTLED ? "unsettled: " :
	       f->judged == JUDGED_SHARED ? "no leak: " : "",
	       (unsigned long long)g->nbytes, g->count, g->count == 1 ? "" : "s", f->allocator,
	       *f->what ? " " : "", f->what);
	if (g->youngest / 100000000 == g->oldest / 100000000)
		printf("%.1f s old", g->oldest / 1e9);
	else
		printf("%.1f to %.1f s old", g->youngest / 1e9, g->oldest / 1e9);
	if (f->tid)
		printf(", by thread %u%s%.*s%s%s", f->tid, *f->command ? " (" : "", KML_COMMAND_LEN,
		       f->command, *f->command ? ")" : "", g->several ? " and others" : "");
	putchar('\n');
	if (f->reason)
		printf("    (%s)\n", f->reason);
	if (g->refs && g->gets)
		printf("    got %llu times, put back %llu times, %llu puts missing\n",
		       (unsigned long long)g->gets, (unsigned long long)g->puts,
		       (unsigned long long)g->refs);
	else if (g->refs)
		printf("    %llu puts missing\n", (unsigned long long)g->refs);
	for (i = 0; f->trace && i < f->trace->nframes; i++)
		print_frame(&f->trace->frames[i], lines);
}

static void print_summary(const struct group *g)
{
	const struct finding *f = g->first;

	printf("%-9s %10llu bytes %6zu objects  %s%s%s  %s\n",
	       f->judged == JUDGED_LEAK ? "leak" : f->judged == JUDGED_UNSETTLED ? "unsettled" :
	       "shared", (unsigned long long)g->nbytes, g->count, f->allocator,
	       *f->what ? " " : "", f->what, near_function(f));
}

static void print_folded(const struct group *g)
{
	const struct trace *trace = g->first->trace;
	unsigned int i;

	if (!trace)
		return;
	for (i = trace->nframes; i-- > 0;)
		printf("%s%c", plain(&trace->frames[i].sym), i ? ';' : ' ');
	printf("%llu\n", (unsigned long long)g->nbytes);
}

static void json_text(struct sfs_text *out, const char *key, const char *text)
{
	out->str(out, key, text, strlen(text));
}

static void json_frames(struct sfs_text *out, const struct trace *trace, struct srcline *lines)
{
	char where[256];
	unsigned int i;

	out->open(out, "frames", true);
	for (i = 0; i < trace->nframes; i++) {
		const struct ksym *sym = &trace->frames[i].sym;

		out->open(out, NULL, false);
		json_text(out, "function", plain(sym));
		out->num(out, "offset", sym->offset);
		if (sym->module)
			json_text(out, "module", sym->module);
		if (sym->target && srcline__find(lines, sym->name, sym->offset - 1, where,
						 sizeof(where)))
			json_text(out, "source", where);
		out->close(out);
	}
	out->close(out);
}

static void json_group(struct sfs_text *out, const struct group *g, struct srcline *lines)
{
	const struct finding *f = g->first;

	out->open(out, NULL, false);
	json_text(out, "allocator", f->allocator);
	if (*f->what)
		json_text(out, "name", f->what);
	if (f->reason)
		json_text(out, "reason", f->reason);
	out->num(out, "bytes", g->nbytes);
	out->num(out, "count", g->count);
	out->num(out, "age_min_ms", g->youngest / 1000000);
	out->num(out, "age_max_ms", g->oldest / 1000000);
	if (f->tid)
		out->num(out, "thread", f->tid);
	if (*f->command)
		json_text(out, "command", f->command);
	if (g->refs) {
		out->num(out, "missing_puts", g->refs);
		out->num(out, "gets", g->gets);
		out->num(out, "puts", g->puts);
	}
	if (f->trace) {
		json_text(out, "function", near_function(f));
		json_frames(out, f->trace, lines);
	}
	out->close(out);
}

/* ---- the whole ---- */

static const char *verdict_word(const struct verdict *v)
{
	int status = verdict__status(v);

	return status == KML_EXIT_CLEAN ? "clean" : status == KML_EXIT_LEAKS ? "leaks" : "incomplete";
}

static void print_json(const struct report *r, const struct tracer *t, const struct verdict *v,
		       const struct group *groups, size_t n, struct srcline *lines)
{
	static const char *const lists[] = { "leaks", "unsettled", "shared", "suppressed" };
	struct sfs_text *out = sfs_text_open(stdout, true);
	unsigned int judged;
	size_t i;

	if (!out)
		sfs_die(KML_EXIT_FAILED, "out of memory for JSON");
	json_text(out, "module", t->module);
	json_text(out, "verdict", verdict_word(v));
	out->num(out, "partial", t->partial);
	out->num(out, "loads", tracer__loads(t));
	out->num(out, "unloads", tracer__unloads(t));
	out->num(out, "cycles", v->cycles);
	out->num(out, "allocations", tracer__traced(t));
	out->num(out, "frees", tracer__freed(t));
	if (v->command >= 0)
		out->num(out, "command_status", v->command);
	json_text(out, "incomplete", v->doubts.lines ? v->doubts.lines : "");
	for (judged = JUDGED_LEAK; judged <= JUDGED_SUPPRESSED; judged++) {
		if (judged == JUDGED_SHARED && !r->shared)
			continue;
		out->open(out, lists[judged], true);
		for (i = 0; i < n; i++) {
			if (groups[i].first->judged == judged)
				json_group(out, &groups[i], lines);
		}
		out->close(out);
	}
	if (sfs_text_close(out))
		sfs_die(KML_EXIT_FAILED, "the report cannot be written");
}

static void print_head(const struct tracer *t, const struct verdict *v, u64 nbytes)
{
	printf("kmodleak: %s: ", t->module);
	if (v->leaks)
		printf("LEAK, %llu bytes in %zu objects", (unsigned long long)nbytes, v->leaks);
	else if (verdict__status(v) == KML_EXIT_CLEAN)
		printf("clean, nothing is missing of %llu allocations",
		       (unsigned long long)tracer__traced(t));
	else
		printf("no verdict");
	if (v->unsettled)
		printf("; %zu objects unsettled", v->unsettled);
	if (v->cycles > 1)
		printf("; in %u cycles", v->cycles);
	printf("%s\n", t->partial ? " (partial: the module was loaded before)" : "");
	if (v->doubts.lines)
		printf("incomplete:\n%s", v->doubts.lines);
}

static void print_one(const struct report *r, const struct group *g, struct srcline *lines)
{
	enum judgement judged = g->first->judged;

	if (judged == JUDGED_SUPPRESSED || (judged == JUDGED_SHARED && !r->shared))
		return;
	if (r->format == REPORT_TEXT)
		print_group(g, lines);
	else if (r->format == REPORT_SUMMARY)
		print_summary(g);
	else if (judged == JUDGED_LEAK)
		print_folded(g);
}

void report__print(const struct report *r, struct tracer *t, struct verdict *v)
{
	struct srcline *lines = srcline__open(t->module, r->ko, t->build_id, t->build_id_size);
	struct group *groups;
	size_t i, n;
	u64 nbytes = 0;

	n = make_groups(t, &v->all, &groups);
	for (i = 0; i < n; i++)
		nbytes += groups[i].first->judged == JUDGED_LEAK ? groups[i].nbytes : 0;
	if (r->format == REPORT_JSON)
		print_json(r, t, v, groups, n, lines);
	else if (r->format != REPORT_FOLDED)
		print_head(t, v, nbytes);
	for (i = 0; i < n && r->format != REPORT_JSON; i++)
		print_one(r, &groups[i], lines);
	free(groups);
	srcline__close(lines);
	if (fflush(stdout) || ferror(stdout))
		sfs_die(KML_EXIT_FAILED, "the report could not be written");
}
