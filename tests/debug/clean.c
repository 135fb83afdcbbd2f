// SPDX-License-Identifier: GPL-2.0-only
/*
 * clean.c - the smoke program between loading and unloading the module, watched for leaks.
 *
 * usage: clean [OPTIONS]
 * Its TAP is that of the smoke program's runs, with what is checked around them.
 */
#include "guest.h"

static void smoke(const char *what)
{
	static char text[1 << 16];
	const char *const argv[] = { "smoke", what, GUEST_DIR, NULL };
	int status = guest_run(argv);

	TAP_EQ(status, 0, "smoke %s", what);
	if (status && guest_get(GUEST_OUTPUT, text, sizeof(text)))
		printf("# %s\n", text);
}

int main(int argc, char **argv)
{
	const char *options = argc > 1 ? argv[1] : "";

	TAP_REQUIRE(!guest_load(), "loaded");
	guest_leaks_forget();
	TAP_REQUIRE(!guest_mount(GUEST_DISK, 0, options), "mounted");
	smoke("make");
	TAP_REQUIRE(!guest_umount() && guest_check(GUEST_DISK), "unmounted, checks clean");
	TAP_REQUIRE(!guest_mount(GUEST_DISK, 0, options), "mounted");
	smoke("verify");
	smoke("full");
	TAP_REQUIRE(!guest_umount() && guest_check(GUEST_DISK), "unmounted, checks clean");
	TAP_REQUIRE(!guest_mount(GUEST_DISK, MS_RDONLY, options), "mounted read-only");
	smoke("verify");
	TAP_REQUIRE(!guest_umount(), "unmounted");
	guest_unload_clean();
	return tap_done();
}
