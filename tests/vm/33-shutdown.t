#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# FS_IOC_SHUTDOWN: as much is saved as was asked for, nothing is changed after it, the volume is whole.
. "$(dirname "$0")/lib.sh"
program shutdown

for journal in size=4M none; do
    for how in default log nothing; do
        # Without a journal only the first leaves anything that could be relied on.
        [ "$journal" != none ] || [ "$how" = default ] || continue
        truncate -s 0 "$tmp/disk"
        run build/bin/mkfs.simplefs -q -J "$journal" "$tmp/disk" 64M
        is "$status" 0 "mkfs -J $journal"
        boot --module "$module" --add "$tmp/shutdown" --disk "$tmp/disk" -- sh -c \
            "shutdown /dev/vda $how && rmmod simplefs"
        is "$status" 0 "journal $journal: stopped, mounted, unloaded"
        relay "journal $journal, saved: $how"
        out=$(cat "$tmp/console")
        unlike 'aborted earlier' "a stop that was asked for is no fault of the journal"
        run build/bin/dump.simplefs -s "$tmp/disk"
        like "^ *state: 0x$([ "$how" != default ]; echo $?)\$" "only what saved everything left it clean"
        run build/bin/fsck.simplefs -n "$tmp/disk"
        is "$status" 0 "the structure is whole" || diag "$out"
    done
done
done_testing
