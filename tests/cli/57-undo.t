#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fsck.simplefs -z keeps what a repair overwrites, before it is overwritten, and --undo takes the repair
# back: whole, cut off at any write, or itself cut off; and never that of another volume or time.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/damage >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
mkfs=build/bin/mkfs.simplefs
fsck=build/bin/fsck.simplefs
img=$tmp/img
undo=$tmp/undo

sum()
{
    sha256sum <"$1"
}

# damaged OPTIONS...: a volume that is, made with these, in $tmp/bad
damaged()
{
    "$mkfs" -q -f "$@" -d "$tmp/from" "$tmp/base" 32M && cp "$tmp/base" "$tmp/bad" || return
    build/image/damage "$tmp/bad" zero "$(build/image/damage "$tmp/base" where leaf /many)" 1
    build/image/damage "$tmp/bad" zero 33 1
}

# fresh: $img is $tmp/bad, and no undo file is there
fresh()
{
    cp "$tmp/bad" "$img" && rm -f "$undo"
}

# cut AT OPTION...: fsck of $img, killed in place of its call AT that changes a file
cut()
{
    { FAULT_LAZY=1 FAULT_AT=$1 FAULT=KILL LD_PRELOAD=$tmp/fault.so "$fsck" "${@:2}" "$img" >/dev/null; } 2>/dev/null
}

mkdir -p "$tmp/from/many"
for i in $(seq 500); do echo "$i" >"$tmp/from/many/a name of some length $i"; done

for journal in size=4M none; do
    damaged -J $journal
    ok $? "journal $journal: a damaged volume"
    before=$(sum "$tmp/bad")
    fresh
    run env FAULT_RECORD="$tmp/record" LD_PRELOAD="$tmp/fault.so" "$fsck" -fy -z "$undo" "$img"
    exits 1 "$journal: is repaired"
    python3 - "$tmp/record" "$img" "$undo" <<'EOF'
import struct
import sys

record, img, undo = sys.argv[1:]
kept, synced, data, writes = set(), set(), b'', 0
with open(record, 'rb') as f:
    while line := f.readline():
        word, path, *rest = line.decode().split()
        body = f.read(int(rest[1])) if word == 'write' else b''
        if word == 'write' and path == undo:
            magic, kind, blk = struct.unpack_from('<IIQ', body) if len(body) == 32 else (0, 0, 0)
            if magic == 0x6f646e75 and kind == 1:
                kept.add(blk)
        elif path == undo:
            synced |= kept
        elif word == 'write':
            writes += 1
            blk = int(rest[0]) // 4096
            if blk not in synced:
                sys.exit(f'# block {blk} was overwritten before it was lasting in the file')
if not writes or not kept:
    sys.exit('# nothing was recorded')
EOF
    ok $? "$journal: each block was in the file, lasting, before it was written"
    cp "$img" "$tmp/mended"
    run "$fsck" -n --undo "$undo" "$img"
    exits 0 "$journal: it could be taken back"
    is "$(sum "$img")" "$(sum "$tmp/mended")" "$journal: of which -n does nothing"
    run "$fsck" --undo "$undo" "$img"
    exits 0 "$journal: it is taken back"
    is "$(sum "$img")" "$before" "$journal: each byte"
    run "$fsck" --undo "$undo" "$img"
    exits 0 "$journal: and once more"
    is "$(sum "$img")" "$before" "$journal: which changes nothing"

    fresh
    FAULT_COUNT=$tmp/count FAULT_LAZY=1 LD_PRELOAD=$tmp/fault.so "$fsck" -fy -z "$undo" "$img" >/dev/null 2>&1
    all=$(cat "$tmp/count") bad=0 undone=0
    for at in $(seq $((${SEED:-1} % 7 + 1)) 7 "$all"); do
        fresh
        cut "$at" -fy -z "$undo"
        changed=$(cmp -s "$img" "$tmp/bad" || echo yes)
        "$fsck" --undo "$undo" "$img" >"$tmp/said" 2>&1
        status=$?
        [ "$changed" ] && undone=$((undone + 1))
        if ! cmp -s "$img" "$tmp/bad" || [ "$changed$status" = yes8 ]; then
            bad=$((bad + 1))
            diag "call $at of $all: $status $(cat "$tmp/said")"
        fi
    done
    is $bad 0 "$journal: cut off at any call, it is taken back ($undone times it had changed something)"
    [ "$undone" -gt 1 ]
    ok $? "$journal: some of which had"

    fresh
    "$fsck" -fy -z "$undo" "$img" >/dev/null 2>&1
    cp "$img" "$tmp/mended" && cp "$undo" "$tmp/undo-whole" && cp "$tmp/bad" "$tmp/bad-whole"
    FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$fsck" --undo "$undo" "$img" >/dev/null 2>&1
    bad=0
    for at in $(seq "$(cat "$tmp/count")"); do
        cp "$tmp/mended" "$img" && cp "$tmp/undo-whole" "$undo"
        cut "$at" --undo "$undo"
        "$fsck" --undo "$undo" "$img" >"$tmp/said" 2>&1 || bad=$((bad + 1))
        cmp -s "$img" "$tmp/bad" || { bad=$((bad + 1)); diag "call $at: $(cat "$tmp/said")"; }
    done
    is $bad 0 "$journal: a cut-off undo is done again"
