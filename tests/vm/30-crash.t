#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The plug is pulled in mid-write, each time later: mount recovers, what was synced is whole, and the
# structure is true. ROUNDS= says how often (20 in a full check).
. "$(dirname "$0")/lib.sh"
program smoke
program churn

run build/bin/mkfs.simplefs -q "$tmp/disk" 256M
is "$status" 0 "mkfs"
boot --module "$module" --add "$tmp/smoke" --disk "$tmp/disk" -- \
    sh -c 'mount -t simplefs /dev/vda /mnt && smoke make /mnt && mkdir /mnt/churn && umount /mnt'
is "$status" 0 "a volume with known content"
for round in $(seq "${ROUNDS:-4}"); do
    boot --module "$module" --add "$tmp/churn" --disk "$tmp/disk" \
        --kill-on "churning,$((round * 370))" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && churn make /mnt/churn $round"
    is "$status" 123 "round $round: pulled in mid-write"
    # The console outlives the machine: what it says was synced must be there.
    synced=$(tr -d '\r' <"$tmp/console" | sed -n 's/^synced //p' | tail -n 1)
    boot --module "$module" --add "$tmp/smoke" --add "$tmp/churn" \
        --disk "$tmp/disk" -- sh -c "mount -t simplefs /dev/vda /mnt && smoke verify /mnt &&
        churn verify /mnt/churn $round ${synced:-0} && umount /mnt && rmmod simplefs"
    is "$status" 0 "round $round: recovered, ${synced:-0} synced files and all older ones whole"
    run build/bin/dump.simplefs --check "$tmp/disk"
    is "$status" 0 "round $round: the structure is whole" || diag "$out"
done
done_testing
