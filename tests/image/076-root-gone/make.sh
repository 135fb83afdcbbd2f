# SPDX-License-Identifier: GPL-2.0-only
# The block with the root: a new one, with what its leaves or lost+found have.
build/image/damage "$img" zero "$(build/image/damage "$img" where inodes /)" 1
