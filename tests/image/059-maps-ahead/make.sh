# SPDX-License-Identifier: GPL-2.0-only
# A block of inodes was freed, both maps say so and are newer; a directory still has the names.
blk=$(($(ino /many/a-name-of-some-length-150) / 8))
edit bit used $blk 0
edit bit inode $blk 0
edit seq $blk 0
