#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# More of 60-wide.t: so many zones that a label reaches the copies of the superblock in several
# transactions, between which others commit: copies may be of a former label then, none of a later one.
. "$(dirname "$0")/lib.sh"
ops=40
for seed in $seeds; do
    wide "$seed" synced 290G 8 70
    # A look at seventy zones takes long.
    every=$((8 * every)) crashes_wide "seed $seed, seventy zones" "$seed" 8
    [ "${behind:-0}" -gt 0 ]
    ok $? "seed $seed: $behind crashes fell between the transactions of a label"
done
done_testing
