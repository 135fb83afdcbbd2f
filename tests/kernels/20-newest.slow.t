#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The early warning: does the module build against the newest headers of the archive, unstable and
# experimental included? A user's upgrade must not meet what no longer compiles before we do.
. "$(dirname "$0")/../tap/tap.sh"

series=$(tests/kernels/archive.py series sid) || series=
[ -n "$series" ]
ok $? "the archive has headers in sid or experimental: $series"
for s in $series; do
    mkdir "$tmp/$s"
    cp -r src/Kbuild src/VERSION src/core src/kernel "$tmp/$s"
    release=$(tests/kernels/archive.py release "$s@sid")
    tests/vm/build-module "$s@sid" "$tmp/$s" >/dev/null 2>"$tmp/make.log"
    ok $? "the module builds for $release" ||
        diag "$(grep -A 4 'error:' "$tmp/make.log" || tail -n 8 "$tmp/make.log")"
    is "$(grep -ci 'warning:' "$tmp/make.log")" 0 "and without a warning" ||
        diag "$(grep -i -A 4 'warning:' "$tmp/make.log")"
done
done_testing
