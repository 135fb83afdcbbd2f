#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fsck.simplefs that is interrupted. With a journal, by a kill at any write or by a power cut that lets
# any part of what was not flushed arrive: what is left is the old volume or the repaired one. Without:
# whoever comes next sees that the volume is not in order.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit build/image/damage >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
fsck=build/bin/fsck.simplefs
edit=build/image/edit
img=$tmp/img

mkdir -p "$tmp/from/dir"
for i in $(seq 40); do seq "$i" >"$tmp/from/dir/a-name-of-some-length-$i"; done
build/bin/mkfs.simplefs -q -J none -d "$tmp/from" "$tmp/sound" 16M || exit 1

# killed WHAT: a repair of $tmp/damaged, killed at each of its writes
killed()
{
    local n total believed=0 unfinished=0
    cp "$tmp/damaged" "$img"
    FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$fsck" -fy "$img" >/dev/null
    is $? 1 "$1: repaired"
    total=$(cat "$tmp/count")
    [ "$total" -gt 4 ]
    ok $? "$1: in $total writes and flushes"
    for n in $(seq "$total"); do
        cp "$tmp/damaged" "$img"
        run env LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$fsck" -fy "$img"
        [ "$status" = 137 ] || { diag "$1, $n: exit $status"; unfinished=$((unfinished + 1)); }
        cmp -s "$tmp/damaged" "$img" && continue	# nothing was written: the damage is the old one
        run "$fsck" -y "$img"
        run "$fsck" -fn "$img"
        [ "$status" = 0 ] || { diag "$1, $n: $out"; believed=$((believed + 1)); }
    done
    is "$believed" 0 "$1: no half of a repair is taken for a volume in order"
    is "$unfinished" 0 "$1: and none was missed"
}

# torn WHAT [MORE...]: the repair of $tmp/damaged, whose journal $tmp/log is if that is there
torn()
{
    local what=$1 more=() logs=()
    rm -f "$tmp/record" "$img.log"
    cp "$tmp/damaged" "$img"
    if [ -e "$tmp/log" ]; then
        cp "$tmp/log" "$img.log"
        more=(-j "$img.log")
    fi
    run env FAULT_RECORD="$tmp/record" LD_PRELOAD="$tmp/fault.so" "$fsck" -fy "${more[@]}" "$img"
    exits 1 "$what: repaired"
    mv "$img" "$tmp/repaired"
    if [ -e "$tmp/log" ]; then
        mv "$img.log" "$tmp/log.repaired"
        logs=("$tmp/log" "$tmp/log.repaired" "$img.log")
    fi
    run env LD_PRELOAD="$tmp/fault.so" python3 tests/cli/torn.py "$fsck" "$tmp/record" "$tmp/damaged" \
        "$tmp/repaired" "$img" 1 "${logs[@]}"
    is "$status" 0 "$what: interrupted" || diag "$out"
    like '^states [0-9]+, old [1-9][0-9]*, new [1-9][0-9]*, mixed 0, refused 0, unrepaired 0$' \
        "$what: the old volume or the repaired one (${out##*$'\n'})"
}

cp "$tmp/sound" "$tmp/damaged"
for i in 1 7 20 40; do "$edit" "$tmp/damaged" field "/dir/a-name-of-some-length-$i" nlink 3; done
"$edit" "$tmp/damaged" unname /dir a-name-of-some-length-9
killed 'names and links'
cp "$tmp/sound" "$tmp/damaged"
for map in 0 2 3; do "$edit" "$tmp/damaged" rot $((1 + 32 * map)); done
killed 'maps'

# A tree whose inner node is gone, and a block of inodes that has a wrong bit.
mkdir -p "$tmp/deep/dir"
for i in $(seq 1500); do echo "$i" >"$tmp/deep/dir/a-name-that-takes-its-room-$i"; done
build/bin/mkfs.simplefs -q -J none -d "$tmp/deep" "$tmp/deep.img" 16M || exit 1
inner=$(build/image/damage "$tmp/deep.img" where inner /dir)
inodes=$(build/image/damage "$tmp/deep.img" where inodes /dir/a-name-that-takes-its-room-9)
hurt()
{
    build/image/damage "$tmp/damaged" flip "$inodes" 16000
    build/image/damage "$tmp/damaged" zero "$inner" 1
}
cp "$tmp/deep.img" "$tmp/damaged"
hurt
killed 'a tree'
is "$(build/bin/dump.simplefs -d /dir "$img" | grep -c a-name)" 1500 'a tree, a repair killed and one after it: all names are there'
build/bin/mkfs.simplefs -q -f -J size=4M -d "$tmp/deep" "$tmp/damaged" 24M || exit 1
inner=$(build/image/damage "$tmp/damaged" where inner /dir)
inodes=$(build/image/damage "$tmp/damaged" where inodes /dir/a-name-that-takes-its-room-9)
hurt
torn 'a tree'

