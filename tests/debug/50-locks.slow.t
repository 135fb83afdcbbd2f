#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The stress mix on two processors under lockdep. Each lock taken costs system calls there: it is slow,
# so there are fewer operations. SEED= and OPS= (150 for each process).
SFS_KERNEL=debug-smp
. "$(dirname "$0")/lib.sh"

volume 256
debug "two processors" stress "${SEED:-1}" "${OPS:-150}"
volume 256
debug "two processors, remounts" stress "${SEED:-1}" "${OPS:-150}" remount
done_testing
