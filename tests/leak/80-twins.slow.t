#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The twins on every kernel, and the one that makes the kernel complain. KERNELS= chooses.
. "$(dirname "$0")/twins.sh"
# Two that take their time: an address of RCU's that comes again, and names by the thousand.
twins+='
given vmalloc
names kmalloc'
for kernel in ${KERNELS:-6.1 6.12 7.2 7.3}; do
    try_twins
    try_destroyed
done
done_testing
