#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tools with one fault each, tests/cli/mutants/TOOL-*.patch: 62-cut.t must find it, in the case that the
# patch names (CUT=). MUTANT= picks one by its name.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
run make -s tools
exits 0 'the tools build'
for patch in tests/cli/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    tool=${name%%-*}
    [ "${MUTANT:-$name}" = "$name" ] || continue
    rm -rf "$tmp/src" && cp -r src "$tmp/src"
    run patch -s -p1 --fuzz=0 --no-backup-if-mismatch -d "$tmp/src" -i "$PWD/$patch"
    run gcc -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSIMPLEFS_VERSION='"mutant"' -O1 -I"$tmp/src/core" \
        -I"$tmp/src/lib" -o "$tmp/$tool.simplefs" "$tmp/src/$tool"/*.c build/lib/libsimplefs.a -luuid
    exits 0 "$name: applies and compiles"
    run env CUT_FIRST=1 "${tool^^}=$tmp/$tool.simplefs" CUT="$(sed -n 's/.* CUT=\([a-z0-9]*\)$/\1/p' "$patch")" tests/cli/62-cut.t
    like '^not ok' "$name: found"
    diag "$(grep -m 1 -A 3 '^not ok' <<<"$out" | cut -c 1-200)"
done
done_testing
