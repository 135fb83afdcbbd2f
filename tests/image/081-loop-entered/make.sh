# SPDX-License-Identifier: GPL-2.0-only
# Two directories hold each other, by all their records, and one has a name below the root besides.
edit name /dir/sub up /dir 4
dir=$(ino /dir)
sub=$(ino /dir/sub)
edit field /dir parent "$sub"
edit name /many in "$sub" 4
edit unname / dir
