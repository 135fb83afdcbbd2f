# SPDX-License-Identifier: GPL-2.0-only
# The summary has fewer free blocks than the map.
edit summary run 0 9000
edit summary free 0 9000
