#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Lintian, asked for everything down to pedantry, has nothing to say of the packages.
. "$(dirname "$0")/lib.sh"

for suite in "${suites[@]}"; do
    packages "$suite"
    run cat "build/deb/$suite/lintian.log"
    is "$out" "" "$suite: not a word"
    run sh -c "dpkg-deb -c build/deb/$suite/simplefs-tools_*.deb; dpkg-deb -c build/deb/$suite/simplefs-dkms_*.deb"
    like '/usr/sbin/mkfs\.simplefs$' "$suite: and they are not empty"
    like "/usr/src/simplefs-$(cat src/VERSION)/dkms\.conf$" "$suite: nor is the module's source"
    for package in simplefs-tools simplefs-dkms; do
        rm -rf "$tmp/control"
        dpkg-deb -e "build/deb/$suite/$package"_*.deb "$tmp/control"
        run cat "$tmp/control/postinst"
        like 'etc/initramfs-tools/modules' "$suite: $package looks whether an initramfs has been asked for"
        like 'dpkg-trigger --no-await update-initramfs' "$suite: and has it made anew"
    done
    rm -rf "$tmp/control"
    dpkg-deb -e "build/deb/$suite/"simplefs-selftest_*.deb "$tmp/control"
    run cat "$tmp/control/prerm"
    like '"\$1" = remove ' "$suite: only when the package goes"
    like "deb-systemd-invoke stop 'simplefs-selftest\.service'" "$suite: the self-test is stopped"
    [ ! -e "$tmp/control/preinst" ]
    ok $? "$suite: nothing is done before an upgrade"
    run cat "$tmp/control/postinst"
    like "deb-systemd-invoke start 'simplefs-selftest\.service'" "$suite: it is started afterwards"
    unlike restart "$suite: unless it runs already"
done
done_testing
