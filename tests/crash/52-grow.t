#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The volume grows all the time, over the ends of groups, while operations are recorded: after each crash
# it is a whole one, of one size or the other, with what had been synced.
. "$(dirname "$0")/lib.sh"
ops=${CRASH_OPS:-100}
every=${CRASH_EVERY:-4}
disk_size=1G
volume_size=110M
# shellcheck disable=SC2034
beside='resize.simplefs /mnt $((n = ${n:-28160} + 700))'
# The seventh is over the end of the first group.
# shellcheck disable=SC2034
beside_least=10
for seed in $seeds; do
    make_disks -J size=4M
    record "$seed"
    grown=$(grep -ac '^/mnt: .* blocks, were' "$tmp/console")
    [ "$grown" -ge "$beside_least" ]
    ok $? "seed $seed: grown $grown times, over the end of a group, while operations were recorded or just after"
    crashes "growing, seed $seed" "$seed" -- "$tmp/disk0"
done
done_testing
