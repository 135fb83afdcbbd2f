# SPDX-License-Identifier: GPL-2.0-only
# The summary has room for inodes where there is none.
edit summary room 0 1
edit summary slots 0 7
