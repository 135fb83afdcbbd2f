#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Journal on the volume: whatever a crash leaves of what no flush has covered, what was promised is there.
. "$(dirname "$0")/lib.sh"
for seed in $seeds; do
    make_disks -J size=4M
    record "$seed"
    crashes "internal journal, seed $seed" "$seed" -- "$tmp/disk0"
done

# The same record on disks that forget in spite of flushes: then promises must be seen broken.
run "$bin/replay-log" -f -r 1 -e 40 "$tmp/record" "${seeds##* }" "$ops" "$tmp/disk0"
is "$status" 1 "disks that lie about flushes are found out" || diag "$out"
done_testing
