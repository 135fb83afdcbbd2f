// SPDX-License-Identifier: GPL-2.0-only
/*
 * srcline.c - source file and line of a place in the module, if its .ko has debug information.
 *
 * The module need not be loaded any more: a place is the name of a function and an offset into it,
 * which mean the same in the file as they did in memory.
 */
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <ftw.h>
#include <sys/utsname.h>

#include "environment.h"
#include "srcline.h"

struct srcline {
	const char *name, *path;
	const u8 *build_id;
	size_t nbytes;			/* of that; 0: not known */
	bool tried;
	Dwfl *dwfl;
	Dwfl_Module *module;		/* NULL: nothing to read */
};

/* Who runs as root reads what it was given: no paths of the environment's, no servers. */
static int find_no_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			     const char *file, const char *link, GElf_Word crc, char **ret_file)
{
	(void)module;
	(void)data;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)crc;
	(void)ret_file;
	return -1;
}

static int find_no_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
		       char **ret_file, Elf **ret_elf)
{
	(void)module;
	(void)data;
	(void)name;
	(void)base;
	(void)ret_file;
	(void)ret_elf;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_no_elf,
	.find_debuginfo = find_no_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* nftw() takes no argument of ours. */
static const char *wanted;
static char found[512];

static int look(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char name[128];

	(void)st;
	(void)ftw;
	if (type != FTW_F || !strstr(path, ".ko"))
		return 0;
	module__name(path, name, sizeof(name));
	if (strcmp(name, wanted))
		return 0;
	snprintf(found, sizeof(found), "%s", path);
	return 1;
}

static const char *search(const char *module)
{
	char root[256];
	struct utsname uts;

	uname(&uts);
	snprintf(root, sizeof(root), "/lib/modules/%s", uts.release);
	wanted = module;
	return nftw(root, look, 16, FTW_PHYS) > 0 ? found : NULL;
}

struct srcline *srcline__open(const char *module, const char *path, const u8 *build_id,
			      size_t nbytes)
{
	struct srcline *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->name = module;
	s->path = path;
	s->build_id = build_id;
	s->nbytes = nbytes;
	return s;
}

static bool is_same_build(const struct srcline *s)
{
	const unsigned char *id = NULL;
	GElf_Addr at;
	int n = dwfl_module_build_id(s->module, &id, &at);

	return !s->nbytes || n <= 0 || ((size_t)n == s->nbytes && !memcmp(id, s->build_id, n));
}

/* False: there is nothing to read. */
static bool is_open(struct srcline *s)
{
	if (s->tried)
		return s->module;
	s->tried = true;
	if (!s->path)
		s->path = search(s->name);
	s->dwfl = s->path ? dwfl_begin(&callbacks) : NULL;
	if (!s->dwfl)
		return false;
	dwfl_report_begin(s->dwfl);
	s->module = dwfl_report_offline(s->dwfl, s->name, s->path, -1);
	if (dwfl_report_end(s->dwfl, NULL, NULL))
		s->module = NULL;
	if (s->module && !is_same_build(s)) {
		sfs_warn("%s is of another build than the module that was loaded: no lines are shown",
			 s->path);
		s->module = NULL;
	}
	return s->module;
}

void srcline__close(struct srcline *s)
{
	if (!s)
		return;
	if (s->dwfl)
		dwfl_end(s->dwfl);
	free(s);
}

static bool number(Dwarf_Die *die, unsigned int name, Dwarf_Word *ret_value)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, name, &attr) && !dwarf_formudata(&attr, ret_value);
}

/*
 * Where the function itself stands at @addr: if that is in a function inlined there, where it calls
 * that one.
 */
static bool find_call(struct srcline *s, GElf_Addr addr, const char **ret_file, int *ret_line)
{
	Dwarf_Word file = 0, line = 0;
	Dwarf_Addr bias;
	Dwarf_Die *cu = dwfl_module_addrdie(s->module, addr, &bias), *scopes = NULL;
	Dwarf_Files *files;
	size_t nfiles;
	int i, n;

	n = cu ? dwarf_getscopes(cu, addr - bias, &scopes) : 0;
	for (i = 0; i < n && dwarf_tag(&scopes[i]) != DW_TAG_subprogram; i++) {
		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		if (!number(&scopes[i], DW_AT_call_file, &file) ||
		    !number(&scopes[i], DW_AT_call_line, &line))
			line = 0;
	}
	free(scopes);
	*ret_file = line && !dwarf_getsrcfiles(cu, &files, &nfiles) ?
		    dwarf_filesrc(files, file, NULL, NULL) : NULL;
	*ret_line = line;
	return *ret_file;
}

bool srcline__find(struct srcline *s, const char *function, u64 offset, char *ret_where,
		   size_t room)
{
	int i, n = s && function && is_open(s) ? dwfl_module_getsymtab(s->module) : 0;
	const char *name, *file, *base;
	Dwfl_Line *line;
	GElf_Addr addr;
	GElf_Sym sym;
	int at;

	for (i = 1; i < n; i++) {
		name = dwfl_module_getsym_info(s->module, i, &sym, &addr, NULL, NULL, NULL);
		if (!name || GELF_ST_TYPE(sym.st_info) != STT_FUNC || strcmp(name, function))
			continue;
		line = dwfl_module_getsrc(s->module, addr + offset);
		file = NULL;
		if (!find_call(s, addr + offset, &file, &at) && line)
			file = dwfl_lineinfo(line, NULL, &at, NULL, NULL, NULL);
		if (!file)
			return false;
		base = strrchr(file, '/');
		snprintf(ret_where, room, "%s:%d", base ? base + 1 : file, at);
		return true;
	}
	return false;
}
