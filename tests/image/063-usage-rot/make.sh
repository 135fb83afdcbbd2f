# SPDX-License-Identifier: GPL-2.0-only
# A node of a table's tree is damaged.
build/bin/tune.simplefs -Q prj "$img"
table=$(build/bin/dump.simplefs --json "$img" | python3 -c 'import json, sys; print(json.load(sys.stdin)["super"]["hidden"][2])')
edit rot "$(build/bin/dump.simplefs --json -i "$table" "$img" | python3 -c 'import json, sys; print(json.load(sys.stdin)["inode"]["root"]["entries"][1]["blk"])')"
