#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Metadata that the device refuses: an error, no stale answers, and no volume that is called clean.
. "$(dirname "$0")/lib.sh"
program lost

for how in "none look" "none leave" "size=4M look"; do
    read -r journal then <<<"$how"
    truncate -s 0 "$tmp/disk"
    run build/bin/mkfs.simplefs -q -J "$journal" "$tmp/disk" 128M
    is "$status" 0 "mkfs -J $journal"
    boot --module "$module" --add "$tmp/lost" --disk "$tmp/disk" -- sh -c \
        "lost /dev/vda $then && rmmod simplefs"
    is "$status" 0 "journal $how: lost, shut down, unloaded"
    relay "journal $how"
    run build/bin/dump.simplefs -s "$tmp/disk"
    like '^ *state: 0x0$' "journal $how: the volume is not called clean"
done
done_testing
