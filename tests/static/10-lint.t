#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tree obeys the house rules. That each rule can refuse is shown by 11-lint-rules.t.
. "$(dirname "$0")/../tap/tap.sh"

run tests/lint.sh
exits 0 'tests/lint.sh finds nothing'
done_testing
