#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The superblock is lost, in a byte or as a whole, and its copies are there: the volume comes back with
# all that was on it; and no copy is taken that is another volume's, or stands where one that rules is.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
mkfs=build/bin/mkfs.simplefs
fsck=build/bin/fsck.simplefs
dump=build/bin/dump.simplefs
tune=build/bin/tune.simplefs
resize=build/bin/resize.simplefs
edit=build/image/edit
img=$tmp/img
zone=1032192
mkdir -p "$tmp/from/dir"
for i in $(seq 20); do seq "$i" $((i * 9)) >"$tmp/from/dir/file $i"; done
ln -s target "$tmp/from/link"

# md5sum: of what comes in, a file most of which is zeros and may be a hole
md5sum()
{
    python3 -c 'import hashlib, os
h, pos, end, zeros = hashlib.md5(), 0, os.fstat(0).st_size, bytes(4096)
while pos < end:
    try:
        pos = os.lseek(0, pos, os.SEEK_DATA) & ~4095
    except OSError:
        break
    hole = os.lseek(0, pos, os.SEEK_HOLE)
    while pos < hole:
        data = os.pread(0, 4096, pos)
        if data != zeros:
            h.update(b"%d" % pos + data)
        pos += 4096
print(h.hexdigest())'
}

# shown IMAGE: the superblock, without what every change of it changes
shown()
{
    "$dump" "$1" | grep -Ev '^ *(crc|seq|sequence|mounts|(write|check|mount).time): '
}

# held IMAGE: every name, and what its file holds
held()
{
    local i
    "$dump" -d / "$1" && "$dump" -d /dir "$1"
    for i in $(seq 20); do "$dump" -o "/dir/file $i" "$1"; done
}

# all_there: each file, as it was put in
all_there()
{
    local i
    for i in $(seq 20); do "$dump" -o "/dir/file $i" "$img" | cmp -s - "$tmp/from/dir/file $i" || return 1; done
}

# put BLOCK [BYTES]: zeros, or what comes in
put()
{
    dd of="$img" bs=4096 seek="$1" count=1 conv=notrunc status=none
}

# wreck HOW: block 0
wreck()
{
    case $1 in
    byte) printf X | dd of="$img" bs=1 seek=600 conv=notrunc status=none ;;
    ident) printf X | dd of="$img" bs=1 seek=50 conv=notrunc status=none ;;
    feature) printf X | dd of="$img" bs=1 seek=158 conv=notrunc status=none ;;
    zeros) put 0 </dev/zero ;;
    esac
}

# returns NAME HOW [FSCK-OPTION...]: wrecked, and repaired
returns()
{
    local name="$1, $2" how=$2 sum zones
    shift 2
    shown "$img" >"$tmp/shown"
    held "$img" >"$tmp/held"
    wreck "$how"
    sum=$(md5sum <"$img")
    run "$fsck" -n "$@" "$img"
    exits 4 "$name: fsck -n sees damage"
    like 'corrupt superblock: blk=0, .*the copy in block [0-9]+ takes its place' "$name: and a copy"
    like 'damaged, and nothing was changed: -y repairs it' "$name: and says how it can be helped"
    is "$(md5sum <"$img")" "$sum" "$name: nothing is written"
    run "$dump" -o "/dir/file 9" "$img"
    exits 4 "$name: dump says so"
    like 'shown by its copy in block [0-9]+' "$name: with the copy"
    is "$("$dump" -o "/dir/file 9" "$img" 2>/dev/null)" "$(cat "$tmp/from/dir/file 9")" "$name: and shows a file"
    run "$fsck" -p "$@" "$img"
    exits 1 "$name: fsck -p repairs it"
    run "$fsck" -fn "$@" "$img"
    exits 0 "$name: a volume in order"
    is "$(shown "$img")" "$(cat "$tmp/shown")" "$name: its superblock is what it was"
    held "$img" | cmp -s - "$tmp/held"
    ok $? "$name: and so is all that it holds"
}

