// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksyms.c - kmodleak's names of addresses, where one module after another has had the same place.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/kmodleak/ksyms.h"
#include "tap/tap.h"

#define TEXT	0xffffffffc0100000ULL

static struct ksyms *kernel(void)
{
	static const char symbols[] =
		"ffffffff81000000 T _stext\n"
		"ffffffff81000080 t handle_softirqs.cold\n"
		"ffffffff81000100 t handle_softirqs\n"
		"ffffffff81000180 t another\n"
		"ffffffff81000200 t made_special.isra.0\n"
		"ffffffff81002000 T _etext\n";
	char path[] = "/tmp/ksyms.XXXXXX";
	struct ksyms *k = NULL;
	int fd = mkstemp(path);

	TAP_REQUIRE(fd >= 0 && write(fd, symbols, sizeof(symbols) - 1) > 0, "a file of symbols");
	close(fd);
	TAP_REQUIRE(!ksyms__load(path, &k), "symbols are read");
	unlink(path);
	return k;
}

/* A module of one function, @nbytes long, at the start of its text. */
static void load(struct ksyms *k, u64 id, const char *name, const char *function, u64 nbytes,
		 u32 generation)
{
	struct kml_event e = { .type = KML_EV_LOAD, .module = id, .generation = generation,
			       .base = TEXT, .size = 0x1000 };
	Elf64_Sym sym = { .st_name = 1, .st_value = TEXT, .st_size = nbytes,
			  .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC) };
	char strings[64] = "";

	snprintf(e.name, sizeof(e.name), "%s", name);
	TAP_REQUIRE(!ksyms__learn(k, &e, NULL), "%s is loaded", name);
	e.type = KML_EV_SYMBOLS;
	e.nbytes = e.total = sizeof(sym);
	TAP_REQUIRE(!ksyms__learn(k, &e, (char *)&sym), "symbols of %s", name);
	snprintf(strings + 1, sizeof(strings) - 1, "%s", function);
	e.type = KML_EV_STRINGS;
	e.nbytes = e.total = sizeof(strings);
	TAP_REQUIRE(!ksyms__learn(k, &e, strings), "names of %s", name);
}

static bool is(struct ksym sym, const char *name, const char *module, bool target)
{
	return sym.name && !strcmp(sym.name, name) && sym.module && !strcmp(sym.module, module) &&
	       sym.target == target;
}

int main(void)
{
	struct ksyms *k = kernel();
	u64 start = 0, end = 0;

	TAP_OK(ksyms__range(k, "handle_softirqs", &start, &end) && start == 0xffffffff81000100 &&
	       end == 0xffffffff81000180, "where a function is");
	TAP_OK(ksyms__range(k, "made_special", &start, &end) && start == 0xffffffff81000200 &&
	       end == 0xffffffff81002000, "of which there is a special one only");
	TAP_OK(!ksyms__range(k, "handle", &start, &end), "and that one is not there");
	load(k, 1, "traced", "first", 0x40, 1);
	load(k, 2, "stranger", "theirs", 0x40, 0);
	TAP_OK(is(ksyms__find(k, TEXT + 4, 1), "first", "traced", true),
	       "a stack of the module's, though another lies there now");
	TAP_OK(is(ksyms__find(k, TEXT + 4, 0), "theirs", "stranger", false), "a stack of that one's");
	TAP_OK(!ksyms__find(k, TEXT + 0x80, 1).name, "no name behind the end of a function");
	load(k, 1, "traced", "second", 0, 2);
	TAP_OK(is(ksyms__find(k, TEXT + 4, 1), "first", "traced", true), "the first loading");
	TAP_OK(is(ksyms__find(k, TEXT + 0x80, 2), "second", "traced", true),
	       "the second, whose symbol has no size");
	ksyms__free(k);
	return tap_done();
}
