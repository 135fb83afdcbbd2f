#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# O_DIRECT: RWF_NOWAIT never waits, the set-user-ID bit is lost, and the page cache agrees.
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
done_testing
