#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A disk that does not give a block when it is wanted, and gives it later: what was begun before is
# finished, and nothing old comes back.
. "$(dirname "$0")/lib.sh"
program unread
dump=build/bin/dump.simplefs

mkdir "$tmp/from"
for name in stretched appended direct reserved; do
    for ((i = 0; i < 400; i += 2)); do
        printf x | dd of="$tmp/from/$name" bs=4096 seek="$i" conv=notrunc status=none
    done
done
# fill: the volume, and in $words the node that the end of each file lies in: a cut reads it first
fill()
{
    run build/bin/mkfs.simplefs -fq -d "$tmp/from" "$tmp/disk" 64M
    is "$status" 0 "mkfs" || diag "$out"
    words=
    for name in stretched appended direct reserved; do
        blk=$("$dump" --json -t "/$name" "$tmp/disk" | sed -n 's/.*"blk": \([1-9][0-9]*\).*/\1/p' | tail -n 1)
        words+=,unread=$blk
    done
}

# machine STATUS WORDS COMMAND [OPTION]...
machine()
{
    boot --module "$module" --add "$tmp/unread" --disk "$tmp/disk$2" "${@:4}" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && $3"
    is "$status" "$1" "used: $3"
}

fill
machine 0 "$words" 'unread /mnt && umount /mnt && rmmod simplefs'
relay "cut in half"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"

# Zeros that are in memory only do not help after a crash.
fill
machine 123 "$words" 'unread crash /mnt' --kill-on 'pull now'
machine 0 '' 'unread after /mnt && umount /mnt && rmmod simplefs'
relay "cut in half, grown, crashed"
run build/bin/fsck.simplefs -n -f "$tmp/disk"
is "$status" 0 "fsck finds nothing" || diag "$out"
done_testing
