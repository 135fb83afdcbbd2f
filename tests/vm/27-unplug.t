#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A disk is pulled out while its volume is mounted: errors, an unmount, and what was synced.
. "$(dirname "$0")/lib.sh"
program unplug

# The other disk keeps its name in vda's place; the one that comes back has the next free.
for journal in size=8M none; do
    truncate -s 0 "$tmp/disk"
    run build/bin/mkfs.simplefs -q -J "$journal" "$tmp/disk" 256M
    is "$status" 0 "mkfs -J $journal"
    boot --module "$module" --add "$tmp/unplug" --disk "$tmp/disk" -- sh -c \
        'device=$(basename "$(readlink -f /sys/block/vda/device)") &&
        mount -t simplefs /dev/vda /mnt && unplug /mnt pull "$device" &&
        mount -t simplefs /dev/vd[a-z] /mnt && unplug /mnt verify && umount /mnt && rmmod simplefs'
    is "$status" 0 "journal $journal: pulled, refused, unmounted, put back, unloaded"
    relay "journal $journal"
    run build/bin/dump.simplefs --check "$tmp/disk"
    is "$status" 0 "journal $journal: the structure is whole" || diag "$out"
done
done_testing
