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
	Dwfl *dwfl;
	Dwfl_Module *module;
};

static char *no_debug_path;
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &no_debug_path,
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

struct srcline *srcline__open(const char *module, const char *path)
{
	struct srcline *s = calloc(1, sizeof(*s));

	if (!path)
		path = search(module);
	if (!s || !path)
		goto fail;
	s->dwfl = dwfl_begin(&callbacks);
	if (!s->dwfl)
		goto fail;
	dwfl_report_begin(s->dwfl);
	s->module = dwfl_report_offline(s->dwfl, module, path, -1);
	if (s->module && !dwfl_report_end(s->dwfl, NULL, NULL))
		return s;
	dwfl_end(s->dwfl);
fail:
	free(s);
	return NULL;
}

void srcline__close(struct srcline *s)
{
	if (!s)
		return;
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
	int i, n = s && function ? dwfl_module_getsymtab(s->module) : 0;
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
