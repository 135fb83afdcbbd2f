#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dump.simplefs --who and --path: what a block is, whose it is, and all names of an inode; also where
# maps, trees and inodes are damaged.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/damage build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
dump=build/bin/dump.simplefs
img=$tmp/img
json='import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))'

# field ARGUMENTS... EXPRESSION: a value out of the JSON of a dump of $img
field()
{
    "$dump" --json "${@:1:$#-1}" "$img" 2>/dev/null | python3 -c "$json" "${*: -1}"
}

# blk WHAT PATH: where it is
blk()
{
    build/image/damage "$tmp/base" where "$1" "$2"
}

ino_of()
{
    field -i "$1" 'd["inode"]["ino"]'
}

mkdir -p "$tmp/from/a/b"
for i in $(seq 400); do echo "$i" >"$tmp/from/a/a name of some length $i"; done
seq 20000 >"$tmp/from/a/b/file"
truncate -s 50M "$tmp/from/holes"
for i in $(seq 60); do printf %s "$i" | dd of="$tmp/from/holes" bs=1 seek="$((i * 81920))" conv=notrunc status=none; done
ln "$tmp/from/a/b/file" "$tmp/from/hard"
printf x >"$tmp/from/a/$(printf 'e\033[2J')"
build/bin/mkfs.simplefs -q -J size=4M -d "$tmp/from" "$tmp/base" 32M
is $? 0 'a volume with something in it'
cp "$tmp/base" "$img"
before=$(sha256sum <"$img")

last=$(($(stat -c %s "$img") / 4096 - 1))
for case in '0 superblock' '1 used map' '33 inode map' '65 room map' '97 orphan map' '129 copy of the superblock' \
    '130 summary of a zone' '131 journal' "$last left to nobody"; do
    is "$(field --who "${case%% *}" 'd["who"]["what"]')" "${case#* }" "block ${case%% *}: ${case#* }"
done
is "$(field -w $((last - 100)) 'd["who"]["what"], d["who"]["used"], d["who"]["owners"]')" "('free', 'no', [])" 'a free block'
run "$dump" -w $((last + 1)) "$img"
exits 8 'a block past the end'

ino=$(ino_of /hard)
is "$(field -w "$(blk inodes /hard)" 'sorted([o["paths"] for o in d["who"]["owners"] if o["ino"] == '"$ino"'][0])')" \
    "['/a/b/file', '/hard']" 'an inode block: its inodes, with all of their names'
start=$("$dump" -t /hard "$img" | sed -n 's/.*start: //p')
want="('data', $ino, 12288, ['/a/b/file', '/hard'])"
about='[(o["as"], o["ino"], o.get("offset", o.get("level")), sorted(o["paths"])) for o in d["who"]["owners"]]'
is "$(field -w $((start + 3)) "$about[0]")" "$want" 'a block of data: whose, and where in it'
leaf=$(blk leaf /holes)
is "$(field -w "$leaf" "$about")" "[('tree node', $(ino_of /holes), 0, ['/holes'])]" 'a leaf of a file'
inner=$(blk inner /a 2>/dev/null) || inner=$(blk leaf /a)
is "$(field -w "$inner" "$about[0][3]")" "['/a']" 'a node of a directory'

is "$(field -P "$ino" 'sorted(d["path"]["paths"]), d["path"]["links"]')" "(['/a/b/file', '/hard'], 2)" 'all paths of an inode'
is "$(field --path 0 'd["path"]["paths"]')" "['/']" 'the root'
"$dump" -P "$(field -d /a '[n["ino"] for n in d["names"] if "\x1b" in n["name"]][0]')" "$img" | grep -q '\\u001b\[2J'
ok $? 'a name that a terminal would obey'
run "$dump" -P $(((last - 100) * 8)) "$img"
exits 4 'what is no inode'
run "$dump" -w 5 -P 5 "$img"
exits 16 'one or the other'
is "$(sha256sum <"$img")" "$before" 'nothing was written'

# damaged WORD...: $img is the base, damaged so
damaged()
{
    cp "$tmp/base" "$img" && build/image/damage "$img" "$@"
}

damaged zero 33 1
is "$(field -w $((start + 3)) "$about[0]")" "$want" 'without the inode map inode blocks are looked for'
run "$dump" -w $((start + 3)) "$img"
exits 4 'and the status says so'
damaged zero 0 1
is "$(field -w $((start + 3)) "$about[0]")" "$want" 'without a superblock: by its copy'
damaged flip "$leaf" 9000
is "$(field -w "$leaf" "$about")" "[('tree node, damaged', $(ino_of /holes), None, ['/holes'])]" 'a damaged leaf is whose it was'
is "$(field -w "$leaf" 'd["who"]["head"]["damaged"]')" 'wrong checksum' 'and why it counts as that'
damaged zero "$(blk leaf /a)" 1
lost=$(field -P "$ino" 'd["path"]["paths"]')
case $lost in *"'/hard'"*) ;; *) false ;; esac
ok $? 'a directory with a hole: the names elsewhere are found' || diag "$lost"
damaged zero "$(blk inodes /)" 1
run "$dump" -P "$ino" "$img"
exits 4 'the inode block of the root is gone'
like '"inode [0-9]+/file"' 'and a path begins where it is known again'
done_testing
