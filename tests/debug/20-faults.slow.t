#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every operation with every n-th allocation, then every n-th 4 KiB of I/O failing, once or for good;
# with a journal elsewhere, that of either device. See faults.c for what must be true after each.
. "$(dirname "$0")/lib.sh"

# allocation WHAT [MKFS-ARGUMENT]...
allocation()
{
    volume 96 "${@:2}"
    debug "$1" faults alloc
    ! grep -Eq 'stays an orphan|cannot update inode|writeback error' "$tmp/console"
    ok $? "$1: nothing was given up for want of memory"
}

# requests WHAT MODE
requests()
{
    volume 96
    debug "$1" faults "$2"
}

# elsewhere WHAT MODE DISK...: with the journal on the spare disk
elsewhere()
{
    volume 96
    build/bin/mkfs.simplefs -fq -J device="$tmp/spare" "$tmp/disk" || exit 1
    debug "$1" faults "$2" journal_path=/dev/vdb "${@:3}"
}

beside requests "io" io
beside requests "dead" dead
beside elsewhere "io, external journal" io ubda ubdb
beside elsewhere "dead, external journal lives" dead ubda
beside elsewhere "dead external journal" dead ubdb
beside allocation "allocation"
beside allocation "allocation, no journal" -J none
together
done_testing
