# SPDX-License-Identifier: GPL-2.0-only
# The inode map is zero, and the data of a file is a whole block of inodes under its own number: the
# file is found first, and what it holds is data.
build/image/damage "$img" forge /small /many/a-name-of-some-length-150
dd if=/dev/zero of="$img" bs=4096 seek=33 count=1 conv=notrunc status=none
