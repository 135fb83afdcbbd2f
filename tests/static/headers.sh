# SPDX-License-Identifier: GPL-2.0-only
# Which kernel headers the static tests build the module against: $kver and $kdir.
#
# SFS_KDIR names them; else the newest 6.1 that is installed (linux-headers-amd64 in tests/packages
# sees to one); else the newest of any release.
# shellcheck shell=bash disable=SC2034
kdir=${SFS_KDIR-}
if [ -z "$kdir" ]; then
    kdir=$(printf '%s\n' /lib/modules/6.1.*/build | sort -V | tail -n 1)
    [ -d "$kdir" ] || kdir=$(printf '%s\n' /lib/modules/*/build | sort -V | tail -n 1)
fi
kver=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$kdir/include/generated/utsrelease.h" 2>/dev/null)
[ -n "$kver" ] || {
    echo "Bail out! no kernel headers: apt install linux-headers-amd64, or set SFS_KDIR"
    exit 1
}