done

# A journal that is not empty: its replay is taken back as well.
damaged -J size=4M
fresh
FAULT_COUNT=$tmp/count FAULT_LAZY=1 LD_PRELOAD=$tmp/fault.so "$fsck" -fy "$img" >/dev/null 2>&1
for at in $(seq "$(cat "$tmp/count")" -1 1); do
    cp "$tmp/bad" "$img"
    cut "$at" -fy
    run "$fsck" -n "$img"
    [[ $out == *'looking past the journal'* ]] && break
done
like 'looking past the journal: 1 transactions' 'a journal with a transaction in it'
cp "$img" "$tmp/full"
run "$fsck" -fy -z "$undo" "$img"
like 'replayed the journal' 'is replayed'
run "$fsck" --undo "$undo" "$img"
exits 0 'that is taken back'
cmp -s "$img" "$tmp/full"
ok $? 'to the journal as it was'

# Whose it is, and since when.
cp "$tmp/mended" "$img" && cp "$tmp/undo-whole" "$undo"
build/bin/tune.simplefs -L other "$img" >/dev/null
before=$(sum "$img")
run "$fsck" --undo "$undo" "$img"
exits 8 'a volume that was changed since'
like 'changed since' 'is called that'
is "$(sum "$img")" "$before" 'and left alone'
run "$fsck" -f --undo "$undo" "$img"
exits 0 'but with -f'
cmp -s -n 4096 "$img" "$tmp/bad-whole"
ok $? 'what was kept comes back'
cp "$tmp/mended" "$img"
printf x | dd of="$img" bs=4096 seek=33 conv=notrunc status=none
run "$fsck" --undo "$undo" "$img"
exits 8 'one of its blocks was changed since'
"$mkfs" -q -f -J none "$img" 32M
run "$fsck" -f --undo "$undo" "$img"
exits 8 'another volume'
like 'of another volume' 'is called that, and -f does not help'
truncate -s 33M "$img"
run "$fsck" --undo "$undo" "$img"
exits 8 'another size'
cp "$tmp/mended" "$img"
printf '\377' | dd of="$undo" bs=1 seek=5000 conv=notrunc status=none
run "$fsck" --undo "$undo" "$img"
exits 8 'a file that is damaged in the middle'
cmp -s "$img" "$tmp/mended"
ok $? 'of which nothing is taken'
run "$fsck" --undo "$tmp/from/many/a name of some length 1" "$img"
exits 8 'a file that is none'
run "$fsck" --undo "$tmp/none" "$img"
exits 8 'no file'

fresh
: >"$undo"
run "$fsck" -fy -z "$undo" "$img"
exits 8 'a file that is there is not overwritten'
cmp -s "$img" "$tmp/bad"
ok $? 'and nothing was repaired'
rm -f "$undo"
run "$fsck" -fn -z "$undo" "$img"
exits 16 '-n has nothing to keep'
run "$fsck" -z "$undo" --undo "$undo" "$img"
exits 16 'one or the other'
cp "$tmp/base" "$img"
run "$fsck" -y -z "$undo" "$img"
exits 0 'where nothing is written'
[ ! -e "$undo" ]
ok $? 'no file stays'
fresh
run env FAULT_AT=4 FAULT=ENOSPC LD_PRELOAD="$tmp/fault.so" "$fsck" -fy -z "$undo" "$img"
exits 8 'the file cannot be written'
cmp -s "$img" "$tmp/bad"
ok $? 'so the volume was not'
"$mkfs" -q -f -J device="$tmp/journal" "$img" 32M 2>/dev/null || { truncate -s 8M "$tmp/journal" &&
    "$mkfs" -q -f -J device="$tmp/journal" "$img" 32M; }
run "$fsck" -fy -j "$tmp/journal" -z "$undo" "$img"
exits 8 'a journal on another device'
like 'journal is on another device, and -z' 'would not come back'
done_testing
