# SPDX-License-Identifier: GPL-2.0-only
# The copy of the superblock has another label, another UUID and another answer to damage.
edit copy-byte 72 120
edit copy-byte 56 1
edit copy-byte 204 1
