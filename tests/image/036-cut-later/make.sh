# SPDX-License-Identifier: GPL-2.0-only
# A file that was being cut has lost its name: it gets one, and is cut.
edit field /large size 4096
edit field /large flags 1
edit bit orphan $(($(ino /large) / 8)) 1
edit unname / large
edit super state 0
