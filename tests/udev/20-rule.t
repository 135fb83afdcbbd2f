#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The udev rule in a machine: this system's udevd, mount and lsblk, a Debian kernel, real devices.
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"
root=$tmp/root
release=$(tests/kernels/archive.py release "$kernel") || exit 1

# What depmod and udev's kmod need to find the module by its alias.
tree=$root/lib/modules/$release
mkdir -p "$tree/updates" "$root/etc" "$root/dev" "$root/lib/udev" "$root/test/tests"
cp "$module" "$tree/updates/"
strip -g "$tree/updates/simplefs.ko"
depmod -b "$root" "$release" 2>/dev/null
make -s install-tools DESTDIR="$root" PREFIX=/usr UDEVDIR=/lib/udev >"$tmp/install.log" 2>&1 ||
    { cat "$tmp/install.log"; exit 1; }
cp -a /lib/udev/. "$root/lib/udev/"
mkdir -p "$root/sbin" && ln -s /usr/bin/dmsetup /usr/bin/mdadm "$root/sbin/"
cp -r tests/tap "$root/test/tests/"
cp /etc/passwd /etc/group /etc/nsswitch.conf "$root/etc/"

args=(--add "$root:/")
for program in bash udevadm mount umount losetup findmnt lsblk blkid findfs sfdisk dmsetup mdadm \
    blockdev; do
    path=$(PATH=$PATH:/usr/sbin:/sbin type -P $program) || { echo "Bail out! no $program"; exit 1; }
    args+=(--add "$path:/usr/bin/$program")
done
for path in "$root"/usr/sbin/*.simplefs /lib/systemd/systemd-udevd; do
    args+=(--add "$path:${path#"$root"}")
done
args+=(--add "$root/lib/udev/simplefs_id:/lib/udev/simplefs_id" --add tests/udev/guest:/test/tests/udev/guest)

boot --timeout 900 --kmod dm_mod --kmod dm_snapshot --kmod raid1 "${args[@]}" -- /usr/bin/bash /test/tests/udev/guest
is "$status" 0 'the machine: every line of it'
relay 'udev'
done_testing
