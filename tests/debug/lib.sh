# SPDX-License-Identifier: GPL-2.0-only
# What the tests in the debug kernels share. SFS_KERNEL= is debug unless the test says debug-smp.
# shellcheck shell=bash
SFS_KERNEL=${SFS_KERNEL:-debug}
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
for name in clean faults options; do
    program "$name" debug
done
program stress debug tests/debug/stress_*.c -luring
program smoke
programs=$tmp

# volume MIB [MKFS-ARGUMENT]...: a fresh one in $tmp/disk, and a spare disk as large
volume()
{
    rm -f "$tmp/disk" "$tmp/spare"
    truncate -s "$1M" "$tmp/disk" "$tmp/spare"
    shift
    build/bin/mkfs.simplefs -fq "$@" "$tmp/disk" || exit 1
}

# debug WHAT COMMAND...: boots with both disks, runs one of the programs, checks what it said
debug()
{
    local what=$1
    shift
    boot --timeout 3000 --mem 512M --no-load --module "$module" --add "$programs/clean" \
        --add "$programs/faults" --add "$programs/options" --add "$programs/stress" \
        --add "$programs/smoke" --add build/bin/dump.simplefs \
        --add build/bin/mkfs.simplefs --disk "$tmp/disk" --disk "$tmp/spare" -- "$@"
    relay "$what"
    is "$status" 0 "$what: no complaint from the kernel"
}

# beside COMMAND...: runs a shell command (volumes, boots, checks) with a folder of its own, at the same
# time as others, as many as there are processors. What they have to say comes when `together` is asked.
beside()
{
    local folder=$tmp/beside$((++besides))
    mkdir "$folder"
    [ "$(jobs -pr | wc -l)" -lt "$(nproc)" ] || wait -n
    (
        tmp=$folder
        "$@"
        touch "$tmp/ended"
    ) >"$folder/tap" 2>&1 &
}
besides=0

# together: waits for all of them and repeats their TAP lines, in the order they were begun
together()
{
    local line n
    wait
    for ((n = 1; n <= besides; n++)); do
        while IFS= read -r line; do
            case $line in
            'ok '*) ok 0 "${line#*- }" ;;
            'not ok '*) ok 1 "${line#*- }" ;;
            *) printf '%s\n' "$line" ;;
            esac
        done <"$tmp/beside$n/tap"
        [ -e "$tmp/beside$n/ended" ] && grep -Eq '^(not )?ok' "$tmp/beside$n/tap"
        [ $? = 0 ] || ok 1 "number $n of those beside said something and came to its end"
    done
    besides=0
}
