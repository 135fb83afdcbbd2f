# SPDX-License-Identifier: GPL-2.0-only
# Mutants under the self-test in one machine: each must be a LEAK of the guilty function and of nobody
# else, and the module without a mutation, or with one that leaks nothing, a PASS.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/table.sh"

cat >"$tmp/try" <<'EOF'
for name in $(cat /mutants/order); do
    simplefs-selftest --run --module "/mutants/$name.ko" --state /tmp/state >/tmp/out 2>&1
    { echo "=== $name $?" && cat /tmp/out; } >>/tmp/results
    dd if=/tmp/results of=/dev/vda bs=64k conv=notrunc,fsync 2>/dev/null
    echo "done $name"
done
EOF

# boot_mutants NAME...: results in $tmp/results, the runner's status in $status
boot_mutants()
{
    local name
    rm -rf "$tmp/mutants"
    mkdir "$tmp/mutants"
    for name; do
        cp "build/leak/$kernel/$name.ko" "$tmp/mutants/$name.ko" || exit 1
    done
    printf '%s\n' "$@" >"$tmp/mutants/order"
    rm -f "$tmp/disk"
    truncate -s 16M "$tmp/disk"
    boot --timeout $((300 + 240 * $#)) --mem 1536M --disk "$tmp/disk" --add build/bin/simplefs-selftest \
        --add build/bin/mkfs.simplefs --add build/bin/dump.simplefs --add build/bin/fsck.simplefs --add build/bin/kmodleak \
        --add "$tmp/mutants:/mutants" --add "$tmp/try:/try" -- sh /try
    tr -d '\0' <"$tmp/disk" >"$tmp/results"
}

# result NAME: what the self-test said of it
result()
{
    out=$(awk -v name="$1" '/^=== / { on = $2 == name; next } on' "$tmp/results")
}

judge_none()
{
    local got
    result none
    got=$(sed -n 's/^verdict: //p' <<<"$out")
    is "$got" PASS "$kernel: the module as it is: $got" && row unmutated PASS "$got" right && return
    diag "$out"
    row unmutated PASS "${got:-nothing}" false
}

# judge_mutant NAME GUILTY: "-" for what is no leak though it looks like one
judge_mutant()
{
    local got others verdict=right
    result "$1"
    got=$(sed -n 's/^verdict: //p' <<<"$out")
    if [ "$2" = - ]; then
        is "$got" PASS "$kernel: $1: $got" || { diag "$out"; verdict=false; }
        row "mutant $1" PASS "${got:-nothing}" "$verdict"
        return
    fi
    others=$(groups_without "$2")
    if ! grep -q '^LEAK(' <<<"$got" || ! grep -Eqw -- "$2" <<<"$out"; then
        verdict=missed
    elif [ -n "$others" ]; then
        verdict=false
    fi
    [ "$verdict" = right ]
    ok $? "$kernel: $1: ${got:-no verdict}, by $2" || diag "$verdict" "$out"
    row "mutant $1" LEAK "${got:-nothing}" "$verdict"
}

# names FLAG: those of $tmp/list
names()
{
    awk -v flag="$1" '$4 == flag && $1 != "none" {print $1}' "$tmp/list"
}

# try_mutants [NAME]...: all of them without names; the module without a leak is always tried
try_mutants()
{
    local name ko guilty flag
    [ $# = 0 ] || set -- none "$@"
    tests/leak/build-mutants "$kernel" "$@" >"$tmp/list" 2>"$tmp/build.log"
    ok $? "$kernel: every mutant applies and compiles" || { diag "$(cat "$tmp/build.log")"; return; }
    # shellcheck disable=SC2046
    boot_mutants none $(names -) $(names last)
    is "$status" 0 "$kernel: the machine is content"
    judge_none
    cp "$tmp/results" "$tmp/all"
    # Those that make the kernel complain have a machine of their own.
    if [ -n "$(names loud)" ]; then
        # shellcheck disable=SC2046
        boot_mutants $(names loud)
        cat "$tmp/results" >>"$tmp/all"
    fi
    mv "$tmp/all" "$tmp/results"
    while read -r name ko guilty flag; do
        [ "$name" = none ] || judge_mutant "$name" "$guilty"
    done <"$tmp/list"
}
