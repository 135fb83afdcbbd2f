#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What an allocation takes, and what it leaves when it is cut short, refused or disturbed.
. "$(dirname "$0")/lib.sh"
program taken

run build/bin/mkfs.simplefs -q "$tmp/disk" 256M
is "$status" 0 "mkfs"
boot --module "$module" --add "$tmp/taken" --disk "$tmp/disk" -- sh -c \
    'mount -t simplefs /dev/vda /mnt && taken /mnt && umount /mnt && rmmod simplefs'
is "$status" 0 "used, unmounted, unloaded"
relay "taken"
run build/bin/fsck.simplefs -fn "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"
done_testing
