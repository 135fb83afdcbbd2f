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
    boot --timeout 3000 --mem 512M --no-load --module "$module" --add "$tmp/clean" --add "$tmp/faults" \
        --add "$tmp/options" --add "$tmp/stress" --add "$tmp/smoke" --add build/bin/dump.simplefs \
        --add build/bin/mkfs.simplefs --disk "$tmp/disk" --disk "$tmp/spare" -- "$@"
    relay "$what"
    is "$status" 0 "$what: no complaint from the kernel"
}
