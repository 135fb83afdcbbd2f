#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SQLite with each of its journals: of crashes at random moments of a run, each leaves databases that are
# sound and have every transaction that had been promised. CRASHES= and SEED=.
. "$(dirname "$0")/lib.sh"
new_root
recorded 256M python3 /run/guest/sqlite.py write "${COUNT:-150}"
crashed "${CRASHES:-24}" "${SEED:-1}" python3 /run/guest/sqlite.py
done_testing
