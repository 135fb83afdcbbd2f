#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What comes back of a volume of 2,704 files, one of its blocks or fields damaged, by fsck.simplefs -y:
# files found at their path, found elsewhere (lost+found), lost. The numbers here are what has to come
# back at least; ROW= picks rows by their names.
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
program damage harvest
fsck=build/bin/fsck.simplefs
total=0

base=$tmp/base
more=()		# options besides

# row NAME PATH ELSEWHERE AGAIN COMMAND...: damaged by the command, checked, and what is there then;
# AGAIN is the status of a second run, and a first that is not content must have changed nothing.
row()
{
    local name=$1 path=$2 moved=$3 again=$4 had first=0
    shift 4
    [[ $name == *${ROW-}* ]] || return
    cp --sparse=always "$base" "$img"
    "$@" || { ok 1 "$name: damaged"; return; }
    run "$fsck" -n -f "$img"
    run "$fsck" -fy "${more[@]}" "$img"
    first=$status
    diag "$(tail -n 3 <<<"$out")"
    build/image/harvest "$img" >"$tmp/after"
    had=$(python3 tests/image/tree.py score "$tmp/before" "$tmp/after")
    run "$fsck" -f "$img"
    is "$status" "$again" "$name: a second run gives $again (the first $first)" || diag "$(tail -n 3 <<<"$out")"
    IFS=/ read -r at elsewhere lost <<<"$had"
    [ "$at" -ge "$path" ] && [ $((at + elsewhere)) -ge $((path + moved)) ]
    ok $? "$name: $had, at least $path/$moved/$((total - path - moved))"
}

python3 tests/image/tree.py make "$seed" "$tmp/from" || exit 1
build/bin/mkfs.simplefs -q -J size=4M -d "$tmp/from" "$tmp/base" 64M
is $? 0 "a volume, seed $seed"
cp "$tmp/base" "$img"
build/image/harvest "$img" >"$tmp/before"
total=$(grep -vc '^0 dir' "$tmp/before")
is "$total" 2704 'of so many files'

some=/some/7/deep/file-3
many=/many/a-name-of-some-length-700

row 'block 0 is zero' 2704 0 0 damage zero 0 1
row 'block 0 has a wrong bit' 2704 0 0 damage flip 0 2000
row 'the first 64 KiB are zero' 2704 0 0 damage zero 0 16
row 'the first MiB is zero' 0 0 8 damage zero 0 256
row 'an inode map is zero' 2704 0 0 damage zero 33 1
row 'an inode map has a wrong bit' 2704 0 0 damage flip 33 9000
row 'an inode block has a wrong bit' 2703 0 0 damage flip "$(blk inodes $many)" 9000
row 'an inode block is zero' 2696 0 0 damage zero "$(blk inodes $many)" 1
row 'an inode has no type' 2703 0 0 damage inode $many i_mode 0
row 'an inode has a size past all' 2703 0 0 damage inode $many i_size 0xffffffffffffffff
row 'the inode block of the root is zero' 2697 0 0 damage zero "$(blk inodes /)" 1
row "a directory's inner node is zero" 2704 0 0 damage zero "$(blk inner /many)" 1
row "a directory's leaf is zero" 2500 204 0 damage zero "$(blk leaf /many)" 1
row "a directory's leaf has a wrong bit" 2703 1 0 damage flip "$(blk leaf /many)" 9000
row 'an extent leaf is zero' 2703 0 0 damage zero "$(blk leaf /sparse-1)" 1
for how in slash nul hash; do
    row "a name in a directory: $how" 2703 1 0 damage name /many "${many##*/}" "$how"
done
row 'an inode map is stale, a lost write' 2704 0 0 damage stale 33 0
row 'a file lies where another does' 2703 0 0 damage steal /top-3 /top-5
row 'an extent goes on too far' 2703 0 0 damage stretch /sparse-1 9
row 'an extent goes on outside the volume' 2703 0 0 damage stretch /sparse-1 100000
row 'a file has the size 0' 2703 0 0 damage inode /sparse-1 i_size 0
row 'a file is of another type' 2704 0 0 damage inode $many i_mode 0x41a4
row 'a directory of many leaves is of no type' 2704 0 0 damage inode /many i_mode 0
row 'a directory is of another type' 2704 0 0 damage inode /some/7 i_mode 0x81a4
row "the journal's superblock is zero" 2704 0 0 damage zero 131 1

# Of a volume of several zones another one has a copy of the superblock: what was in the journal is lost
# with its own superblock, and has to be given up.
base=$tmp/wide
build/bin/mkfs.simplefs -q -J size=4M -d "$tmp/from" "$base" 8G && build/image/edit "$base" zones 2 /top-1
is $? 0 'a volume of two zones'
row 'the first MiB of two zones is zero, without a word' 0 0 4 damage zero 0 256
more=(--discard-journal)
row 'the first MiB of two zones is zero' 2704 0 0 damage zero 0 256
# A copy that a former volume has left there is none of this one.
mkdir "$tmp/next"
echo new >"$tmp/next/new"
build/bin/mkfs.simplefs -q -f -K -J none -d "$tmp/next" "$base" 8G
is $? 0 'another on its place'
row 'the first MiB of a volume on a former one is zero' 0 0 8 damage zero 0 256
[ -n "${ROW-}" ] || like 'nor is a copy of a superblock there' 'which is not taken for it'
done_testing
