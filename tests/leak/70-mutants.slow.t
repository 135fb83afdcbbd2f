#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All mutants of the module on each kernel: every leak found, the guilty function named, and nothing
# else said. KERNELS= and MUTANTS= choose.
. "$(dirname "$0")/mutants.sh"
for kernel in ${KERNELS:-6.1 6.12 7.2 7.3}; do
    # shellcheck disable=SC2086
    try_mutants ${MUTANTS-}
done
done_testing
