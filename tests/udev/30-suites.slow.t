#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The udev rule with the userland of newer Debians: their udevd, libblkid and mount, on a disk.
#
# The suites are those of SFS_SUITES, or trixie and sid.
# shellcheck source=tests/udev/lib.sh
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip_all 'a root of another suite needs root'
read -ra suites <<<"${SFS_SUITES:-trixie sid}"
stage "$tmp/files"

# shellcheck disable=SC2016
start='mount -t ext4 /dev/vda /mnt && mount -t devtmpfs devtmpfs /mnt/dev && mount -t proc proc /mnt/proc &&
mount -t sysfs sysfs /mnt/sys && mount -t tmpfs tmpfs /mnt/run && mount -t tmpfs tmpfs /mnt/tmp &&
exec chroot /mnt /usr/bin/bash /test/tests/udev/guest'

for suite in "${suites[@]}"; do
    rm -rf "$tmp/root" && mkdir "$tmp/root"
    run tests/chroot --fresh --with dmsetup,fdisk,kmod,libarchive-tools,libkmod2,mdadm,mount,udev,util-linux \
        --bind "$tmp/files:/files" --bind "$tmp/root:/made" "$suite" sh -ec '
            tar --create --one-file-system --exclude=./files --exclude=./made --exclude="./var/*" -C / . |
                tar --extract -C /made
            cp -a --no-preserve=ownership /files/usr /made/ && cp -a /files/lib/. /made/usr/lib/ && cp -a /files/test /made/'
    exits 0 "$suite: a root" || continue
    truncate -s 2G "$tmp/disk"
    mke2fs -q -F -t ext4 -d "$tmp/root" "$tmp/disk" || { ok 1 "$suite: a disk"; continue; }
    boot --timeout 2400 --kmod ext4 --kmod dm_mod --kmod dm_snapshot --kmod raid1 --disk "$tmp/disk" -- sh -c "$start"
    is "$status" 0 "$suite: every line of it" || diag "$(tail -n 30 "$tmp/console")"
    relay "$suite"
    rm -f "$tmp/disk"
done
done_testing
