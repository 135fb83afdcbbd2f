#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The numbers of transactions in the heads of blocks rise for the life of a volume, whatever ends a
# mount, and none is above the superblock's.
. "$(dirname "$0")/lib.sh"
dump=build/bin/dump.simplefs

# number KEY ARGUMENT...: a number of what dump prints
number()
{
    "$dump" --json "${@:2}" | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" | head -n 1
}

# written WHAT COMMAND STATUS [OPTION]...: mounted, changed; afterwards the root's block is newer than before
written()
{
    boot --module "$module" --disk "$tmp/disk" "${@:4}" -- sh -c "mount -t simplefs /dev/vda /mnt && $2"
    is "$status" "$3" "$1: written"
    local last=$seq
    seq=$(number seq -b "$root" "$tmp/disk")
    max=$(number sequence -s "$tmp/disk")
    [ "$seq" -gt "$last" ]
    ok $? "$1: the root is newer than before ($seq, $last)"
    [ "$seq" -le "$max" ]
    ok $? "$1: the superblock's is no less ($max)"
}

for journal in size=4M none; do
    run build/bin/mkfs.simplefs -fq -J "$journal" "$tmp/disk" 32M
    is "$status" 0 "journal $journal: mkfs"
    root=$(($(number root -s "$tmp/disk") / 8))
    seq=$(number seq -b "$root" "$tmp/disk")
    written "$journal" 'mkdir /mnt/a && umount /mnt' 0
    run build/bin/tune.simplefs -L named "$tmp/disk"
    is "$status" 0 "$journal: a label"
    written "$journal, again" 'mkdir /mnt/b && mount -o remount,ro /mnt && mount -o remount,rw /mnt && mkdir /mnt/c &&
        umount /mnt' 0
    written "$journal, the plug" 'mkdir /mnt/d && sync && echo pull now && while :; do :; done' 123 --kill-on 'pull now'
    before=$max
    written "$journal, after it" 'mkdir /mnt/e && umount /mnt' 0
    [ "$seq" -gt "$before" ]
    ok $? "$journal: above all that the mount before might have used"
    run build/bin/fsck.simplefs -n -f "$tmp/disk"
    is "$status" 0 "$journal: fsck finds nothing" || diag "$out"
done
done_testing
