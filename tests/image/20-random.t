#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Volumes damaged at random, most under right checksums: fsck.simplefs never falls over, and when it
# says that all is well, or well again, a second run agrees. SEED= and COUNT= choose which.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
fsck=${FSCK:-build/bin/fsck.simplefs}
seed=${SEED:-1}
count=${COUNT:-120}
mkdir "$tmp/from"
cp -a src "$tmp/from"
for i in $(seq 400); do echo "$i" >"$tmp/from/a-name-that-takes-some-room-$i"; done
run build/bin/mkfs.simplefs -q -J none -d "$tmp/from" "$tmp/image" 16M
is "$status" 0 'a volume with trees of some depth'
run tests/vm/mutate.py "$tmp/image" "$tmp/patches" "$count" "$seed"
is "$status" 0 "$count damaged blocks, seed $seed" || diag "$out"

fell=0 broken=0
declare -A seen=([0]=0 [1]=0 [4]=0 [8]=0)
while read -r name blk; do
    cp "$tmp/image" "$tmp/copy"
    dd if="$tmp/patches/$name" of="$tmp/copy" bs=4096 seek="$blk" conv=notrunc status=none
    timeout 60 "$fsck" -fy "$tmp/copy" >"$tmp/said" 2>&1
    status=$?
    case $status in
    0 | 1 | 4 | 8) seen[$status]=$((seen[$status] + 1)) ;;
    *) fell=$((fell + 1)) && diag "patch $name on block $blk: exit $status: $(tail -n 5 "$tmp/said")" ;;
    esac
    [ "$status" -lt 2 ] || continue
    run "$fsck" -f "$tmp/copy"
    [ "$status" = 0 ] || { broken=$((broken + 1)) && diag "patch $name on block $blk: $out"; }
done <"$tmp/patches/list"
is "$fell" 0 "never falls over (${seen[0]} sound, ${seen[1]} repaired, ${seen[4]} left, ${seen[8]} no volume)"
is "$broken" 0 'and what it calls sound or repaired is so in a second run'
[ "${seen[1]}" -gt 0 ]
ok $? 'some were repaired'
[ "${seen[4]}" -le $((count / 20)) ]
ok $? "and of a hundred no more than five could not be"
done_testing
