#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The udev rule in a machine: this system's udevd, mount and lsblk, a Debian kernel, real devices.
# shellcheck source=tests/udev/lib.sh
. "$(dirname "$0")/lib.sh"
root=$tmp/root
mkdir -p "$root/etc" "$root/dev" "$root/lib/udev" "$root/sbin"
stage "$root" UDEVDIR=/lib/udev
cp -a /lib/udev/. "$root/lib/udev/"
cp /etc/passwd /etc/group /etc/nsswitch.conf "$root/etc/"
ln -s /usr/bin/dmsetup /usr/bin/mdadm "$root/sbin/"

args=(--add "$root:/")
for program in bash udevadm mount umount losetup findmnt lsblk blkid findfs sfdisk dmsetup mdadm \
    blockdev; do
    path=$(PATH=$PATH:/usr/sbin:/sbin type -P $program) || { echo "Bail out! no $program"; exit 1; }
    args+=(--add "$path:/usr/bin/$program")
done
for path in "$root"/usr/sbin/*.simplefs "$root/lib/udev/simplefs_id" /lib/systemd/systemd-udevd; do
    args+=(--add "$path:${path#"$root"}")
done

boot --timeout 1800 --kmod dm_mod --kmod dm_snapshot --kmod raid1 "${args[@]}" -- /usr/bin/bash /test/tests/udev/guest
is "$status" 0 'the machine: every line of it'
relay 'udev'
done_testing
