# SPDX-License-Identifier: GPL-2.0-only
# A file's count of blocks is wrong.
edit field /large blocks 3
