# SPDX-License-Identifier: GPL-2.0-only
# The copy of the superblock knows of a stripe.
edit copy-byte 436 4
edit copy-byte 440 4
