#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Large directories and files, and what an operation costs in instructions as they grow.
. "$(dirname "$0")/lib.sh"
program cost
truncate -s 2G "$tmp/disk"
run build/bin/mkfs.simplefs -fq "$tmp/disk"
is "$status" 0 "mkfs"
boot --timeout 1500 --icount --mem 2G --module "$module" --add "$tmp/cost" --disk "$tmp/disk" -- \
    sh -c 'mount -t simplefs /dev/vda /mnt && cost /mnt 1000 10000 100000 && umount /mnt && rmmod simplefs'
is "$status" 0 "used, unmounted, unloaded"
relay scale
grep -a '^# cost' "$tmp/console" | tr -d '\r'
run build/bin/dump.simplefs --check "$tmp/disk"
is "$status" 0 "the structure is whole" || diag "$out"
done_testing
