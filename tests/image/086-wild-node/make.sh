# SPDX-License-Identifier: GPL-2.0-only
# A file holds a node of a directory's tree, and a block of inodes, as data: they are none of it.
edit extent /small 1 "$(build/image/damage "$img" where leaf /many)" 2 0
edit extent /large 500 "$(build/image/damage "$img" where inodes /small)" 1 1
edit field /small size 12288
