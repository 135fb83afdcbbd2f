#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Other people's modules on every kernel: no report. KERNELS= and STRANGERS= choose.
. "$(dirname "$0")/strangers.sh"
for kernel in ${KERNELS:-6.1 6.12 7.2 7.3}; do
    try_strangers
done
done_testing
