#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Several workers at once, with a journal that goes round: with room, and on the last blocks. Each finds
# its names and files as after one of its operations, what was promised among it, and nobody's bytes but
# its own.
. "$(dirname "$0")/lib.sh"
ops=${CRASH_OPS:-200}
every=${CRASH_EVERY:-8}
for seed in $seeds; do
    crowd "$seed" 48M 2
    crowd "$((seed + 100))" 24M 4 full
done
done_testing
