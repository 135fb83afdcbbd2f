#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume that is full, then larger than before, as the kernel sees it: the files are there, the new
# blocks can be filled to the last, and deleting gives back as much as a fresh volume has. And resize on
# devices: more than the device has is refused, mounted or not.
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"

# Both begin within a group of 126 MiB; the first passes the 256 MiB where volumes become large and
# ends in its only zone, the second reaches into others, of 4032 MiB each.
truncate -s 280M "$tmp/disk-a"
truncate -s 10G "$tmp/disk-b"
build/bin/mkfs.simplefs -q -J none "$tmp/disk-a" 24M && build/bin/mkfs.simplefs -q "$tmp/disk-b" 60M
ok $? 'two small volumes on large disks'
cat >"$tmp/try" <<'EOF2'
n=0
# says NAME TEST...
says()
{
    n=$((n + 1))
    name=$1
    shift
    if "$@"; then echo "ok $n - $name"; else echo "not ok $n - $name"; echo "# $*; last output: $out"; fi
}
run()
{
    out=$("$@" 2>&1)
    status=$?
}
available()
{
    df -k /mnt | awk 'END { print $4 }'
}
# small DEVICE: files on it, until it is full
small()
{
    mount -t simplefs "$1" /mnt
    mkdir /mnt/dir
    for i in 1 2 3 4 5 6 7 8 9; do echo "$i" >"/mnt/dir/file $i"; done
    while cat /tmp/seed; do :; done 2>/dev/null >/mnt/old
    sync
    says "$1: no more than a MiB is left" [ "$(available)" -lt 1024 ]
    umount /mnt
}
# Grows to SIZE or the device's, by at least KIB, all of which can be used.
# grow DEVICE SIZE KIB
grow()
{
    dev=$1
    mount -t simplefs "$dev" /mnt
    had=$(available)
    was=$(md5sum </mnt/old)
    run resize.simplefs "$dev" 1T
    says "$dev: refused beyond the device, mounted: $out" [ "$status" = 1 ]
    umount /mnt
    run resize.simplefs "$dev" 1T
    says "$dev: refused beyond the device: $out" [ "$status" = 1 ]
    run resize.simplefs "$dev" $2
    says "$out" [ "$status" = 0 ]
    run fsck.simplefs -fn "$dev"
    says "$out" [ "$status" = 0 ]
    run mount -t simplefs "$dev" /mnt
    says "$dev: mounts" [ "$status" = 0 ]
    room=$(available)
    says "$dev: $room KiB, had $had" [ "$room" -gt $((had + $3)) ]
    says "$dev: the files are there" [ "$was$(cat /mnt/dir/*)" = "$(md5sum </mnt/old)$(seq 9)" ]
    cat /tmp/seed >/mnt/new
    run fallocate -l $(((room - 8192) * 1024)) /mnt/rest
    says "$dev: all of it can be had: $out" [ "$status" = 0 ]
    umount /mnt
    run fsck.simplefs -fn "$dev"
    says "full: $out" [ "$status" = 0 ]
    run mount -t simplefs "$dev" /mnt
    says "$dev: and after another mount" [ "$was$(md5sum </tmp/seed)" = "$(md5sum </mnt/old)$(md5sum </mnt/new)" ]
    rm /mnt/new /mnt/rest
    umount /mnt
}
# What lay where a larger volume keeps its start free was used, and is given back.
empty()
{
    mount -t simplefs "$1" /mnt
    rm -r /mnt/*
    umount /mnt
    run fsck.simplefs -fn "$1"
    says "empty again: $out" [ "$status" = 0 ]
    run mount -t simplefs "$1" /mnt
    says "$1: mounts, empty" [ "$status" = 0 ]
    umount /mnt
}
dd if=/dev/urandom of=/tmp/seed bs=1M count=2 2>/dev/null
small /dev/vda
grow /dev/vda "" 250000
empty /dev/vda
small /dev/vdb
grow /dev/vdb 5G 5000000 # to the middle of a zone, and on
grow /dev/vdb "" 4900000
empty /dev/vdb
echo "1..$n"
EOF2
boot --module "$module" --add build/bin/resize.simplefs --add build/bin/fsck.simplefs --add "$tmp/try:/try" \
    --disk "$tmp/disk-a" --disk "$tmp/disk-b" -- sh /try
is "$status" 0 'the machine ends well'
relay 'grown'
for disk in a b; do
    run build/bin/dump.simplefs --check "$tmp/disk-$disk"
    is "$status" 0 "the structure of $disk is whole" || diag "$out"
done
done_testing
