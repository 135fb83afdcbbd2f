// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksyms.c - names of addresses in the kernel and its modules, those gone included.
 *
 * What is there at the start comes from /proc/kallsyms.  A module loaded later is a table of its
 * own, cut from the ELF symbols that the kernel half copied out before the module ran; it stays
 * when the module goes, so that a report can name what is no longer there.
 */
#include <elf.h>

#include "ksyms.h"

struct sym {
	u64 addr;
	u32 name;			/* into names */
	u32 module;			/* into modnames; 0: the kernel */
};

struct table {			/* one module, as loaded once */
	u64 id;				/* struct module * */
	u32 generation;
	char name[KML_NAME_LEN];
	u64 base, size, init_base, init_size;
	char *elf, *strings;
	u32 elf_size, strings_size;
	Elf64_Sym *sorted;
	u32 nsorted;
};

struct area {			/* one module, as it was loaded at the start */
	char name[KML_NAME_LEN];
	u64 base, size;			/* of its text, once that was asked */
	u64 object;			/* its struct module */
};

struct ksyms {
	struct area *areas;
	u32 nareas;
	u64 text_end;			/* of the kernel itself */
	struct sym *syms;
	u32 nsyms;
	char *names;
	u32 names_size;
	char (*modnames)[KML_NAME_LEN];
	u32 nmodnames;
	struct table *tables;
	u32 ntables;
	char adopted[KML_NAME_LEN];
	u32 adopted_generation;
};

