# SPDX-License-Identifier: GPL-2.0-only
# A directory is an orphan, and has names in it that nothing else has.
edit bit orphan $(($(ino /dir/sub) / 8)) 1
edit field /dir/sub flags 1
edit field /dir/sub nlink 0
edit unname /dir sub
