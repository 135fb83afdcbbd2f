#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Files that are swapped to: which may be, what is refused meanwhile, whose blocks are written, and
# what is left when the plug is pulled.
. "$(dirname "$0")/lib.sh"
program swap

# swap WHAT [OPTION]...: in one boot, on the volume
swap()
{
    boot --module "$module" --add "$tmp/swap" --disk "$tmp/disk" "${@:2}" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && swap $1 /mnt && umount /mnt && rmmod simplefs"
}

# whole WHAT: the checker finds nothing
whole()
{
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "$1: the structure is whole" || diag "$out"
}

run build/bin/mkfs.simplefs -q "$tmp/disk" 320M
is "$status" 0 "mkfs"
swap use
is "$status" 0 "used, unmounted, unloaded"
relay "use"
whole "use"
swap pull --kill-on "round 9"
is "$status" 123 "pulled while pages are swapped"
swap verify
is "$status" 0 "recovered"
relay "the plug"
whole "the plug"
done_testing
