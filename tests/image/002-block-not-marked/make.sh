# SPDX-License-Identifier: GPL-2.0-only
# A file's block is marked as free.
blk=$(build/bin/dump.simplefs --json -t /large "$img" | sed -n 's/.*"start": \([0-9]*\).*/\1/p' | head -n 1)
edit bit used "$blk" 0
