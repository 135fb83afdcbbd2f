#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Small modules for every way of taking memory, on one kernel: what leaks is found, by its function;
# what gives back is not named. On all kernels: 80-twins.slow.t.
. "$(dirname "$0")/twins.sh"
kernel=${SFS_KERNEL:-6.1}
try_twins
done_testing
