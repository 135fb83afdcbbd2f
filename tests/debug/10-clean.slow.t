#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One of everything in a kernel that watches its memory: no complaint, and nothing left at unload.
. "$(dirname "$0")/lib.sh"

inside()
{
    volume 256 -J "$1"
    debug "journal $1" clean
}

outside()
{
    volume 256
    run build/bin/mkfs.simplefs -fq -J device="$tmp/spare" "$tmp/disk"
    is "$status" 0 "mkfs -J device="
    debug "external journal" clean journal_path=/dev/vdb
}

beside inside size=8M
beside inside none
beside outside
together
done_testing
