#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fsck.simplefs that is killed at each of its writes: whoever comes next sees that the volume is not
# in order, and finishes.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
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

cp "$tmp/sound" "$tmp/damaged"
for i in 1 7 20 40; do "$edit" "$tmp/damaged" field "/dir/a-name-of-some-length-$i" nlink 3; done
"$edit" "$tmp/damaged" unname /dir a-name-of-some-length-9
killed 'names and links'
cp "$tmp/sound" "$tmp/damaged"
for map in 0 2 3; do "$edit" "$tmp/damaged" rot $((1 + 32 * map)); done
killed 'maps'
done_testing
