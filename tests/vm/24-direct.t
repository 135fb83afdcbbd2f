#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# O_DIRECT: RWF_NOWAIT never waits, the set-user-ID bit is lost, and the page cache agrees; what
# statx(2) says of alignment is what is asked for.
. "$(dirname "$0")/lib.sh"
program direct

run build/bin/mkfs.simplefs -q "$tmp/disk" 256M
is "$status" 0 "mkfs"
boot --module "$module" --add "$tmp/direct" --disk "$tmp/disk" -- sh -c \
    'mount -t simplefs /dev/vda /mnt && direct /mnt && umount /mnt && rmmod simplefs'
is "$status" 0 "used, unmounted, unloaded"
relay "direct"
run build/bin/dump.simplefs --check "$tmp/disk"
is "$status" 0 "the structure is whole" || diag "$out"
for sectors in "" ,4k; do
    run build/bin/mkfs.simplefs -fq "$tmp/disk" 32M
    boot --module "$module" --add "$tmp/direct" --disk "$tmp/disk$sectors" -- sh -c \
        'mount -t simplefs /dev/vda /mnt && direct align /mnt && umount /mnt && rmmod simplefs'
    is "$status" 0 "alignments, sectors ${sectors:-as usual}"
    relay "alignment $sectors"
done
done_testing
