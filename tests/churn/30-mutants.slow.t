#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copies of the module with one fault each, tests/churn/mutants/*.patch: what make check tries must find
# each of them in the time that it has there. MUTANT= picks one by its name.
. "$(dirname "$0")/lib.sh"

# build_mutant PATCH: the module of a patched copy, in $module; a patch has to fit to the line
build_mutant()
{
    rm -rf "$tmp/tree"
    mkdir "$tmp/tree"
    cp -r src/Kbuild src/VERSION src/core src/kernel "$tmp/tree"
    patch -s -p1 --fuzz=0 --no-backup-if-mismatch -d "$tmp/tree" <"$1" >"$tmp/make.log" 2>&1 &&
        module=$(tests/vm/build-module "$kernel" "$tmp/tree" 2>>"$tmp/make.log")
    is $? 0 "$name: applies and compiles" || { diag "$(tail -n 5 "$tmp/make.log")"; return 1; }
}

# found SEED RUN...: whether this run sees that something is wrong; $saw is the first sign
found()
{
    churn_boot "$1" "$short_seconds" "${@:2}"
    saw=$(grep -aE '^# .*: |^not ok|WARNING:|BUG:|Aborting|shut down' "$tmp/console" | grep -av 'refused' |
        head -n 1 | tr -d '\r')
    [ "$status" = 0 ] || return 0
    churn_words
    [ -z "$out" ] || return 0
    run build/bin/fsck.simplefs -n -f "$tmp/disk"
    saw=$(tail -n 1 <<<"$out")
    [ "$status" != 0 ]
}

mutant()
{
    local name case seed=1
    name=$(basename "$1" .patch)
    [ "${MUTANT:-$name}" = "$name" ] || return
    build_mutant "$1" || return
    for case in "${short_runs[@]}"; do
        # shellcheck disable=SC2086
        if found "$seed" $case; then
            ok 0 "$name: found by '$case'"
            diag "$saw"
            return
        fi
        seed=$((seed + 1))
    done
    ok 1 "$name: none of the runs sees it"
}

# The verdict on a mutant means something only where the module as it is passes the same runs.
unmutated()
{
    local name=unmutated case seed=1
    [ "${MUTANT:-$name}" = "$name" ] || return
    for case in "${short_runs[@]}"; do
        # shellcheck disable=SC2086
        found "$seed" $case
        [ $? != 0 ]
        ok $? "$name: passes '$case'" || diag "$saw"
        seed=$((seed + 1))
    done
}

unmutated
for patch in tests/churn/mutants/*.patch; do
    mutant "$patch"
done
done_testing
