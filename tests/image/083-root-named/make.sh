# SPDX-License-Identifier: GPL-2.0-only
# The root has a name, and a directory holds itself.
edit name /dir top / 4
edit name /dir/sub self /dir/sub 4
edit field /dir/sub parent "$(ino /dir/sub)"
edit unname /dir sub
