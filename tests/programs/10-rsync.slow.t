#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# rsync -aHAXS there and back: ACLs, attributes, hard links, holes, nodes, odd names and times.
. "$(dirname "$0")/lib.sh"
new_root
volume "$tmp/disk" 2G
programs --disk "$tmp/disk" -- rsync.sh
is "$status" 0 "no complaint from the kernel"
relay rsync
whole "$tmp/disk" "the volume"
whole "$tmp/root" "the root"
done_testing
