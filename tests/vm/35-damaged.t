#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Damage that is found while a volume is used: metadata in use that the bitmap calls free is not
# handed out, and a volume that takes no more changes says so to whoever writes.
. "$(dirname "$0")/lib.sh"
make -s build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
program damaged
edit=build/image/edit
dump=build/bin/dump.simplefs

# damaged WHAT [MOUNT-OPTIONS]: in one boot, on the volume
damaged()
{
    boot --module "$module" --add "$tmp/damaged" --disk "$tmp/disk" -- sh -c \
        "mount -t simplefs ${2-} /dev/vda /mnt && damaged $1 /mnt && umount /mnt && rmmod simplefs"
}

mkdir -p "$tmp/from/bad"
for i in $(seq 30); do echo x >"$tmp/from/bad/$i"; done
for i in $(seq 0 4 1600); do
    printf x | dd of="$tmp/from/pieces" bs=4096 seek="$i" conv=notrunc status=none
done
run build/bin/mkfs.simplefs -q -d "$tmp/from" "$tmp/sound" 64M
is "$status" 0 "mkfs" || diag "$out"

cp "$tmp/sound" "$tmp/disk"
nodes=$("$dump" --json -t /pieces "$tmp/disk" | sed -n 's/.*"blk": \([1-9][0-9]*\).*/\1/p' | sort -un)
[ "$(wc -w <<<"$nodes")" -gt 2 ]
ok $? "a tree with nodes of its own"
for blk in $nodes; do "$edit" "$tmp/disk" bit used "$blk" 0; done
damaged pieces
is "$status" 0 "nodes that are said to be free: nobody falls over them"
relay "nodes"
grep -aq 'a block in use is said to be free' "$tmp/console"
ok $? "it is told why"

cp "$tmp/sound" "$tmp/disk"
# An inode block in the middle: not the root's, and without room for another inode.
blk=$(("$("$dump" --json -i /bad/16 "$tmp/disk" | sed -n 's/.*"ino": \([0-9]*\).*/\1/p' | head -n 1)" / 8))
"$edit" "$tmp/disk" rot "$blk"
damaged writer
is "$status" 0 "a volume that takes no more changes"
relay "writer"

cp "$tmp/sound" "$tmp/disk"
"$edit" "$tmp/disk" rot "$blk"
damaged panic '-o errors=panic'
is "$status" 120 "errors=panic: the machine stops"
grep -aq 'panic on error, as mounted' "$tmp/console"
ok $? "and says why"
run build/bin/fsck.simplefs -a "$tmp/disk"
is "$status" 4 "the damage is noted: the next boot checks, and finds it" || diag "$out"
done_testing
