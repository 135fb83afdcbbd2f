#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# git: clone, gc, checkout and worktrees, and its own fsck; then, of commits that are made with every fsync that
# git knows, each that had ended is there after a crash, whole. COMMITS=, CRASHES= and SEED=.
. "$(dirname "$0")/lib.sh"
new_root
volume "$tmp/disk" 2G
programs --disk "$tmp/disk" -- git.sh "${COMMITS:-3000}"
is "$status" 0 "no complaint from the kernel"
relay git
whole "$tmp/disk" "the volume"

recorded 512M python3 /run/guest/commits.py write 40
crashed "${CRASHES:-12}" "${SEED:-1}" python3 /run/guest/commits.py
done_testing
