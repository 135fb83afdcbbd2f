# SPDX-License-Identifier: GPL-2.0-only
# A directory has three names, none where its record says its parent is: that below itself cannot
# count, that below the root does.
edit name /dir/sub below /dir 4
edit name /many again /dir 4
edit name /dir self /dir 4
edit field /dir parent "$(ino /small)"
edit unname / dir
