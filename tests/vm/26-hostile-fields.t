#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Volumes made by an enemy: cut, stretched, zeroed and foreign; each field of superblock, inode, node
# and maps hostile under a right checksum; trees in circles, blocks shared, names astray; journals
# that lie. The kernel refuses them with a reason or copes, and looking never writes. Then the tools.
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
dump=build/bin/dump.simplefs
mkdir -p "$tmp/from/dir/sub/deep"
for i in $(seq 120); do echo "$i" >"$tmp/from/dir/a name that takes some room $i"; done
head -c 12288 /dev/urandom >"$tmp/from/a"
head -c 12288 /dev/urandom >"$tmp/from/b"
ln -s dir "$tmp/from/link"
for i in $(seq 0 2 300); do
    printf x | dd of="$tmp/from/pieces" bs=4096 seek="$i" conv=notrunc status=none
done
run build/bin/mkfs.simplefs -q -J size=4M -d "$tmp/from" "$tmp/image" 7M
is "$status" 0 'a volume with one of everything' || diag "$out"
run tests/vm/hostile.py "$dump" "$tmp/image" "$tmp/cases"
is "$status" 0 'and its hostile variants' || diag "$out"

program hostile
boot --timeout 1200 --mem 512M --module "$module" --add "$tmp/hostile" --add "$tmp/image:/image" \
    --add "$tmp/cases:/cases" --append loglevel=1 -- /bin/hostile /image /cases
relay 'kernel'
is "$status" 0 'the kernel survives all of them'
[ "$status" = 0 ] || diag "$(grep -a '^# case' "$tmp/console" | tail -n 1)"

# What was refused was refused for the right reason.
refused()
{
    out=$(tr -d '\r' <"$tmp/console" | grep -a "^# $1 refused")
    like "$2" "$1: $2"
}
refused cut-to-40960 'larger than its device'
refused zeroed-super 'not a simplefs|no simplefs'
refused flipped-super 'blk=0.*(checksum|reserved)'
refused zeroed-root-inode 'blk='
refused replay-zeros-over-root 'blk='
refused log-uuid "another volume's"
done_testing
