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
root=$(od -An -tu8 -j 4152 -N 8 "$img" | tr -d ' ')	# b_root of the first bitmap
for args in -s '-g 0' "-i $root" '-b 1' "-b $((root / 8))"; do
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

poke 4200 '\x00'
run "$dump" -g 0 "$img"
exits 4 'a bitmap with flipped bytes'
like 'corrupt .*blk=1 .*' 'is named with its block'
fresh
poke 100 '\xff'
run "$dump" "$img"
exits 4 'a superblock with a flipped byte'
like 'corrupt superblock: blk=0' 'is named'
fresh
head -c 8192 "$img" >"$tmp/short"
run "$dump" "$tmp/short"
exits 4 'a volume that was cut off'
head -c 65536 /dev/zero >"$tmp/zero"
run "$dump" "$tmp/zero"
exits 8 'zeros'
like 'no simplefs' 'are no simplefs'
done_testing
