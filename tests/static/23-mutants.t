#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The mutants that slow tests build are patches of the sources: each still fits, to the line.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"

n=0
for patch in tests/*/mutants/*.patch; do
    run patch -p1 --fuzz=0 --dry-run -d src -i "$PWD/$patch"
    is "$status" 0 "${patch#tests/} fits" || diag "$out"
    n=$((n + 1))
done
[ "$n" -ge 20 ]
ok $? "$n of them"
done_testing
