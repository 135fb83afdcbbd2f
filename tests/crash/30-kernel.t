#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Some of the crashes, mounted by the kernel: what it recovers is, block for block, what fsck.simplefs
# recovers, and after a mount to write the volume is whole.
. "$(dirname "$0")/lib.sh"
images=${CRASH_IMAGES:-6}
seed=${seeds%% *}
log=131				# first block of a journal on the volume: behind the first zone's head
log_end=$((log + 1024))

# same_blocks A B: but for the journal's own
same_blocks()
{
    cmp -n $((log * 4096)) "$1" "$2" && cmp -i $((log_end * 4096)) "$1" "$2"
}

make_disks -J size=4M
record "$seed"
mkdir "$tmp/images"
run "$bin/replay-log" -e 1000000 -w "$tmp/images:$images" "$tmp/record" "$seed" "$ops" "$tmp/disk0"
is "$status" 0 "$images crashes as images" || diag "$out"

disks=()
letters=(a b c d e f g h i j k l m n o p q r s t u v w x)
commands=
for image in "$tmp"/images/image-*.0; do
    cp "$image" "$image.kernel"
    cp "$image" "$image.write"
    cp "$image" "$image.fsck"
    disks+=(--disk "$image.kernel" --disk "$image.write")
    read_only=/dev/vd${letters[0]} write=/dev/vd${letters[1]}
    letters=("${letters[@]:2}")
    commands+="mount -t simplefs -o ro $read_only /mnt && umount /mnt || exit 3; "
    commands+="mount -t simplefs $write /mnt && cp -r /mnt /tmp/copy && rm -rf /tmp/copy /mnt/*"
    commands+=" && echo new >/mnt/new && umount /mnt || exit 4; "
done
[ ${#disks[@]} = $((4 * images)) ]
ok $? "all were written"
boot --timeout 600 --module "$module" "${disks[@]}" -- sh -c "$commands rmmod simplefs"
is "$status" 0 "the kernel mounts all of them, to read and to write"

replayed=0
for image in "$tmp"/images/image-*.0; do
    name=${image##*/}
    run build/bin/fsck.simplefs --journal-only "$image.fsck"
    exits 0 "$name: replayed by fsck.simplefs"
    case $out in *replayed*) replayed=$((replayed + 1)) ;; esac
    run same_blocks "$image.kernel" "$image.fsck"
    is "$out" '' "$name: the kernel's blocks are the same"
    run build/bin/dump.simplefs --check "$image.kernel"
    exits 0 "$name: whole as the kernel recovered it"
    run build/bin/fsck.simplefs -f "$image.write"
    exits 0 "$name: whole after use"
    unlike 'replayed' "$name: and clean"
    run build/bin/fsck.simplefs -y "$image"
    exits 0 "$name: put in order by fsck.simplefs"
    run build/bin/fsck.simplefs -nf "$image"
    exits 0 "$name: which then is clean"
    unlike 'past' "$name: and its journal empty"
done
[ "$replayed" -ge $((images / 2)) ]
ok $? "$replayed of them had something in the journal"
done_testing
