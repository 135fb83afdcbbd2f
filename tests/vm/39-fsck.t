#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A repair that fsck.simplefs has put into the journal and not brought home: the kernel brings it home.
. "$(dirname "$0")/lib.sh"
make -s build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
gcc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$tmp/fault.so" tests/cli/fault.c || exit 1
fsck=build/bin/fsck.simplefs

mkdir -p "$tmp/from/dir"
for i in $(seq 400); do echo "$i" >"$tmp/from/dir/a-name-of-some-length-that-takes-its-room-$i"; done
build/bin/mkfs.simplefs -q -d "$tmp/from" "$tmp/damaged" 64M || exit 1
for i in $(seq 3 302); do
    build/image/edit "$tmp/damaged" unname /dir "a-name-of-some-length-that-takes-its-room-$i" || exit 1
done
cp "$tmp/damaged" "$tmp/disk"
total=$(FAULT_COUNT=$tmp/count LD_PRELOAD=$tmp/fault.so "$fsck" -fy "$tmp/disk" >/dev/null; cat "$tmp/count")
# The first write after which the log is not empty: nothing is home yet.
for n in $(seq $((total / 3)) "$total"); do
    cp "$tmp/damaged" "$tmp/disk"
    run env FAULT_LAZY=1 LD_PRELOAD="$tmp/fault.so" FAULT=KILL FAULT_AT="$n" "$fsck" -fy "$tmp/disk"
    run "$fsck" -n "$tmp/disk"
    [[ $out == *'looking past the journal: 1 transactions'* ]] && break
done
like 'looking past the journal: 1 transactions' "killed at $n of $total: the repair is in the journal"
boot --module "$module" --disk "$tmp/disk" -- sh -c "mount -t simplefs /dev/vda /mnt &&
    ls /mnt/lost+found | wc -l && cat /mnt/lost+found/* | sort -n | md5sum && umount /mnt && rmmod simplefs"
is "$status" 0 'mounted'
tr -d '\r' <"$tmp/console" | grep -qx 300
ok $? 'the kernel has brought all names home'
tr -d '\r' <"$tmp/console" | grep -q "^$(seq 3 302 | md5sum | cut -d' ' -f1)"
ok $? 'of all the files'
run "$fsck" -fn "$tmp/disk"
exits 0 'the volume is in order'
unlike 'looking past' 'and the journal empty'
done_testing
