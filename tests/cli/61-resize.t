#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# resize.simplefs: a volume that has grown is what mkfs would have made of that size, with the files
# in it; what cannot grow stays to the bit; and one that stops half-way is a volume that fsck finishes.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
mkfs=build/bin/mkfs.simplefs
fsck=build/bin/fsck.simplefs
resize=build/bin/resize.simplefs
disk=$tmp/disk
mkdir "$tmp/tree"
for i in $(seq 100); do seq "$i" $((i * 40)) >"$tmp/tree/file $i"; done

# holds: the files, as they were put in
holds()
{
    build/bin/dump.simplefs -o "/file $1" "$disk" | cmp -s - "$tmp/tree/file $1"
}

# free: what fsck says is free, after a full check that finds nothing
free()
{
    run "$fsck" -fn "$1"
    [ "$status" = 0 ] || { diag "$out"; return 1; }
    sed -n 's/.* inodes, \([0-9]*\) of .*/\1/p' <<<"$out"
}

# grows FROM TO MKFS-OPTION...: sizes in blocks. A group has 32,256 of them, a zone 1,032,192; from
# 65,536 on a volume is large, and leaves more to nobody: there only the check is the judge.
grows()
{
    local from=$1 to=$2 got
    shift 2
    rm -f "$disk" "$tmp/fresh"
    run "$mkfs" -q "$@" -d "$tmp/tree" "$disk" "$from"
    is "$status" 0 "$from blocks $*: made" || diag "$out"
    run "$resize" "$disk" "$to"
    is "$status" 0 "$from to $to blocks $*" || diag "$out"
    is "$(stat -c %s "$disk")" $((to * 4096)) "$from to $to: the file is as long"
    got=$(free "$disk")
    if [ $((from / 65536 == 0)) = $((to / 65536 == 0)) ]; then
        "$mkfs" -q "$@" -d "$tmp/tree" "$tmp/fresh" "$to"
        is "$got" "$(free "$tmp/fresh")" "$from to $to: as much is free as if it had been made so"
    else
        [ "${got:-0}" -gt $((to - from - to / 1000)) ]
        ok $? "$from to $to: $got blocks are free"
    fi
    holds 1 && holds 100
    ok $? "$from to $to: the files are there"
}
for journal in none size=4M; do
    for sizes in '3000 3001' '3000 32256' '3000 32257' '3000 64513' '3000 65535' '60000 65600' \
        '65535 65536' '65535 65700' '65536 70000' '100000 1032192' '100000 1040000' \
        '1032192 1032704' '1040000 1050000' '1040000 3000000'; do
        # shellcheck disable=SC2086
        grows $sizes -J "$journal"
    done
done
grows 3000 20000000 -J none
run "$resize" "$disk" 25000000
is "$status" 0 'and once more, by an already large one'
free "$disk" >"$tmp/free"
[ "$(cat "$tmp/free")" -gt 24000000 ]
ok $? "$(cat "$tmp/free") blocks are free"

# As large as the file has become; a last zone that would be too short is left out.
rm -f "$disk"
"$mkfs" -q -d "$tmp/tree" "$disk" 64M && truncate -s 96M "$disk"
run "$resize" "$disk"
like '24576 blocks, were 16384' 'without a size it takes all there is'
run "$resize" "$disk"
is "$status" 0 'again'
like 'has 24576 blocks already' 'again: there is nothing to do'
run "$resize" "$disk" 1032300
like '1032192 blocks, were 24576' 'blocks of a zone that would be too short stay outside'
run "$resize" "$disk" 1032400
like 'has 1032192 blocks already' 'they are no reason to grow'
free "$disk" >/dev/null
ok $? 'a volume in order'