# ---- sizes, journals ----

for how in byte ident feature zeros; do
    for args in '1M -J none' '32M -J size=4M' '300M'; do
        # shellcheck disable=SC2086
        set -- $args
        rm -f "$img" && "$mkfs" -q "${@:2}" -L name -d "$tmp/from" "$img" "$1" || exit 1
        returns "$args" "$how"
    done
    truncate -s 8M "$tmp/log"
    rm -f "$img" && "$mkfs" -qf -J device="$tmp/log" -d "$tmp/from" "$img" 32M || exit 1
    returns 'an external journal' "$how" -j "$tmp/log"
done
wreck byte
leaves "$img" 8 'name it with -j' 'the external journal is needed' "$fsck" -p "$img"
leaves "$img" 4 'without --journal-only, -y repairs it' 'no replay alone' "$fsck" --journal-only -j "$tmp/log" "$img"
run "$tune" -L x "$img"
exits 1 'tune takes no copy'
run "$dump" "$img"
exits 4 'dump shows block 0 as it is'
like 'there is a copy in block 129' 'and says where a copy is'

# Several zones: block 0, and one copy after the other.
rm -f "$img" && "$mkfs" -q -J size=4M -d "$tmp/from" "$img" 20G && "$edit" "$img" zones 3 '/dir/file 1' || exit 1
run "$fsck" -fn "$img"
exits 0 'three of five zones are begun'
cp --sparse=always "$img" "$tmp/three"
returns 'three zones' zeros
put 129 </dev/zero
returns 'three zones, the first copy is lost' zeros
"$dump" -b 129 "$img" | grep -q 'copy of the superblock'
ok $? 'that copy is there again'
put 129 </dev/zero
put $((zone + 128)) </dev/zero
returns 'of three copies only the last is left' byte
put $((zone + 128)) </dev/zero
run "$fsck" -fn "$img"
exits 4 'a copy that is lost is damage'
like "copy of the superblock in block $((zone + 128)) is lost" 'and told'
run "$fsck" -y "$img"
exits 0 'which nobody asks for on a clean volume'
run "$fsck" -fy "$img"
exits 1 'but a check writes it anew'
run "$fsck" -fn "$img"
exits 0 'and is content then'

# All of them.
for blk in 129 $((zone + 128)) $((2 * zone + 128)); do put "$blk" </dev/zero; done
wreck byte
leaves "$img" 4 'corrupt superblock: .*there is no copy of it, and it cannot be repaired' 'no copy' "$fsck" -y "$img"
wreck zeros
leaves "$img" 8 'this is no simplefs, nor is a copy of a superblock there' 'no copy at all' "$fsck" -y "$img"

# ---- what changes the superblock changes the copies ----

rm -f "$img" && "$mkfs" -q -L name -d "$tmp/from" "$img" 32M || exit 1
"$tune" -L 'another name' -U random -e panic "$img"
run "$fsck" -fn "$img"
exits 0 'tune writes copies'
returns 'after tune' zeros
"$resize" "$img" 5G >/dev/null
returns 'after resize' zeros
"$edit" "$img" zones 2 '/dir/file 1'
"$tune" -L 'in both' "$img"
put 129 </dev/zero
returns 'after resize, another zone and tune; the first copy is lost' zeros
is "$("$dump" "$img" | sed -n 's/^ *label: *//p')" '"in both"' 'with the last label' ||
    diag "$("$dump" "$img")"

# Blocks that are newer than the copies.
for i in 1 2 3 4 5; do
    "$edit" "$img" field "/dir/file $i" nlink 3
    "$fsck" -fy "$img" >/dev/null
done
returns 'with blocks newer than any copy' zeros

