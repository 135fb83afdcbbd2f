# SPDX-License-Identifier: GPL-2.0-only
# A directory's size is not that of its names.
edit field /many size 17
