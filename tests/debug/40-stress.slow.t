#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Five processes at one volume, each sure of what it wrote, in a kernel that watches its memory: with
# room, on the last blocks, between remounts, and while one allocation in a hundred fails.
# SEED= and OPS= (4000 for each process) say what they do.
. "$(dirname "$0")/lib.sh"

# mix WHAT SEED [MODE] [MKFS-ARGUMENT]...
mix()
{
    volume 256 "${@:4}"
    debug "$1" stress "$2" "${OPS:-4000}" "$3"
}

seed=${SEED:-1}
for mode in room full remount faults; do
    beside mix "$mode" "$seed" "$mode"
    seed=$((seed + 1))
done
beside mix "no journal" "$seed" room -J none
together
done_testing
