# SPDX-License-Identifier: GPL-2.0-only
# Two directories hold each other and hang on nothing.
edit name /dir/sub up /dir 4
edit unname / dir
