# SPDX-License-Identifier: GPL-2.0-only
# A tree of nodes and not a record in it, which nobody who frees the inode would take.
edit hollow /small
edit field /small size 0
