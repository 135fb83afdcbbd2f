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
for stripe in unit=64K width=64K unit=64K,width=100K unit=5K,width=10K unit=64K,width=256M none,unit=4K,width=8K; do
    run "$mkfs" -s "$stripe" "$tmp/a" 16M
    [ "$status" != 0 ] && [ ! -e "$tmp/a" ]
    ok $? "-s $stripe"
done
run "$mkfs" -qs unit=64K,width=192K "$tmp/a" 16M
is "$status" 0 "stripes of three disks"
is "$("$dump" "$tmp/a" | grep -Ec 'stripe_unit: *16$|stripe_width: *48$')" 2 "are noted, in blocks"
rm -f "$tmp/a"
run "$mkfs" -J size=2M "$tmp/a" 16M
is "$status" 2 "a journal below jbd2's minimum"
rm -f "$tmp/a"
run "$mkfs" "$tmp/a" 100K
is "$status" 1 "a volume that is too small"
rm -f "$tmp/a"
run "$mkfs" -L "$(printf 'x%.0s' {1..65})" "$tmp/a" 16M
is "$status" 2 "a label that is too long"
rm -f "$tmp/a"

run "$mkfs" -L "$(printf 'bad \377')" "$tmp/a" 16M
is "$status" 2 "a label that is no UTF-8"
run "$mkfs" "$tmp/a" 2E
is "$status" 2 "a size past 1 EiB"
run "$mkfs" "$tmp/a" 1E
is "$status" 2 "or of 1 EiB"
like 'has to be below 1 EiB' 'is told what the limit is'
run "$mkfs" "$tmp/a" 4095P
is "$status" 2 "or any other"
run "$mkfs" "$tmp/a" 100
is "$status" 1 "400 KiB in blocks"
[ ! -e "$tmp/a" ]
ok $? "and none of these has made a file"
run "$mkfs" "$tmp" 16M
is "$status" 1 "a directory"
run "$mkfs" /dev/zero 16M
is "$status" 1 "a character device"
run "$mkfs" "$tmp/no/such/folder" 16M
is "$status" 1 "nowhere"
like 'cannot be made: No such' "says why"

truncate -s 64M "$tmp/gpt"
printf 'label: gpt\n,16M\n' | sfdisk -q "$tmp/gpt" >"$tmp/sfdisk.log" 2>&1 || cat "$tmp/sfdisk.log"
is "$(grep -ao 'EFI PART' "$tmp/gpt" | wc -l)" 2 "a partition table at both ends"
run "$mkfs" -qf "$tmp/gpt" 16M
is "$status" 0 "makes room for a volume of a part"
is "$(grep -ao 'EFI PART' "$tmp/gpt" | wc -l)" 0 "also the one behind it"

run "$mkfs" -n -L plan "$tmp/a" 16M
is "$status" 0 "a dry run shows the plan"
like 'dry run.* 4096 blocks .*label plan' "of what would be made"
[ ! -e "$tmp/a" ]
ok $? "and makes nothing"
for how in -n -V -h; do
    out=$("$mkfs" $how "$tmp/a" 16M 2>&1 >/dev/full)
    is "$?" "$([ $how = -n ] && echo 1 || echo 2)" "$how that cannot be told fails"
    [ -n "$out" ]
    ok $? "$how: with a word"
done
out=$("$mkfs" "$tmp/untold" 16M 2>&1 >/dev/full)
status=$?
exits 0 'a volume is made where that cannot be told'
like 'the volume is made' 'with a warning'
run "$dump" --check "$tmp/untold"
exits 0 'it is whole'
run "$mkfs" -L 'a "b" c' -U "$uuid" "$tmp/a" 16M
is "$status" 0 "a volume in a new file"
run "$dump" --check "$tmp/a"
is "$status" 0 "which is whole"
run "$dump" "$tmp/a"
[[ $out == *"$uuid"* ]]
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