# refuses STATUS REGEX ARGUMENTS...: and leaves the file to the bit
refuses()
{
    local words=("${@:3}")
    leaves "$disk" "$1" "$2" "resize ${words[*]//$tmp\//}" "$resize" "${words[@]}"
}
rm -f "$disk"
"$mkfs" -q -d "$tmp/tree" "$disk" 64M
cp "$disk" "$tmp/whole"
refuses 2 'not a size' "$disk" 12X
refuses 2 'less than a block' "$disk" 1K
refuses 2 'usage: ' "$disk" 1G 2G
refuses 1 'cannot be made smaller' "$disk" 32M
refuses 2 'too large, it has to be below 1 EiB' "$disk" 2000P
refuses 1 'No such file' "$tmp/none" 1G
cp "$disk" "$tmp/untold"
size=$(($(stat -c %s "$disk") / 4096 + 8192))
out=$(build/bin/resize.simplefs "$tmp/untold" $size 2>&1 >/dev/full)
status=$?
exits 0 'a new size that cannot be told is one all the same'
like 'has the size, and that cannot be told' 'with a warning'
is "$(stat -c %s "$tmp/untold")" $((size * 4096)) 'the volume has it'
exec 8<"$disk"
flock 8
refuses 1 'another program has locked it' "$disk" 1G
exec 8<&-
build/image/edit "$disk" super state 0
refuses 1 'not unmounted cleanly' "$disk" 1G
cp "$tmp/whole" "$disk"
build/image/edit "$disk" super state 3
refuses 1 'damage was seen' "$disk" 1G
cp "$tmp/whole" "$disk"
printf X | dd of="$disk" bs=1 seek=$((4096 + 100)) conv=notrunc status=none
refuses 1 'a map of it cannot be read' "$disk" 1G
# Maps of groups that begin to exist are made: whatever is there is nobody's.
cp "$tmp/whole" "$disk"
for blk in 5 37 69 101; do
    printf X | dd of="$disk" bs=1 seek=$((4096 * blk + 100)) conv=notrunc status=none
done
run "$fsck" -fn "$disk"
is "$status" 0 'nobody asks for maps of groups that are not there'
run "$resize" "$disk" 1G
is "$status" 0 'they are made anew' || diag "$out"
run "$fsck" -fn "$disk"
is "$status" 0 'and sound' || diag "$out"
rm "$disk"
cp "$tmp/whole" "$disk"
(
    ulimit -f 65536
    trap '' XFSZ
    exec "$resize" "$disk" 1G
) >"$tmp/out" 2>&1
is "$?" 1 'a file that may not be so long'
out=$(cat "$tmp/out")
like 'cannot be made longer' 'says so'
cmp "$tmp/whole" "$disk"
ok $? 'and is as before'

# Every write, and the syncs, fail once, are cut short once, and are once the last thing done.
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$resize" "$disk" 100000 >/dev/null
ok $? 'without a fault it grows'
total=$(cat "$tmp/count")
[ "$total" -ge 8 ]
ok $? "in $total changes of the file"
want=$(free "$disk")
for kind in EIO ENOSPC SHORT KILL; do
    # As at boot, or by hand.
    how=-y wrong=0 lines=0
    [ "$kind" != KILL ] || how=-a
    for n in $(seq "$total"); do
        cp "$tmp/whole" "$disk"
        run env LD_PRELOAD="$tmp/fault.so" FAULT="$kind" FAULT_AT="$n" "$resize" "$disk" 100000
        case $kind$status in KILL137 | *3) ;; *1) cmp -s -n 4096 "$tmp/whole" "$disk" || wrong=$((wrong + 1)) ;; *) wrong=$((wrong + 1)) ;; esac
        run "$fsck" "$how" "$disk"
        lines=$((lines + $(wc -l <<<"$out")))
        [ "$status" -le 1 ] || { wrong=$((wrong + 1)); diag "$kind at $n: fsck: $out"; }
        "$resize" "$disk" 100000 >/dev/null && [ "$(free "$disk")" = "$want" ] && holds 1 && holds 100 ||
            { wrong=$((wrong + 1)); diag "$kind at $n: not the volume it should have become"; }
    done
    is "$wrong" 0 "$kind at each of $total changes: fsck $how and a second run, and it is as large and whole"
    [ "$lines" -lt $((total * 20)) ]
    ok $? "$kind: fsck needs $lines lines for that, not one for each block"
done
done_testing
