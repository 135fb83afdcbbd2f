# SPDX-License-Identifier: GPL-2.0-only
# What is still to be cut off from a file is another's as well.
edit share /large /small 3
edit mark /dir
edit super state 0
