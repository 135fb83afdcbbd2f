# SPDX-License-Identifier: GPL-2.0-only
# Many blocks belong to two files: that is one line.
edit share /large /small 9
