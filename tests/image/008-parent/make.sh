# SPDX-License-Identifier: GPL-2.0-only
# A directory says another parent.
edit field /dir/sub parent "$(ino /many)"
