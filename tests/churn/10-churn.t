#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Processes that allocate, free and allocate again across commits: with room and on the last blocks,
# with the smallest journal. SEED= and CHURN_SECONDS= (25 for each run) change what is done.
. "$(dirname "$0")/lib.sh"
seed=${SEED:-1}

for case in "${short_runs[@]}"; do
    # shellcheck disable=SC2086
    churn "$case, seed $seed" "$seed" "$short_seconds" $case
    seed=$((seed + 1))
done
done_testing
