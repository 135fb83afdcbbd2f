#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dump.simplefs prints what mkfs.simplefs made, says no to what is no volume, and never crashes.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
mkfs=build/bin/mkfs.simplefs
dump=build/bin/dump.simplefs
img=$tmp/img
before=
json='import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))'

# field ARGUMENTS... EXPRESSION: a value out of the JSON of a dump of $img
field()
{
    "$dump" --json "${@:1:$#-1}" "$img" | python3 -c "$json" "${*: -1}"
}

# poke OFFSET BYTES: into the image
poke()
{
    printf '%b' "$2" | dd of="$img" bs=1 seek="$1" conv=notrunc status=none
}

fresh()
{
    "$mkfs" -q -f -L first -U 11111111-2222-3333-4444-555555555555 "$img" 64M
}

fresh
ok $? 'a volume is made'
before=$(sha256sum <"$img")
run "$dump" --check "$img"
exits 0 'and is true'
root=$(od -An -tu8 -j 240 -N 8 "$img" | tr -d ' ')	# s_root
for args in -s '-g 0' "-i $root" '-i 0' '-i /' '-t 0' '-d 0' '-d /' '-b 1' "-b $((root / 8))"; do
    # shellcheck disable=SC2086
    run "$dump" $args "$img"
    exits 0 "dump $args"
    # shellcheck disable=SC2086
    is "$(field $args 'len(d) > 0')" True "dump $args as JSON"
done
is "$(sha256sum <"$img")" "$before" 'nothing was written'

run "$dump" -g 99 "$img"
exits 8 'a group that is not there'
run "$dump" -i 1 "$img"
exits 4 'an inode that is not there'
run "$dump" -b 99999999 "$img"
exits 8 'a block past the end'
run "$dump" -i x "$img"
exits 16 'an inode number that is none'
run "$dump" "$tmp/none"
exits 8 'no file'
run "$dump" /dev/full
exits 8 'no block device'
"$dump" "$img" >/dev/full 2>/dev/null
is $? 8 'output that cannot be written'

run "$dump" -i / -b 1 "$img"
exits 16 'two things at once'
for args in '-d /none' '-i /none/x' '-o /' '-o /none'; do
    # shellcheck disable=SC2086
    run "$dump" $args "$img"
    exits 8 "dump $args: is not there, or not that"
done

mkdir -p "$tmp/tree/sub/deep"
for i in $(seq 300); do echo "$i" >"$tmp/tree/sub/a name that takes some room $i"; done
seq 5000 >"$tmp/tree/sub/deep/file"
truncate -s 20000 "$tmp/tree/sparse"
ln -s sub "$tmp/tree/link"
run "$mkfs" -q -f -J none -d "$tmp/tree" "$img" 16M
exits 0 'a volume with something in it'
ino=$(field -d /sub/deep 'd["names"][0]["ino"]')
is "$(field -i /sub//deep/file 'd["inode"]["ino"]')" "$ino" 'a path leads to the inode that its directory names'
is "$(field -i "$ino" 'd["inode"]["size"]')" "$(stat -c %s "$tmp/tree/sub/deep/file")" 'which is that file'
"$dump" -o /sub/deep/file "$img" | cmp - "$tmp/tree/sub/deep/file"
ok $? 'its contents come out as they went in'
"$dump" -o /sparse "$img" | cmp - "$tmp/tree/sparse"
ok $? 'and those of a hole'
run "$dump" -d /link/deep "$img"
exits 8 'a symlink is not followed'
is "$(field -t /sub '[n["level"] for n in d["nodes"]][0]')" 1 'a tree has its root first'
is "$(field -t /sub 'sum(n["count"] for n in d["nodes"] if not n["level"])')" 301 'and all records in its leaves'
is "$(field -d /sub 'sorted(n["name"] for n in d["names"])[2]')" 'a name that takes some room 100' 'names come out whole'

# A leaf goes: the rest is shown, the exit says so; the block itself is shown too.
leaf=$(field -t /sub '[n["blk"] for n in d["nodes"] if not n["level"]][1]')
poke $((leaf * 4096 + 2000)) '\x00\xff\x00'
is "$(field -t /sub 'len(d["nodes"]) > 3')" True 'the rest of a damaged tree is shown'
run "$dump" -t /sub "$img"
exits 4 'and the damage told'
like "corrupt btree node: blk=$leaf .*wrong checksum" 'with its place'
run "$dump" -b "$leaf" "$img"
exits 4 'a damaged block'
like '^  count: [0-9]+' 'is shown all the same'

fresh
poke 4200 '\x00'
run "$dump" -g 0 "$img"
exits 4 'a bitmap with flipped bytes'
like 'corrupt .*blk=1 .*' 'is named with its block'
fresh
poke 100 '\xff'
run "$dump" "$img"
exits 4 'a superblock with a flipped byte'
like 'corrupt superblock: blk=0' 'is named'
like '^  label: "first"' 'and shown'
run "$dump" -d / "$img"
exits 4 'and leads nowhere'
fresh
head -c 8192 "$img" >"$tmp/short"
run "$dump" "$tmp/short"
exits 4 'a volume that was cut off'
head -c 4095 "$img" >"$tmp/short"
run "$dump" "$tmp/short"
exits 8 'less than a block'
head -c 65536 /dev/zero >"$tmp/zero"
run "$dump" "$tmp/zero"
exits 8 'zeros'
like 'no simplefs' 'are no simplefs'
mkfifo "$tmp/fifo"
run timeout 20 "$dump" "$tmp/fifo"
exits 8 'a FIFO that nobody writes into'
done_testing
