# SPDX-License-Identifier: GPL-2.0-only
# A directory holds part of a symlink's target, where no listing comes by.
edit record /many 2 0
