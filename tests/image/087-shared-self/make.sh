# SPDX-License-Identifier: GPL-2.0-only
# A file holds its own blocks twice, with data; another holds some without.
edit extent /large 100 "$(($(build/image/damage "$img" where data /large) + 2))" 3 0
edit field /large size 421888
edit extent /small 70 "$(build/image/damage "$img" where data /large)" 6 1