# tune, killed at each of its changes of the file: block 0 rules, and a check makes the copies the same,
# which is no repair.
cp --sparse=always "$tmp/three" "$img"
FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$tune" -L new "$img"
total=$(cat "$tmp/count")
[ "$total" -ge 5 ]
ok $? "tune changes the file $total times"
wrong=0 old=0
for n in $(seq "$total"); do
    cp --sparse=always "$tmp/three" "$img"
    run env LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$tune" -L new "$img"
    label=$("$dump" "$img" | sed -n 's/^ *label: *//p')
    cp --sparse=always "$img" "$tmp/killed"
    run "$fsck" -fn "$img"
    [ "$status" = 0 ] || { diag "$n: $out"; wrong=$((wrong + 1)); }
    run "$fsck" -fy "$img"
    [ "$status" = 0 ] || { diag "$n: $out"; wrong=$((wrong + 1)); }
    ! grep -q 'copies of the superblock brought up to date: [1-3]' <<<"$out" || old=$((old + 1))
    run "$fsck" -fy "$img"
    ! grep -q 'brought up to date' <<<"$out" || wrong=$((wrong + 1))
    run "$fsck" -fn "$img"
    [ "$status" = 0 ] && [ "$("$dump" "$img" | sed -n 's/^ *label: *//p')" = "$label" ] || wrong=$((wrong + 1))
    cp --sparse=always "$tmp/killed" "$img"
    wreck zeros
    run "$fsck" -y "$img"
    [ "$status" = 1 ] || { diag "$n: $out"; wrong=$((wrong + 1)); }
    run "$fsck" -fn "$img"
    [ "$status" = 0 ] || { diag "$n: $out"; wrong=$((wrong + 1)); }
done
is "$wrong" 0 'tune killed: at any time a volume in order, by its superblock or by a copy'
[ "$old" -gt 0 ]
ok $? "and $old times some copies had the old label"

# ---- what was not finished ----

# A repair that was killed leaves a journal; then the superblock goes.
rm -f "$img" && "$mkfs" -q -J size=4M -d "$tmp/from" "$img" 32M || exit 1
for i in 1 5 9; do "$edit" "$img" field "/dir/file $i" nlink 3; done
cp "$img" "$tmp/damaged"
FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$fsck" -fy "$img" >/dev/null
total=$(cat "$tmp/count")
held "$img" >"$tmp/held"
wrong=0 replays=0
for n in $(seq "$total"); do
    cp "$tmp/damaged" "$img"
    run env LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$fsck" -fy "$img"
    wreck zeros
    run "$fsck" -y "$img"
    ! grep -q 'replayed the journal' <<<"$out" || replays=$((replays + 1))
    [ "$status" = 1 ] || { diag "$n: $out"; wrong=$((wrong + 1)); }
    run "$fsck" -fn "$img"
    [ "$status" = 0 ] && held "$img" | cmp -s - "$tmp/held" || { diag "$n: $out"; wrong=$((wrong + 1)); }
done
is "$wrong" 0 "killed at each of $total changes of a repair, and without its superblock: repaired"
[ "$replays" -gt 0 ]
ok $? "$replays times the journal was replayed"

# The repair of a superblock, killed.
rm -f "$img" && "$mkfs" -q -J size=4M -d "$tmp/from" "$img" 32M || exit 1
held "$img" >"$tmp/held"
"$edit" "$img" rot 1
wreck zeros
cp "$img" "$tmp/damaged"
FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$fsck" -y "$img" >/dev/null
total=$(cat "$tmp/count")
wrong=0
for n in $(seq "$total"); do
    cp "$tmp/damaged" "$img"
    run env LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$fsck" -y "$img"
    run "$fsck" -p "$img"
    [ "$status" -le 1 ] || { diag "$n: $out"; wrong=$((wrong + 1)); }
    run "$fsck" -fn "$img"
    [ "$status" = 0 ] && held "$img" | cmp -s - "$tmp/held" || { diag "$n: $out"; wrong=$((wrong + 1)); }
done
is "$wrong" 0 "the repair killed at each of its $total changes: fsck -p goes on with it"

