#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Initial RAM disks made in a Debian system: with what was asked for, and only when it was.
#
# Both makers are run on what `make install` put there, with a kernel's modules and ours where dkms
# leaves it; then their listings are read.
# shellcheck source=tests/tap/tap.sh
. "$(dirname "$0")/../tap/tap.sh"
[ "$(id -u)" = 0 ] || skip_all 'a chroot needs root'
kernel=6.1
image=$(tests/kernels/archive.py image $kernel) && release=$(tests/kernels/archive.py release $kernel) &&
    module=$(tests/vm/build-module $kernel 2>"$tmp/make.log") && module=$(realpath "$module") &&
    make -s tools >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; echo 'Bail out! no kernel or no build'; exit 1; }

mkdir "$tmp/out"
run tests/chroot --fresh --with dracut-core,initramfs-tools,kmod,libarchive13,make,udev,zstd \
    --bind "$top:/src" --bind "$image:/kernel" --bind "${module%/*}:/module" --bind "$tmp/out:/out" bookworm \
    sh -ec "
    release=$release
    make -s -C /src install-tools -o tools PREFIX=/usr
    mkdir -p /lib/modules /boot
    cp -a /kernel/lib/modules/\$release /lib/modules/
    cp /kernel/boot/config-\$release /boot/
    install -D -m 644 /module/simplefs.ko /lib/modules/\$release/updates/dkms/simplefs.ko
    depmod \$release
    cd /tmp

    echo MODULES=list >/etc/initramfs-tools/conf.d/few
    mkinitramfs -o without \$release
    lsinitramfs without >/out/initramfs-tools.unasked
    echo simplefs >>/etc/initramfs-tools/modules
    mkinitramfs -o with \$release
    lsinitramfs with >/out/initramfs-tools

    dracut --quiet --no-hostonly --kver \$release -m 'base udev-rules' d-without
    lsinitrd d-without >/out/dracut.unasked
    dracut --quiet --no-hostonly --kver \$release -m 'base udev-rules simplefs' d-with
    lsinitrd d-with | sed 's/ -> .*//' >/out/dracut"
exits 0 'four of them made' || diag "$out"

# holds LIST WHAT NAME: a line of the listing ends so
holds()
{
    grep -Eq "$2\$" "$tmp/out/$1"
    ok $? "$3" || diag "$(grep -c . "$tmp/out/$1") files, of ours: $(grep simplefs "$tmp/out/$1")"
}

inside()
{
    holds "$1" "lib/modules/$release/.*simplefs\.ko(\.xz)?" "$1: the module"
    holds "$1" 'modules/.*/jbd2\.ko(\.xz)?' "$1: and what it needs"
    holds "$1" 'lib/udev/simplefs_id' "$1: the prober"
    holds "$1" 'lib/udev/rules\.d/63-simplefs\.rules' "$1: the rule"
    holds "$1" 'libblkid\.so\.1[.0-9]*' "$1: the prober's library"
    [ ! -x build/bin/fsck.simplefs ] || holds "$1" 'bin/fsck\.simplefs' "$1: the checker"
}

for maker in initramfs-tools dracut; do
    [ -s "$tmp/out/$maker.unasked" ] && ! grep -q simplefs "$tmp/out/$maker.unasked"
    ok $? "$maker: nothing of ours unless asked" || diag "$(grep simplefs "$tmp/out/$maker.unasked")"
    inside $maker
done
done_testing
