# SPDX-License-Identifier: GPL-2.0-only
# A table of usage is of another type.
build/bin/tune.simplefs -Q prj,grp "$img"
edit quota 2 0 0xd9c01927
