#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What was refused or cut keeps nothing, and what was acknowledged or replaced survives a pulled plug.
. "$(dirname "$0")/lib.sh"
program sound

# sound WHAT [OPTION]...: in one boot, on the volume, or the one that disk= names
sound()
{
    boot --module "$module" --add "$tmp/sound" --disk "$tmp/${disk:-disk}" "${@:2}" -- sh -c \
        "mount -t simplefs -o ${options:-rw} /dev/vda /mnt && sound $1 /mnt && umount /mnt && rmmod simplefs"
}

# whole: the structure of that volume
whole()
{
    run build/bin/dump.simplefs --check "$tmp/${disk:-disk}"
    is "$status" 0 "the structure is whole" || diag "$out"
}

# verify_records WHAT: of the copy that was made while they were written
verify_records()
{
    disk=copy sound verify-records
    is "$status" 0 "recovered"
    relay "$1"
    disk=copy whole
}

run build/bin/mkfs.simplefs -q "$tmp/disk" 256M
is "$status" 0 "mkfs"
sound use
is "$status" 0 "used, unmounted, unloaded"
relay "use"
sound pull --kill-on "pull now"
is "$status" 123 "pulled after two replacements"
sound verify
is "$status" 0 "recovered"
relay "the plug"
options=sync sound pull-sync --kill-on "pull now"
is "$status" 123 "pulled on a synchronous volume"
sound verify-sync
is "$status" 0 "recovered"
relay "attributes"

for what in greedy carried carried-holes; do
    run build/bin/mkfs.simplefs -q "$tmp/$what" 32M
    is "$status" 0 "mkfs of one to fill"
    disk=$what sound "$what"
    is "$status" 0 "filled"
    relay "$what"
    disk=$what whole
done

program parted
for what in punched collapsed; do
    run build/bin/mkfs.simplefs -q "$tmp/$what" 32M
    is "$status" 0 "mkfs of one to fill"
    boot --module "$module" --add "$tmp/parted" --disk "$tmp/$what" -- sh -c \
        "echo 0 >/proc/sys/vm/dirty_writeback_centisecs
        mount -t simplefs /dev/vda /mnt && parted $what /mnt && umount /mnt && rmmod simplefs"
    is "$status" 0 "filled, and parted"
    relay "$what"
    disk=$what whole
done

# A disk that writes through when asked: the kernel's own, in memory.
run build/bin/mkfs.simplefs -q "$tmp/copy" 8M
is "$status" 0 "mkfs of a small one"
boot --module "$module" --kmod scsi_debug --kmod sd_mod --add "$tmp/sound" --disk "$tmp/copy" -- sh -c \
    'until [ -b /dev/sda ]; do :; done
    dd if=/dev/vda of=/dev/sda bs=1M 2>/dev/null && grep 1 /sys/block/sda/queue/fua &&
    mount -t simplefs /dev/sda /mnt && sound records /mnt /dev/sda /dev/vda'
is "$status" 0 "synced records on a disk that has FUA"
verify_records "records"

# A disk that keeps nothing back: newer kernels call a synced write done once it is there.
run build/bin/mkfs.simplefs -q "$tmp/plain" 8M
is "$status" 0 "mkfs of another"
boot --module "$module" --add "$tmp/sound" --disk "$tmp/plain,nocache" --disk "$tmp/copy" -- sh -c \
    'grep -q "write through" /sys/block/vda/queue/write_cache && mount -t simplefs /dev/vda /mnt &&
    sound records /mnt /dev/vda /dev/vdb'
is "$status" 0 "synced records on a disk without a cache"
verify_records "records without a cache"
whole
done_testing
