#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every operation with every n-th allocation, then every n-th 4 KiB of I/O failing, once or for good;
# with a journal elsewhere, that of either device. See faults.c for what must be true after each.
. "$(dirname "$0")/lib.sh"

# external: a fresh volume with its journal on the spare disk
external()
{
    volume 96
    build/bin/mkfs.simplefs -fq -J device="$tmp/spare" "$tmp/disk" || exit 1
}

# allocation WHAT
allocation()
{
    debug "$1" faults alloc
    ! grep -Eq 'stays an orphan|cannot update inode|writeback error' "$tmp/console"
    ok $? "$1: nothing was given up for want of memory"
}

volume 96
allocation "allocation"
volume 96 -J none
allocation "allocation, no journal"
for mode in io dead; do
    volume 96
    debug "$mode" faults "$mode"
done
external
debug "io, external journal" faults io journal_path=/dev/vdb ubda ubdb
external
debug "dead, external journal lives" faults dead journal_path=/dev/vdb ubda
external
debug "dead external journal" faults dead journal_path=/dev/vdb ubdb
done_testing
