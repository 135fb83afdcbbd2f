# SPDX-License-Identifier: GPL-2.0-only
# A long symlink's target is shorter than it says.
mkdir -p "$tmp/links"
ln -sf "$(printf '%03000d' 0)" "$tmp/links/link"
touch -h -d @1700000000 "$tmp/links/link" "$tmp/links"
build/bin/mkfs.simplefs -fq -U 11111111-2222-3333-4444-555555555555 -d "$tmp/links" "$img" 64M
edit field /link size 3500
