#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Byte orders and address spaces, by sparse: the module as kbuild runs it, core and lib as users.
# Only lines on our own files count: the kernel's headers have findings of their own.
. "$(dirname "$0")/../tap/tap.sh"
. tests/static/headers.sh

# findings: lines of the last `run` that sparse wrote on simplefs
findings()
{
    grep -E '(warning|error):' <<<"$out" | grep -E "^($top/)?(build/module/[^/]*/)?(src/|core/|kernel/|\./)" |
        sort -u | head -n 40
}

run make --no-print-directory module KVER="$kver" KDIR="$kdir" C=2 CF='-D__CHECK_ENDIAN__'
exits 0 'sparse ran over the module'
like '^ *CHECK ' 'and looked at its files'
is "$(findings)" '' 'sparse finds nothing in the module'

shopt -s nullglob
run sparse -std=gnu11 -D__CHECK_ENDIAN__ -Wno-decl -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
    -DSIMPLEFS_VERSION='"0"' -Isrc/core -Isrc/lib src/core/*.c src/lib/*.c
is "$(findings)" '' 'sparse finds nothing in the library'

# A swapped byte order must not go unseen: the same call on a file that has one.
cat >"$tmp/wrong.c" <<'C'
#include "port.h"
static unsigned int wrong(__le32 v)
{
	return v + 1;
}
int main(void)
{
	return wrong(0);
}
C
run sparse -std=gnu11 -D__CHECK_ENDIAN__ -D_GNU_SOURCE -Isrc/core -Isrc/lib "$tmp/wrong.c"
like 'wrong.c:4:.*(restricted|__le32)' 'a byte order mistake is found by the same call'
done_testing
