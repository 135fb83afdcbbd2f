#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dracut: module, prober, rule and checker, for a host that mounts a simplefs early, or with --add.
#
# dracut reads the type that udev found, which the rule says; a root filesystem has not been tried.

check()
{
    local type

    [[ -x ${udevdir:-/usr/lib/udev}/simplefs_id ]] || return 1
    # shellcheck disable=SC2154	# dracut's: what the host mounts
    if [[ ${hostonly-} ]]; then
        for type in "${host_fs_types[@]}"; do
            [[ $type == simplefs ]] && return 0
        done
    fi
    return 255
}

depends()
{
    echo udev-rules
}

installkernel()
{
    instmods simplefs
}

install()
{
    inst_rules 63-simplefs.rules
    inst_multiple "${udevdir:-/usr/lib/udev}/simplefs_id"
    inst_multiple -o fsck.simplefs
}
