#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What dump.simplefs --save takes out of a volume of 2,704 files, one of its blocks or fields damaged:
# files at their path, elsewhere (lost+found), lost. The numbers here are what has to come at least, and
# whatever is not at its path is told; ROW= picks rows by their names. Then RANDOM_ROUNDS volumes, of
# which some bits are wrong.
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
program damage
dump=build/bin/dump.simplefs
total=2704

# saved: what of $img comes out; at, elsewhere and lost
saved()
{
    rm -rf "$tmp/to" && mkdir "$tmp/to"
    run timeout 60 "$dump" --save "$tmp/to" "$img"
    python3 tests/image/tree.py list "$tmp/to" >"$tmp/after"
    IFS=/ read -r at elsewhere lost < <(python3 tests/image/tree.py score "$tmp/before" "$tmp/after")
}

# row NAME PATH ELSEWHERE STATUS TOLD COMMAND...: damaged by the command; TOLD is a line of the list
row()
{
    local name=$1 path=$2 moved=$3 want=$4 told=$5
    shift 5
    [[ $name == *${ROW-}* ]] || return
    cp "$tmp/base" "$img"
    "$@" || { ok 1 "$name: damaged"; return; }
    saved
    is "$status" "$want" "$name: the status is $want" || diag "$(tail -n 3 <<<"$out")"
    [ "$at" -ge "$path" ] && [ $((at + elsewhere)) -ge $((path + moved)) ]
    ok $? "$name: $at/$elsewhere/$lost, at least $path/$moved/$((total - path - moved))"
    [ -z "$told" ] || like "$told" "$name: what is lost is told"
}

python3 tests/image/tree.py make "$seed" "$tmp/from" || exit 1
build/bin/mkfs.simplefs -q -J size=4M -d "$tmp/from" "$tmp/base" 64M
is $? 0 "a volume, seed $seed"
python3 tests/image/tree.py list "$tmp/from" >"$tmp/before"
is "$(wc -l <"$tmp/before")" $total 'of so many files'

many=/many/a-name-of-some-length-700

row 'nothing' 2704 0 0 '' true
row 'block 0 is zero' 2704 0 0 '' damage zero 0 1
row 'the first 64 KiB are zero' 2704 0 0 '' damage zero 0 16
row 'an inode map is zero' 2704 0 4 'inodes may be missing' damage zero 33 1
row 'an inode block is zero' 2696 0 4 "^$many: inode [0-9]+ is lost: it is damaged" \
    damage zero "$(blk inodes $many)" 1
row 'the inode block of the root is zero' 0 2697 4 '^/: the root is lost' damage zero "$(blk inodes /)" 1
row "a directory's inner node is zero" 704 2000 4 '^/many: names are lost: block [0-9]+' \
    damage zero "$(blk inner /many)" 1
row "a directory's leaf is zero" 2500 204 4 "^/many: names are lost: block $(blk leaf /many) " \
    damage zero "$(blk leaf /many)" 1
row 'an extent leaf is zero' 2703 0 4 "^/sparse-1: bytes [0-9]+ to [0-9]+ are lost: block $(blk leaf /sparse-1) " \
    damage zero "$(blk leaf /sparse-1)" 1
row "a name in a directory has a slash" 2500 204 4 '^/many: names are lost' damage name /many "${many##*/}" slash
row "the journal's superblock is zero" 0 0 4 'the journal is damaged' damage zero 131 1

# A disk that does not give some blocks of a file: these alone are missing.
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
cp "$tmp/base" "$img"
first=$("$dump" -t /top-3 "$img" | sed -n 's/.*start: //p' | head -n 1)
rm -rf "$tmp/to" && mkdir "$tmp/to"
run env FAULT_READ="$first $first" LD_PRELOAD="$tmp/fault.so" "$dump" -S "$tmp/to" "$img"
exits 4 'a block of a file that the device does not give'
like '^/top-3: bytes 0 to [0-9]+ are lost: the device does not give them' 'is told by its bytes'
is "$(stat -c %s "$tmp/to/top-3")" "$(stat -c %s "$tmp/from/top-3")" 'and the file is as long as it was'

bad=0
for round in $(seq "${RANDOM_ROUNDS:-8}"); do
    RANDOM=$((seed * 1000 + round))
    cp "$tmp/base" "$img"
    for _ in $(seq $((RANDOM % 6 + 1))); do
        damage flip $((RANDOM % 2500 + (RANDOM % 2 ? 1155 : 0))) $((RANDOM % 32768)) >/dev/null 2>&1
    done
    saved
    case $status in 0 | 4) ;; *) bad=$((bad + 1)); diag "round $round: $status, $out" ;; esac
    # Who says that all was saved has saved all names; data has no checksums.
    if [ "$status" = 0 ] && [ "$(find "$tmp/to" ! -type d | wc -l)" != $total ]; then
        bad=$((bad + 1))
        diag "round $round: names are missing, and nothing was said"
    fi
done
is "$bad" 0 "${RANDOM_ROUNDS:-8} volumes with wrong bits: it ends, and says what is missing"
done_testing
