# SPDX-License-Identifier: GPL-2.0-only
# The room map has a bit where no inode block is, and its count agrees with it.
edit bit room 9001 1
