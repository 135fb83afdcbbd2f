# SPDX-License-Identifier: GPL-2.0-only
# The accounts of a project are wrong: what it holds, and how many inodes it has.
build/bin/tune.simplefs -Q prj "$img"
edit quota 2 2112 4096
edit quota 2 2088 3
