#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dump.simplefs --picture: XML that says of a volume what its maps and inodes say; and the words that
# people and programs get in place of numbers.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
mkfs=build/bin/mkfs.simplefs
dump=build/bin/dump.simplefs
img=$tmp/img
svg=$tmp/out.svg

# drawn EXPRESSION: about the picture; blocks(kind) is what its cells of one colour hold at most
drawn()
{
    python3 - "$svg" "$1" <<'END'
import re, sys
import xml.etree.ElementTree as tree
ns = "{http:" + "//www.w3.org/2000/svg}"
top = tree.parse(sys.argv[1]).getroot()
words = " ".join(t.text or "" for t in top.iter(ns + "text"))
titles = [t.text for t in top.iter(ns + "title")]
groups = [t.text for t in top.iter(ns + "text") if re.match("group [0-9]+$", t.text or "")]
cell = int(re.search("a cell is ([0-9]+)", words)[1])
rows = top.findall(ns + "g")
def blocks(kind):
    return sum(int(r.get("width")) // 4 * cell for g in rows for r in g if r.get("class") == "k%d" % kind)
free = int(re.search("([0-9]+) free in", words)[1])
longest = int(re.search("longest of ([0-9]+);", words)[1])
print(eval(sys.argv[2]))
END
}
USED=0 JOURNAL=2 INODES=3 NODES=4 DATA=5

"$mkfs" -qf -L "$(printf '<&">\001\303\244')" "$img" 16M
run "$dump" -p "$svg" "$img"
exits 0 'a volume is drawn'
is "$out" '' 'without a word'
is "$(drawn 'top.tag == ns + "svg"')" True 'as XML that is well-formed'
is "$(drawn '"<&\">?" + chr(228) in words')" True 'with its label, whatever that is'
is "$(drawn cell)" 1 'a small one has a cell for each block'
is "$(drawn "blocks($JOURNAL)")" 1024 'the journal is as long as it is'
is "$(drawn "blocks($INODES)")" 1 'there is one block of inodes'
is "$(drawn "blocks($USED)")" 0 'nothing is used without reason'
is "$(drawn free)" "$("$dump" "$img" | sed -n 's/^ *free: //p')" 'what is free is what the superblock says'
is "$(drawn 'len(groups)')" 1 'it has a group'

mkdir -p "$tmp/tree/dir"
for i in $(seq 1500); do : >"$tmp/tree/dir/a name that takes room, and some more of it $i"; done
head -c 4000000 /dev/urandom >"$tmp/tree/large"
truncate -s 5M "$tmp/tree/holes"
for i in 1 2 3 4; do printf x | dd of="$tmp/tree/holes" bs=1 seek=$((i * 1000000)) conv=notrunc status=none; done
"$mkfs" -qf -d "$tmp/tree" "$img" 32M
run "$dump" --picture="$svg" "$img"
exits 0 'one with files'
is "$(drawn "blocks($DATA)")" $((977 + 4)) 'the data are as many blocks as files have'
is "$(drawn "blocks($INODES)")" "$("$dump" -g 0 "$img" | awk '/^inode:/ { i = 1 } i && /bits_set/ { print $2; exit }')" \
    'inodes are where the map has them'
is "$(drawn "blocks($NODES) > 10")" True 'a large directory has nodes'
is "$(drawn '"2 files with data have 5" in words')" True 'extents are counted'

"$mkfs" -qf "$img" 10G
"$dump" -p "$svg" "$img"
is "$(drawn '"not drawn: " in words, len(rows) <= 66, len(groups) > 10')" '(True, True, True)' 'a large one is drawn in part'
"$mkfs" -qf "$img" 15T
run "$dump" -p "$svg" "$img"
exits 0 'so is the largest'
rm -f "$img"

"$mkfs" -qf "$img" 16M
run "$dump" -p "$tmp/no/such.svg" "$img"
exits 8 'a picture that cannot be made'
like 'such.svg: the picture cannot be written: No such' 'says why'
run "$dump" -p /dev/full "$img"
exits 8 'one that does not arrive'
like '/dev/full: the picture cannot be written' 'either'

# Words.
run "$dump" "$img"
like '^ *- "clean"$' 'a clean volume is called that'
like '^  errors_name: "remount-ro"$' 'the answer to damage has a word'
like '^  uuid: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' 'a UUID has its dashes'
like '^  mount_time: "never"$' 'what did not happen has no time'
like '^  mkfs_time: 20' 'what did has one'
run "$dump" -jc "$img"
exits 0 'a check in JSON'
is "$(python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["problems"], d["check"])' <<<"$out")" \
    "[] {'verdict': 'clean', 'count': 0}" 'is JSON'
run "$dump" -b 3000 "$img"
exits 4 'a block of zeros'
like 'blk=3000 .*, block of zeros' 'is called that'
printf '\0' | dd of="$img" bs=1 seek=4200 conv=notrunc status=none
out=$("$dump" -jc "$img" 2>"$tmp/err")
is "$?" 4 'a damaged one'
is "$(python3 -c 'import json, sys; d = json.load(sys.stdin); print(len(d["problems"]) > 0, d["check"]["verdict"])' <<<"$out")" \
    'True damaged' 'is JSON with the problems'
run "$dump" -p "$svg" "$img"
exits 4 'it is drawn'
is "$(drawn 'len(groups)')" 1 'as far as it can be'

mkfifo "$tmp/fifo"
for tool in dump fsck; do
    run timeout 20 "build/bin/$tool.simplefs" "$tmp/fifo"
    exits 8 "$tool: a pipe"
    like 'fifo: neither block device nor file$' "$tool: is none"
done
run "$mkfs" -q "$tmp/$(printf 'a\033[31mb\n')" 1
like 'a\\x1b\[31mb' 'what a terminal would obey is shown'
is "$(wc -l <<<"$out")" 1 'and a line stays a line'
run "$mkfs" -n "$tmp/new" 2M
exits 1 'a volume too small for a journal'
like 'leaves no room for files; -J none' 'is told how it can be made'
run "$mkfs" -q -J none "$tmp/new" 1M
exits 0 'which is true'

done_testing