# What cannot be repaired: the superblock is, so that the volume can be read.
cp "$tmp/damaged" "$img"
"$fsck" -y "$img" >/dev/null
"$edit" "$img" attribute '/dir/file 1' broken 5000 4
wreck zeros
run "$fsck" -y "$img"
exits 4 'an attribute has lost its end as well'
like 'damaged, and nothing was changed but for the superblock' 'the superblock comes back'
run "$dump" "$img"
exits 0 'and is one'
like 'state: *0x2' 'that tells of damage'

# Any field of the copy is a lie, under a right checksum.
rm -f "$img" && "$mkfs" -q -J none -d "$tmp/from" "$img" 2M && cp "$img" "$tmp/sound" || exit 1
wrong=0 taken=0
for at in $(seq 8 4 508) 700 4095; do
    for value in 1 255; do
        cp "$tmp/sound" "$img"
        "$edit" "$img" copy-byte "$at" "$value"
        wreck zeros
        run "$fsck" -n "$img"
        [ "$status" = 4 ] || [ "$status" = 8 ] || { diag "$at $value: fsck -n: exit $status, $out"; wrong=$((wrong + 1)); }
        run "$fsck" -y "$img"
        case $status in
        1) taken=$((taken + 1)) && run "$fsck" -fn "$img" && [ "$status" = 0 ] ;;
        4 | 8) ;;
        *) false ;;
        esac || { diag "$at $value: fsck -y: exit $status, $out"; wrong=$((wrong + 1)); }
    done
done
is "$wrong" 0 "fields of the copy that lie: refused, or a volume in order ($taken times)"

# ---- somebody else's ----

cp "$tmp/damaged" "$img"
head -c 4096 /dev/urandom | put 0
leaves "$img" 8 'something else is in block 0, and a copy of one in block 129' 'what was overwritten' "$fsck" -y "$img"
run "$fsck" -fy "$img"
exits 1 'is taken back if that is wanted'
run "$fsck" -fn "$img"
exits 0 'and whole'

# A former volume has left copies where the new one has begun nothing.
for epoch in '' 1700000000; do
    rm -f "$img"
    [ -z "$epoch" ] || export SOURCE_DATE_EPOCH=$epoch
    name="over a former volume${epoch:+, which was the same}"
    "$mkfs" -q -J size=4M -d "$tmp/from" "$img" 20G && "$edit" "$img" zones 3 '/dir/file 1' || exit 1
    "$mkfs" -qfK -J size=4M -d "$tmp/from" "$img" 20G || exit 1
    unset SOURCE_DATE_EPOCH
    returns "$name" zeros
    is "$("$dump" "$img" | sed -n 's/^ *zones: *//p')" 1 "$name: one zone is begun"
    put 129 </dev/zero
    wreck zeros
    leaves "$img" 8 'nor is a copy of a superblock there' "$name: no other's copy is taken" "$fsck" -y "$img"
done

# mkfs, killed: what was there does not come back, what is not finished is nothing.
rm -f "$img" && "$mkfs" -q -J none -d "$tmp/from" "$img" 8M && cp "$img" "$tmp/old" || exit 1
FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$mkfs" -qfK -J none -L new -d "$tmp/from" "$img" 8M
total=$(cat "$tmp/count")
wrong=0
for n in $(seq 3 5 "$total") $((total - 5)) $((total - 4)) $((total - 3)) $((total - 2)) $((total - 1)) "$total"; do
    cp "$tmp/old" "$img"
    run env LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$mkfs" -qfK -J none -L new -d "$tmp/from" "$img" 8M
    run "$fsck" -y "$img"
    case $status in
    8) [ "$n" -lt "$total" ] ;;
    0 | 1) [ "$n" -ge $((total - 5)) ] && all_there && "$dump" "$img" | grep -q 'label: *"new"' ;;
    *) false ;;
    esac || { diag "$n of $total: exit $status, $out"; wrong=$((wrong + 1)); }
done
is "$wrong" 0 'mkfs killed: no volume, or all of the new one'
done_testing
