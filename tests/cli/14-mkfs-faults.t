#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkfs.simplefs when something goes wrong in the middle: each of its writes fails once, is cut
# short once, and is once the last thing it does. Never a volume that is half one, never silence.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
mkfs=build/bin/mkfs.simplefs
dump=build/bin/dump.simplefs
img=$tmp/img
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1

mkdir "$tmp/tree"
seq 20000 >"$tmp/tree/file"
for i in $(seq 60); do echo "$i" >"$tmp/tree/a name of some length $i"; done
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.long", b"x" * 3500)' "$tmp/tree/file" 2>/dev/null ||
    diag "no attribute can be set in $tmp"

# one FAULT N ARGS...: mkfs with a fault at its N-th change; stderr and exit as run() leaves them
one()
{
    run env LD_PRELOAD="$tmp/fault.so" FAULT="$1" FAULT_AT="$2" "$mkfs" -q "${@:3}"
}

FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$mkfs" -q -J none -d "$tmp/tree" "$img" 4M
ok $? 'without a fault the volume is made'
total=$(cat "$tmp/count")
[ "$total" -gt 150 ]
ok $? "in $total changes of the file"
FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$mkfs" -q -f -J none -d "$tmp/tree" "$img" 4M
over=$(cat "$tmp/count")

# Over an old volume: what is there afterwards is the new one, whole, or none.
cp "$img" "$tmp/old"
for kind in ENOSPC EIO SHORT KILL; do
    silent=0 alive=0 wrong=0 tried=0
    for n in $(seq 1 7 "$over") "$over"; do
        cp "$tmp/old" "$img"
        one "$kind" "$n" -f -J none -d "$tmp/tree" "$img" 4M
        tried=$((tried + 1))
        [ "$kind" = KILL ] && [ "$status" = 137 ] || [ "$status" = 1 ] || wrong=$((wrong + 1))
        [ "$kind" = KILL ] || [ -n "$out" ] || silent=$((silent + 1))
        # Before the first block is cleared the old volume stands, but for the copy of its superblock;
        # with the last sync the new one, and before that all of it but block 0.
        run "$dump" --check "$img"
        case $status in
        8) ;;
        0) alive=$((alive + 1)) ;;
        4) case $(grep -v 'copy of the superblock' <<<"$out") in
            "$img: 1 problems") ;;
            *'shown by its copy in block 129'*"$img: clean") alive=$((alive + 1)) ;;
            *) diag "$kind at $n: a volume that is damaged: $out"; wrong=$((wrong + 1)) ;;
            esac ;;
        *) diag "$kind at $n: a volume that is damaged: $out"; wrong=$((wrong + 1)) ;;
        esac
    done
    is "$wrong" 0 "$kind at $tried of $over changes: exit 1, and no half volume"
    is "$silent" 0 "$kind: always with a word"
    [ "$alive" -le 3 ]
    ok $? "$kind: hardly ever a volume ($alive times)"
done

rm -f "$img"
one ENOSPC "$((total * 7 / 10))" -J none -d "$tmp/tree" "$img" 4M
like 'tree/.*: cannot be written to the image or device: No space left' \
    'a host without space is not told as a full volume'

for kind in ENOSPC INT QUIT; do
    left=0
    for n in 1 2 40 "$((total / 2))" "$total"; do
        rm -f "$img"
        one "$kind" "$n" -J none -d "$tmp/tree" "$img" 4M
        [ "$status" != 0 ] || left=$((left + 1))
        [ ! -e "$img" ] || left=$((left + 1))
    done
    is "$left" 0 "$kind: an image that was made goes again"
done
rm -f "$img"
trap '' INT
one INT 40 -J none -d "$tmp/tree" "$img" 4M
trap - INT
exits 1 'a signal that who started it ignores does not end it'
rm -f "$img"
run bash -c 'ulimit -f 1024; exec "$0" "$@"' "$mkfs" -q -J none "$img" 4M
exits 1 'a file that may not become so long'
like 'File too large' 'is told'
[ ! -e "$img" ]
ok $? 'and goes again'
one KILL "$((total / 2))" -J none -d "$tmp/tree" "$img" 4M
run "$mkfs" -q -J none "$img"
exits 0 'what a killed run leaves is free to take without -f'
done_testing
