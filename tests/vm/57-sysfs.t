#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /sys/fs/simplefs: what the module knows, what is said of volumes, and that it goes with them.
. "$(dirname "$0")/lib.sh"
program sysfs

run build/bin/mkfs.simplefs -q -L "first one" -U 01234567-89ab-cdef-0123-456789abcdef "$tmp/disk" 64M
is "$status" 0 "mkfs"
run build/bin/mkfs.simplefs -q -J none "$tmp/none" 8M
is "$status" 0 "mkfs of one without a journal"
truncate -s 8M "$tmp/log"
run build/bin/mkfs.simplefs -q -J "device=$tmp/log" "$tmp/external" 8M
is "$status" 0 "mkfs of one whose journal is elsewhere"

cat >"$tmp/try" <<'E'
cd /sys/fs/simplefs || exit 1
say() { echo "said: $*"; }
say "$(echo *)"
mount -t simplefs /dev/vda /mnt && sysfs use /mnt || exit 1
umount /mnt && mkdir /2 /3 && mount -t simplefs /dev/vda /mnt || exit 1
mount -t simplefs /dev/vdb /2 && mount -t simplefs -o journal_path=/dev/vdd /dev/vdc /3 || exit 1
say "$(echo *)"
say "$(ls vda | sort | xargs)"
for v in vda vdb vdc; do
    say "$v $(cat $v/journal_device), $(cat $v/features)"
done
say "$(cat /sys/block/vda/dev) $(cat /sys/block/vdd/dev)"
umount /2 && say "$(echo *)"
umount /3 && umount /mnt && say "$(echo *)"
exec 3<features/xattr
cd / && rmmod simplefs || exit 1
say "$(cat <&3 2>&1 | sed 's/.*: //')"
say "$(ls /sys/fs | grep -c simplefs)"
E
boot --module "$module" --add "$tmp/sysfs" --add "$tmp/try:/try" --disk "$tmp/disk" --disk "$tmp/none" \
    --disk "$tmp/external" --disk "$tmp/log" -- sh /try
is "$status" 0 "used, unmounted, unloaded"
relay "use"
said=$(tr -d '\r' <"$tmp/console" | sed -n 's/^said: //p')
# line N: of what was said
line()
{
    sed -n "$1p" <<<"$said"
}
manual=$(sed -n '/^\.Sh SYSFS/,/^\.Sh STOP/s/^\.It Pa \([a-z_]*\)$/\1/p' man/simplefs.5 | sort | xargs)
read -r own other < <(line 7)
is "$(line 1)" "features" "before a mount there is nothing but features"
is "$(line 2)" "features vda vdb vdc" "each volume has a directory"
is "$(line 3)" "$manual" "what is in it is what the manual says"
is "$(line 4)" "vda $own, journal xattr" "a journal of its own"
is "$(line 5)" "vdb none, xattr" "none"
is "$(line 6)" "vdc $other, journal journal_dev xattr" "one on another device"
is "$(line 8)" "features vda vdc" "the directory goes with its mount"
is "$(line 9)" "features" "and so do the others"
is "$(line 10)" "No such device" "who has something open keeps no module"
is "$(line 11)" 0 "nothing is left of it"

# An inode without links, under a right checksum; the root's is in another block.
mkdir "$tmp/tree" && touch "$tmp"/tree/{a{10..29},damaged}
run build/bin/mkfs.simplefs -fq -d "$tmp/tree" "$tmp/disk2" 32M
is "$status" 0 "mkfs from a directory"
ino=$(build/bin/dump.simplefs -i /damaged "$tmp/disk2" | sed -n 's/^ *ino: //p')
root=$(build/bin/dump.simplefs -i / "$tmp/disk2" | sed -n 's/^ *ino: //p')
[ $((ino >> 3)) != $((root >> 3)) ]
ok $? "inodes $ino and $root are in two blocks"
PYTHONPATH=tests/vm python3 -B - "$tmp/disk2" "$ino" <<'E'
import sys
from mutate import seal
ino = int(sys.argv[2])
with open(sys.argv[1], "r+b") as disk:
    disk.seek((ino >> 3) * 4096)
    block = bytearray(disk.read(4096))
    at = 48 + (ino & 7) * 504 + 12
    block[at:at + 4] = bytes(4)
    seal(block)
    disk.seek((ino >> 3) * 4096)
    disk.write(block)
E
is $? 0 "one has no links"
for errors in continue,error "remount-ro,error stopped"; do
    cp "$tmp/disk2" "$tmp/disk"
    boot --module "$module" --add "$tmp/sysfs" --disk "$tmp/disk" -- sh -c \
        "mount -t simplefs -o errors=${errors%,*} /dev/vda /mnt &&
            sysfs errors /mnt $((ino >> 3)) $ino '${errors#*,}' && umount /mnt && mount -t simplefs /dev/vda /mnt &&
            sed 's/^/kept: /' /sys/fs/simplefs/vda/errors_count && umount /mnt && rmmod simplefs"
    is "$status" 0 "damaged, errors=${errors%,*}"
    relay "errors=${errors%,*}"
    is "$(tr -d '\r' <"$tmp/console" | sed -n 's/^kept: //p')" 1 "the next mount knows"
done
done_testing
