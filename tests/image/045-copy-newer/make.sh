# SPDX-License-Identifier: GPL-2.0-only
# The copy of the superblock has a number that no block can have.
edit copy-byte 402 1
edit copy-byte 30 1
