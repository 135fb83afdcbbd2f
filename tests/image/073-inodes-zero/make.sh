# SPDX-License-Identifier: GPL-2.0-only
# A block of inodes is zero: its inodes are gone, and their names go.
build/image/damage "$img" zero "$(build/image/damage "$img" where inodes /many/a-name-of-some-length-150)" 1
