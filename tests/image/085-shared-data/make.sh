# SPDX-License-Identifier: GPL-2.0-only
# Two files have data in the same blocks, the second in the midst of an extent of its own besides: it
# gets a copy.
build/image/edit "$img" punch /large 4 6
edit extent /large 4 "$(build/image/damage "$img" where data /small)" 1 0
edit share /large /dir/sub/file 3
edit field /dir/sub/file size 4108000
