# SPDX-License-Identifier: GPL-2.0-only
# The copy of the superblock is damaged.
edit rot 129
