# SPDX-License-Identifier: GPL-2.0-only
# A wrong bit in a leaf: names are told by their hashes.
build/image/damage "$img" flip "$(build/image/damage "$img" where leaf /many)" 20000
