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

# rivals NAME OF: the guilty functions of all others in OF, as one regular expression
rivals()
{
    awk -v not="$1" -v of=",$2," '!/^#/ && $1 != not && index(of, "," $1 ",") { printf "%s%s", n++ ? "|" : "", $2 }' \
        tests/leak/mutants/list
}

# judge_mutant NAME GUILTY OF [FLAG]: in the run of OF, NAME alone or several; "-": it is no leak. What
# another one in OF may have left as well does not count as found.
judge_mutant()
{
    local got found others verdict=right want=LEAK
    [ "${4--}" != stuck ] || want=ERROR
    result "$3"
    got=$(sed -n 's/^verdict: //p' <<<"$out")
    if [ "$2" = - ]; then
        is "$got" PASS "$kernel: $1: $got" || { diag "$out"; verdict=false; }
        row "mutant $1" PASS "${got:-nothing}" "$verdict"
        return
    fi
    found=$(groups "$2" "$(rivals "$1" "$3")")
    others=$(groups '' "$(awk -v name="$3" '$1 == name { print $3 }' "$tmp/list")")
    if [ "$want" = ERROR ]; then
        found=$(grep -Ew -- "$2" <<<"$out")
        others=''
    fi
    if ! grep -q "^$want(" <<<"$got" || [ -z "$found" ]; then
        verdict=missed
    elif [ -n "$others" ]; then
        verdict=false
    fi
    [ "$verdict" = right ]
    ok $? "$kernel: $1: ${got:-no verdict}, by $2" || diag "$verdict" "$3" "$out"
    row "mutant $1" "$want" "${got:-nothing}" "$verdict"
}

# runs FLAG: those of $tmp/list
runs()
{
    awk -v flag="$1" '$4 == flag && $1 != "none" {print $1}' "$tmp/list"
}

# together GROUPS: the names of the list, dealt to so many modules where that is possible; those with
# the same guilty function are apart.
together()
{
    awk '!/^#/ && NF && ($3 != "-" || $2 == "-") { print $1 }' tests/leak/mutants/list
    awk '!/^#/ && NF && $3 == "-" && $2 != "-" { print $2, $1 }' tests/leak/mutants/list | LC_ALL=C sort |
        awk -v n="$1" '{ name[NR % n] = name[NR % n] (name[NR % n] == "" ? "" : ",") $2 }
            END { for (i = 0; i < n; i++) if (name[i] != "") print name[i] }'
}

# try_mutants NAME...: "a,b" is one module with both leaks; the one without a leak is always tried
try_mutants()
{
    local of ko guilty flag name
    tests/leak/build-mutants "$kernel" none "$@" >"$tmp/list" 2>"$tmp/build.log"
    ok $? "$kernel: every mutant applies and compiles" || { diag "$(cat "$tmp/build.log")"; return; }
    # shellcheck disable=SC2046
    boot_mutants none $(runs -) $(runs last) $(runs stuck)
    is "$status" 0 "$kernel: the machine is content"
    judge_none
    cp "$tmp/results" "$tmp/all"
    # Those that make the kernel complain have a machine of their own.
    if [ -n "$(runs loud)" ]; then
        # shellcheck disable=SC2046
        boot_mutants $(runs loud)
        cat "$tmp/results" >>"$tmp/all"
    fi
    mv "$tmp/all" "$tmp/results"
    while read -r of ko guilty flag; do
        [ "$of" != none ] || continue
        case $of in
        *,*)
            for name in ${of//,/ }; do
                judge_mutant "$name" "$(awk -v name="$name" '$1 == name { print $2 }' tests/leak/mutants/list)" "$of"
            done ;;
        *) judge_mutant "$of" "$guilty" "$of" "$flag" ;;
        esac
    done <"$tmp/list"
}
