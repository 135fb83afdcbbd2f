# SPDX-License-Identifier: GPL-2.0-only
# A symlink with a name is marked as an orphan: a crash without a journal leaves that.
edit bit orphan $(($(ino /dir/symlink) / 8)) 1
edit field /dir/symlink flags 1
edit field /dir/symlink nlink 0
