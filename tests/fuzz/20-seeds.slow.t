#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The property tests again, from other seeds: SEEDS= of them (default 5), beginning at SEED= or one
# taken from the clock. A failure names test and seed: build/unit/NAME SEED is the same run again.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
first=${SEED:-$(date +%s)}
make -s unit-bins >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
for test in $(grep -l ram_seed_from tests/unit/*.c); do
    name=$(basename "$test" .c)
    for seed in $(seq "$first" $((first + ${SEEDS:-5} - 1))); do
        run build/unit/"$name" "$seed"
        [ "$status" = 0 ]
        ok $? "$name $seed" || diag "$(grep -v '^ok' <<<"$out" | tail -n 20)"
    done
done
done_testing
