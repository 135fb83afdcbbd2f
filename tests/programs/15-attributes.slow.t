#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The attributes that Samba keeps: DOSATTRIB, streams, and security.NTACL up to 64 KiB.
. "$(dirname "$0")/lib.sh"
new_root
volume "$tmp/disk" 256M
programs --disk "$tmp/disk" -- attributes.sh
is "$status" 0 "no complaint from the kernel"
relay attributes
whole "$tmp/disk" "the volume"
done_testing
