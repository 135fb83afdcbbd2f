#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A bookworm system's life: simplefs installed, rebooted, the kernel upgraded, then one of backports;
# volumes by all their names, packages changed under a mounted one, signatures enforced.
. "$(dirname "$0")/system.sh"

system bookworm
boot install
[ -n "${SFS_STAGES-}" ] || cp --sparse=always "$tmp/volume.img" "$kept/bookworm.volume"
boot reboot
boot upgraded
boot backports names autopkgtest packages
boot trouble
boot enforce -- module.sig_enforce=1
done_testing
