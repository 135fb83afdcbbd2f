#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Metadata that the device refuses: an error, no stale answers, and no volume that is called clean.
. "$(dirname "$0")/lib.sh"
program lost

for journal in none size=4M; do
    truncate -s 0 "$tmp/disk"
    run build/bin/mkfs.simplefs -q -J "$journal" "$tmp/disk" 128M
    is "$status" 0 "mkfs -J $journal"
    boot --module "$module" --add "$tmp/lost" --disk "$tmp/disk" -- sh -c \
        'lost /dev/vda && rmmod simplefs'
    is "$status" 0 "journal $journal: lost, shut down, unloaded"
    relay "journal $journal"
    run build/bin/dump.simplefs -s "$tmp/disk"
    like '^ *state: 0x0$' "journal $journal: the volume is not called clean"
done
done_testing
