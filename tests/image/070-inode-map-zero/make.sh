# SPDX-License-Identifier: GPL-2.0-only
# The inode map is zero, and an inode has no name: it is found by its block.
edit unname /dir/sub file
dd if=/dev/zero of="$img" bs=4096 seek=33 count=1 conv=notrunc status=none
