#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The smoke test once more, under the newest kernel that this Debian's own compiler serves.
SFS_KERNEL=6.12 exec "$(dirname "$0")/20-smoke.t"
