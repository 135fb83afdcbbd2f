#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Mounts that map owners: each operation through one, and what the volume has of it.
. "$(dirname "$0")/lib.sh"
program idmap

# idmap WHAT: in one boot, on the volume
idmap()
{
    boot --module "$module" --add "$tmp/idmap" --disk "$tmp/disk" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && idmap $1 /mnt && umount /mnt && rmmod simplefs"
}

# on_disk PATH UID GID: whose it is
on_disk()
{
    run build/bin/dump.simplefs -i "$1" "$tmp/disk"
    is "$(sed -nE 's/^ *(uid|gid): //p' <<<"$out" | xargs)" "$2 $3" "$1 on the disk"
}

run build/bin/mkfs.simplefs -q "$tmp/disk" 64M
is "$status" 0 "mkfs"
idmap use
is "$status" 0 "used, unmounted, unloaded"
relay "use"
on_disk /made/file 5 7
on_disk /made/tmp 5 7
on_disk /made/moves 5 7
on_disk /own/5 9 12
run build/bin/fsck.simplefs -fn "$tmp/disk"
is "$status" 0 "the structure is whole" || diag "$out"
idmap verify
is "$status" 0 "mounted again"
relay "what is left"
done_testing
