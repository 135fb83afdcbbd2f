#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The core and the library under libFuzzer, sanitizers on: a bounded run of each fuzzer, always the
# same, after the inputs that once made it fall over (found/). FUZZ_SECONDS= fuzzes that long
# instead, from and into a corpus below ${SIMPLEFS_CACHE:-~/.cache/simplefs}/fuzz, and keeps what fails.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s -j2 fuzz >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
cache=${SIMPLEFS_CACHE:-$HOME/.cache/simplefs}/fuzz

# fuzz NAME RUNS MAX-LENGTH
fuzz()
{
    local name=$1 found=(tests/fuzz/found/"$1"-*)

    if [ -e "${found[0]}" ]; then
        run build/fuzz/"$name"_fuzz "${found[@]}"
        exits 0 "$name: ${#found[@]} inputs that were too much for it once"
    fi
    mkdir -p "$tmp/$name"
    if [ -n "${FUZZ_SECONDS-}" ]; then
        mkdir -p "$cache/$name"
        run build/fuzz/"$name"_fuzz -max_len="$3" -len_control=0 -timeout=60 -print_final_stats=1 \
            -max_total_time="$FUZZ_SECONDS" -artifact_prefix="$cache/$name-" "$cache/$name"
    else
        run build/fuzz/"$name"_fuzz -seed=1 -runs="$2" -max_len="$3" -len_control=0 -timeout=300 \
            -print_final_stats=1 -artifact_prefix="$tmp/" "$tmp/$name"
    fi
    [ "$status" = 0 ]
    ok $? "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$out") inputs" ||
        diag "$(grep -v '^#' <<<"$out" | tail -n 40)"
    for f in "$tmp"/crash-* "$tmp"/timeout-* "$tmp"/oom-* "$tmp"/leak-*; do
        [ ! -e "$f" ] || diag "$name fails on: $(base64 -w 0 "$f")"
    done
    rm -f "$tmp"/crash-*
}
fuzz block 20000 4097
fuzz volume 3000 300

# It can say no: the same, with a verifier that lets everything pass.
cp -r Makefile src "$tmp/" && mkdir "$tmp/tests" && cp -r tests/fuzz "$tmp/tests/"
sed -i '/^const char \*sfs_node_verify(/,/^}/s/^{/{\n\tif (fs)\n\t\treturn NULL;/' "$tmp/src/core/btree_verify.c"
make -s -C "$tmp" -j2 build/fuzz/volume_fuzz >"$tmp/make.log" 2>&1 || diag "$(cat "$tmp/make.log")"
mkdir "$tmp/mutant"
run "$tmp/build/fuzz/volume_fuzz" -seed=1 -runs=20000 -max_len=300 -len_control=0 -artifact_prefix="$tmp/" "$tmp/mutant"
[ "$status" != 0 ]
ok $? 'without the check of nodes it falls over'
like 'ERROR: AddressSanitizer|runtime error|Assert|deadly signal' 'by a sanitizer or an assertion'
done_testing
