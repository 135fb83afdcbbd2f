#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dpkg --root makes a Debian system of some sixty packages on a volume, and again over itself; dpkg -V.
. "$(dirname "$0")/lib.sh"
new_root
mkdir "$tmp/debs"
# shellcheck disable=SC2016
tests/chroot --bind "$tmp/debs:/debs" $suite sh -c '
    cd /debs && apt-get -qq update && apt-get -qq download $(dpkg-query -W -f "\${Package}\n" | sort -u)' >"$tmp/get.log" 2>&1
is "$?" 0 "packages are fetched" || diag "$(tail -n 5 "$tmp/get.log")"
volume "$tmp/packages" 512M -d "$tmp/debs"
volume "$tmp/disk" 2G
programs --disk "$tmp/disk" --disk "$tmp/packages" -- dpkg.sh
is "$status" 0 "no complaint from the kernel"
relay dpkg
whole "$tmp/disk" "the volume"
done_testing
