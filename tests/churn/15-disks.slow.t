#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The churn on disks of other kinds: sectors of 4 KiB, no cache, writes past the cache (FUA), and two of
# these at once. SEED= and CHURN_SECONDS= (25 for each run) change what is done.
. "$(dirname "$0")/lib.sh"
seed=${SEED:-2000}

# disk WORDS NAME WANT: WANT is what the kernel says of it: sector, cache, FUA
disk()
{
    local case
    disk_words=,$1
    disk_name=$2
    for case in '256M size=4M 2 drop' '64M size=4M 4 full remount'; do
        # shellcheck disable=SC2086
        churn "$1, $case, seed $seed" "$seed" "$short_seconds" $case
        is "$(sed -n 's/^disk: //p' "$tmp/console" | tr -d '\r')" "$3" "$1: the disk is such a one"
        seed=$((seed + 1))
    done
}

disk 4k vda '4096 write back 0'
disk nocache vda '512 write through 0'
disk fua sda '512 write back 1'
disk 4k,fua sda '4096 write back 1'
disk 4k,nocache vda '4096 write through 0'
done_testing
