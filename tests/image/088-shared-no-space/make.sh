# SPDX-License-Identifier: GPL-2.0-only
# Data that two files hold, and no block is free for a copy, since a file holds all that are: nothing
# is changed.
edit share /large /small 3
edit field /small size 4108000
edit extent /dir/sub/file 100 1155 15197 1
