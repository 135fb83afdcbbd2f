#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume whose zones begin while it is used and gets labels: each crash leaves it whole, with the old
# label or the new one, no copy of the superblock torn or ahead of block 0, and the files of all zones;
# and where block 0 is lost as well a copy brings that back. The kernel mounts some of the crashes.
. "$(dirname "$0")/lib.sh"
ops=${CRASH_OPS:-120}
images=${CRASH_IMAGES:-3}
pieces=14

# field NAME IMAGE: of the superblock
field()
{
    build/bin/dump.simplefs "$2" | sed -n "s/^ *$1: *//p"
}

for seed in $seeds; do
    wide "$seed" wide 18G "$pieces"
    zones=$(field zones "$tmp/work0")
    [ "$zones" -ge 3 ]
    ok $? "seed $seed: $zones zones are begun in the end"
    crashes_wide "seed $seed, several zones" "$seed" "$pieces"
    is "$behind" 0 "seed $seed: the few copies change with block 0"
done

mkdir "$tmp/images"
run "$bin/replay-log" -e 1000000 -z "$pieces" -w "$tmp/images:$images" "$tmp/record" "$seed" "$ops" "$tmp/disk0"
is "$status" 0 "$images crashes as images" || diag "$out"
disks=()
commands=
letters=(a b c d e f g h)
for image in "$tmp"/images/image-*.0; do
    cp "$image" "$image.kernel"
    disks+=(--disk "$image.kernel")
    commands+="mount -t simplefs /dev/vd${letters[0]} /mnt && umount /mnt || exit 3; "
    letters=("${letters[@]:1}")
done
boot --module "$module" "${disks[@]}" -- sh -c "$commands rmmod simplefs"
is "$status" 0 "the kernel mounts all of them"
for image in "$tmp"/images/image-*.0; do
    name=$(basename "$image")
    run build/bin/fsck.simplefs -nf "$image.kernel"
    exits 0 "$name: whole after a mount"
    run build/bin/fsck.simplefs -y "$image"
    exits 0 "$name: put in order by fsck.simplefs"
    is "$(field label "$image"), $(field zones "$image")" "$(field label "$image.kernel"), $(field zones "$image.kernel")" \
        "$name: which finds the label and the zones that the kernel found"
done
done_testing
