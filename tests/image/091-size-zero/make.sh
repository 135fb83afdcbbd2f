# SPDX-License-Identifier: GPL-2.0-only
# Files that hold more than their size says: all of it, the last block, and blocks without data, which
# are none of it.
edit field /large size 0
edit field /dir/sub/file size 0
edit extent /small 7 1600 5 1
edit recount
