# SPDX-License-Identifier: GPL-2.0-only
# A leaf of a directory is zero: its names are lost, nothing else.
build/image/damage "$img" zero "$(build/image/damage "$img" where leaf /many)" 1
