#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A day's use of a volume: trees, archives, images on it, swap, flags, trimming, freezing, remounts; space is
# counted to the block, also when it is full, and empty again.
. "$(dirname "$0")/lib.sh"
new_root
volume "$tmp/disk" 3G
mkdir "$tmp/share"
volume "$tmp/share/blank" 64M
programs --add "$tmp/share:/share" --disk "$tmp/disk" -- user.sh
is "$status" 0 "no complaint from the kernel"
relay user
whole "$tmp/disk" "the volume"
done_testing
