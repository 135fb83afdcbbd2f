# SPDX-License-Identifier: GPL-2.0-only
# One bit of a record: no other is lost, and this one only if it cannot be true.
build/image/damage "$img" flip "$(build/image/damage "$img" where inodes /many/a-name-of-some-length-150)" 16000
