# SPDX-License-Identifier: GPL-2.0-only
# Block 0 is zeros, and the copy says that the volume is larger than its device.
edit copy-byte 171 1
dd if=/dev/zero of="$img" bs=4096 count=1 conv=notrunc