# libblkid looks at neither ext's backup superblocks nor our journals: mkfs does.
mkfs.ext4 -q -b 1024 "$tmp/ext" 64M
e2fsck -fy -b 8193 "$tmp/ext" >/dev/null 2>&1
[ $? -lt 8 ]
ok $? "an ext4 that its backup superblock would bring back"
run "$mkfs" "$tmp/ext"
is "$status" 1 "is refused"
like 'ext4' "by name"
run "$mkfs" -fq "$tmp/ext"
is "$status" 0 "and taken with -f"
e2fsck -fy -b 8193 "$tmp/ext" >/dev/null 2>&1
is $? 8 "it does not come back"
run "$dump" --check "$tmp/ext"
is "$status" 0 "over the new volume"
truncate -s 16M "$tmp/table"
printf '\0\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0' | dd of="$tmp/table" bs=1 seek=446 conv=notrunc status=none
printf '\x55\xaa' | dd of="$tmp/table" bs=1 seek=510 conv=notrunc status=none
run "$mkfs" "$tmp/table"
is "$status" 1 "a partition table is refused"
like 'dos' "by name"

# Journal devices.
truncate -s 16M "$tmp/journal"
run "$mkfs" -q -J device="$tmp/journal",uuid=$uuid "$tmp/outside" 16M
is "$status" 0 "a journal on another device" || diag "$out"
run "$dump" --json "$tmp/outside"
like "\"journal_uuid\": \"$uuid\"" "has the UUID asked for"
run "$mkfs" -q "$tmp/journal"
is "$status" 1 "that device is no free one now"
like 'journal of a simplefs' "and why"
run "$mkfs" -fq -J device="$tmp/outside" "$tmp/outside"
is "$status" 1 "volume and journal in one place"
like 'at once' "is said so"
truncate -s 1M "$tmp/short"
run "$mkfs" -fq -J device="$tmp/short" "$tmp/outside"
is "$status" 1 "a journal device that is too small"
run "$mkfs" -J none,uuid=$uuid "$tmp/b" 16M
is "$status" 2 "a UUID for no journal"

# -U
run "$mkfs" -U clear "$tmp/b" 16M
like "UUID 00000000-0000-0000-0000-000000000000" "-U clear"
run "$mkfs" -fU time "$tmp/b" 16M
like "UUID ........-....-1" "-U time"
run "$mkfs" -fU random "$tmp/b" 16M
like "UUID ........-....-4" "-U random"
random=$out
run "$mkfs" -f "$tmp/b" 16M
like "UUID ........-....-4" "and without"
[ "$out" != "$random" ]
ok $? "never the same"
run "$mkfs" -fU 1234 "$tmp/b" 16M
is "$status" 2 "half a UUID"

