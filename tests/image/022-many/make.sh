# SPDX-License-Identifier: GPL-2.0-only
# Many things at once.
edit rot 1
edit field /small nlink 1
edit unname / large
edit name /many ghost 8000000 4
edit type /dir symlink 8
edit super free 1
