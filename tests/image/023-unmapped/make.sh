# SPDX-License-Identifier: GPL-2.0-only
# The inode map has lost a bit. What is in that block is there all the same, and so are its names.
edit bit inode $(($(ino /many/a-name-of-some-length-150) / 8)) 0