# The same again: from another copy of the tree, made in another order.
mkdir -p "$tmp/one/sub" "$tmp/two/sub"
for i in 1 2 3 4 5 6 7 8 9; do echo $i >"$tmp/one/sub/$i"; echo $((10 - i)) >"$tmp/two/sub/$((10 - i))"; done
ln "$tmp/one/sub/3" "$tmp/one/sub/b"; ln "$tmp/two/sub/3" "$tmp/two/sub/b"
find "$tmp/one" "$tmp/two" -exec touch -d @1600000000.123456789 {} +
cat "$tmp"/one/sub/* >/dev/null
export SOURCE_DATE_EPOCH=1700000000
for n in one two; do
    run "$mkfs" -q -d "$tmp/$n" "$tmp/same-$n" 16M
    [ "$status" = 0 ] || diag "$out"
done
cmp "$tmp/same-one" "$tmp/same-two"
ok $? "the same options and SOURCE_DATE_EPOCH give the same bytes"
run "$dump" "$tmp/same-one"
like 'mkfs_time: 2023-11-14T22:13:20.000000000Z' "of that time"
# The same bytes, written out in one tree and left out in the other; a hole may begin anywhere.
truncate -s 1000000 "$tmp/one/holes" "$tmp/two/holes"
head -c 1000000 /dev/zero >"$tmp/two/holes"
for n in one two; do
    printf x | dd of="$tmp/$n/holes" bs=1 seek=500000 conv=notrunc status=none
done
touch -d @1600000000.123456789 "$tmp"/{one,two}{/holes,}
for n in one two; do "$mkfs" -fq -d "$tmp/$n" "$tmp/holes-$n" 16M; done
cmp "$tmp/holes-one" "$tmp/holes-two"
ok $? "so do the same bytes with and without holes"
run "$dump" -i /holes "$tmp/holes-two"
like '  blocks: 1$' "of which only the block that is not zero is kept"
# A log's UUID may be that of the one before it, whose transactions then would fit.
tr '\0' '\333' </dev/zero | head -c 16M >"$tmp/full"
run "$mkfs" -fqK "$tmp/full"
is "$status" 0 "over old bytes, which are not discarded" || diag "$out"
start=$("$dump" --json "$tmp/full" | sed -n 's/.*"journal_start": \([0-9]*\).*/\1/p')
nblks=$("$dump" --json "$tmp/full" | sed -n 's/.*"journal_blocks": \([0-9]*\).*/\1/p')
dd if="$tmp/full" bs=4096 skip=$((start + 1)) count=$((nblks - 1)) status=none | cmp -n $(((nblks - 1) * 4096)) - /dev/zero
ok $? "the log's $nblks blocks hold nothing old"
tail -c 4096 "$tmp/full" | tr -d '\333' | cmp - /dev/null
ok $? "as the end of the volume does"
fallocate -l 64M "$tmp/given"
given=$(du -k "$tmp/given" | cut -f 1)
run "$mkfs" -fqK "$tmp/given"
is "$status" 0 "a file that has been given all its space"
[ "$(du -k "$tmp/given" | cut -f 1)" -ge "$given" ]
ok $? "keeps it with -K"
rm "$tmp/given"
rm -f "$tmp"/{one,two}/holes
touch -d @1600000000.123456789 "$tmp/one" "$tmp/two"
for args in '-L x' '-U clear' '-J size=5'; do
    # shellcheck disable=SC2086
    "$mkfs" -fq $args -d "$tmp/one" "$tmp/other" 16M
    ! cmp -s "$tmp/same-one" "$tmp/other"
    ok $? "and others with $args"
done
"$mkfs" -fq -d "$tmp/one" "$tmp/other" 17M
[ "$("$dump" --json "$tmp/other" | grep '"uuid"')" != "$("$dump" --json "$tmp/same-one" | grep '"uuid"')" ]
ok $? "another size has another UUID"
SOURCE_DATE_EPOCH=soon run "$mkfs" -fq "$tmp/other"
is "$status" 2 "a SOURCE_DATE_EPOCH that is none"
unset SOURCE_DATE_EPOCH
run "$mkfs" -q -J none -d tests/tap "$tmp/small" 1M
is "$status" 0 "a tree that fits" || diag "$out"
truncate -s 3M "$tmp/tree.dat"
mkdir "$tmp/tree"
head -c 3000000 /dev/urandom >"$tmp/tree/large"
run "$mkfs" -fq -J none -d "$tmp/tree" "$tmp/small" 1M
is "$status" 1 "one that does not"
like "large: does not fit, the volume is full" "says which file"
run "$dump" "$tmp/small"
is "$status" 8 "leaves no volume behind"
rm "$tmp/small"
run "$mkfs" -q -J none -d "$tmp/tree" "$tmp/small" 1M
[ ! -e "$tmp/small" ]
ok $? "nor an image that was made for it"
run "$mkfs" -q "$tmp/huge" 15T
is "$status" 0 "15 TiB"
[ "$(du -k "$tmp/huge" | cut -f 1)" -lt 1024 ]
ok $? "cost less than 1 MiB"
done_testing
