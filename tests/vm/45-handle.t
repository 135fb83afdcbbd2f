#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# File handles: of everything, through mounts and crashes; stale ones and forged ones, which nobody hears of.
. "$(dirname "$0")/lib.sh"
program handle
program forge vm -pthread

# on COMMAND [OPTION]...: in one boot, on the volume
on()
{
    boot --module "$module" --add "$tmp/handle" --add "$tmp/forge" --disk "$tmp/disk" "${@:2}" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && $1 /mnt && umount /mnt && rmmod simplefs"
}

# whole WHAT: the checker finds nothing, and nobody has seen damage
whole()
{
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "$1: the structure is whole" || diag "$out"
    run build/bin/dump.simplefs "$tmp/disk"
    like 'state: *0x1' "$1: and was never called damaged"
}

edit()
{
    build/image/edit "$tmp/disk" "$@"
}

# ino PATH: its number
ino()
{
    build/bin/dump.simplefs --json -i "$1" "$tmp/disk" | python3 -c 'import json, sys; print(json.load(sys.stdin)["inode"]["ino"])'
}

for journal in size=4M none; do
    run build/bin/mkfs.simplefs -fq -J "$journal" "$tmp/disk" 64M
    is "$status" 0 "mkfs, journal $journal"
    on "handle use"
    is "$status" 0 "used, unmounted, unloaded"
    relay "use, journal $journal"
    whole "use"
done

# Large enough for a second zone, which is not begun.
run build/bin/mkfs.simplefs -fq -J size=4M "$tmp/disk" 5G
is "$status" 0 "mkfs of two zones"
on "forge numbers"
is "$status" 0 "handles are made up"
relay "forged"
whole "forged"

run build/bin/mkfs.simplefs -fq "$tmp/disk" 64M
is "$status" 0 "mkfs"
on "forge race" --smp 2
is "$status" 0 "files come and go"
relay "race"
whole "race"
on "handle crash"
is "$status" 0 "a crash takes files back"
relay "crash"
whole "crash"

on "handle save"
is "$status" 0 "handles are saved"
relay "save"
on "handle verify"
is "$status" 0 "mounted again"
relay "another boot"
make -s build/image/edit >"$tmp/make.log" 2>&1 || cat "$tmp/make.log"
edit field /bent/self parent "$(ino /bent/self)" && edit field /bent/child parent "$(ino /bent/child/of)" &&
    edit field /bent/file parent "$(ino /saved/1)" && edit field /bent/free parent $(($(ino /handles) + 0x8000)) &&
    edit field /bent/other parent "$(ino /saved)" && edit field /bent/circle parent "$(ino /bent/circle/in)" &&
    edit name /bent/circle/in up /bent/circle 4
is $? 0 "directories with other parents"
on "handle bent"
is "$status" 0 "mounted"
relay "other parents"
done_testing
