# SPDX-License-Identifier: GPL-2.0-only
# The superblock counts wrong.
edit super free 1000
edit super inodes 5
