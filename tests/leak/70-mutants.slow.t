#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All mutants of the module on each kernel: every leak found, the guilty function named, and nothing
# else said. Three leaks at a time where they can be told apart; MUTANTS="a b,c" chooses, KERNELS= too.
. "$(dirname "$0")/mutants.sh"
for kernel in ${KERNELS:-6.1 6.12 7.2 7.3}; do
    # shellcheck disable=SC2046,SC2086
    try_mutants ${MUTANTS:-$(together 10)}
done
done_testing
