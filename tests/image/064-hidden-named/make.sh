# SPDX-License-Identifier: GPL-2.0-only
# A directory names a table.
build/bin/tune.simplefs -Q prj "$img"
table=$(build/bin/dump.simplefs --json "$img" | python3 -c 'import json, sys; print(json.load(sys.stdin)["super"]["hidden"][2])')
edit name / table "$table" 8
