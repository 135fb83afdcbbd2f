#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copies of the core with one fault each, tests/unit/mutants/TEST-*.patch: the unit test of that name
# must find it. A patch is of .c files alone; what it leaves as it is comes from the library.
. "$(dirname "$0")/../tap/tap.sh"

run make -s tools
exits 0 'the tools build'
for patch in tests/unit/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    rm -rf "$tmp/src"
    mkdir "$tmp/src"
    cp -r src/core "$tmp/src"
    run patch -s -p1 --fuzz=0 --no-backup-if-mismatch -d "$tmp/src" -i "$PWD/$patch"
    mapfile -t changed < <(sed -n "s,^+++ b/,$tmp/src/,p" "$patch")
    run gcc -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -O1 -Isrc/core -Isrc/lib -Itests -o "$tmp/test" \
        "tests/unit/${name%%-*}.c" "${changed[@]}" build/lib/libsimplefs.a
    exits 0 "$name: applies and compiles"
    run "$tmp/test"
    like '^not ok' "$name: found"
    diag "$(grep -m 1 '^not ok' <<<"$out")"
done
done_testing