static int sym_order(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Of two names of one function the last is found: the source's own, not the global init_module. */
static int elf_order(const void *a, const void *b)
{
	const Elf64_Sym *x = a, *y = b;

	if (x->st_value != y->st_value)
		return x->st_value < y->st_value ? -1 : 1;
	return (ELF64_ST_BIND(x->st_info) == STB_LOCAL) - (ELF64_ST_BIND(y->st_info) == STB_LOCAL);
}

/* Doubles at powers of two, so that appending n items costs n. */
static void *grown(void *array, u32 n, size_t size)
{
	if (n & (n - 1) || !n)
		return n ? array : reallocarray(NULL, 1, size);
	return reallocarray(array, 2 * (size_t)n, size);
}

static int add_name(struct ksyms *k, const char *name, u32 *ret_at)
{
	u32 len = strlen(name) + 1;
	char *names;

	if (!k->names || (k->names_size ^ (k->names_size + len)) >> 20) {
		names = realloc(k->names, ((k->names_size >> 20) + 2) << 20);
		if (!names)
			return -ENOMEM;
		k->names = names;
	}
	*ret_at = k->names_size;
	memcpy(k->names + k->names_size, name, len);
	k->names_size += len;
	return 0;
}

static int module_number(struct ksyms *k, const char *name, u32 *ret_number)
{
	void *more;

	if (!*name) {
		*ret_number = 0;
		return 0;
	}
	if (k->nmodnames && !strcmp(k->modnames[k->nmodnames - 1], name)) {
		*ret_number = k->nmodnames;
		return 0;
	}
	more = grown(k->modnames, k->nmodnames, sizeof(*k->modnames));
	if (!more)
		return -ENOMEM;
	k->modnames = more;
	snprintf(k->modnames[k->nmodnames++], KML_NAME_LEN, "%s", name);
	*ret_number = k->nmodnames;
	return 0;
}

/* Lines of /proc/modules: "ext4 983040 1 - Live 0xffffffffc0500000". */
static int load_areas(struct ksyms *k)
{
	FILE *file = fopen("/proc/modules", "re");
	char line[4096];
	struct area a, *more;
	int err = 0;

	while (file && !err && fgets(line, sizeof(line), file)) {
		char *base = strstr(line, " 0x");

		memset(&a, 0, sizeof(a));
		if (!base || sscanf(line, "%55s %lu", a.name, &a.size) != 2)
			continue;
		a.base = strtoull(base + 1, NULL, 16);
		more = grown(k->areas, k->nareas, sizeof(*k->areas));
		if (!more) {
			err = -ENOMEM;
			break;
		}
		k->areas = more;
		k->areas[k->nareas++] = a;
	}
	if (file)
		fclose(file);
	return err;
}

static struct area *find_area(const struct ksyms *k, const char *module)
{
	u32 i;

	for (i = 0; i < k->nareas; i++) {
		if (!strcmp(k->areas[i].name, module))
			return &k->areas[i];
	}
	return NULL;
}

static void note_module_object(struct ksyms *k, const char *module, u64 addr)
{
	struct area *a = find_area(k, module);

	if (a)
		a->object = addr;
}

/* "ffffffff81000000 T _stext" or "ffffffffc0000000 t init	[ext4]" */
static int add_line(struct ksyms *k, char *line)
{
	char *type, *name, *module = "", *end;
	struct sym s;
	void *more;
	int err;

	s.addr = strtoull(line, &type, 16);
	if (*type++ != ' ' || !*type || type[1] != ' ')
		return 0;
	name = type + 2;
	name[strcspn(name, "\n")] = '\0';
	end = strchr(name, '\t');
	if (end) {
		*end = '\0';
		module = end + 2;
		module[strcspn(module, "]")] = '\0';
	}
	if (!strcmp(name, "__this_module"))
		note_module_object(k, module, s.addr);
	if (!strchr("tTwW", *type))
		return 0;
	err = add_name(k, name, &s.name);
	if (!err)
		err = module_number(k, module, &s.module);
	if (err)
		return err;
	more = grown(k->syms, k->nsyms, sizeof(*k->syms));
	if (!more)
		return -ENOMEM;
	k->syms = more;
	k->syms[k->nsyms++] = s;
	return 0;
}

int ksyms__load(const char *path, struct ksyms **ret_ksyms)
{
	FILE *file = fopen(path, "re");
	struct ksyms *k = calloc(1, sizeof(*k));
	char line[512];
	int err = 0;

	if (!file || !k) {
		err = file ? -ENOMEM : -errno;
		goto out;
	}
	err = load_areas(k);
	while (!err && fgets(line, sizeof(line), file))
		err = add_line(k, line);
	if (!err && (!k->nsyms || !k->syms[k->nsyms / 2].addr))
		err = -EPERM;
	if (!err)
		qsort(k->syms, k->nsyms, sizeof(*k->syms), sym_order);
	if (!err)
		k->text_end = ksyms__addr(k, "_etext");
out:
	if (file)
		fclose(file);
	if (err)
		ksyms__free(k);
	else
		*ret_ksyms = k;
	return err;
}

/*
 * What /proc/modules calls a module's size is that of all its pieces, which may lie anywhere:
 * between them are trampolines, which have no names.
 */
void ksyms__bound_modules(struct ksyms *k, void *arg,
			  bool (*bound)(void *arg, u64 object, u64 *ret_base, u64 *ret_size))
{
	u64 base, size;
	u32 i;

	for (i = 0; i < k->nareas; i++) {
		struct area *a = &k->areas[i];

		if (a->object && bound(arg, a->object, &base, &size)) {
			a->base = base;
			a->size = size;
		}
	}
}

void ksyms__free(struct ksyms *k)
{
	u32 i;

	if (!k)
		return;
	for (i = 0; i < k->ntables; i++) {
		free(k->tables[i].elf);
		free(k->tables[i].strings);
		free(k->tables[i].sorted);
	}
	free(k->tables);
	free(k->areas);
	free(k->syms);
	free(k->names);
	free(k->modnames);
	free(k);
}

void ksyms__adopt(struct ksyms *k, const char *module, u32 generation)
{
	snprintf(k->adopted, sizeof(k->adopted), "%s", module);
	k->adopted_generation = generation;
}

/* ---- modules loaded while we watch ---- */

static struct table *new_table(struct ksyms *k, const struct kml_event *e)
{
	struct table *t = grown(k->tables, k->ntables, sizeof(*t));

	if (!t)
		return NULL;
	k->tables = t;
	t += k->ntables++;
	memset(t, 0, sizeof(*t));
	t->id = e->module;
	t->generation = e->generation;
	memcpy(t->name, e->name, sizeof(t->name));
	t->base = e->base;
	t->size = e->size;
	t->init_base = e->init_base;
	t->init_size = e->init_size;
	return t;
}

/* Functions only, by address: sections and data would give frames wrong names. */
static void sort_table(struct table *t)
{
	const Elf64_Sym *from = (const Elf64_Sym *)t->elf;
	u32 i, n = t->elf_size / sizeof(*from);

	t->sorted = calloc(n ? n : 1, sizeof(*t->sorted));
	if (!t->sorted)
		return;
	for (i = 0; i < n; i++) {
		bool text = from[i].st_value - t->base < t->size ||
			    from[i].st_value - t->init_base < t->init_size;

		if (text && from[i].st_name < t->strings_size && t->strings[from[i].st_name] &&
		    ELF64_ST_TYPE(from[i].st_info) != STT_SECTION &&
		    strncmp(t->strings + from[i].st_name, "__pfx_", 6))
			t->sorted[t->nsorted++] = from[i];
	}
	qsort(t->sorted, t->nsorted, sizeof(*t->sorted), elf_order);
}

int ksyms__learn(struct ksyms *k, const struct kml_event *e, const char *data)
{
	struct table *t = k->ntables ? &k->tables[k->ntables - 1] : NULL;
	char **to;
	u32 *size;

	if (e->type == KML_EV_LOAD)
		return new_table(k, e) ? 0 : -ENOMEM;
	while (t && t->id != e->module)
		t = t == k->tables ? NULL : t - 1;
	if (!t || e->nbytes > KML_CHUNK || e->offset + (u64)e->nbytes > e->total)
		return -EINVAL;
	to = e->type == KML_EV_SYMBOLS ? &t->elf : &t->strings;
	size = e->type == KML_EV_SYMBOLS ? &t->elf_size : &t->strings_size;
	if (!*to) {
		*to = calloc(1, e->total + 1);
		if (!*to)
			return -ENOMEM;
		*size = e->total;
	}
	if (e->total != *size)
		return -EINVAL;
	memcpy(*to + e->offset, data, e->nbytes);
	if (e->type == KML_EV_STRINGS && e->offset + e->nbytes == e->total && t->elf)
		sort_table(t);
	return 0;
}

/* ---- look-up ---- */

static struct ksym find_in_table(const struct table *t, u64 addr)
{
	struct ksym ret = { .module = t->name, .target = t->generation != 0 };
	u32 low = 0, high = t->nsorted;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (t->sorted[mid].st_value <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low) {
		const Elf64_Sym *sym = &t->sorted[low - 1];

		/* What lies behind a function's end may have no name, as a slot for probes. */
		ret.offset = addr - sym->st_value;
		if (!sym->st_size || ret.offset < sym->st_size)
			ret.name = t->strings + sym->st_name;
	}
	return ret;
}

static bool table_has(const struct table *t, u64 addr)
{
	return addr - t->base < t->size || addr - t->init_base < t->init_size;
}

/* The newest of this generation that has @addr; 0: of any other module. */
static const struct table *table_of(const struct ksyms *k, u64 addr, u32 generation)
{
	u32 i;

	for (i = k->ntables; i-- > 0;) {
		if (k->tables[i].generation == generation && table_has(&k->tables[i], addr))
			return &k->tables[i];
	}
	return NULL;
}

/*
 * While the module was loaded nobody else's text can have been where its was: a later module that
 * lies there now is not asked first.
 */
struct ksym ksyms__find(const struct ksyms *k, u64 addr, u32 generation)
{
	struct ksym ret = { 0 };
	const struct table *t;
	const struct area *a;
	u32 low = 0, high = k->nsyms;

	t = table_of(k, addr, generation);
	if (!t)
		t = table_of(k, addr, 0);
	if (t)
		return find_in_table(t, addr);
	while (low < high) {
		u32 mid = (low + high) / 2;

		if (k->syms[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || (!k->syms[low - 1].module && addr >= k->text_end))
		return ret;
	/* Between the texts of modules lie trampolines, which have no names of their own. */
	a = k->syms[low - 1].module ? find_area(k, k->modnames[k->syms[low - 1].module - 1]) : NULL;
	if (k->syms[low - 1].module && (!a || addr - a->base >= a->size))
		return ret;
	ret.name = k->names + k->syms[low - 1].name;
	ret.offset = addr - k->syms[low - 1].addr;
	if (k->syms[low - 1].module) {
		ret.module = k->modnames[k->syms[low - 1].module - 1];
		ret.target = k->adopted_generation && generation == k->adopted_generation &&
			     !strcmp(ret.module, k->adopted);
	}
	return ret;
}

u64 ksyms__module(const struct ksyms *k, const char *module)
{
	const struct area *a = find_area(k, module);

	return a ? a->object : 0;
}

/* Made of it by the compiler, but not the part that is seldom run. */
static bool is_special(const char *symbol, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(symbol, name, len) && symbol[len] == '.' && strcmp(symbol + len, ".cold");
}

bool ksyms__range(const struct ksyms *k, const char *name, u64 *ret_start, u64 *ret_end)
{
	u64 start = ksyms__addr(k, name);
	u32 i;

	for (i = 0; i < k->nsyms && !start; i++) {
		if (!k->syms[i].module && is_special(k->names + k->syms[i].name, name))
			start = k->syms[i].addr;
	}
	for (i = 0; i < k->nsyms && k->syms[i].addr <= start; i++)
		;
	if (!start || i == k->nsyms)
		return false;
	*ret_start = start;
	*ret_end = k->syms[i].addr;
	return true;
}

u64 ksyms__addr(const struct ksyms *k, const char *name)
{
	u32 i;

	for (i = 0; i < k->nsyms; i++) {
		if (!k->syms[i].module && !strcmp(k->names + k->syms[i].name, name))
			return k->syms[i].addr;
	}
	return 0;
}
