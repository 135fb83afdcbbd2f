#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fsck.simplefs on the command line: as boot calls it, on what is no volume, on what is in use.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
fsck=build/bin/fsck.simplefs
img=$tmp/img
edit=build/image/edit

fresh()
{
    rm -rf "$tmp/from" && mkdir "$tmp/from" && seq 9000 >"$tmp/from/file"
    build/bin/mkfs.simplefs -qf "$@" -d "$tmp/from" "$img" 64M || exit 1
}

fresh
before=$(sha256sum <"$img")
run "$fsck" -a -T -l -M -C0 "$img"
exits 0 'a clean volume, as fsck(8) calls it'
like ': clean, ' 'is called clean'
is "$(sha256sum <"$img")" "$before" 'and not written to'
run "$fsck" -p -C 3 -v "$img"
exits 0 '-p as well'
run "$fsck" -p -a "$img"
exits 0 'and both of them, which are one'

"$edit" "$img" super state 0
run "$fsck" -n "$img"
exits 0 'not unmounted: -n looks'
is "$(build/bin/dump.simplefs --json "$img" | grep -c '"state": "0x0"')" 1 'and leaves it so'
run "$fsck" -a "$img"
exits 0 '-a puts it in order'
is "$(build/bin/dump.simplefs --json "$img" | grep -c '"state": "0x1"')" 1 'and marks it clean'

# Half truncated.
blk=$(($(build/bin/dump.simplefs --json -i /file "$img" | sed -n 's/.*"ino": \([0-9]*\).*/\1/p' | head -n 1) / 8))
"$edit" "$img" field /file flags 1
"$edit" "$img" bit orphan "$blk" 1
"$edit" "$img" super state 0
run "$fsck" -a "$img"
exits 0 '-a, with an orphan'
like 'are left to the mount' 'leaves it to the mount'
is "$(build/bin/dump.simplefs --json "$img" | grep -c '"state": "0x0"')" 1 'which has to look'
run "$fsck" -y "$img"
exits 0 '-y does what the mount would do'
like 'finished 1 unlinked or half-truncated' 'and says so'
is "$(build/bin/dump.simplefs --json "$img" | grep -c '"state": "0x1"')" 1 'then it is clean'

"$edit" "$img" field /file nlink 9
run "$fsck" -a "$img"
exits 0 'a clean volume is believed by -a'
"$edit" "$img" super state 3
run "$fsck" -a "$img"
exits 1 'one with an error on record is checked and repaired'
run "$fsck" -f "$img"
exits 0 'and sound then'
"$edit" "$img" unname / file
run "$fsck" -f -a "$img"
exits 4 '-a changes no names'
run "$fsck" -f "$img" </dev/null
exits 4 'nor does a run that nobody can answer'
like '-y repairs it' 'which says how'
run "$fsck" -f -y "$img"
exits 1 '-y does'
like 'repaired' 'and says so'
build/bin/dump.simplefs -d /lost+found "$img" | grep -q '#'
ok $? 'in lost+found'

fresh
"$edit" "$img" aborted 5
run "$fsck" -n "$img"
exits 4 'a journal that was aborted: -n sees it'
like 'the journal was aborted: error 5' 'and says it'
run "$fsck" -y "$img"
exits 1 '-y forgets it'
run "$fsck" -n "$img"
exits 0 'and it is forgotten'
is "$(build/bin/dump.simplefs --json "$img" | grep -c '"state": "0x1"')" 1 'the volume is clean'

fresh
"$edit" "$img" super incompat 0x8000
before=$(sha256sum <"$img")
for tool in "$fsck -fy" "build/bin/tune.simplefs -L x" build/bin/resize.simplefs; do
    run $tool "$img"
    like 'does not know: incompat 0x8000$' "${tool%% *}: a volume of a newer version is told as such"
    unlike 'corrupt|damaged' 'and not called damaged'
done
run "$fsck" -n "$img"
exits 8 'nor looked at'
is "$(sha256sum <"$img")" "$before" 'nor written to'

truncate -s 8M "$tmp/log"
fresh -J device="$tmp/log"
"$edit" "$img" super state 0
run "$fsck" -y "$img"
exits 8 'a journal elsewhere must be named'
like '-j' 'it says how'
run "$fsck" -a "$img"
exits 0 'at boot it is left to the mount'
head -c 8M /dev/zero >"$tmp/other"
run "$fsck" -y -j "$tmp/other" "$img"
exits 8 'what is no journal is refused, which says nothing of the volume'
like "^fsck.simplefs: $tmp/other: not the journal of $img: no journal" 'and named'
run "$fsck" -y -j "$tmp/log" "$img"
exits 0 'with it, all is well'

fresh
exec 9<"$img"
flock 9
run "$fsck" "$img"
exits 8 'a volume that another program has locked'
exec 9<&-
head -c 65536 /dev/zero >"$tmp/zero"
run "$fsck" "$tmp/zero"
exits 8 'no simplefs'
run "$fsck" "$tmp/none"
exits 8 'no file'
run "$fsck" -a -y "$img"
exits 16 '-a and -y exclude each other'
run "$fsck"
exits 16 'no device'
head -c 8192 "$img" >"$tmp/short"
run "$fsck" -y "$tmp/short"
exits 4 'a volume that was cut off'
done_testing
