#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One volume, one thing untrue on it in each folder here: what fsck.simplefs says and does, and what
# is left for a second run. IMAGE= picks a folder; ACCEPT=1 writes what was said as what is expected.
#
# Before, the same repair is made with -z, and taken back.
#
# A folder holds make.sh (edits a copy of the volume, see edit.c), expect.1 (fsck -fy) and expect.2
# (fsck -f), each ending in the exit status.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit build/image/damage >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
fsck=build/bin/fsck.simplefs
img=$tmp/img

edit()
{
    build/image/edit "$img" "$@" || exit 1
}

# ino PATH: its number
ino()
{
    build/bin/dump.simplefs --json -i "$1" "$img" | python3 -c 'import json, sys; print(json.load(sys.stdin)["inode"]["ino"])'
}

# What the volume holds: files of one and many blocks, a directory with a tree of its own.
from=$tmp/from
mkdir -p "$from/dir/sub" "$from/many"
seq 3 >"$from/small"
seq 9000 >"$from/large"
ln "$from/small" "$from/dir/link"
ln -s target "$from/dir/symlink"
seq 99 >"$from/dir/sub/file"
for i in $(seq 200); do echo "$i" >"$from/many/a-name-of-some-length-$i"; done
find "$from" -exec touch -h -d @1700000000 {} +
export SOURCE_DATE_EPOCH=1700000000
build/bin/mkfs.simplefs -q -U 11111111-2222-3333-4444-555555555555 -d "$from" "$tmp/base" 64M
is $? 0 'a volume'

# check EXPECTED-FILE OPTIONS: runs fsck and compares
check()
{
    run "$fsck" "$2" "$img"
    printf '%s\nexit %s\n' "$out" "$status" | sed "s|$img|IMAGE|g" >"$tmp/said"
    [ -z "${ACCEPT-}" ] || cp "$tmp/said" "$1"
    run diff "$1" "$tmp/said"
    is "$status" 0 "$name: fsck $2 says what is expected ($(tail -n 1 "$tmp/said"))" || diag "$out"
}

for folder in tests/image/${IMAGE:-[0-9]*-*}/; do
    folder=${folder%/}
    name=${folder##*/}
    cp "$tmp/base" "$img"
    (set -e; . "$folder/make.sh") >"$tmp/log" 2>&1
    is $? 0 "$name: made" || diag "$(cat "$tmp/log")"
    before=$(sha256sum <"$img")
    run "$fsck" -nf "$img"
    is "$(sha256sum <"$img")" "$before" "$name: fsck -n writes nothing"
    rm -f "$tmp/undo"
    run "$fsck" -fy -z "$tmp/undo" "$img"
    [ ! -e "$tmp/undo" ] || run "$fsck" --undo "$tmp/undo" "$img"
    is "$(sha256sum <"$img")" "$before" "$name: what fsck -y -z writes is taken back" || diag "$out"
    check "$folder/expect.1" -fy
    grep -qx 'exit [01]' "$folder/expect.1" || is "$(sha256sum <"$img")" "$before" "$name: nor does a refusal"
    check "$folder/expect.2" -f
done
done_testing
