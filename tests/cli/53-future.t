#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Volumes with features that nobody knows yet, of each class: what each tool does, and that nothing
# of theirs is lost by any change. Without the feature's bit all of it is damage.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
# shellcheck source=tests/image/future.sh
. tests/image/future.sh
fsck=build/bin/fsck.simplefs
dump=build/bin/dump.simplefs
tune=build/bin/tune.simplefs
resize=build/bin/resize.simplefs
img=$tmp/img
future_base "$tmp/from" "$tmp/base"

# ino PATH: its number
ino()
{
    "$dump" --json -i "$1" "$img" | python3 -c 'import json, sys; print(json.load(sys.stdin)["inode"]["ino"])'
}

# kept WHAT: nothing unknown is lost by it
kept()
{
    future "$img" left "$1: nothing unknown is lost"
}

# looks CLASS: whoever only reads passes over what it does not know
looks()
{
    run "$dump" --check "$img"
    exits 0 "$1: dump --check finds nothing wrong"
    run "$dump" "$img"
    like "$1: *0x4000000000000" "$1: dump shows the bit"
    like 'zero: ' 'and bytes that have no name'
    run "$dump" -d / "$img"
    like 'name: .*gone' "$1: names are read"
    is "$("$dump" -o /file "$img" | sha256sum)" "$(sha256sum <"$tmp/from/file")" "$1: a file is read"
    run "$dump" -t /gone "$img"
    like 'kind: *.unknown' "$1: a tree is shown, with what has no name"
}

# ---- compat: everything may be done, and what is not known is kept ----

cp "$tmp/base" "$img"
future "$img" compat 'a feature that may be ignored'
looks compat
kept 'made'
run "$fsck" -n "$img"
exits 0 'fsck -n is content'
run "$fsck" -f "$img"
exits 0 'fsck -f is content, and writes the time of it'
kept 'fsck -f'
run "$tune" -L newer -U random -e panic "$img"
exits 0 'tune'
kept 'tune'
run "$resize" "$img" 300M
exits 0 'resize, which makes it a large one'
kept 'resize'
run "$dump" --check "$img"
exits 0 'and it is whole'

# After a crash: a file that is gone is finished, its unknown records go with it.
edit "$img" field /gone nlink 0
edit "$img" field /gone flags 0x40000001
edit "$img" bit orphan $(($(ino /gone) / 8)) 1
edit "$img" unname / gone
edit "$img" super state 0
run "$fsck" -y "$img"
exits 0 'fsck -y finishes what a crash left'
like 'finished 1 unlinked' 'a file that is gone'
kept 'fsck -y'
run "$dump" --check "$img"
exits 0 'and no block is lost by that'

# A repair would have to tell damage from what it does not know.
edit "$img" bit used 15000 1
leaves "$img" 4 'only a version that knows all of its features' 'a repair' "$fsck" -fy "$img"
leaves "$img" 4 'only a version that knows all of its features' 'at boot, too' "$fsck" -af "$img"
edit "$img" bit used 15000 0
run "$fsck" -fy "$img"
exits 0 'without that damage it is in order again'
run build/bin/mkfs.simplefs -q "$img"
exits 1 'mkfs takes it for what it is'
like 'simplefs' 'a volume'

# ---- a feature that is known: attributes, which nothing here makes yet ----

cp "$tmp/base" "$img"
edit "$img" super compat 3
edit "$img" attribute /file note 3000 99
edit "$img" attribute /gone small 5 99
edit "$img" attribute /gone large 60000 99
edit "$img" recount
run "$fsck" -f "$img"
exits 0 'attributes are in order'
run "$dump" -t /file "$img"
like 'kind: .*xattr' 'and shown'
like 'name: .*note' 'by name'
edit "$img" field /gone nlink 0
edit "$img" field /gone flags 1
edit "$img" bit orphan $(($(ino /gone) / 8)) 1
edit "$img" unname / gone
edit "$img" super state 0
run "$fsck" -y "$img"
exits 0 'they go with a file that is gone'
run "$fsck" -nf "$img"
exits 0 'and leave nothing'

