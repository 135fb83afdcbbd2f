#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Five processes at one volume, each sure of what it wrote, in a kernel that watches its memory: with
# room, on the last blocks, between remounts, and while one allocation in a hundred fails.
# SEED= and OPS= (4000 for each process) say what they do.
. "$(dirname "$0")/lib.sh"

seed=${SEED:-1}
for mode in room full remount faults; do
    volume 256
    debug "$mode" stress "$seed" "${OPS:-4000}" "$mode"
    seed=$((seed + 1))
done
volume 256 -J none
debug "no journal" stress "$seed" "${OPS:-4000}"
done_testing
