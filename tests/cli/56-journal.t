#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A journal that cannot be replayed: of a clean volume it is made anew, another is given up when asked.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
fsck=build/bin/fsck.simplefs
img=$tmp/img
edit=build/image/edit
log=131		# its first block
mkdir "$tmp/from" && seq 9000 >"$tmp/from/file"

fresh()
{
    build/bin/mkfs.simplefs -qf "$@" -d "$tmp/from" "$img" 64M || exit 1
}

# A byte of the log's superblock flips, on the volume or on FILE from BLOCK.
damage()
{
    printf '\377' | dd of="${1-$img}" bs=1 seek=$((${2-$log} * 4096 + 60)) conv=notrunc status=none
}

# magics: how many blocks of the log but the first begin like one of a log
magics()
{
    python3 - "$img" <<'END'
import sys
image = open(sys.argv[1], "rb").read()
print(sum(image[b * 4096:b * 4096 + 4] == b"\xc0\x3b\x39\x98" for b in range(132, 131 + 1024)))
END
}

shown()
{
    build/bin/dump.simplefs "$img"
}

fresh
"$edit" "$img" field /file nlink 9
run "$fsck" -fy "$img"
exits 1 'a repair went through the journal'
[ "$(magics)" -ge 2 ]
ok $? 'of which blocks are left'
damage
"$edit" "$img" field /file nlink 9
cp "$img" "$tmp/bad"
leaves "$img" 4 'wrong checksum of the log.s superblock' 'clean, and its journal is damaged: -n' "$fsck" -n "$img"
like 'has 1 links and says 9' 'and what else is wrong is told'
for how in -a -y; do
    cp "$tmp/bad" "$img"
    run "$fsck" "$how" "$img"
    exits 1 "$how repairs both"
    like 'the journal was made anew' "$how: the journal, too"
    run "$fsck" -fn "$img"
    exits 0 "$how: and the volume is in order"
done
cp "$tmp/bad" "$img"
run "$fsck" --journal-only "$img"
exits 4 '--journal-only has nothing to replay'
fresh
"$edit" "$img" field /file nlink 9
run "$fsck" -fy "$img"
damage
run "$fsck" -y "$img"
exits 1 'a journal alone is made anew'
is "$(magics)" 0 'and nothing of the old one would fit'

fresh
"$edit" "$img" super state 0
damage
leaves "$img" 4 'cannot be replayed .see --discard-journal.; nothing was changed' 'not clean: -y refuses' "$fsck" -y "$img"
leaves "$img" 4 'the journal cannot be replayed' 'and so does -a' "$fsck" -a "$img"
cp "$img" "$tmp/bad"
"$edit" "$img" field /file nlink 9
leaves "$img" 4 'has 1 links and says 9' '-n checks past it' "$fsck" -n "$img"
like '--discard-journal gives up' 'and says what can be done'
leaves "$img" 4 'what only that has is given up' '--discard-journal -n' "$fsck" --discard-journal -n "$img"
run "$fsck" --discard-journal -y "$img"
exits 1 '--discard-journal -y does it'
run "$fsck" -fn "$img"
exits 0 'and the volume is in order'
cp "$tmp/bad" "$img"
"$edit" "$img" field /file blocks 9
"$edit" "$img" attribute /file broken 5000 4
leaves "$img" 4 'some of it cannot be repaired' 'what cannot be repaired keeps its journal' "$fsck" --discard-journal -y "$img"
run "$fsck" --discard-journal --journal-only "$img"
exits 16 '--discard-journal and --journal-only exclude each other'

truncate -s 8M "$tmp/log"
fresh -J device="$tmp/log"
damage "$tmp/log" 1
run "$fsck" -y -j "$tmp/log" "$img"
exits 1 'a damaged journal on a device of its own, of a clean volume'
run "$fsck" -fn -j "$tmp/log" "$img"
exits 0 'is made anew there'
"$edit" "$img" super state 0
head -c 4096 /dev/zero | dd of="$tmp/log" conv=notrunc status=none
leaves "$img" 8 'not the journal of' 'a device that is none is named' "$fsck" -y -j "$tmp/log" "$img"
like "^fsck.simplefs: $tmp/log: " 'as the one that is wrong'
leaves "$img" 8 'name it with -j' 'without it, nothing' "$fsck" -y "$img"
run "$fsck" --discard-journal -y "$img"
exits 1 'a journal that is gone is given up'
like 'it has no journal now' 'for good'
is "$(shown | grep -c '^ *journal_uuid: [0-]*$')" 1 'nothing speaks of it'
run "$fsck" -fn "$img"
exits 0 'and the volume is in order'
is "$(build/bin/dump.simplefs -o /file "$img" | sha256sum)" "$(sha256sum <"$tmp/from/file")" 'with all that was in it'
done_testing
