#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Some mutants of the module on one kernel: a page, an error path, a promise, caches of others.
# All of them on all kernels: 70-mutants.slow.t.
. "$(dirname "$0")/mutants.sh"
try_mutants readdir-early-break name-on-error delalloc debugfs
done_testing
