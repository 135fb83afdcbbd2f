#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fsck.simplefs on a device that does not give a block: it is named, the check goes on without it,
# nothing is said of what may be in it, and nothing is written. But block 0 is mended where a copy of it
# and the device allow it; what no tool takes is told by each.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
fsck=build/bin/fsck.simplefs
edit=build/image/edit
img=$tmp/img

# What has nodes of its own: a directory, a file of many extents, a long symlink; a second group.
mkdir -p "$tmp/from/many" "$tmp/from/a/b"
for i in $(seq 300); do echo "$i" >"$tmp/from/many/a-name-of-some-length-$i"; done
for i in $(seq 0 2 1200); do
    printf x | dd of="$tmp/from/extents" bs=4096 seek="$i" conv=notrunc status=none
done
ln -s "$(printf 'x%.0s' {1..3000})" "$tmp/from/a/long"
ln "$tmp/from/a/long" "$tmp/from/many/again"
build/bin/mkfs.simplefs -q -d "$tmp/from" "$img" 160M || exit 1

# unread FIRST LAST OPTIONS...: fsck, with these blocks unreadable
unread()
{
    run env LD_PRELOAD="$tmp/fault.so" FAULT_READ="$1 $2" "$fsck" "${@:3}" "$img"
}

FAULT_READS=$tmp/reads LD_PRELOAD=$tmp/fault.so "$fsck" -fn "$img" >/dev/null
is $? 0 'a volume in order'
mapfile -t blks < <(sort -nu "$tmp/reads")
[ "${blks[0]}" = 0 ]
ok $? 'block 0 is one of those that are read'
blks=("${blks[@]:1}")		# see below
[ ${#blks[@]} -gt 50 ]
ok $? "of which ${#blks[@]} blocks are read"
is "$(sort -n "$tmp/reads" | uniq -d | head -n 1)" '' 'none of them twice'
before=$(sha256sum <"$img")
unnamed=0 twice=0 wrong=0 untrue=0 lost=0
for blk in "${blks[@]}"; do
    unread "$blk" "$blk" -fy
    case $(grep -c "^block $blk cannot be read: Input/output error" <<<"$out") in
    0) diag "$blk: $out"; unnamed=$((unnamed + 1)) ;;
    1) ;;
    *) diag "$blk: $out"; twice=$((twice + 1)) ;;
    esac
    [ "$status" = 8 ] || { diag "$blk: exit $status: $out"; wrong=$((wrong + 1)); }
    lost=$((lost + $(grep -c '^name .*: inode [0-9]* cannot be read$' <<<"$out")))
    ! grep -vE '^block |^name .*: inode [0-9]* cannot be read$|^fsck.simplefs: ' <<<"$out" ||
        untrue=$((untrue + 1))
done
is "$unnamed $twice" '0 0' 'each of them unreadable: named, and once'
is "$wrong" 0 'always with exit 8'
is "$untrue" 0 'nothing is told that is not so'
[ "$lost" -ge 290 ]
ok $? "the names of what is in them are ($lost)"
is "$(sha256sum <"$img")" "$before" 'nothing is written, by -y neither'

# What else is wrong is found as well.
ino()
{
    build/bin/dump.simplefs --json -i "$1" "$img" | python3 -c 'import json, sys; print(json.load(sys.stdin)["inode"]["ino"])'
}
where=$(($(ino /many/a-name-of-some-length-150) / 8))
"$edit" "$img" field /extents blocks 7
before=$(sha256sum <"$img")
unread "$where" "$where" -fy
exits 12 'an unreadable block and damage: 8 and 4'
like "^block $where cannot be read" 'the block is named'
like 'inode [0-9]+ holds [0-9]+ blocks and says 7' 'and the damage'
like 'name a-name-of-some-length-150 in directory [0-9]+: inode [0-9]+ cannot be read' 'and who is lost'
like 'not all of it can be read, and nothing was changed' 'and what to do'
is "$(sha256sum <"$img")" "$before" 'nothing is written'
run "$fsck" -fy "$img"
exits 1 'a device that gives it again lets it be repaired'

# The inode map has lost the block that cannot be read: what is in it may be there.
"$edit" "$img" bit inode "$where" 0
before=$(sha256sum <"$img")
unread "$where" "$where" -fy
exits 8 'an unreadable block that the inode map has lost'
like 'name a-name-of-some-length-150 in directory [0-9]+: inode [0-9]+ cannot be read' 'no name goes'
is "$(grep -c "^block $where cannot be read" <<<"$out")" 1 'it is asked for once'
is "$(sha256sum <"$img")" "$before" 'nothing is written'
run "$fsck" -fy "$img"
exits 1 'readable again, it is found'

