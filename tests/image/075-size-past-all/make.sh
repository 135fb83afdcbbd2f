# SPDX-License-Identifier: GPL-2.0-only
# A size that no file can have: its extents tell a better one.
build/image/damage "$img" inode /large i_size 0xffffffffffffffff
