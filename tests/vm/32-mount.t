#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Mounting and remounting: the clean mark and the journal under it, read-only in an emergency.
. "$(dirname "$0")/lib.sh"
make -s build/image/edit >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }
program mounts

# state: the superblock's, as it lies on the disk
state()
{
    build/bin/dump.simplefs --raw --json "$tmp/disk" | sed -n 's/.*"state": "\(0x[0-9a-f]*\)".*/\1/p'
}

# log_word OFFSET: a field of the log's superblock, which lies behind the first zone's head
log_word()
{
    od -A n -t x4 --endian=big -j $((131 * 4096 + $1)) -N 4 "$tmp/disk" | tr -d ' '
}
start=28

make_disk()
{
    truncate -s 0 "$tmp/disk"
    run build/bin/mkfs.simplefs -q -J size=8M "$tmp/disk" 256M
    is "$status" 0 "mkfs"
}

# Pulled right after an emergency remount: no end in order, but all that was committed is there.
make_disk
boot --module "$module" --add "$tmp/mounts" --disk "$tmp/disk" --kill-on '^all-readonly,7000' -- sh -c \
    'mount -t simplefs /dev/vda /mnt && mounts /mnt emergency && echo all-readonly && tail -f /dev/null'
is "$status" 123 "an emergency remount among writers, then pulled"
relay "emergency"
is "$(state)" 0x0 "it is not called clean: what takes several transactions may have been in their midst"
run build/bin/fsck.simplefs -fn "$tmp/disk"
is "$status" 0 "and in order" || diag "$out"

# A journal with something in it, under a mark that lies; the same with the journal elsewhere.
make_disk
truncate -s 16M "$tmp/log"
truncate -s 64M "$tmp/other"
run build/bin/mkfs.simplefs -qf -J device="$tmp/log" "$tmp/other" 64M
is "$status" 0 "mkfs with a journal elsewhere"
truncate -s 64M "$tmp/plain"
run build/bin/mkfs.simplefs -qf -J none "$tmp/plain"
is "$status" 0 "mkfs without a journal"
boot --module "$module" --disk "$tmp/disk" --disk "$tmp/other" --disk "$tmp/log" --disk "$tmp/plain" \
    --kill-on '^is-synced,0' -- sh -c \
    'mount -t simplefs /dev/vda /mnt && seq 9 >/mnt/synced && mkdir /other &&
     mount -t simplefs -o journal_path=/dev/vdc /dev/vdb /other && seq 9 >/other/synced &&
     sync && mkdir /plain && mount -t simplefs -o sync /dev/vdd /plain &&
     mkdir /plain/made && chmod 123 /plain/made && echo is-synced && tail -f /dev/null'
is "$status" 123 "a synced file, then pulled"
run build/bin/dump.simplefs -i /made "$tmp/plain"
like 'mode: 0x4053' "mounted sync, without a journal: a directory and its mode are there"
build/image/edit "$tmp/other" super state 1
[ "$(log_word $start)" != 00000000 ]
ok $? "it is in the log"
build/image/edit "$tmp/disk" super state 1
is "$(state)" 0x1 "called clean all the same"
cp "$tmp/disk" "$tmp/lie"
leaves "$tmp/lie" 1 'its journal is not empty' "tune.simplefs" build/bin/tune.simplefs -L x "$tmp/lie"
leaves "$tmp/lie" 1 'its journal is not empty' "resize.simplefs" build/bin/resize.simplefs "$tmp/lie" 512M
run build/bin/fsck.simplefs -n "$tmp/disk"
like 'looking past the journal' "fsck -n looks at the log"
run build/bin/dump.simplefs -d / "$tmp/disk"
like 'synced' "dump shows it"
run build/bin/fsck.simplefs -a "$tmp/disk"
is "$status" 0 "fsck -a"
like 'replayed the journal' "replays"
is "$(state):$(log_word $start)" 0x1:00000000 "and leaves it clean and empty"
run build/bin/dump.simplefs --raw -d / "$tmp/disk"
like 'synced' "with the file in place"
for mode in ro rw; do
    cp "$tmp/lie" "$tmp/disk"
    boot --module "$module" --disk "$tmp/disk" -- sh -c \
        "mount -t simplefs -o $mode /dev/vda /mnt && cat /mnt/synced && umount /mnt && rmmod simplefs"
    is "$status" 0 "mounted $mode: replayed, whatever the mark says"
    is "$(log_word $start)" 00000000 "mounted $mode: the log is empty then"
    [ "$(state)" = "$([ $mode = ro ] && echo 0x0 || echo 0x1)" ]
    ok $? "mounted $mode: and the mark true (state $(state))"
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "mounted $mode: the volume is in order" || diag "$out"
done

