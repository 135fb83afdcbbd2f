# SPDX-License-Identifier: GPL-2.0-only
# A file's link count is too high.
edit field /small nlink 7
