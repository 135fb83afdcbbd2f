#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# overlayfs above simplefs: whiteouts, opaque folders, renamed folders, copies without data, numbers, layers
# on layers, in a user namespace too.
. "$(dirname "$0")/lib.sh"
new_root
volume "$tmp/disk" 2G
programs --disk "$tmp/disk" -- overlay.sh
is "$status" 0 "no complaint from the kernel"
relay overlay
whole "$tmp/disk" "the volume"
done_testing
