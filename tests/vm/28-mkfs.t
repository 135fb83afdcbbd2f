#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkfs.simplefs on devices, in a machine that has some: what is in use, locked, read-only or somebody
# else's is refused and stays as it is; what is free is taken, by its partition too. And a volume
# that mkfs filled, mounted, is the tree it was filled from.
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir -p "$tmp/tree/dir/sub" "$tmp/tree/many"
seq 30000 >"$tmp/tree/dir/file"
ln "$tmp/tree/dir/file" "$tmp/tree/dir/sub/again"
head -c 5000 /dev/urandom >"$tmp/tree/odd  name"
truncate -s 20M "$tmp/tree/sparse"
printf 'deep in it' | dd of="$tmp/tree/sparse" bs=1 seek=15000000 conv=notrunc status=none
ln -s dir/file "$tmp/tree/short"
ln -s "$(printf 'x%.0s' {1..3000})" "$tmp/tree/long"
mkfifo "$tmp/tree/fifo"
for i in $(seq 120); do : >"$tmp/tree/many/a file with a longer name $i"; done
[ "$(id -u)" != 0 ] || { mknod "$tmp/tree/char" c 1 3 && mknod "$tmp/tree/block" b 259 70000 && chown -R 7:65540 "$tmp/tree/dir"; }
chmod 6755 "$tmp/tree/dir/file"
find "$tmp/tree" -depth -exec touch -h -d '2001-02-03 04:05:06 UTC' {} +
cat >"$tmp/list" <<'EOF2'
cd "$1" || exit 1
find . -type d -exec stat -c '%n %f %u %g %Y' {} + | sort
find . ! -type d -exec stat -c '%N %f %u %g %h %s %Y %t %T' {} + | sort
find . -type f -exec md5sum {} + | sort
EOF2
busybox sh "$tmp/list" "$tmp/tree" >"$tmp/want"
run build/bin/mkfs.simplefs -q -d "$tmp/tree" "$tmp/full" 32M
is "$status" 0 'a volume is filled' || diag "$out"

truncate -s 64M "$tmp/disk"
printf '\0\0\0\0\x83\0\0\0\0\x08\0\0\0\x90\1\0' | dd of="$tmp/disk" bs=1 seek=446 conv=notrunc status=none
printf '\x55\xaa' | dd of="$tmp/disk" bs=1 seek=510 conv=notrunc status=none
truncate -s 32M "$tmp/ro" "$tmp/several"
cat >"$tmp/try" <<'EOF2'
n=0
# says STATUS REGEX NAME: about the last command
says()
{
    n=$((n + 1))
    if [ "$status" = "$1" ] && echo "$out" | grep -Eq "$2"; then
        echo "ok $n - $3"
    else
        echo "not ok $n - $3"
        echo "# exit $status: $out"
    fi
}
run()
{
    out=$("$@" 2>&1)
    status=$?
}
sum()
{
    md5sum <"$1"
}
before=$(sum /dev/vda)
run mkfs.simplefs /dev/vda
says 1 'holds something \(dos\)' 'a disk with partitions is refused'
run mkfs.simplefs -n /dev/vda1
says 0 'dry run.* 12800 blocks' 'a partition: the plan'
[ "$before" = "$(sum /dev/vda)" ] && status=0 || status=1
says 0 '' 'and nothing has changed'

# Held by a process that ends with its standard input.
mkfifo /tmp/hold
flock /dev/vda cat /tmp/hold >/dev/null &
exec 3>/tmp/hold
until ! flock -n /dev/vda true; do :; done
run mkfs.simplefs -q -L part /dev/vda1
says 0 'another program has locked it' 'a partition whose disk is locked is taken, with a warning'
LOCK_BLOCK_DEVICE=0 run mkfs.simplefs -qf -L part /dev/vda1
says 0 '^$' 'and without one where no lock is wanted'
run flock /dev/vda1 fsck.simplefs -a /dev/vda1
says 0 'another program has locked it' 'fsck under the lock of who started it'
run flock /dev/vda1 tune.simplefs -L part /dev/vda1
says 0 'another program has locked it' 'and tune'
exec 3>&-
wait
run mkfs.simplefs -qf -L part /dev/vda1
says 0 '^$' 'and the lock is had when it is free'
run mount -t simplefs /dev/vda1 /mnt
says 0 '' 'it mounts'
run mkfs.simplefs -f /dev/vda1
says 1 'in use' 'a mounted device is refused, -f or not'
run mkfs.simplefs -f /dev/vda
says 1 'in use' 'and the disk it is on'
umount /mnt
run mkfs.simplefs -f /dev/vdb
says 1 'read-only|Permission denied|Read-only' 'a read-only device is refused'
run mkfs.simplefs /dev/vdc
says 1 'holds a simplefs' 'a volume is refused'
run mkfs.simplefs -f /dev/vda1 200M
says 1 'has 12800 blocks, not 51200' 'more than the device has is refused'

truncate -s 16M /tmp/image
mkfs.simplefs -q /tmp/image
losetup /dev/loop3 /tmp/image
run mkfs.simplefs -q -f /tmp/image
says 0 '' 'an image behind a loop device that nobody uses is taken'
mount -t simplefs /dev/loop3 /mnt
run mkfs.simplefs -f /tmp/image
says 1 'in use, through /dev/loop3' 'and refused when it is mounted'
run mkfs.simplefs -fn /tmp/image
says 1 'in use, through /dev/loop3' 'also when nothing would be written'
run fsck.simplefs -fy /tmp/image
says 8 'in use' 'fsck refuses it then'
run tune.simplefs -L label /tmp/image
says 1 'in use' 'and so does tune'
run tune.simplefs -U random /dev/loop3
says 1 'in use' 'and so does tune the device'
run tune.simplefs -L label /dev/loop3
says 0 '' 'but asks the kernel for a label'
umount /mnt
run tune.simplefs -L label /tmp/image
says 0 '' 'but not when it is unmounted'
losetup -d /dev/loop3

run mkfs.simplefs -q -f -J device=/dev/vda1 /tmp/image
says 0 '' 'a journal on a partition'
run mkfs.simplefs /dev/vda1
says 1 'journal of a simplefs' 'which is not free then'

run mkfs.simplefs -q /dev/vdd
says 0 '' 'a device that is made of several'
run dump.simplefs /dev/vdd
says 0 'stripe_unit: *4$' 'its unit is noted'
says 0 'stripe_width: *16$' 'and its width'
run mkfs.simplefs -qfs none /dev/vdd
run dump.simplefs /dev/vdd
says 0 'stripe_unit: *0$' 'unless told not to'
run dump.simplefs /dev/vdc
says 0 'stripe_unit: *0$' 'and others say nothing'

mount -t simplefs -o ro /dev/vdc /mnt
sh /list /mnt >/tmp/have
run cmp /tmp/have /want
says 0 '' 'what mkfs filled is what the kernel shows'
[ $status = 0 ] || diff /tmp/have /want | head -n 40
umount /mnt
echo "1..$n"
EOF2
boot --module "$module" --add build/bin/mkfs.simplefs --add build/bin/fsck.simplefs --add build/bin/dump.simplefs \
    --add build/bin/tune.simplefs --add /usr/bin/flock --add "$tmp/try:/try" --add "$tmp/list:/list" \
    --add "$tmp/want:/want" --disk "$tmp/disk" --disk "$tmp/ro,ro" --disk "$tmp/full" --disk "$tmp/several,striped" -- sh /try
is "$status" 0 'the machine ends well'
relay 'device'
done_testing
