#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Journal on a device of its own, and none: flushes of one disk say nothing about the other, and without
# a journal a crash may leave anything but must bring nobody down.
. "$(dirname "$0")/lib.sh"
for seed in $seeds; do
    make_disks -J device="$tmp/disk1"
    record "$seed" "-o journal_path=/dev/vdb"
    crashes "external journal, seed $seed" "$seed" -- "$tmp/disk0" "$tmp/disk1"

    make_disks -J none
    record "$seed"
    crashes "no journal, seed $seed, whole after unmounting" "$seed" -n -- "$tmp/disk0"
done
done_testing
