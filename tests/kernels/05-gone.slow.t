#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that the mirror does not have (any more) is reported by all who ask for one, not failed;
# but that there is none at all is no success.
. "$(dirname "$0")/../tap/tap.sh"
never=5.99@trixie

for what in release headers image; do
    run tests/kernels/archive.py "$what" "$never"
    exits 3 "archive.py $what: exit 3"
    like '^archive: the mirror has no headers of Linux 5\.99 \(trixie, amd64\)$' 'and one line that says why'
done
run tests/vm/build-module "$never"
exits 3 'build-module says the same'
run env SFS_KERNEL="$never" tests/vm/20-smoke.t
exits 0 'a test that would boot it succeeds'
is "$out" '1..0 # SKIP archive: the mirror has no headers of Linux 5.99 (trixie, amd64)' 'as skipped'

run env KERNELS="$never" TABLE="$tmp/table" tests/kernels/10-matrix.slow.t
like "^ok 1 - $never: archive: the mirror has no headers .* # SKIP\$" 'the matrix reports it as skipped'
is "$(grep -c '^not ok' <<<"$out")" 1 'and has one thing to fail for:'
like '^not ok 2 - kernels to go on with: $' 'that no other kernel was asked for'
out=$(cat "$tmp/table")
like "^$never +- +- +gone " 'in the table it is gone'
done_testing
