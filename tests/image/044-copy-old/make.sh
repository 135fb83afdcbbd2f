# SPDX-License-Identifier: GPL-2.0-only
# The copy of the superblock has another label.
edit copy-byte 72 120
