# SPDX-License-Identifier: GPL-2.0-only
# An extent of a file goes on over the next one of the same file.
edit punch /large 4 6
edit stretch /large 0 8
