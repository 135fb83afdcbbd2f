# SPDX-License-Identifier: GPL-2.0-only
# The orphan map is wrong.
edit bit orphan $(($(ino /small) / 8)) 1
