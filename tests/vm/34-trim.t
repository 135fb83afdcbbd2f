#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# FITRIM and the mount option discard give the device back what nobody has, and take nothing from those
# who have.
. "$(dirname "$0")/lib.sh"
program trim
program held

# trim WHAT [OPTION]...: in one boot, on the volume, mounted with the options $options
trim()
{
    boot --module "$module" --add "$tmp/trim" --disk "$tmp/disk" "${@:2}" -- sh -c \
        "mount -t simplefs $options /dev/vda /mnt && trim $1 /mnt && umount /mnt && rmmod simplefs"
}

# held WHAT SIZE WORDS...: on a volume whose device holds discards back; then what is left of it
held()
{
    local server fd nbd=nbd:unix:$tmp/socket
    rm -f "$tmp/disk" "$tmp/socket"
    run build/bin/mkfs.simplefs -q -J size=4M "$tmp/disk" "$2"
    is "$status" 0 "mkfs of $2"
    exec {fd}< <(exec tests/vm/nbd-hold.py "$tmp/socket" "$tmp/disk")
    server=$!
    read -r -u "$fd" _
    boot --timeout 900 --module "$module" --add "$tmp/held" --disk "$nbd:exportname=0" \
        --disk "$nbd:exportname=1" -- sh -c \
        "mount -t simplefs $options /dev/vda /mnt && held $1 /dev/vdb /dev/vda /mnt && umount /mnt && rmmod simplefs"
    exec {fd}<&-
    wait "$server"
    is "$status" 0 "a discard held back: $1"
    relay "${*:3}"
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "the structure is whole" || diag "$out"
}

# on_disk KIB WHAT: no more is left of the volume than so much
on_disk()
{
    local kib
    kib=$(du -k "$tmp/disk" | cut -f 1)
    [ "$kib" -le "$1" ]
    ok $? "the disk holds $kib KiB, $2"
}

# pulled WHAT WORDS...: the plug, while trim does WHAT; what is there then, and the structure
pulled()
{
    trim "$1" --kill-on "pull now"
    is "$status" 123 "pulled behind a removal that was not synced"
    trim verify
    is "$status" 0 "recovered"
    relay "${*:2}"
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "the structure is whole" || diag "$out"
}

options=
held apart 64M "beside a discard"
held full 64M "nothing else left"
held fresh 9G "a zone begun"
options='-o discard'
held option 64M "the option"
rm -f "$tmp/disk"

run build/bin/mkfs.simplefs -q "$tmp/disk" 256M
is "$status" 0 "mkfs"
trim option
is "$status" 0 "mounted with discard"
relay "the option"
on_disk 40960 "with the journal no more than what is in use"
trim off
is "$status" 0 "and without, by a remount"
relay "the option off"
kib=$(du -k "$tmp/disk" | cut -f 1)
[ "$kib" -ge 65536 ]
ok $? "what was removed then is still on the disk: $kib KiB"
pulled pull-option "the plug beside discard"
rm -f "$tmp/disk"
options=

run build/bin/mkfs.simplefs -q "$tmp/disk" 256M
is "$status" 0 "mkfs"
trim use
is "$status" 0 "used, trimmed, unmounted, unloaded"
relay "use"
on_disk 40960 "with the journal no more than what is in use"
trim verify
is "$status" 0 "mounted again"
relay "what is left"
pulled pull "the plug"

run build/bin/mkfs.simplefs -q "$tmp/small" 8M
is "$status" 0 "mkfs of a small one"
boot --module "$module" --kmod scsi_debug --kmod sd_mod --add "$tmp/trim" --disk "$tmp/small" -- sh -c \
    'until [ -b /dev/sda ]; do :; done
    dd if=/dev/vda of=/dev/sda bs=1M 2>/dev/null && mount -t simplefs -o discard /dev/sda /mnt && trim refuse /mnt && rm -rf /mnt/* && umount /mnt && rmmod simplefs'
is "$status" 0 "on a device that cannot discard"
relay "a device that cannot"
run grep -c 'discard: the device cannot' "$tmp/console"
is "$out" 1 "which the option is told"

run build/bin/mkfs.simplefs -q -f -J none "$tmp/small" 8M
is "$status" 0 "mkfs without a journal"
boot --module "$module" --disk "$tmp/small" -- sh -c \
    'mount -t simplefs -o discard /dev/vda /mnt && ! grep "simplefs.*discard" /proc/mounts && umount /mnt && rmmod simplefs'
is "$status" 0 "without a journal the option is passed over"
run grep -c 'discard: not without a journal' "$tmp/console"
is "$out" 1 "and that is told"
done_testing
