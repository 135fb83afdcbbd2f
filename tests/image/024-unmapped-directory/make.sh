# SPDX-License-Identifier: GPL-2.0-only
# The same, and the block holds directories: what is below them is found through them.
edit bit inode $(($(ino /dir/sub) / 8)) 0
