#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A trixie system's life: simplefs installed, rebooted, the kernel upgraded, then one of backports;
# and the volume that the bookworm system has written, if its test has run.
. "$(dirname "$0")/system.sh"

system trixie
boot install
boot reboot
boot upgraded
boot backports
if [ -f "$kept/bookworm.volume" ]; then
    cp --sparse=always "$kept/bookworm.volume" "$tmp/volume.img"
    boot moved
else
    ok 1 "the volume of bookworm is here (tests/package/50-bookworm.slow.t comes first)"
fi
done_testing
