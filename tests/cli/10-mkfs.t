#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkfs.simplefs: what it refuses, what it makes, and that it makes the same again.
. "$(dirname "$0")/../tap/tap.sh"
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
mkfs=build/bin/mkfs.simplefs
dump=build/bin/dump.simplefs
uuid=3d5c9a0e-8f2b-4c77-9a43-0f6f2a1b7c9d

run "$mkfs"
is "$status" 2 "no operand: usage"
run "$mkfs" "$tmp/absent"
is "$status" 1 "a file that is not there, without a size"
run "$mkfs" -b 1024 "$tmp/a" 16M
is "$status" 2 "another block size"
run "$mkfs" -J size=2M "$tmp/a" 16M
is "$status" 2 "a journal below jbd2's minimum"
rm -f "$tmp/a"
run "$mkfs" "$tmp/a" 100K
is "$status" 1 "a volume that is too small"
rm -f "$tmp/a"
run "$mkfs" -L "$(printf 'x%.0s' {1..65})" "$tmp/a" 16M
is "$status" 2 "a label that is too long"
rm -f "$tmp/a"

run "$mkfs" -n "$tmp/a" 16M
is "$status" 1 "a dry run makes no file"
[ ! -e "$tmp/a" ]
ok $? "and has not"
run "$mkfs" -L 'a "b" c' -U "$uuid" "$tmp/a" 16M
is "$status" 0 "a volume in a new file"
run "$dump" --check "$tmp/a"
is "$status" 0 "which is whole"
run "$dump" "$tmp/a"
[[ $out == *3d5c9a0e8f2b4c779a430f6f2a1b7c9d* ]]
ok $? "with the UUID asked for"
run blkid -p "$tmp/a"
is "$status" 2 "and which nobody takes for something else"
before=$(md5sum <"$tmp/a")
run "$mkfs" "$tmp/a"
is "$status" 1 "a simplefs is not overwritten"
is "$(md5sum <"$tmp/a")" "$before" "nor touched by the refusal"
run "$mkfs" -n -f "$tmp/a"
is "$(md5sum <"$tmp/a")" "$before" "nor by a dry run"
run "$mkfs" -fq "$tmp/a"
is "$status" 0 "but with -f"
is "$out" "" "quietly"

truncate -s 16M "$tmp/swap"
printf 'SWAPSPACE2' | dd of="$tmp/swap" bs=1 seek=4086 conv=notrunc status=none
printf '\001\000\000\000\377\017\000\000' | dd of="$tmp/swap" bs=1 seek=1024 conv=notrunc status=none
run "$mkfs" "$tmp/swap"
is "$status" 1 "what another format owns is refused"
run "$mkfs" -fq "$tmp/swap"
run blkid -p "$tmp/swap"
is "$status" 2 "and with -f its signature is gone"

for n in 1 2; do
    SOURCE_DATE_EPOCH=1700000000 run "$mkfs" -q -U "$uuid" -d tests/tap "$tmp/same$n" 16M
done
cmp "$tmp/same1" "$tmp/same2"
ok $? "the same options give the same bytes"
run "$mkfs" -q -J none -d tests/tap "$tmp/small" 1M
is "$status" 0 "a tree that fits" || diag "$out"
truncate -s 3M "$tmp/tree.dat"
mkdir "$tmp/tree"
head -c 3000000 /dev/urandom >"$tmp/tree/large"
run "$mkfs" -fq -J none -d "$tmp/tree" "$tmp/small" 1M
is "$status" 1 "one that does not"
run "$dump" "$tmp/small"
is "$status" 8 "leaves no volume behind"
run "$mkfs" -q "$tmp/huge" 15T
is "$status" 0 "15 TiB"
[ "$(du -k "$tmp/huge" | cut -f 1)" -lt 1024 ]
ok $? "cost less than 1 MiB"
done_testing
