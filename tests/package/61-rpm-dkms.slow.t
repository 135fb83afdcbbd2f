#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The scriptlets of the RPM packages, run by rpm in a Debian root that has dkms and headers.
# shellcheck source=tests/package/rpm.sh
. "$(dirname "$0")/rpm.sh"
[ "$(id -u)" = 0 ] || skip_all 'a root to install into needs root'

build 1 .
build 2 . --define 'dist .2'
mkdir "$tmp/tree"
tests/files | tar -c -T - | tar -x -C "$tmp/tree"
echo '#error this does not compile' >>"$tmp/tree/src/kernel/symlink.c"
build broken "$tmp/tree" --define 'dist .3'

run tests/chroot --fresh --with dkms,kmod,libarchive13,linux-headers-amd64,rpm --bind "$rpms:/rpms" \
    --bind "$top/tests:/simplefs/tests" bookworm bash /simplefs/tests/package/rpm-rows
exits 0 'all rows of the root'
relay_tap root <<<"$out"
done_testing
