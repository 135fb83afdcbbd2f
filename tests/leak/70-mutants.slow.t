#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All mutants of the module on each kernel: every leak found, the guilty function named, and nothing
# else said. KERNELS= chooses.
. "$(dirname "$0")/mutants.sh"
for kernel in ${KERNELS:-6.1 6.12 7.2 7.3}; do
    try_mutants
done
done_testing
