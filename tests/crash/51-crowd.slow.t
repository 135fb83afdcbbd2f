#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# More of 50-crowd.t: three and four workers, and some who begin new zones together.
. "$(dirname "$0")/lib.sh"
ops=${CRASH_OPS:-200}
for seed in $seeds; do
    # A look at five zones takes long.
    every=$((25 * every)) crowd "$((seed + 200))" 20G 3 zones
    crowd "$((seed + 1000))" 48M 3
    crowd "$((seed + 1100))" 64M 4
    crowd "$((seed + 1200))" 24M 3 full
done
done_testing