# Data of one file that a second holds as well: it is copied before anything else is written.
mkdir "$tmp/data"
seq 9000 >"$tmp/data/one"
seq 20000 29000 >"$tmp/data/two"
build/bin/mkfs.simplefs -q -f -J size=4M -d "$tmp/data" "$tmp/damaged" 24M || exit 1
build/image/damage "$tmp/damaged" steal /one /two
killed 'data of two files'
for file in one two; do build/bin/dump.simplefs -o "/$file" "$img" | head -c 40000 | sha256sum; done >"$tmp/after"
is "$(sort -u "$tmp/after")" "$(head -c 40000 "$tmp/data/two" | sha256sum)" 'and both have it'
one=$(build/image/damage "$img" where data /one)
[ "$one" != "$(build/image/damage "$img" where data /two)" ]
ok $? 'each in blocks of its own'

# Names of a directory of several nodes, which are new in another.
long=a-name-of-some-length-that-takes-its-room
mkdir -p "$tmp/names/dir" "$tmp/root"
for i in $(seq 150); do echo "$i" >"$tmp/names/dir/$long-$i"; done
build/bin/mkfs.simplefs -q -f -J size=4M -d "$tmp/names" "$tmp/damaged" 8M || exit 1
for i in $(seq 3 112); do "$edit" "$tmp/damaged" unname /dir "$long-$i"; done
torn 'names of a directory'
is "$(build/bin/dump.simplefs -d /lost+found "$tmp/repaired" | grep -c '#[0-9]')" 110 'and all of them are there'
# In the root, which grows.
cp "$tmp/names/dir/"* "$tmp/root"
build/bin/mkfs.simplefs -q -f -J size=4M -d "$tmp/root" "$tmp/damaged" 8M || exit 1
for i in $(seq 3 9); do "$edit" "$tmp/damaged" unname / "$long-$i"; done
torn 'names of the root'
cp "$tmp/repaired" "$tmp/names-repaired"
# The same with the journal on another device.
truncate -s 5M "$tmp/log"
build/bin/mkfs.simplefs -q -f -J "device=$tmp/log" -d "$tmp/root" "$tmp/damaged" 8M || exit 1
for i in $(seq 3 9); do "$edit" "$tmp/damaged" unname / "$long-$i"; done
torn 'an external journal'
rm "$tmp/log"

# Half-truncated files, whose leaves are joined; what is before their end stays.
mkdir "$tmp/sparse"
for n in 0 1 2; do
    python3 -c 'import sys
for n in range(800):
    sys.stdout.buffer.seek(2 * n * 4096)
    sys.stdout.buffer.write(b"%d\n" % n)' >"$tmp/sparse/$n"
done
build/bin/mkfs.simplefs -q -f -J size=4M -d "$tmp/sparse" "$tmp/damaged" 16M || exit 1
for n in 0 1 2; do
    "$edit" "$tmp/damaged" punch "/$n" 120 336
    "$edit" "$tmp/damaged" punch "/$n" 456 672
done
"$fsck" -fy "$tmp/damaged" >/dev/null
for n in 0 1 2; do
    ino=$(build/bin/dump.simplefs --json -i "/$n" "$tmp/damaged" | sed -n 's/.*"ino": \([0-9]*\).*/\1/p' | head -n 1)
    "$edit" "$tmp/damaged" field "/$n" flags 1
    "$edit" "$tmp/damaged" field "/$n" size $(((376 + 2 * n) * 4096))
    "$edit" "$tmp/damaged" bit orphan $((ino / 8)) 1
    build/bin/dump.simplefs -o "/$n" "$tmp/damaged" | sha256sum
done >"$tmp/before"
"$edit" "$tmp/damaged" super state 0
"$edit" "$tmp/damaged" field /0 nlink 2
torn 'half-truncated files'
for n in 0 1 2; do build/bin/dump.simplefs -o "/$n" "$tmp/repaired" | sha256sum; done >"$tmp/after"
cmp "$tmp/before" "$tmp/after"
ok $? 'and they hold what they held'

