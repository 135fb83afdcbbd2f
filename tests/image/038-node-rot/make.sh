# SPDX-License-Identifier: GPL-2.0-only
# A node of a directory is damaged: who was named in it is not called nameless.
edit rot "$(build/bin/dump.simplefs --json -t /many "$img" | sed -n 's/.*"blk": \([1-9][0-9]*\).*/\1/p' | head -n 1)"
