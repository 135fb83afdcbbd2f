# SPDX-License-Identifier: GPL-2.0-only
# Block 0 is zeros.
dd if=/dev/zero of="$img" bs=4096 count=1 conv=notrunc