# A repair that is interrupted leaves a journal to be replayed; that may be interrupted as well.
"$edit" "$tmp/names-repaired" field / nlink 7
cp "$tmp/names-repaired" "$img"
total=$(FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$fsck" -fy "$img" >/dev/null; cat "$tmp/count")
for n in $(seq "$total"); do
    cp "$tmp/names-repaired" "$tmp/damaged"
    run env LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$fsck" -fy "$tmp/damaged"
    run "$fsck" -fn "$tmp/damaged"
    [[ $out == *'looking past the journal: 1 transactions'* ]] && break
done
cp "$tmp/damaged" "$img"
FAULT_RECORD=$tmp/record.2 LD_PRELOAD=$tmp/fault.so "$fsck" -y "$img" >/dev/null
is $? 0 'a journal that was left is replayed'
mv "$img" "$tmp/repaired"
run env LD_PRELOAD="$tmp/fault.so" python3 tests/cli/torn.py "$fsck" "$tmp/record.2" "$tmp/damaged" \
    "$tmp/repaired" "$img" 1
like '^states [0-9]+, old 0, new [1-9][0-9]*, mixed 0, refused 0, unrepaired 0$' "which may be interrupted (${out##*$'\n'})"

# Many files that are still to be cut: in several transactions, between which one may come.
mkdir -p "$tmp/9000/dir"
(cd "$tmp/9000/dir" && seq 9000 | xargs touch)
build/bin/mkfs.simplefs -q -f -J size=4M -d "$tmp/9000" "$tmp/damaged" 24M || exit 1
cp "$tmp/damaged" "$tmp/9000.img"
"$edit" "$tmp/damaged" mark /dir
"$edit" "$tmp/damaged" super state 0
cp "$tmp/damaged" "$img"
run env FAULT_LAZY=1 FAULT_COUNT="$tmp/count" LD_PRELOAD="$tmp/fault.so" "$fsck" -y "$img"
exits 0 'more to be cut than the journal has room for'
like 'finished 9000 unlinked or half-truncated inodes' 'is all finished'
total=$(cat "$tmp/count")
[ "$total" -gt 2250 ]
ok $? "through the journal: each block is written twice ($total writes)"
left=0 bad=0
for n in $((total / 4)) $((total / 2)) $((3 * total / 4)); do
    cp "$tmp/damaged" "$img"
    run env FAULT_LAZY=1 LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$fsck" -y "$img"
    run env FAULT_LAZY=1 LD_PRELOAD="$tmp/fault.so" "$fsck" -y "$img"
    [ "$status" = 0 ] || { diag "killed at $n: $out"; bad=$((bad + 1)); }
    [[ $out =~ finished\ ([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -lt 9000 ] && left=$((left + 1))
    run "$fsck" -fn "$img"
    [ "$status" = 0 ] || { diag "killed at $n: $out"; bad=$((bad + 1)); }
done
is "$bad" 0 'the rest is finished after an interruption'
is "$left" 3 'which had not lost all'

# More than the journal has room for: in place, and what is left is not believed.
cp "$tmp/9000.img" "$tmp/damaged"
"$edit" "$tmp/damaged" strip /dir
cp "$tmp/damaged" "$img"
total=$(FAULT_LAZY=1 FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$fsck" -fy "$img" >/dev/null; cat "$tmp/count")
[ "$total" -gt 1100 ] && [ "$total" -lt 2000 ]
ok $? "a repair larger than the journal: each block is written once ($total writes)"
run "$fsck" -fn "$img"
exits 0 'and it is one'
believed=0
for n in 2 3 20 $((total / 2)) $((total - 3)); do
    cp "$tmp/damaged" "$img"
    run env FAULT_LAZY=1 LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$fsck" -fy "$img"
    run "$fsck" -n "$img"
    # Near the end it may have written all that matters: then the mark has it looked through.
    [ "$status" = 4 ] || [ "$status.$n" = "0.$((total - 3))" ] ||
        { diag "killed at $n: $out"; believed=$((believed + 1)); }
    run build/bin/dump.simplefs "$img"
    [[ $out =~ state:\ 0x[02]$'\n' ]] || { diag "killed at $n: not marked"; believed=$((believed + 1)); }
    run env FAULT_LAZY=1 LD_PRELOAD="$tmp/fault.so" "$fsck" -y "$img"
    run "$fsck" -fn "$img"
    [ "$status" = 0 ] || { diag "killed at $n: $out"; believed=$((believed + 1)); }
done
is "$believed" 0 'what an interruption leaves is not believed, and mended'
done_testing
