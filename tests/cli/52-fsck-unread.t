#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fsck.simplefs on a device that does not give a block: it is named, the check goes on without it,
# nothing is said of what may be in it, and nothing is written. But for the superblock, of which there
# are copies.
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
mapfile -t blks < <(sort -nu "$tmp/reads" | grep -vx 0)
[ ${#blks[@]} -gt 50 ]
ok $? "of which ${#blks[@]} blocks are read"
is "$(sort -n "$tmp/reads" | uniq -d | grep -vx 0 | head -n 1)" '' 'none of them twice'
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

unread 0 0 -fn
exits 4 'the superblock: there are copies'
is "$(grep -c 'block 0 cannot be read' <<<"$out")" 1 'it is named, and asked for once'
unread 0 0 -fy
exits 1 'it is written anew'
run "$fsck" -fn "$img"
exits 0 'and in order, if the device gives it then'
unread 0 129 -fy
exits 8 'without a copy that can be had'
like 'its superblock cannot be read, and there is no copy of it' 'there is no help'
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