# Inodes of features that have a number: a hidden one needs no name.
cp "$tmp/base" "$img"
edit "$img" super ro_compat 1
edit "$img" super hidden "$(ino /dir/file)"
edit "$img" unname /dir file
leaves "$img" 4 'table of usage in inode [0-9]+: ' 'a hidden inode is no file of somebody' "$fsck" -nf "$img"
unlike 'has no name' 'has no name, and is not missed'
edit "$img" super hidden "$(ino /dir)"
leaves "$img" 4 'table of usage in inode [0-9]+: not in use, or no file' 'but it is a file' "$fsck" -nf "$img"
edit "$img" super ro_compat 2
leaves "$img" 4 'a hidden inode that no feature speaks of' 'without its feature' "$fsck" -nf "$img"

# ---- ro_compat: it can be read ----

cp "$tmp/base" "$img"
future "$img" ro_compat 'a feature that forbids writing'
looks ro_compat
before=$(sha256sum <"$img")
run "$fsck" -nf "$img"
exits 0 'fsck -n is content'
like 'ro_compat 0x4000000000000000, may look like damage' 'and says what it cannot judge'
for options in -f -y -a --journal-only; do
    leaves "$img" 8 'ro_compat 0x4000000000000000; it can be read' "fsck $options" "$fsck" $options "$img"
done
leaves "$img" 1 'ro_compat 0x4000000000000000; it can be read' tune "$tune" -L x "$img"
leaves "$img" 1 'ro_compat 0x4000000000000000; it can be read' resize "$resize" "$img" 128M
is "$(sha256sum <"$img")" "$before" 'to the bit what it was'
edit "$img" bit used 15000 1
leaves "$img" 4 'only a version that knows all of its features' 'fsck -n finds damage' "$fsck" -nf "$img"

# ---- incompat: it is not touched ----

cp "$tmp/base" "$img"
edit "$img" super incompat 0x8
for tool in "fsck 8 $fsck -n" "fsck 8 $fsck -y" "dump 8 $dump --check" "dump 8 $dump" "tune 1 $tune -L x" \
    "resize 1 $resize"; do
    read -r name want command <<<"$tool"
    # shellcheck disable=SC2086
    leaves "$img" "$want" 'features that this version does not know: incompat 0x8$' "$name" $command "$img"
done
run "$dump" "$img"
like 'incompat: *0x8' 'dump shows what it can'
edit "$img" super incompat 0
edit "$img" super version 2
for tool in "fsck 8 $fsck -n" "dump 8 $dump --check" "tune 1 $tune -L x"; do
    read -r name want command <<<"$tool"
    # shellcheck disable=SC2086
    leaves "$img" "$want" 'version 2 of the format, this knows 1' "$name, another version" $command "$img"
done

# ---- without a bit that says so, all of that is damage ----

# damaged WHAT REGEX VERB ARGUMENT...: edited while a feature allows it, and looked at without
damaged()
{
    cp "$tmp/base" "$img"
    edit "$img" super compat 0x4000000000000001
    edit "$img" "${@:3}"
    edit "$img" super compat 1
    run "$fsck" -nf "$img"
    exits 4 "without a feature, $1"
    like "$2" "$1: named"
}
damaged 'a byte of block 0' 'reserved bytes are not zero' super-byte 507 1
damaged 'a byte behind its fields' 'reserved bytes are not zero' super-byte 4095 1
damaged 'a byte of an inode' 'reserved field not zero' inode-byte /file 139 1
damaged 'a flag' 'unknown flags' field /file flags 0x40000000
damaged 'a record' 'unknown kind of record' record /dir 12 1
damaged 'a record in a node' 'does not fit the file type' records /dir 12 40
done_testing
