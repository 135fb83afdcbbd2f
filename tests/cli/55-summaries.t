#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The summaries of zones: what mkfs and a fill leave in them, that fsck tells a lost one and a false one
# and makes all of them anew in one run, and what a crash that found none there is worth.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
mkfs=build/bin/mkfs.simplefs
fsck=build/bin/fsck.simplefs
dump=build/bin/dump.simplefs
edit=build/image/edit
img=$tmp/img
zone=1032192
summary=(130 $((zone + 129)) $((2 * zone + 129)))

# counts BLOCK: what the summary there says, without what every write changes, or may make better
counts()
{
    "$dump" -b "$1" "$img" | grep -Ev '^ *(crc|seq|run): '
}

# zero BLOCK
zero()
{
    dd if=/dev/zero of="$img" bs=4096 seek="$1" count=1 conv=notrunc status=none
}

mkdir -p "$tmp/from/dir"
for i in $(seq 100); do seq "$i" >"$tmp/from/dir/file $i"; done
"$mkfs" -q -d "$tmp/from" "$img" 12G
"$edit" "$img" zones 3 '/dir/file 7'
run "$fsck" -fn "$img"
is "$status" 0 'a volume of three zones, filled' || diag "$out"
counts 130 >"$tmp/first"
run cat "$tmp/first"
like 'kind: "zone summary"' 'dump shows a summary'
like 'inode_blks: 13' 'with the inode blocks of the group that has them'

# One alone, then all.
for lost in 1 '0 1 2'; do
    before=$(for z in 0 1 2; do counts "${summary[z]}"; done)
    for z in $lost; do zero "${summary[z]}"; done
    run "$fsck" -fn "$img"
    is "$status" 4 "zone $lost: -n finds it lost"
    for z in $lost; do like "summary of zone $z is lost" "zone $lost: and says of which zone, $z"; done
    run "$fsck" -fy "$img"
    is "$status" 1 "zone $lost: -y repairs" || diag "$out"
    run "$fsck" -f "$img"
    is "$status" 0 "zone $lost: then the volume is in order" || diag "$out"
    is "$(for z in 0 1 2; do counts "${summary[z]}"; done)" "$before" "zone $lost: and says what it said"
done

# After a crash: the counters come from the summaries, or else from the maps.
free=$("$fsck" -n "$img" | grep -o '[0-9]* of [0-9]* blocks free')
for lost in '' 1; do
    "$edit" "$img" super state 0
    "$edit" "$img" super free 5
    for z in $lost; do zero "${summary[z]}"; done
    run "$fsck" -y "$img"
    like "$free" "not unmounted, ${lost:+summary lost, }the free blocks are counted"
    [ "$status" -le 1 ]
    ok $? 'and the volume is in order' || diag "$out"
done

# One that cannot be
"$edit" "$img" summary free 0 40000
run "$fsck" -fn "$img"
like 'corrupt zone summary: blk=130 .*more blocks than the group has' 'one that cannot be is told with the reason'
done_testing
