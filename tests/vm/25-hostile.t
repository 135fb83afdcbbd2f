#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Damaged volumes, most with right checksums: the kernel refuses or copes, and never falls over. The
# same ones are given to dump --check. SEED= and COUNT= choose which.
. "$(dirname "$0")/lib.sh"
seed=${SEED:-1}
count=${COUNT:-60}
mkdir "$tmp/from"
cp -a src tests "$tmp/from"
for i in $(seq 600); do echo "$i" >"$tmp/from/a-name-that-takes-some-room-$i"; done
run build/bin/mkfs.simplefs -q -J none -d "$tmp/from" "$tmp/image" 16M
is "$status" 0 "a volume with trees of some depth"
run tests/vm/mutate.py "$tmp/image" "$tmp/patches" "$count" "$seed"
is "$status" 0 "$count damaged blocks, seed $seed" || diag "$out"

crashed=0
noticed=0
while read -r name blk; do
    cp "$tmp/image" "$tmp/copy"
    dd if="$tmp/patches/$name" of="$tmp/copy" bs=4096 seek="$blk" conv=notrunc status=none
    timeout 120 build/bin/dump.simplefs --check "$tmp/copy" >/dev/null 2>&1
    case $? in
    0 | 8) ;;
    4) noticed=$((noticed + 1)) ;;
    *) crashed=$((crashed + 1)) && diag "patch $name on block $blk" ;;
    esac
done <"$tmp/patches/list"
is "$crashed" 0 "dump --check never falls over ($noticed of $count found damaged)"
[ "$noticed" -gt $((count / 6)) ]
ok $? "and notices what a checker can (the rest is times, owners, free space)"

cat >"$tmp/try" <<'EOF'
while read -r name blk; do
    cp /image /tmp/copy
    dd if=/patches/$name of=/tmp/copy bs=4096 seek=$blk conv=notrunc 2>/dev/null
    if mount -t simplefs -o loop,errors=continue /tmp/copy /mnt 2>/dev/null; then
        find /mnt -type f -exec cat {} + >/dev/null 2>&1
        touch /mnt/new 2>/dev/null
        rm -rf /mnt/src /mnt/a-name* 2>/dev/null
        umount /mnt || exit 9
        echo "mounted $name"
    else
        echo "refused $name"
    fi
done </patches/list
mount -t simplefs /dev/vda /mnt && exit 8
mount -t simplefs -o loop /image /mnt && umount /mnt && rmmod simplefs
EOF
boot --module "$module" --add "$tmp/image:/image" --add "$tmp/patches:/patches" \
    --add "$tmp/try:/try" --disk "$tmp/from/tests/vm/run-vm" --append loglevel=4 -- sh /try
is "$status" 0 "the kernel takes all of them and unloads; a foreign disk is refused"
[ "$(grep -ac "^refused" "$tmp/console")" -gt 0 ]
ok $? "some are refused at the door"
done_testing