# The superblock, of which there are copies.
sound=$tmp/sound
cp "$img" "$sound"

# block0 STATUS NAME COMMAND...: a tool on a device that does not give block 0
block0()
{
    run env LD_PRELOAD="$tmp/fault.so" FAULT_READ="0 0" "${@:3}"
    exits "$1" "block 0 unreadable: $2"
    is "$(grep -c '^block 0 cannot be read: Input/output error' <<<"$out")" 1 "$2: it is named, and once"
}

# stays: nothing is written
stays()
{
    cmp -s "$sound" "$img"
    ok $? "$1: nothing is written"
}

rm -f "$tmp/reads"
FAULT_READS=$tmp/reads block0 4 'fsck -n' "$fsck" -n "$img"
like 'corrupt superblock: blk=0, cannot be read; the copy in block 129 takes its place' 'fsck -n: a copy is there'
like 'damaged, and nothing was changed: -y repairs it' 'fsck -n: which mends it'
is "$(grep -cx 0 "$tmp/reads")" 1 'fsck -n: it is asked for once'
stays 'fsck -n'
block0 4 'fsck that may not ask' "$fsck" "$img"
stays 'fsck that may not ask'
block0 4 'fsck --journal-only' "$fsck" --journal-only "$img"
like 'without --journal-only, -y repairs it' 'fsck --journal-only: says how it is mended'
stays 'fsck --journal-only'
block0 8 'dump' build/bin/dump.simplefs "$img"
like 'its superblock cannot be read; there is a copy in block 129' 'dump: says where a copy is'
block0 4 'dump of a file' build/bin/dump.simplefs -o /many/a-name-of-some-length-7 "$img"
like '^7$' 'dump of a file: by the copy it is shown'
block0 4 'dump --check' build/bin/dump.simplefs --check "$img"
block0 1 'tune' build/bin/tune.simplefs -L other "$img"
like 'its superblock cannot be read: Input/output error; fsck.simplefs -y writes a copy' 'tune: says what helps'
stays 'tune'
block0 1 'resize' build/bin/resize.simplefs "$img" 200M
like 'its superblock cannot be read: Input/output error; fsck.simplefs -y writes a copy' 'resize: says what helps'
stays 'resize'
block0 1 'mkfs' build/bin/mkfs.simplefs "$img"
like 'its first block cannot be read' 'mkfs: says why it does not go on'
stays 'mkfs'

# A write makes many a disk take another sector: then it is mended, also at boot.
for how in -y -p; do
    cp "$sound" "$img"
    FAULT_MENDS=1 block0 1 "fsck $how" "$fsck" "$how" "$img"
    like "^$img: repaired" "fsck $how: it is mended"
    run "$fsck" -fn "$img"
    exits 0 "fsck $how: and in order"
    is "$(build/bin/dump.simplefs "$img" | grep -E 'uuid|label|state|free')" \
        "$(build/bin/dump.simplefs "$sound" | grep -E 'uuid|label|state|free')" "fsck $how: as it was"
done
# One that still does not give it is not called mended.
for how in -y -p; do
    cp "$sound" "$img"
    block0 8 "fsck $how, still after a write" "$fsck" "$how" "$img"
    like 'its superblock was written, and the device does not give it back' "fsck $how: the device is to blame"
    unlike 'repaired' "fsck $how: it is not called mended"
done
run build/bin/dump.simplefs "$img"
like 'state: *0x2' 'what was written is marked as damaged, should the device give it later'
run "$fsck" -y "$img"
exits 0 'and is looked through then'
cp "$sound" "$img"
unread 0 129 -fy
exits 8 'without a copy that can be had'
like 'its superblock cannot be read, and there is no copy of it' 'there is no help'
stays 'without a copy'

run env LD_PRELOAD="$tmp/fault.so" FAULT_READ="$where $where" build/bin/dump.simplefs --check "$img"
exits 8 'dump --check goes on as well'
like 'name a-name-of-some-length-150 in directory' 'and says the same'

mkdir "$tmp/9000" && (cd "$tmp/9000" && seq 9000 | xargs touch)
build/bin/mkfs.simplefs -qf -d "$tmp/9000" "$img" 64M || exit 1
unread "$(($(ino /1) / 8))" 99999 -f
exits 8 'a device that gives next to nothing'
like 'the check could not go on' 'is given up'
lines=$(wc -l <<<"$out")
[ "$lines" -gt 1000 ] && [ "$lines" -lt 1010 ]
ok $? "after a thousand blocks ($lines lines)"
done_testing
