#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# PostgreSQL under pgbench: of crashes at random moments each leaves a cluster that starts, has every row that
# had been promised and equal sums, and is whole to pg_amcheck and pg_checksums. ROWS=, CRASHES= and SEED=.
. "$(dirname "$0")/lib.sh"
new_root
recorded 768M python3 /run/guest/postgres.py write "${ROWS:-300}"
crashed "${CRASHES:-12}" "${SEED:-1}" python3 /run/guest/postgres.py
done_testing
