#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tables of usage: made with a volume or later, taken away, and what becomes of them in a repair.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
mkfs=build/bin/mkfs.simplefs
tune=build/bin/tune.simplefs
fsck=build/bin/fsck.simplefs
img=$tmp/disk

# Owners that nobody need be to make them.
python3 - "$tmp/from.tar" <<'TAR'
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w") as tar:
    for n in range(60):
        info = tarfile.TarInfo("file-%d" % n)
        info.uid, info.gid, info.size = 1000 + n % 20, 5 + n % 2, n * 1000
        tar.addfile(info, io.BytesIO(bytes(info.size)))
TAR

# hidden: the superblock's four numbers, those that are there as "t"
hidden()
{
    build/bin/dump.simplefs --json "$img" |
        python3 -c 'import json, sys; print(*("t" if n else "0" for n in json.load(sys.stdin)["super"]["hidden"]))'
}

# whole WHAT: structure and usage
whole()
{
    run "$fsck" -fn "$img"
    is "$status" 0 "$1: structure and usage are whole" || diag "$out"
}

for journal in size=4M none; do
    run "$mkfs" -fq -J $journal -Q usr,grp -d "$tmp/from.tar" "$img" 64M
    is "$status$out" 0 "mkfs -Q usr,grp, journal $journal"
    is "$(hidden)" "t t 0 0" "two tables"
    whole "made"
    run "$tune" -Q usr,prj "$img"
    is "$status$out" 0 "others"
    is "$(hidden)" "t 0 t 0" "one has gone, one has come"
    whole "others"
    run "$tune" -Q none "$img"
    is "$status$out" 0 "none"
    is "$(hidden)" "0 0 0 0" "no tables"
    run build/bin/dump.simplefs "$img"
    like 'ro_compat: 0x0' "nor their feature"
    whole "none"
    run "$tune" -Q usr,grp,prj "$img"
    is "$status$out" 0 "all"
    whole "all"
done
run "$tune" -L name "$img"
is "$status$out" 0 "a label beside them"
whole "a label"
run build/bin/resize.simplefs "$img" 96M
is "$status" 0 "larger"
whole "larger"

# A limit is kept when what it lies in has to be made anew; user 1000 is the second in chunk 2.
limit=$((2 * 1024 + 16 + 72 + 40))
build/image/edit "$img" quota 0 $limit 77
build/image/edit "$img" quota 0 28 0
run "$fsck" -fy "$img"
is "$status" 1 "a list is repaired" || diag "$out"
build/bin/dump.simplefs -t "$(build/bin/dump.simplefs --json "$img" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["super"]["hidden"][0])')" --json "$img" >"$tmp/tree"
like_file()
{
    grep -q "$1" "$2"
    is $? 0 "$3"
}
like_file "4d00000000000000" "$tmp/tree" "the limit is still there"
whole "repaired"

# A project that there cannot be is none, for whoever counts.
build/image/edit "$img" field /file-3 projid 0xffffffff
whole "a project of all bits"

leaves "$img" 2 "neither none nor some of" "tune: a type that there is not" "$tune" -Q usr,all "$img"
leaves "$img" 2 "goes alone" "tune: with a label" "$tune" -Q usr -L x "$img"
build/image/edit "$img" super state 3
leaves "$img" 1 "give it to fsck.simplefs -f" "tune: a damaged volume" "$tune" -Q usr "$img"
run "$mkfs" -fq -Q us "$img" 64M
is "$status" 2 "mkfs: a type that there is not"

export SOURCE_DATE_EPOCH=1700000000
for n in 1 2; do
    rm -f "$tmp/$n"
    "$mkfs" -q -Q usr,grp,prj -d "$tmp/from.tar" "$tmp/$n" 64M
done
run cmp "$tmp/1" "$tmp/2"
is "$status$out" 0 "the same volume twice has the same bytes"
done_testing