# Programs of 32 bits; link counts that are not true; a journal that was aborted.
mkdir -p "$tmp/from/few/sub"
echo x >"$tmp/from/a"
ln "$tmp/from/a" "$tmp/from/b"
ln "$tmp/from/a" "$tmp/from/c"
echo x >"$tmp/from/immutable"
echo x >"$tmp/from/appended"
run build/bin/mkfs.simplefs -qf -J size=8M -d "$tmp/from" "$tmp/disk" 256M
is "$status" 0 "mkfs -d"
build/image/edit "$tmp/disk" field /a nlink 1
build/image/edit "$tmp/disk" field /few nlink 1
build/image/edit "$tmp/disk" field /immutable flags 4
build/image/edit "$tmp/disk" field /appended flags 2
build/image/edit "$tmp/disk" aborted 5
cat >"$tmp/try" <<'END'
set -e
# What was aborted is told by who writes.
mount -t simplefs -o ro,errors=continue /dev/vda /mnt
! dmesg | grep 'aborted earlier' || exit 1
busybox mount -o remount,rw /dev/vda /mnt
dmesg | grep -q 'aborted earlier'
mounts /mnt readdir
# Flags that another version has set.
! echo y >>/mnt/immutable || exit 1
! rm -f /mnt/immutable || exit 1
! ln /mnt/immutable /mnt/linked || exit 1
! chmod 600 /mnt/immutable || exit 1
! echo y >/mnt/appended || exit 1
! rm -f /mnt/appended || exit 1
echo y >>/mnt/appended
[ "$(cat /mnt/immutable /mnt/appended | tr -d '\n')" = xxy ]
exec 3</mnt/b
mounts /mnt links
exec 3<&-
umount /mnt
mount -t simplefs -o errors=continue /dev/vda /mnt
umount /mnt
[ "$(dmesg | grep -c 'aborted earlier')" = 1 ]
# Its mark is believed by who only reads and names no journal; who writes looks.
mount -t simplefs -o ro /dev/vdb /mnt
busybox mount -o remount,rw,journal_path=/dev/vdc /dev/vdb /mnt || :	# it may go on read-only
dmesg | grep -q 'this journal has to be replayed'
! touch /mnt/written || exit 1
umount /mnt
mount -t simplefs -o journal_path=/dev/vdc /dev/vdb /mnt
dmesg | grep -q 'marked clean, but the journal is not empty'
[ "$(wc -l </mnt/synced)" = 9 ]
umount /mnt
mount -t simplefs -o ro,journal_path=/dev/vdc /dev/vdb /mnt
grep /mnt /proc/mounts
grep -q 'journal_path=/dev/vdc' /proc/mounts
busybox mount -o remount,rw /dev/vdb /mnt
touch /mnt/written
umount /mnt
rmmod simplefs
END
boot --module "$module" --add "$tmp/mounts" --add "$tmp/try:/try" --disk "$tmp/disk" \
    --disk "$tmp/other" --disk "$tmp/log" -- sh /try
is "$status" 0 "listed, refused, told once, and made writable with the journal of before"
relay "various"
[ "$(($(state) & 2))" = 2 ]
ok $? "what was aborted is to be checked (state $(state))"
run build/bin/fsck.simplefs -y "$tmp/disk"
is "$status" 1 "fsck mends what is left" || diag "$out"
run build/bin/fsck.simplefs -fn "$tmp/disk"
is "$status" 0 "and finds it in order" || diag "$out"
done_testing
