# SPDX-License-Identifier: GPL-2.0-only
# The summary has more free blocks than the group has blocks.
edit summary free 0 32000
edit summary run 0 32000
