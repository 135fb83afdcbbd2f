#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Processes that allocate, free and allocate again across commits: with room and on the last blocks,
# with the smallest journal. SEED= and CHURN_SECONDS= (25 for each run) change what is done.
. "$(dirname "$0")/lib.sh"
seed=${SEED:-1}
seconds=${CHURN_SECONDS:-25}

churn 'two, with room' 256M size=4M "$seed" 2 "$seconds" remount
churn 'eight, with room' 256M size=4M $((seed + 1)) 8 "$seconds" drop
churn 'two, full' 64M size=4M $((seed + 2)) 2 "$seconds" full
churn 'eight, full' 64M size=4M $((seed + 3)) 8 "$seconds" full drop
done_testing
