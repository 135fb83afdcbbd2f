#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module in a Debian kernel: one of everything, a remount, a full volume, unload with nothing left.
. "$(dirname "$0")/lib.sh"
program smoke

use='mount -t simplefs /dev/vda /mnt && smoke make /mnt && umount /mnt &&
mount -t simplefs /dev/vda /mnt && smoke verify /mnt && smoke full /mnt && umount /mnt &&
mount -t simplefs -o ro /dev/vda /mnt && smoke verify /mnt && umount /mnt &&
rmmod simplefs && ! grep simplefs /proc/slabinfo'

for journal in size=8M none; do
    truncate -s 0 "$tmp/disk"
    run build/bin/mkfs.simplefs -q -J "$journal" "$tmp/disk" 256M
    is "$status" 0 "mkfs -J $journal"
    boot --append slub_debug=FZP --module "$module" --add "$tmp/smoke" \
        --disk "$tmp/disk" -- sh -c "$use"
    is "$status" 0 "journal $journal: used, unmounted, unloaded; no complaint from the kernel"
    relay "journal $journal"
    run build/bin/dump.simplefs --check "$tmp/disk"
    is "$status" 0 "journal $journal: the structure is whole afterwards" || diag "$out"
done

# An external journal.
truncate -s 256M "$tmp/disk"
truncate -s 16M "$tmp/log"
run build/bin/mkfs.simplefs -fq -J device="$tmp/log" "$tmp/disk"
is "$status" 0 "mkfs -J device="
boot --module "$module" --add "$tmp/smoke" --disk "$tmp/disk" --disk "$tmp/log" -- sh -c \
    'mount -t simplefs -o journal_path=/dev/vdb /dev/vda /mnt && smoke make /mnt && umount /mnt &&
     ! mount -t simplefs /dev/vda /mnt && rmmod simplefs'
is "$status" 0 "external journal: used and unloaded; not mounted without it"
done_testing
