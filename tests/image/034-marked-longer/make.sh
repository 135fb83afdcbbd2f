# SPDX-License-Identifier: GPL-2.0-only
# A symlink that is marked as an orphan has more of a target than it says, which an orphan may: what a
# repair makes of it must be verified like any other block.
edit field /dir/symlink flags 1
edit bit orphan $(($(ino /dir/symlink) / 8)) 1
edit record /dir/symlink 2 1
