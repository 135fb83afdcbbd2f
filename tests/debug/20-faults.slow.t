#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every operation with every n-th allocation, then every n-th 4 KiB of I/O failing, once or for good.
# See faults.c for what must be true after each.
. "$(dirname "$0")/lib.sh"

volume 96
debug "allocation" faults alloc
! grep -Eq 'stays an orphan|cannot update inode|writeback error' "$tmp/console"
ok $? "allocation: nothing was given up for want of memory"
volume 96 -J none
debug "allocation, no journal" faults alloc
for mode in io dead; do
    volume 96
    debug "$mode" faults "$mode"
    volume 96
    build/bin/mkfs.simplefs -fq -J device="$tmp/spare" "$tmp/disk"
    debug "$mode, external journal" faults "$mode" journal_path=/dev/vdb
done
done_testing
