# SPDX-License-Identifier: GPL-2.0-only
# An inode of no type, whose records tell what it is.
build/image/damage "$img" inode /many/a-name-of-some-length-150 i_mode 0
