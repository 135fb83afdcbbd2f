# SPDX-License-Identifier: GPL-2.0-only
# A block of inodes is damaged: the files in it are lost, their names are not taken away.
edit rot $(($(ino /many/a-name-of-some-length-150) / 8))
